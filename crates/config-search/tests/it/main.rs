//! The tool as its callers use it: arguments in, document or failure out. Nothing is launched here; searches on simulated
//! engines are in `repo-tests`, where the other binaries are.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line")]

mod check_config;
mod folder;
mod validate;

use std::path::Path;

use clap::Parser as _;
use cli_kit::{Failure, Report};
use config_search::cli::Args;
use serde_json::{Value, json};

/// Runs `config-search WORDS…`.
fn run(words: &[&str]) -> Result<Report, Failure> {
    let argv = std::iter::once(&"config-search").chain(words);
    config_search::run(Args::try_parse_from(argv).unwrap())
}

/// The document, checked against its schema, and the exit code.
fn document(words: &[&str]) -> (Value, u8) {
    let report = run(words).unwrap_or_else(|failure| panic!("{words:?}: {failure:?}"));
    let document: Value = serde_json::from_str(report.json()).unwrap();
    let published = contracts::schema::find(document["schema"].as_str().unwrap()).unwrap();
    let schema: Value = serde_json::from_str(published.text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let markdown = report.view().to_markdown();
    assert!(markdown.len() <= 8192, "{} bytes\n{markdown}", markdown.len());
    (document, report.exit().code())
}

/// A plan that can run, of one framework.
fn plan() -> Value {
    json!({
        "schema": "config-search.plan/1",
        "model": {"id": "m"},
        "frameworks": [{
            "name": "sglang",
            "server_command": ["serve", "--model", "m", "--port", "{port}", "--api-key", "very-secret"],
            "search_space": {"--batch": [1, 2, 4], "--graph": {"type": "bool", "family": "graphs"}}
        }],
        "scenarios": [{"name": "chat", "num_prompts": 8, "input_tokens": 100, "output_tokens": 28}],
        "budget": {"trials": 4}
    })
}

fn write(folder: &Path, name: &str, value: &Value) -> String {
    let path = folder.join(name);
    std::fs::write(&path, value.to_string()).unwrap();
    path.display().to_string()
}
