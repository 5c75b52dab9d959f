//! Running the tool inside the test.

use clap::Parser as _;
use cli_kit::{Failure, Report};
use profile_tables::cli::Args;
use serde_json::Value;

/// Runs `profile-tables WORDS…`.
pub(crate) fn run(words: &[&str]) -> Result<Report, Failure> {
    let argv = std::iter::once(&"profile-tables").chain(words);
    profile_tables::run(Args::try_parse_from(argv).expect("the arguments parse"))
}

/// The document, checked against its schema.
pub(crate) fn document(words: &[&str]) -> Value {
    let report = run(words).unwrap_or_else(|failure| panic!("{words:?}: {failure:?}"));
    let document: Value = serde_json::from_str(report.json()).expect("a document is JSON");
    let id = document["schema"].as_str().expect("a document names its schema");
    let schema = contracts::schema::find(id).expect("the schema is published");
    let schema: Value = serde_json::from_str(schema.text).expect("a schema is JSON");
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .expect("a schema compiles")
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{words:?}: {errors:?}");
    document
}

/// Codes of the warnings of a document.
pub(crate) fn warnings(document: &Value) -> Vec<&str> {
    let list = document["warnings"].as_array().expect("a list");
    list.iter()
        .filter_map(|warning| warning["code"].as_str())
        .collect()
}
