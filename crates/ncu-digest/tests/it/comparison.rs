//! Two captures: matching, noise, drifting clocks, controls.

use ncu_report::{Kernel, Report};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{BYTES, CLOCK, CYCLES, DURATION, quiet, report, with, write};
use crate::run::{document, refused, run, warnings};

fn of(a: &Report, b: &Report, words: &[&str]) -> Value {
    let folder = TempDir::new().expect("a folder");
    let (a, b) = (write(&folder, "a.ncu-rep", a), write(&folder, "b.ncu-rep", b));
    document(&[&[a.as_str(), "--candidate", b.as_str()], words].concat())
}

fn compared(a: Vec<Kernel>, b: Vec<Kernel>, words: &[&str]) -> Value {
    of(&report(a), &report(b), words)
}

/// A kernel of a duration at 1.5 GHz.
fn took(name: &str, ns: f64) -> Kernel {
    with(quiet(name), &[(DURATION, ns), (CYCLES, ns * 1.5)])
}

fn pair(document: &Value, at: usize) -> &Value {
    &document["data"]["comparison"]["pairs"][at]
}

fn verdict(pair: &Value) -> (&str, bool) {
    (
        pair["verdict"].as_str().expect("a verdict"),
        pair["provisional"] == true,
    )
}

#[test]
fn beyond_the_noise_and_within_it() {
    for (ns, expected) in [
        (0.97e6, ("faster", true)),
        (0.981e6, ("no_change", false)),
        (1.019e6, ("no_change", false)),
        (1.021e6, ("slower", true)),
    ] {
        let document = compared(vec![took("k", 1e6)], vec![took("k", ns)], &[]);
        assert_eq!(verdict(pair(&document, 0)), expected, "{ns}");
    }
    // Six tenths of a microsecond are 6 % of ten.
    let document = compared(vec![took("k", 10_000.0)], vec![took("k", 9_500.0)], &[]);
    assert_eq!(verdict(pair(&document, 0)).0, "no_change");
    assert_eq!(pair(&document, 0)["noise_from"], "resolution");
}

#[test]
fn launches_that_repeat_are_no_longer_provisional() {
    let launches = |ns: f64| {
        vec![
            took("k", ns * 2.0),
            took("k", ns),
            took("k", ns * 1.001),
            took("k", ns),
        ]
    };
    let document = compared(launches(1e6), launches(0.9e6), &[]);
    assert_eq!(verdict(pair(&document, 0)), ("faster", false));
    assert_eq!(pair(&document, 0)["baseline"]["n"], 4);
    // Five that spread need more: twice a coefficient of variation of about 8 %.
    let spread = |ns: f64| {
        [1.0, 0.9, 1.1, 0.95, 1.05]
            .map(|factor| took("k", ns * factor))
            .to_vec()
    };
    let document = compared(spread(1e6), spread(0.9e6), &[]);
    assert_eq!(verdict(pair(&document, 0)), ("no_change", false));
    assert_eq!(pair(&document, 0)["noise_from"], "spread");
}

#[test]
fn cycles_decide_where_clocks_drift() {
    // The same cycles at a clock that is a tenth slower.
    let slow = with(quiet("k"), &[(DURATION, 1.1e6), (CLOCK, 1.5e9 / 1.1)]);
    let document = compared(vec![took("k", 1e6)], vec![slow], &[]);
    let pair = pair(&document, 0);
    assert_eq!(pair["duration_verdict"], "clock_drift");
    assert_eq!(verdict(pair), ("no_change", true));
}

#[test]
fn an_unchanged_kernel_that_moved_raises_the_noise() {
    let base = vec![took("edited", 1e6), took("same", 9e5), took("other", 2e5)];
    let candidate = |ns: f64| {
        vec![
            with(took("edited", ns), &[("smsp__inst_executed.sum", 5.0)]),
            took("same", 9.9e5),
            took("other", 2e5),
        ]
    };
    let document = compared(base.clone(), candidate(0.93e6), &["--pair", "edited=edited"]);
    let first = pair(&document, 0);
    assert_eq!(
        (first["noise_from"].as_str(), first["noise_pct"].as_f64()),
        (Some("control"), Some(10.0))
    );
    assert_eq!(verdict(first).0, "no_change");
    assert_eq!(pair(&document, 1)["is_control"], true);
    // 200 µs are less than a quarter of 900.
    assert_eq!(pair(&document, 2)["noise_pct"], 2.0);
    let document = compared(base, candidate(0.85e6), &["--pair", "edited=edited"]);
    assert_eq!(verdict(pair(&document, 0)), ("faster", true));
}

