//! Whatever text of a report says who collected it and where, a redacted one does not.

use ncu_report::{Instance, Limits, Report, Value, encode, read, redact};
use proptest::prelude::*;

use crate::reports::{metric, two_kernels};

/// Words of the session of [`two_kernels`] and a path that only a text has.
const PLANTED: [&str; 5] = [
    "node17",
    "ada",
    "/home/ada/app",
    "/scratch/ada/x.cu",
    r"D:\work\ada",
];

/// Every text of a report that is read, in an order of its own.
fn texts(report: &mut Report) -> Vec<&mut String> {
    let session = &mut report.session;
    let mut texts: Vec<&mut String> = [
        &mut session.ncu_version,
        &mut session.cuda_version,
        &mut session.driver_version,
        &mut session.gpu,
        &mut session.cc,
        &mut session.command_line,
        &mut session.set,
        &mut session.clock_control,
        &mut session.cache_control,
    ]
    .into_iter()
    .flatten()
    .collect();
    texts.extend(session.attributes.values_mut().filter_map(text_of));
    for kernel in &mut report.kernels {
        texts.extend([&mut kernel.function, &mut kernel.demangled]);
        texts.extend(&mut kernel.sections);
        for rule in &mut kernel.rules {
            texts.extend([&mut rule.id, &mut rule.section, &mut rule.title, &mut rule.text]);
            texts.extend(&mut rule.focus);
        }
        for metric in kernel.metrics.values_mut() {
            texts.extend(metric.value.iter_mut().filter_map(text_of));
            for part in &mut metric.instances {
                texts.extend(part.id.iter_mut().chain(&mut part.value).filter_map(text_of));
            }
        }
    }
    texts
}

fn text_of(value: &mut Value) -> Option<&mut String> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn report() -> Report {
    let mut report = two_kernels();
    let metrics = &mut report.kernels[0].metrics;
    let part = Instance {
        id: Some(Value::Text("line".to_owned())),
        value: Some(Value::Text("of a source".to_owned())),
    };
    metrics.insert(
        "source__file".to_owned(),
        ncu_report::Metric {
            instances: vec![part],
            ..metric(Value::Text("a file".to_owned()))
        },
    );
    report
}

/// The report as it is written, read and redacted, with all that is in it.
fn redacted(report: &Report) -> String {
    let mut report = read(&encode(report), Limits::default()).expect("a report");
    redact(&mut report);
    format!("{report:?}")
}

fn names_nobody(text: &str) -> Result<(), TestCaseError> {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    for secret in ["node17", "ada", "scratch"] {
        prop_assert!(!words.contains(&secret), "{secret} in {text}");
    }
    Ok(())
}

#[test]
fn a_secret_in_every_text_at_once_is_left_out() {
    for planted in PLANTED {
        let mut report = report();
        let mut count = 0;
        for text in texts(&mut report) {
            *text = format!("{text} {planted}");
            count += 1;
        }
        assert!(count >= 30, "{count} texts");
        // A name of a metric, too.
        report.kernels[1]
            .metrics
            .insert(format!("odd {planted}"), metric(Value::Integer(1)));
        names_nobody(&redacted(&report)).expect(planted);
    }
}

proptest! {
    #[test]
    fn a_secret_anywhere_is_left_out(
        place in any::<prop::sample::Index>(),
        planted in prop::sample::select(PLANTED.to_vec()),
        before in "([a-z]{1,8}[ =:,('\"])?",
        behind in "([ ,)'\":;][a-z]{1,8})?",
    ) {
        let mut report = report();
        let mut texts = texts(&mut report);
        let place = place.index(texts.len());
        *texts[place] = format!("{before}{planted}{behind}");
        names_nobody(&redacted(&report))?;
    }
}
