//! Pages: their size, their order, and nothing in them that a name could do to a terminal.

use clap::{CommandFactory as _, Parser as _};
use ncu_digest::cli::Args;
use ncu_report::{Kernel, Rule};
use tempfile::TempDir;

use crate::fixture::{BYTES, DRAM, DURATION, estimated, quiet, report, stall, with, write};
use crate::run::{document, run};

#[test]
fn arguments_are_consistent() {
    Args::command().debug_assert();
}

/// Each command's help ends with its exits and two examples, and each example parses.
#[test]
fn every_help_has_two_examples_that_parse() {
    let mut command = cli_kit::command::<Args>();
    let mut helps = vec![command.render_long_help().to_string()];
    for name in ["metrics", "command"] {
        let command = command.find_subcommand_mut(name).expect("the command is there");
        helps.push(command.render_long_help().to_string());
    }
    for help in helps {
        let (_, end) = help.split_once("Exit codes:").expect("exits");
        let (_, end) = end.split_once("Examples:").expect("examples");
        let lines = end
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("ncu-digest "));
        let examples: Vec<String> = lines.map(|line| line.replace('\'', "")).collect();
        assert!(examples.len() >= 2, "{help}");
        for example in examples {
            Args::try_parse_from(example.split_whitespace()).expect(&example);
        }
    }
}

/// No line of a page for a terminal is longer than one.
#[test]
fn pages_fit_a_terminal() {
    let folder = TempDir::new().expect("a folder");
    let a = write(&folder, "a.ncu-rep", &report(crowd()));
    for words in [
        &[a.as_str(), "--all"][..],
        &[&a, "--candidate", &a],
        &["metrics", &a, "--match", "*"],
    ] {
        let view = run(words).expect("a page").view().to_terminal();
        let (page, _) = view.split_once("\nnext:").unwrap_or((&view, ""));
        for line in page.lines() {
            assert!(line.chars().count() <= 100, "{words:?}: {line}");
        }
    }
}

/// Long names, all rules at once, and more kernels than fit.
fn crowd() -> Vec<Kernel> {
    let name = format!(
        "cutlass::Kernel2<{}>",
        "Template<\u{1b}[31mred|pipe, (int)128>, ".repeat(40)
    );
    (0..60)
        .map(|at| {
            let kernel = with(
                quiet(&format!("{name}_{at}")),
                &[
                    (BYTES, 4.0),
                    (DRAM, 95.0),
                    (DURATION, 1e6 + f64::from(at)),
                    (stall("lg_throttle").as_str(), 20.0),
                    (stall("barrier").as_str(), 20.0),
                    (stall("mio_throttle").as_str(), 20.0),
                    (stall("long_scoreboard").as_str(), 20.0),
                ],
            );
            let mut kernel = estimated(kernel, "UncoalescedGlobalAccess", true, 80.0);
            kernel.rules.extend((0..200).map(|at| Rule {
                id: format!("Rule{at}"),
                title: "long ".repeat(1000),
                ..Rule::default()
            }));
            kernel
        })
        .collect()
}

#[test]
fn a_crowded_page_fits_and_begins_with_the_edit() {
    let folder = TempDir::new().expect("a folder");
    let a = write(&folder, "a.ncu-rep", &report(crowd()));
    let b = write(&folder, "b.ncu-rep", &report(crowd()));
    for words in [
        &[a.as_str(), "--all", "--top", "100"][..],
        &[&a, "--candidate", &b, "--top", "100"],
    ] {
        // `document` checks the sizes.
        document(words);
        let report = run(words).expect("a page");
        for view in [report.view().to_markdown(), report.view().to_terminal()] {
            assert!(!view.contains('\u{1b}'), "{view}");
            let edit = view.find("E05").expect("the edit");
            assert!(edit < 700, "{edit}: {view}");
        }
    }
}

#[test]
fn who_and_where_are_left_out_unless_asked_for() {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "a.ncu-rep", &report(vec![quiet("k")]));
    let redacted = run(&[&path]).expect("a page");
    let shown = run(&[&path, "--no-redact"]).expect("a page");
    for secret in ["node17", "/home/ada", "secret_program", "hush"] {
        assert!(!redacted.json().contains(secret), "{secret}");
        assert!(!redacted.view().to_markdown().contains(secret), "{secret}");
    }
    assert!(shown.json().contains("node17") && shown.json().contains("/home/ada/secret_program"));
    assert!(shown.view().to_markdown().contains("node17"));
    let metrics = run(&["metrics", &path, "--match", "*"]).expect("a page");
    assert!(!metrics.json().contains("node17"));
}
