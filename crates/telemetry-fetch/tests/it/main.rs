//! The tool against servers that answer what they are told, and its documents against their schemas.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line")]

mod around;
mod bad_input;
mod before;
mod benchmark;
mod beside;
mod graphsignal;
mod llama;
mod log_edges;
mod log_programs;
mod logs;
mod real;
mod roles;
mod server;
mod snapshots;
mod store;
mod views;

use clap::Parser as _;
use cli_kit::{Failure, Report};
use serde_json::Value;

/// Runs the tool on a line of arguments.
fn run(line: &str) -> Result<Report, Failure> {
    let words = std::iter::once("telemetry-fetch").chain(line.split_whitespace());
    telemetry_fetch::run(telemetry_fetch::cli::Args::try_parse_from(words).unwrap())
}

/// The document of a report, valid by its schema.
fn document(report: &Report) -> Value {
    let document: Value = serde_json::from_str(report.json()).unwrap();
    let id = document["schema"].as_str().unwrap();
    let published = contracts::schema::find(id).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(published.text).unwrap()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    document
}

/// The row of a metric.
fn row<'a>(document: &'a Value, id: &str) -> &'a Value {
    let rows = document["data"]["metrics"].as_array().unwrap();
    rows.iter()
        .find(|row| row["id"] == id)
        .unwrap_or_else(|| panic!("no {id} in {rows:#?}"))
}

/// Codes of the warnings.
fn warnings(document: &Value) -> Vec<&str> {
    let warnings = document["warnings"].as_array().unwrap();
    warnings
        .iter()
        .map(|warning| warning["code"].as_str().unwrap())
        .collect()
}
