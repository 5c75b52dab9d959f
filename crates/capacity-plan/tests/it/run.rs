//! Running the tool inside the test.

use std::path::PathBuf;
use std::sync::LazyLock;

use capacity_plan::cli::Args;
use clap::Parser as _;
use cli_kit::{Failure, Report};
use serde_json::Value;
use tempfile::TempDir;

const SCHEMA: &str = "capacity-plan.report/1";

/// Compiled once: every document is held against it.
static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = contracts::schema::find(SCHEMA).expect("the schema is published");
    let schema: Value = serde_json::from_str(schema.text).expect("a schema is JSON");
    jsonschema::validator_for(&schema).expect("a schema compiles")
});

pub(crate) const GIB: f64 = (1_u64 << 30) as f64;

/// Runs `capacity-plan WORDS…`.
pub(crate) fn run(words: &[&str]) -> Result<Report, Failure> {
    let argv = std::iter::once(&"capacity-plan").chain(words);
    capacity_plan::run(Args::try_parse_from(argv).expect("the arguments parse"))
}

/// The document, checked against its schema.
pub(crate) fn document(words: &[&str]) -> Value {
    let report = run(words).unwrap_or_else(|failure| panic!("{words:?}: {failure:?}"));
    let document: Value = serde_json::from_str(report.json()).expect("a document is JSON");
    assert_eq!(document["schema"], SCHEMA);
    let errors: Vec<String> = VALIDATOR
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{words:?}: {errors:?}");
    assert!(
        report.view().to_markdown().len() < 8192,
        "{}",
        report.view().to_markdown()
    );
    document
}

/// The document of a log with these lines, and further words.
pub(crate) fn of_log(text: &str, words: &[&str]) -> Value {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "server.log", text);
    document(&[&["log", &path], words].concat())
}

/// Codes of the warnings of a document.
pub(crate) fn warnings(document: &Value) -> Vec<&str> {
    codes(&document["warnings"])
}

/// Codes of warnings or advice.
pub(crate) fn codes(list: &Value) -> Vec<&str> {
    let rows = list.as_array().expect("a list").iter();
    rows.filter_map(|row| row["code"].as_str()).collect()
}

/// A size of a document in GiB, with the two digits that engines print.
pub(crate) fn gib(value: &Value) -> f64 {
    let bytes = value.as_f64().unwrap_or_else(|| panic!("{value} is a number"));
    (bytes / GIB * 100.0).round() / 100.0
}

/// Writes a file into the folder, and gives its path.
pub(crate) fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}

/// A real start-up log, or `None` with a word about it where the data is not there.
pub(crate) fn real_log(name: &str) -> Option<String> {
    let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        eprintln!("not run: SOTA_LOOP_TEST_DATA is not set");
        return None;
    };
    let path = PathBuf::from(data).join("telemetry/startup_logs").join(name);
    assert!(path.is_file(), "{} is not there", path.display());
    Some(path.display().to_string())
}
