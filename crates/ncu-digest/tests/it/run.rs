//! Running the tool inside the test.

use std::path::PathBuf;
use std::sync::LazyLock;

use clap::Parser as _;
use cli_kit::{Failure, Report};
use ncu_digest::cli::Args;
use ncu_report::Kernel;
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::{report, write};

/// Compiled once: every document is held against its own.
static VALIDATORS: LazyLock<[(&str, jsonschema::Validator); 3]> = LazyLock::new(|| {
    [
        contracts::ncu_digest::report::SCHEMA,
        contracts::ncu_digest::metrics::SCHEMA,
        contracts::ncu_digest::command::SCHEMA,
    ]
    .map(|id| {
        let schema = contracts::schema::find(id).expect("the schema is published");
        let schema: Value = serde_json::from_str(schema.text).expect("a schema is JSON");
        (id, jsonschema::validator_for(&schema).expect("a schema compiles"))
    })
});

/// Runs `ncu-digest WORDS…`.
pub(crate) fn run(words: &[&str]) -> Result<Report, Failure> {
    let argv = std::iter::once(&"ncu-digest").chain(words);
    ncu_digest::run(Args::try_parse_from(argv).expect("the arguments parse"))
}

/// The document, checked against its schema, and its views against their size.
pub(crate) fn document(words: &[&str]) -> Value {
    let report = run(words).unwrap_or_else(|failure| panic!("{words:?}: {failure:?}"));
    let document: Value = serde_json::from_str(report.json()).expect("a document is JSON");
    let id = document["schema"].as_str().expect("a document names its schema");
    let (_, validator) = VALIDATORS
        .iter()
        .find(|(known, _)| *known == id)
        .expect("the schema is known");
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{words:?}: {errors:?}");
    for view in [report.view().to_markdown(), report.view().to_terminal()] {
        assert!(view.len() <= 8192, "{} bytes: {view}", view.len());
    }
    document
}

/// The digest of a report with these kernels, and further words.
pub(crate) fn digest(kernels: Vec<Kernel>, words: &[&str]) -> Value {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "test.ncu-rep", &report(kernels));
    document(&[&[path.as_str()], words].concat())
}

/// Code and exit of a failure, which has a hint.
pub(crate) fn refused(words: &[&str]) -> (String, u8) {
    let Err(failure) = run(words) else {
        panic!("{words:?} is refused");
    };
    assert!(
        failure
            .document
            .hint
            .as_ref()
            .is_some_and(|hint| !hint.is_empty()),
        "{failure:?}"
    );
    (failure.document.code.clone(), failure.exit.code())
}

/// Rule of the next edit.
pub(crate) fn edit(document: &Value) -> &str {
    document["data"]["next_edit"]["id"].as_str().unwrap_or("none")
}

/// Rules that hold besides.
pub(crate) fn also(document: &Value) -> Vec<&str> {
    let list = document["data"]["next_edit"]["also"].as_array().expect("a list");
    list.iter().filter_map(|hit| hit["id"].as_str()).collect()
}

/// Codes of the warnings.
pub(crate) fn warnings(document: &Value) -> Vec<&str> {
    let list = document["warnings"].as_array().expect("a list");
    list.iter()
        .filter_map(|warning| warning["code"].as_str())
        .collect()
}

/// A real report, or `None` with a word about it where the data is not there.
pub(crate) fn real(name: &str) -> Option<String> {
    let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        eprintln!("not run: SOTA_LOOP_TEST_DATA is not set");
        return None;
    };
    let path = PathBuf::from(data)
        .join("ncu/reports")
        .join(format!("{name}.ncu-rep"));
    assert!(path.is_file(), "{} is not there", path.display());
    Some(path.display().to_string())
}
