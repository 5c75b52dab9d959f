//! Prompts that cannot fit into the server's context: an input error, not a bad measurement.

use cli_kit::Failure;
use contracts::Exit;
use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::RequestRecord;
use contracts::serve_bench::workload::WorkloadRequest;

use crate::server::Server;

/// Refuses a workload whose longest request is over the context that the server reports. A word is at least one
/// token, so lengths in words are a lower bound.
///
/// # Errors
/// Exit 3 with the length and the context.
pub(crate) fn check(requests: &[WorkloadRequest], server: &Server) -> Result<(), Failure> {
    let Some(context) = server.probe.max_model_len else {
        return Ok(());
    };
    let length = |request: &WorkloadRequest| {
        let (input, output) = (request.input_len.unwrap_or(0), request.output_len.unwrap_or(0));
        input.saturating_add(output)
    };
    let longest = requests.iter().map(length).max().unwrap_or(0);
    if longest <= context {
        return Ok(());
    }
    Err(too_long(format!(
        "the longest request needs {longest} tokens or more, the context of {} is {context}",
        server.served_model
    )))
}

/// The same when only the server knew: every request was refused with 400 and a word about the context.
pub(crate) fn refused_by_server(records: &[RequestRecord], server: &Server) -> Option<Failure> {
    let first = records.first()?;
    let refused = |record: &RequestRecord| {
        let text = record.error.as_deref().unwrap_or_default().to_ascii_lowercase();
        record.outcome == Outcome::HttpStatus && record.http_status == Some(400) && text.contains("context")
    };
    if !records.iter().all(refused) {
        return None;
    }
    let said = first.error.as_deref().unwrap_or_default();
    Some(too_long(format!(
        "{} refused every request: {said}",
        server.served_model
    )))
}

fn too_long(message: String) -> Failure {
    Failure::new(Exit::BadInput, "prompt-too-long", message)
        .hint("lower --input-len and --output-len, or start the server with a longer context")
}
