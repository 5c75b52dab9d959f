//! Every error code, with its exit and its hint.

use contracts::Exit;
use serde_json::Value;
use tempfile::TempDir;

use crate::model::{Trace, of, pass};
use crate::run::{document, rows, run, warnings, write};

/// The code of the failure, after a look at its exit and its hint.
fn fails(words: &[&str], exit: Exit) -> String {
    let failure = run(words).expect_err("no document can be made");
    assert_eq!(failure.exit, exit, "{failure:?}");
    assert!(failure.document.hint.is_some(), "{failure:?}");
    failure.document.code.clone()
}

fn ten_layers(folder: &TempDir) -> String {
    let mut trace = Trace::new();
    trace.step("step[DECODE bs=1]", &pass(&of("full+dense", 10)));
    trace.write(folder, "ten.json")
}

#[test]
fn what_is_no_trace_is_refused() {
    let folder = TempDir::new().expect("a folder");
    for (name, text) in [
        ("empty.json", ""),
        ("words.json", "no JSON at all"),
        ("other.json", r#"{"a": 1}"#),
    ] {
        let path = write(&folder, name, text);
        assert_eq!(fails(&[&path], Exit::BadInput), "trace-unreadable", "{name}");
    }
    let absent = folder.path().join("absent.json").display().to_string();
    assert_eq!(fails(&[&absent], Exit::BadInput), "trace-unreadable");
    let empty = TempDir::new().expect("a folder");
    let path = empty.path().display().to_string();
    assert_eq!(fails(&[&path], Exit::BadInput), "trace-not-found");
}

#[test]
fn a_trace_without_a_kernel_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let none = write(&folder, "none.json", r#"{"traceEvents": []}"#);
    assert_eq!(fails(&[&none], Exit::BadInput), "trace-no-kernels");
    let mut cpu_only = Trace::new();
    cpu_only.range("cpu_op", "aten::mm", 0, 5);
    let path = cpu_only.write(&folder, "cpu.json");
    assert_eq!(fails(&[&path], Exit::BadInput), "trace-no-kernels");
    let mut copies = Trace::new();
    copies.event(r#"{"ph":"X","cat":"gpu_memcpy","name":"Memcpy HtoD","pid":0,"tid":7,"ts":1,"dur":5,"args":{"stream":7}}"#);
    let path = copies.write(&folder, "copies.json");
    let failure = run(&[&path]).expect_err("a copy is no kernel");
    assert_eq!(failure.document.code, "trace-no-kernels");
    assert!(
        failure.document.message.contains("1 copies or fills"),
        "{failure:?}"
    );
}

#[test]
fn a_trace_of_the_device_alone_has_layers_and_no_lines() {
    let folder = TempDir::new().expect("a folder");
    let mut trace = Trace::new();
    for (place, name) in pass(&of("full+dense", 10)).iter().enumerate() {
        trace.ran(name, 7, 10 * place as u64, 10, 0);
    }
    let document = document(&[&trace.write(&folder, "a.json")]);
    assert_eq!(document["data"]["detection"]["layers"], 10);
    assert_eq!(document["data"]["passes"][0]["kind"], Value::Null);
    assert!(warnings(&document).contains(&"trace-partial"));
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let trace = ten_layers(&folder);
    for (text, code) in [
        ("{", "model-config-not-json"),
        ("[]", "model-config-not-an-object"),
        (r#"{"model_type": "llama"}"#, "model-config-no-layer-count"),
        (r#"{"num_hidden_layers": 100000}"#, "model-config-layer-count"),
    ] {
        let config = write(&folder, "config.json", text);
        assert_eq!(fails(&[&trace, "--config", &config], Exit::BadInput), code);
    }
    let absent = folder.path().join("absent.json").display().to_string();
    assert_eq!(
        fails(&[&trace, "--config", &absent], Exit::BadInput),
        "input-unreadable"
    );
}

#[test]
fn what_is_asked_for_must_be_there() {
    let folder = TempDir::new().expect("a folder");
    let trace = ten_layers(&folder);
    for (words, exit, code) in [
        (&["--pass", "1"][..], Exit::BadInput, "pass-out-of-range"),
        (&["--pass", "first"], Exit::Usage, "pass-unreadable"),
        (&["--layer", "10"], Exit::BadInput, "layer-out-of-range"),
        (
            &["--layer", "9", "--compare-layer", "10"],
            Exit::BadInput,
            "layer-out-of-range",
        ),
        (&["--anchor", "nothing"], Exit::BadInput, "anchor-matches-nothing"),
        (&["--anchor", "("], Exit::Usage, "anchor-unreadable"),
        (&["--anchor", "(a{1000}){1000}"], Exit::Usage, "anchor-unreadable"),
    ] {
        let words: Vec<&str> = [&trace[..]].iter().chain(words).copied().collect();
        assert_eq!(fails(&words, exit), code, "{words:?}");
    }
    assert!(run(&[&trace, "--layer", "9", "--compare-layer", "0"]).is_ok());
}

#[test]
fn where_nothing_repeats_the_document_says_so() {
    let folder = TempDir::new().expect("a folder");
    let mut trace = Trace::new();
    let names: Vec<String> = (0..40)
        .map(|place| format!("k{}x", "abcdefgh".repeat(place % 7 + place)))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    trace.step("step[EXTEND bs=1 toks=8]", &names);
    trace.step("step[DECODE bs=1]", &names[..11]);
    let path = trace.write(&folder, "a.json");
    for words in [&[&path[..]][..], &[&path, "--layer", "3", "--flow"]] {
        let report = run(words).expect("a document");
        assert_eq!(report.exit(), Exit::Undecided);
        let document = document(words);
        let data = &document["data"];
        assert_eq!(data["layers"], Value::Null);
        assert_eq!(data["steady_pass"], Value::Null);
        assert_eq!(data["detection"]["method"], "none");
        assert_eq!(data["detection"]["confidence"].as_f64(), Some(0.0));
        // The steps of the engine are there all the same.
        let kinds: Vec<&Value> = rows(&data["passes"]).iter().map(|row| &row["kind"]).collect();
        assert_eq!(kinds, ["prefill", "decode"]);
        assert_eq!(data["passes"][0]["layers"], Value::Null);
        assert!(warnings(&document).contains(&"layers-not-found"));
        let command = &document["next_actions"][0]["command"];
        assert_eq!(command[0], "profile-tables");
        // The tables lead to `--flow`: from there only the kernels are left, which lead nowhere.
        assert_eq!(command[1] == "rows", words.contains(&"--flow"), "{command}");
    }
}
