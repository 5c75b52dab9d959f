//! What is written is read back.

use ncu_report::{
    Form, Instance, Kernel, Limits, Metric, Private, Report, Rule, RuleKind, Session, Speedup, Value, encode,
    encode_compressed, read,
};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;

use crate::reports::two_kernels;

#[test]
fn a_whole_report_comes_back() {
    let report = two_kernels();
    assert_eq!(
        read(&encode(&report), Limits::default()).expect("a report"),
        report
    );
}

#[test]
fn a_compressed_report_comes_back() {
    let report = two_kernels();
    let bytes = encode_compressed(&report);
    assert!(bytes.len() < encode(&report).len(), "{} bytes", bytes.len());
    let read = read(&bytes, Limits::default()).expect("a report");
    assert_eq!(read.form, Form::Repz);
    assert_eq!(read.kernels, report.kernels);
    assert_eq!(read.session, report.session);
}

/// Compressed by `zstd` 1.5.4 itself: `zstd -19 --check` of what `UPDATE_FIXTURES=1` writes beside it.
#[test]
fn a_report_that_zstd_compressed_comes_back() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let report = two_kernels();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(format!("{folder}/two_kernels.ncu-rep"), encode(&report))
            .expect("the folder is writable");
    }
    let bytes = std::fs::read(format!("{folder}/two_kernels.ncu-repz")).expect("the fixture");
    let again = read(&bytes, Limits::default()).expect("a report");
    assert_eq!((again.form, again.kernels), (Form::Repz, report.kernels));
    // The whole in two frames, with one between them that holds no content.
    let half = encode(&two_kernels());
    let (a, b) = half.split_at(half.len() / 2);
    let frame =
        |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    let empty = [0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    for frames in [
        [frame(a), empty.to_vec(), frame(b)],
        [empty.to_vec(), frame(a), frame(b)],
    ] {
        let again = read(&frames.concat(), Limits::default()).expect("a report");
        assert_eq!((again.form, again.session), (Form::Repz, two_kernels().session));
    }
    let cut = [&frame(&half)[..], &empty[..9]].concat();
    let error = read(&cut, Limits::default()).expect_err("a cut frame");
    assert_eq!(error.code(), "truncated-file");
}

/// Text as a reader leaves it.
fn text() -> impl Strategy<Value = String> {
    "[a-zA-Zäß_<>:@.,]{1,12}( [a-z0-9]{1,4})?"
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::Text),
        any::<u64>().prop_map(Value::Integer),
        (-1e300..1e300).prop_map(Value::Real),
    ]
}

fn metric() -> impl Strategy<Value = Metric> {
    let instance = (of(value()), of(value())).prop_map(|(id, value)| Instance { id, value });
    (of(value()), vec(instance, 0..4)).prop_map(|(value, instances)| Metric {
        value,
        instances,
        unit: None,
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let kind = prop_oneof![
        Just(RuleKind::Info),
        Just(RuleKind::Warning),
        Just(RuleKind::Error),
        Just(RuleKind::Optimization)
    ];
    let speedup = of((any::<bool>(), 0.0..100.0))
        .prop_map(|speedup| speedup.map(|(is_global, percent)| Speedup { is_global, percent }));
    (text(), text(), text(), text(), kind, speedup, vec(text(), 0..3)).prop_map(
        |(id, section, title, text, kind, speedup, focus)| Rule {
            id,
            section,
            title,
            text,
            kind,
            speedup,
            focus,
        },
    )
}

fn kernel() -> impl Strategy<Value = Kernel> {
    (
        (text(), text()),
        (any::<[u64; 3]>(), any::<[u64; 3]>()),
        (of(any::<u64>()), of(any::<u64>())),
        btree_map(text(), metric(), 0..6),
        vec(rule(), 0..3),
        vec(text(), 0..3),
    )
        .prop_map(
            |((function, demangled), (grid, block), (context, stream), metrics, rules, sections)| Kernel {
                index: 0,
                function,
                demangled,
                grid,
                block,
                context,
                stream,
                metrics,
                rules,
                sections,
            },
        )
}

fn session() -> impl Strategy<Value = Session> {
    let private = (of(text()), of(text()), of(text()), of(text())).prop_map(
        |(host, program, working_directory, environment)| Private {
            host,
            program,
            working_directory,
            environment,
        },
    );
    (
        (of("[0-9.]{1,9}"), of(text()), of(text()), of(text())),
        (of(any::<u64>()), of(text())),
        private,
        btree_map(text(), value(), 0..4),
    )
        .prop_map(
            |(
                (ncu_version, cuda_version, driver_version, gpu),
                (created_unix_s, command_line),
                private,
                attributes,
            )| {
                let default = |value: &str| command_line.as_ref().map(|_| value.to_owned());
                Session {
                    file_version: Some(7),
                    ncu_version,
                    cuda_version,
                    driver_version,
                    gpu,
                    created_unix_s,
                    clock_control: default("base"),
                    cache_control: default("all"),
                    command_line,
                    private,
                    attributes,
                    ..Session::default()
                }
            },
        )
}

proptest! {
    #[test]
    fn any_report_comes_back(session in session(), mut kernels in vec(kernel(), 1..4)) {
        for (index, kernel) in kernels.iter_mut().enumerate() {
            kernel.index = index;
        }
        let report = Report { session, kernels, ..Report::default() };
        let again = read(&encode(&report), Limits::default()).expect("a report");
        prop_assert_eq!(again, report);
    }
}
