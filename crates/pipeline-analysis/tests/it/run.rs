//! Running the tool inside the test.

use std::sync::LazyLock;

use clap::Parser as _;
use cli_kit::{Failure, Report};
use pipeline_analysis::cli::Args;
use serde_json::Value;
use tempfile::TempDir;

const SCHEMA: &str = "pipeline-analysis.report/1";

/// Compiled once: every document is held against it.
static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = contracts::schema::find(SCHEMA).expect("the schema is published");
    let schema: Value = serde_json::from_str(schema.text).expect("a schema is JSON");
    jsonschema::validator_for(&schema).expect("a schema compiles")
});

/// Runs `pipeline-analysis WORDS…`.
pub(crate) fn run(words: &[&str]) -> Result<Report, Failure> {
    let argv = std::iter::once(&"pipeline-analysis").chain(words);
    pipeline_analysis::run(Args::try_parse_from(argv).expect("the arguments parse"))
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
    document
}

/// `data` of the document.
pub(crate) fn data(words: &[&str]) -> Value {
    document(words)["data"].take()
}

/// Codes of the warnings of a document.
pub(crate) fn warnings(document: &Value) -> Vec<&str> {
    rows(&document["warnings"])
        .iter()
        .filter_map(|warning| warning["code"].as_str())
        .collect()
}

/// The rows of a table.
pub(crate) fn rows(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

/// A number of nanoseconds, or a count.
pub(crate) fn number(value: &Value) -> i64 {
    value.as_i64().unwrap_or_else(|| panic!("{value} is a number"))
}

/// Writes a file into the folder, and gives its path.
pub(crate) fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}
