//! Running the tool inside the test.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::Parser as _;
use cli_kit::{Failure, Report};
use kernel_gate::cli::Args;
use serde_json::Value;
use tempfile::TempDir;

/// Compiled once: every document is held against its schema.
static VALIDATORS: LazyLock<BTreeMap<&'static str, jsonschema::Validator>> = LazyLock::new(|| {
    let published = contracts::schema::PUBLISHED.iter();
    let own = published.filter(|published| published.id.starts_with("kernel-gate."));
    own.map(|published| {
        let schema: Value = serde_json::from_str(published.text).expect("a schema is JSON");
        (
            published.id,
            jsonschema::validator_for(&schema).expect("a schema compiles"),
        )
    })
    .collect()
});

/// Runs `kernel-gate WORDS…`.
pub(crate) fn run(words: &[&str]) -> Result<Report, Failure> {
    let argv = std::iter::once(&"kernel-gate").chain(words);
    kernel_gate::run(Args::try_parse_from(argv).expect("the arguments parse"))
}

/// The document, checked against its schema, with the exit code.
pub(crate) fn ended(words: &[&str]) -> (Value, u8) {
    let report = run(words).unwrap_or_else(|failure| panic!("{words:?}: {failure:?}"));
    let document: Value = serde_json::from_str(report.json()).expect("a document is JSON");
    let schema = document["schema"].as_str().expect("a document names its schema");
    validates(schema, &document).unwrap_or_else(|errors| panic!("{words:?}: {errors:?}"));
    let markdown = report.view().to_markdown();
    assert!(markdown.len() <= 8192, "{} bytes\n{markdown}", markdown.len());
    let terminal = report.view().to_terminal();
    // Commands are never wrapped: they are there to be copied.
    let shown = terminal.split("\nnext:\n").next().expect("a first part");
    let widest = shown.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}\n{terminal}");
    (document, report.exit().code())
}

/// Holds a value against a published schema.
pub(crate) fn validates(schema: &str, value: &Value) -> Result<(), Vec<String>> {
    let errors: Vec<String> = VALIDATORS[schema]
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// The document.
pub(crate) fn document(words: &[&str]) -> Value {
    ended(words).0
}

/// Codes of the reasons with an effect.
pub(crate) fn codes<'a>(document: &'a Value, effect: &str) -> Vec<&'a str> {
    let reasons = document["data"]["reasons"].as_array().expect("a list").iter();
    let of = reasons.filter(|reason| reason["effect"] == effect);
    of.filter_map(|reason| reason["code"].as_str()).collect()
}

/// Writes a file into the folder, and gives its path.
pub(crate) fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}

/// A real ledger, or `None` with a word about it where the data is not there.
pub(crate) fn real(name: &str) -> Option<String> {
    let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        eprintln!("not run: SOTA_LOOP_TEST_DATA is not set");
        return None;
    };
    let path = PathBuf::from(data).join("ncu/ledger").join(name);
    assert!(path.is_file(), "{} is not there", path.display());
    Some(path.display().to_string())
}

/// A map that ships as an example.
pub(crate) fn map(name: &str) -> String {
    let maps = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/kernel-gate/maps");
    maps.join(name).display().to_string()
}

/// A number of a document.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}
