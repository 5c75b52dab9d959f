//! What people and agents read.

use clap::CommandFactory as _;
use pipeline_analysis::cli::Args;
use tempfile::TempDir;

use crate::model::{Trace, of, pass};
use crate::run::{document, run};

#[test]
fn the_arguments_are_well_formed() {
    Args::command().debug_assert();
}

#[test]
fn a_long_trace_is_decided_from_its_first_lines() {
    let folder = TempDir::new().expect("a folder");
    let types = [of("mla+dense", 3), of("mla+moe", 40)].concat();
    let mut trace = Trace::new();
    for step in 0..30 {
        trace.dur = if step < 25 { 100 } else { 10 };
        trace.step("step[DECODE bs=16]", &pass(&types));
    }
    let path = trace.write(&folder, "a.json");
    let report = run(&[&path, "--flow", "--pass", "29"]).expect("a document");
    let text = report.view().to_terminal();
    // Commands are there to be copied, and never wrapped.
    let commands = text.find("next:").unwrap_or(text.len());
    let wide = text[..commands].lines().find(|line| line.chars().count() > 100);
    assert_eq!(wide, None);
    assert!(report.view().to_markdown().len() < 8192);
    // The shown pass is among the rows, though it is not among the first twenty.
    assert!(text.contains("▸29") && !text.contains(" 27 │"), "{text}");
    assert!(text.contains("… 9 more rows"), "{text}");
}

#[test]
fn the_summary_names_layers_load_bottleneck_and_idle_time() {
    let folder = TempDir::new().expect("a folder");
    let mut trace = Trace::new();
    trace.gap = 2;
    trace.step("step[DECODE bs=16]", &pass(&of("full+moe", 10)));
    let path = trace.write(&folder, "a.json");
    let seen = document(&[&path]);
    assert_eq!(
        seen["summary"],
        "10 layers in 1 pass (period, confidence 1.00). Pass 0 (decode, batch 16): 1.498 ms, 17 % idle; moe takes 42 % of the busy time of its layers."
    );
    assert_eq!(
        seen["next_actions"][0]["command"],
        serde_json::json!([
            "pipeline-analysis",
            path,
            "--pass",
            "0",
            "--layer",
            "0",
            "--format",
            "markdown"
        ])
    );
    assert_eq!(seen["next_actions"][1]["command"][0], "profile-tables");
    // The tables send here for the kernels: that is the end of the way.
    let after = document(&[&path, "--layer", "0"]);
    assert_eq!(after["next_actions"], serde_json::json!([]));
    trace.gap = 0;
    trace.now += 100_000;
    trace.step("step[DECODE bs=16]", &["late_kernel"]);
    let idle = document(&[&trace.write(&folder, "b.json")]);
    assert_eq!(idle["next_actions"][0]["command"][0], "pipeline-analysis");
}

#[test]
fn time_before_the_only_pass_is_named() {
    let folder = TempDir::new().expect("a folder");
    let mut trace = Trace::new();
    trace.step("step[DECODE bs=16]", &["early_kernel"]);
    trace.now += 500_000;
    trace.step("step[DECODE bs=16]", &pass(&of("full+moe", 10)));
    let path = trace.write(&folder, "a.json");
    let report = run(&[&path]).expect("a document");
    let seen = document(&[&path]);
    let outside = &seen["data"]["outside"];
    let passes = seen["data"]["passes"].as_array().expect("a list");
    assert_eq!(outside["before_ns"], passes[0]["start_ns"]);
    let text = report.view().to_markdown();
    assert!(text.contains("in no pass: "), "{text}");
    let between_or_before =
        outside["before_ns"].as_i64().unwrap_or(0) + outside["between_ns"].as_i64().unwrap_or(0);
    assert!(between_or_before >= 500_000, "{outside}");
}

#[test]
fn names_from_a_trace_cannot_act_on_a_terminal() {
    let folder = TempDir::new().expect("a folder");
    let mut trace = Trace::new();
    let names = [
        "norm_kernel",
        r"evil\u001b[2J\u0007\nfmha",
        "gemm_kernel",
        "act_kernel",
    ]
    .repeat(12);
    trace.kernels(&names, 1);
    let report = run(&[&trace.write(&folder, "a.json"), "--flow"]).expect("a document");
    for text in [
        report.json().to_owned(),
        report.view().to_terminal(),
        report.view().to_markdown(),
    ] {
        assert!(
            text.chars()
                .all(|character| !character.is_control() || character == '\n'),
            "{text}"
        );
    }
}
