//! `--for RESULT`: tables that explain a benchmark carry its contract, and are of its engine.

use std::path::Path;

use cli_kit::{Failure, load_document};
use contracts::serve_bench::result::{self, ResultData};
use contracts::{Document, Exit, FieldSet, Input};

/// What a benchmark gives to its evidence.
pub(crate) struct Binding {
    pub(crate) contract: FieldSet,
    pub(crate) environment: FieldSet,
    pub(crate) subject: FieldSet,
    pub(crate) simulated: bool,
    pub(crate) input: Input,
}

/// Reads the result that the tables explain.
///
/// # Errors
/// Exit 3 when it is no result, or of another engine than the trace.
pub(crate) fn bind(path: &Path, engine: Option<&str>) -> Result<Binding, Failure> {
    let loaded = load_document::<ResultData>(path, result::SCHEMA)?;
    let document: Document<ResultData> = loaded.document;
    let measured = document
        .subject
        .fields
        .get("engine.kind")
        .and_then(|field| field.value.as_str());
    let plain = |name: &str| name.to_lowercase().replace(['-', '_', '.'], "");
    if let (Some(measured), Some(engine)) = (measured, engine)
        && !document.simulated
        && plain(measured) != plain(engine)
    {
        return Err(Failure::new(
            Exit::BadInput,
            "evidence-other-engine",
            format!(
                "failed to bind the trace to {}: the trace is of {engine}, the result of {measured}",
                path.display()
            ),
        )
        .hint("give the result of the engine that was profiled"));
    }
    Ok(Binding {
        contract: document.contract,
        environment: document.environment,
        subject: document.subject,
        simulated: document.simulated,
        input: loaded.input,
    })
}
