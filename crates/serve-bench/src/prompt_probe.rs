//! Prompt length on a probe request: what was asked against what the server counts.

use cli_kit::Failure;
use contracts::serve_bench::result::PromptCheck;
use contracts::serve_bench::workload::WorkloadRequest;
use engine_client::{Call, Slot};

use crate::server::{Server, block_on};
use crate::workload::{Endpoint, Workload, body_bytes, prompt_check};

/// Sends the first request of a workload for one token and compares `usage.prompt_tokens`; above 1 % and one token it
/// is an error.
/// `None` when the server does not report usage, or the length of the request is unknown.
pub(crate) fn check(workload: &Workload, server: &Server) -> Result<Option<PromptCheck>, Failure> {
    let Some(first) = workload.requests.first() else {
        return Ok(None);
    };
    let Some(asked) = first.input_len else {
        return Ok(None);
    };
    let Some(info) = workload.header.scenarios.first() else {
        return Ok(None);
    };
    let Ok(endpoint) = info.endpoint.parse::<Endpoint>() else {
        return Ok(None);
    };
    let Some(served) = prompt_tokens(server, endpoint, first, None)? else {
        return Ok(None);
    };
    // A message of one token costs that token and what the chat template adds; some servers refuse an empty one.
    let template = match endpoint {
        Endpoint::Completions => Some(0),
        Endpoint::Chat => {
            prompt_tokens(server, endpoint, first, Some("x"))?.map(|tokens| tokens.saturating_sub(1))
        }
    };
    Ok(Some(prompt_check(asked, served, template)?))
}

/// Prompt tokens of a request, its message replaced when `text` is given.
fn prompt_tokens(
    server: &Server,
    endpoint: Endpoint,
    request: &WorkloadRequest,
    text: Option<&str>,
) -> Result<Option<u64>, Failure> {
    let mut request = request.clone();
    if let Some(body) = request.body.as_object_mut() {
        body.insert("max_tokens".to_owned(), 1.into());
        if let Some(text) = text {
            body.insert(
                "messages".to_owned(),
                serde_json::json!([{"role": "user", "content": text}]),
            );
        }
    }
    let observation = block_on(async {
        let mut slot = Slot::new(server.endpoint.clone(), server.headers.clone());
        slot.send(&Call {
            path: endpoint.path(),
            body: body_bytes(&request, &server.served_model),
            timeout: Some(std::time::Duration::from_secs(60)),
            ignore_eos: false,
            requested_output_tokens: Some(1),
            count_tokens: None,
            cancel: None,
        })
        .await
    })?;
    Ok(observation.input_tokens)
}