#[test]
fn the_edited_kernel_is_no_control_of_itself() {
    // A changed mapping of threads executes as many instructions.
    let document = compared(
        vec![took("k", 1e6)],
        vec![with(took("k", 1e5), &[(BYTES, 8.0)])],
        &[],
    );
    let first = pair(&document, 0);
    assert_eq!(
        (first["is_control"].as_bool(), verdict(first).0),
        (Some(false), "faster")
    );
    let moved = first["metrics"].as_array().expect("a list");
    assert_eq!(moved.len(), 1, "{moved:?}");
    assert_eq!(
        (&moved[0]["name"], moved[0]["delta_pct"].as_f64()),
        (&json!("memory.bytes_per_sector"), Some(-75.0))
    );
    // The next edit is the candidate's.
    assert_eq!(document["data"]["next_edit"]["id"], "E05");
}

/// A quotient that no number can hold is shown as unknown, and told; the other pairs are judged.
#[test]
fn a_change_without_a_finite_number_is_shown() {
    let folder = TempDir::new().expect("a folder");
    let other = || took("other", 1e6);
    let a = write(&folder, "a.ncu-rep", &report(vec![took("k", 1e-6), other()]));
    let b = write(&folder, "b.ncu-rep", &report(vec![took("k", 1e304), other()]));
    let words = [a.as_str(), "--candidate", b.as_str(), "--pair", "k=k"];
    let seen = document(&words);
    let first = pair(&seen, 0);
    assert_eq!(
        (&first["duration_delta_pct"], &first["cycles_delta_pct"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(verdict(first).0, "unknown");
    assert_eq!(warnings(&seen), ["change-not-finite"]);
    assert_eq!(run(&words).expect("a page").exit().code(), 5);
    assert_eq!(verdict(pair(&seen, 1)).0, "no_change");
    // It is another one's: the verdict that was asked for stands.
    let words = [a.as_str(), "--candidate", b.as_str(), "--pair", "other=other"];
    assert_eq!(run(&words).expect("a page").exit().code(), 0);
    assert_eq!(warnings(&document(&words)), ["change-not-finite"]);
}

/// Thousands of names, in another order on the other side, and as many configurations of one name.
#[test]
fn many_kernels_find_their_partners() {
    let kernel = |at: u64, ns: f64| {
        let name = if at.is_multiple_of(2) {
            "tuned".to_owned()
        } else {
            format!("kernel_{at}")
        };
        let metrics = took("k", ns + at as f64).metrics.into_iter();
        Kernel {
            grid: [at + 1, 1, 1],
            metrics: metrics
                .filter(|(name, _)| [DURATION, CYCLES, CLOCK].contains(&name.as_str()))
                .collect(),
            ..quiet(&name)
        }
    };
    let base = (0..3000).map(|at| kernel(at, 1e6)).collect();
    let candidate = (0..3000).rev().map(|at| kernel(at, 2e6)).collect();
    let folder = TempDir::new().expect("a folder");
    let a = write(&folder, "a.ncu-rep", &report(base));
    let b = write(&folder, "b.ncu-rep", &report(candidate));
    let report = run(&[&a, "--candidate", &b]).expect("a page");
    let seen: Value = serde_json::from_str(report.json()).expect("a document is JSON");
    let pairs = seen["data"]["comparison"]["pairs"].as_array().expect("a list");
    assert_eq!(pairs.len(), 3000);
    for pair in pairs {
        assert_eq!(pair["baseline"]["grid"], pair["candidate"]["grid"]);
        assert_eq!(pair["baseline"]["key"], pair["candidate"]["key"]);
    }
    assert_eq!(seen["data"]["comparison"]["unmatched"], json!([]));
}

#[test]
fn other_names_need_a_pair() {
    let folder = TempDir::new().expect("a folder");
    let a = write(
        &folder,
        "a.ncu-rep",
        &report(vec![took("old<8>", 1e6), took("older", 5e5)]),
    );
    let b = write(
        &folder,
        "b.ncu-rep",
        &report(vec![took("fresh", 8e5), took("older", 5e5)]),
    );
    let words = [a.as_str(), "--candidate", b.as_str()];
    assert_eq!(refused(&words), ("ambiguous-kernel".to_owned(), 3));
    let document = document(&[&words[..], &["--pair", "old<=fresh"]].concat());
    assert_eq!(verdict(pair(&document, 0)).0, "faster");
    // A part of two names is no name, a whole one is.
    assert_eq!(
        refused(&[&words[..], &["--pair", "old=fresh"]].concat()).0,
        "ambiguous-kernel"
    );
    let whole = crate::run::document(&[&words[..], &["--pair", "older=older"]].concat());
    assert_eq!(
        whole["data"]["comparison"]["unmatched"].as_array().map(Vec::len),
        Some(2)
    );
}

#[test]
fn other_work_needs_a_shape() {
    let coarse = Kernel {
        grid: [75, 1, 1],
        ..took("k", 5e5)
    };
    let folder = TempDir::new().expect("a folder");
    let a = write(&folder, "a.ncu-rep", &report(vec![took("k", 1e6)]));
    let b = write(&folder, "b.ncu-rep", &report(vec![coarse]));
    let words = [a.as_str(), "--candidate", b.as_str()];
    assert_eq!(refused(&words), ("workload-mismatch".to_owned(), 3));
    let document = document(&[&words[..], &["--declare", "shape=2048x2048"]].concat());
    assert_eq!(verdict(pair(&document, 0)).0, "faster");
}

#[test]
fn configurations_are_matched_one_by_one() {
    let sized = |blocks: u64, ns: f64| Kernel {
        grid: [blocks, 1, 1],
        ..took("tuned", ns)
    };
    let document = compared(
        vec![sized(100, 1e6), sized(200, 2e6)],
        vec![sized(200, 1e6), sized(100, 9e5)],
        &[],
    );
    let grids = [0, 1].map(|at| {
        (
            pair(&document, at)["baseline"]["grid"][0].as_u64(),
            pair(&document, at)["candidate"]["grid"][0].as_u64(),
        )
    });
    assert_eq!(grids, [(Some(200), Some(200)), (Some(100), Some(100))]);
    let folder = TempDir::new().expect("a folder");
    let a = write(
        &folder,
        "a.ncu-rep",
        &report(vec![sized(100, 1e6), sized(200, 2e6)]),
    );
    let b = write(
        &folder,
        "b.ncu-rep",
        &report(vec![sized(300, 1e6), sized(400, 1e6)]),
    );
    assert_eq!(refused(&[&a, "--candidate", &b]).0, "workload-mismatch");
}

#[test]
fn another_version_compares_durations_alone() {
    let mut newer = report(vec![with(took("k", 5e5), &[(BYTES, 8.0)])]);
    newer.session.ncu_version = Some("2024.1.0.0".to_owned());
    let document = of(&report(vec![took("k", 1e6)]), &newer, &[]);
    assert_eq!(warnings(&document), ["ncu-version-mismatch"]);
    assert_eq!(verdict(pair(&document, 0)), ("faster", true));
    assert_eq!(pair(&document, 0)["metrics"], json!([]));
    // What the star behind a verdict stands for names this, too.
    let folder = TempDir::new().expect("a folder");
    let base = write(&folder, "a.ncu-rep", &report(vec![took("k", 1e6)]));
    let candidate = write(&folder, "b.ncu-rep", &newer);
    let page = run(&[&base, "--candidate", &candidate])
        .expect("a report")
        .view()
        .to_markdown();
    let star = page.lines().find(|line| line.contains("provisional:"));
    assert!(
        star.is_some_and(|line| line.contains("another release")),
        "{page}"
    );
    // A patch of one release does not.
    newer.session.ncu_version = Some("2025.3.2.0".to_owned());
    let document = of(&report(vec![took("k", 1e6)]), &newer, &[]);
    assert!(warnings(&document).is_empty());
}

#[test]
fn what_two_captures_must_share() {
    let base = report(vec![took("k", 1e6)]);
    let refuse = |change: &dyn Fn(&mut Report)| {
        let mut other = base.clone();
        change(&mut other);
        let folder = TempDir::new().expect("a folder");
        let (a, b) = (
            write(&folder, "a.ncu-rep", &base),
            write(&folder, "b.ncu-rep", &other),
        );
        let (code, exit) = refused(&[&a, "--candidate", &b]);
        assert_eq!(exit, 3);
        code
    };
    let command =
        |text: &'static str| move |report: &mut Report| report.session.command_line = Some(text.to_owned());
    assert_eq!(
        refuse(&|report| report.session.gpu = Some("Other GPU".to_owned())),
        "gpu-mismatch"
    );
    assert_eq!(
        refuse(&|report| report.session.cc = Some("8.9".to_owned())),
        "gpu-mismatch"
    );
    assert_eq!(
        refuse(&command("ncu --set full --clock-control none p")),
        "clock-mismatch"
    );
    assert_eq!(refuse(&command("ncu --set basic p")), "set-mismatch");
    let no_time = |report: &mut Report| {
        report.kernels[0].metrics.remove(DURATION);
    };
    assert_eq!(refuse(&no_time), "no-duration");
}
