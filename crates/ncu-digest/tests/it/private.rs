//! Who and where, planted in every text of a report: no page, document or refusal has it.

use ncu_report::{Instance, Kernel, Metric, Report, Rule, RuleKind, Value as Stored};
use tempfile::TempDir;

use crate::fixture::{quiet, report, with, without, write};
use crate::run::run;

const PLANTED: &str = "node17 ada '/home/ada/secret.cu' D:\\work\\ada hush";

/// A kernel with the words in its names, its metrics and its rules.
fn planted(name: &str) -> Kernel {
    let mut kernel = quiet(name);
    kernel.function = format!("{name} {PLANTED}");
    kernel.demangled = format!("{name}<8> {PLANTED}");
    kernel.sections = vec![format!("SpeedOfLight {PLANTED}")];
    let text = || Some(Stored::Text(format!("text {PLANTED}")));
    kernel.metrics.insert(
        format!("launch__odd {PLANTED}"),
        Metric {
            value: text(),
            instances: vec![Instance {
                id: text(),
                value: text(),
            }],
            unit: None,
        },
    );
    for kind in [RuleKind::Error, RuleKind::Optimization] {
        kernel.rules.push(Rule {
            id: format!("Rule {PLANTED}"),
            section: format!("Section {PLANTED}"),
            title: format!("Title {PLANTED}"),
            text: format!("File \"/home/ada/rule.py\" {PLANTED}"),
            kind,
            focus: vec![format!("metric {PLANTED}")],
            ..Rule::default()
        });
    }
    kernel
}

fn planted_report(kernels: Vec<Kernel>) -> Report {
    let mut report = report(kernels);
    report.session.private.environment = Some("USER=ada HF_TOKEN=hush".to_owned());
    report.session.private.working_directory = Some("/home/ada".to_owned());
    for text in [
        &mut report.session.gpu,
        &mut report.session.cuda_version,
        &mut report.session.driver_version,
    ] {
        *text = Some(format!("{} {PLANTED}", text.take().unwrap_or_default()));
    }
    report.session.command_line = Some(format!(
        "/home/ada/ncu --set full --clock-control base -k 'regex:node17 ada' -o /home/ada/x ./app {PLANTED}"
    ));
    let attribute = Stored::Text(PLANTED.to_owned());
    report
        .session
        .attributes
        .insert("device__attribute_odd".to_owned(), attribute);
    report
}

/// Document and views, or the refusal.
fn said(words: &[&str]) -> String {
    match run(words) {
        Ok(report) => format!(
            "{}\n{}\n{}",
            report.json(),
            report.view().to_markdown(),
            report.view().to_terminal()
        ),
        Err(failure) => format!("{failure:?}"),
    }
}

#[test]
fn no_output_names_anybody() {
    let folder = TempDir::new().expect("a folder");
    let slow = with(planted("kernel"), &[("gpu__time_duration.sum", 2e6)]);
    let a = write(&folder, "a.ncu-rep", &planted_report(vec![slow]));
    let b = write(&folder, "b.ncu-rep", &planted_report(vec![planted("kernel")]));
    let lacking = planted_report(vec![without(planted("kernel"), "issue_stalled")]);
    let c = write(&folder, "c.ncu-rep", &lacking);
    let refused = planted_report(vec![without(planted("kernel"), "throughput")]);
    let d = write(&folder, "d.ncu-rep", &refused);
    let other = write(&folder, "e.ncu-rep", &planted_report(vec![planted("other")]));
    for words in [
        &[a.as_str()][..],
        &[&a, "--all"],
        &[&a, "--candidate", &b],
        &[&a, "--candidate", &other],
        &[&a, "--candidate", &other, "--pair", "kernel=other"],
        &[&c],
        &[&d],
        &[&a, "--kernel", "nothing"],
        &["metrics", &a, "--match", "*"],
        &["metrics", &a, "--match", "nothing"],
    ] {
        let text = said(words);
        let found: Vec<&str> = text
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| ["node17", "ada", "hush", "secret"].contains(word))
            .collect();
        assert!(found.is_empty(), "{words:?}: {found:?} in {text}");
    }
}

/// Who asks for it gets host, paths and command lines, and still no tokens.
#[test]
fn all_is_shown_where_it_is_asked_for_but_tokens() {
    let folder = TempDir::new().expect("a folder");
    let mut report = report(vec![quiet("k")]);
    report.session.private.environment = Some("USER=ada HF_TOKEN=hush".to_owned());
    report.session.private.working_directory = Some("/home/ada/work".to_owned());
    let path = write(&folder, "a.ncu-rep", &report);
    for words in [
        &[path.as_str(), "--no-redact"][..],
        &["metrics", &path, "--match", "*", "--no-redact"],
    ] {
        let report = run(words).expect("a page");
        for shown in [
            "node17",
            "/home/ada/secret_program",
            "/home/ada/work",
            "/home/ada/ncu --set full",
            "USER=ada",
        ] {
            assert!(report.json().contains(shown), "{words:?}: {shown}");
        }
        assert!(!report.json().contains("hush"), "{words:?}");
    }
}
