//! The process: exit codes, and what goes to which stream.

use std::process::{Command, Output};

use crate::fixtures::{Desk, compare, contains, pairs, validate};

fn gap_decide(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gap-decide"))
        .args(words)
        .output()
        .unwrap()
}

#[test]
fn a_decision_on_stdout_and_on_disk() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(1.0, 0.003, 12)));
    let out = desk.path("gap.json");
    let output = gap_decide(&[
        "--compare",
        &doc,
        "--format",
        "markdown",
        "-o",
        &out.display().to_string(),
    ]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let markdown = String::from_utf8(output.stdout).unwrap();
    assert!(markdown.starts_with("## stop_reached: output_tps"), "{markdown}");
    validate(&contains(&out), "gap-decide.decision/1");
}

#[test]
fn inconclusive_is_exit_5_and_still_a_document() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(1.0, 0.03, 8)));
    let output = gap_decide(&["--compare", &doc]);
    assert_eq!(output.status.code(), Some(5));
    validate(
        &String::from_utf8(output.stdout).unwrap(),
        "gap-decide.decision/1",
    );
}

#[test]
fn errors_on_both_streams() {
    let desk = Desk::new();
    let output = gap_decide(&["--compare", &desk.put_text("c.json", "{}"), "--format", "json"]);
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(
        stderr.starts_with("error[schema-foreign]: ") && stderr.contains("\nhint: "),
        "{stderr}"
    );
    validate(&String::from_utf8(output.stdout).unwrap(), "error/1");
    assert_eq!(gap_decide(&["--no-such-flag"]).status.code(), Some(2));
    assert_eq!(gap_decide(&[]).status.code(), Some(2));
}

#[test]
fn an_output_that_cannot_be_written_loses_nothing() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(1.0, 0.003, 12)));
    let nowhere = desk.path("missing/gap.json").display().to_string();
    let output = gap_decide(&["--compare", &doc, "--format", "table", "-o", &nowhere]);
    assert_eq!(output.status.code(), Some(4));
    validate(
        &String::from_utf8(output.stdout).unwrap(),
        "gap-decide.decision/1",
    );
}

#[test]
fn schemas_come_without_arguments() {
    for (words, id) in [
        (&["--schema"][..], "gap-decide.decision/1"),
        (&["calibrate", "--schema"], "gap-decide.calibration/1"),
    ] {
        let output = gap_decide(words);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            contracts::schema::find(id).unwrap().text
        );
    }
}
