//! The requests that make an engine work while its profiler runs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use cli_kit::Failure;
use contracts::serve_bench::outcome::Outcome;
use engine_client::{Call, Cancel, Endpoint, Headers, Slot};
use serde_json::json;

use super::error::CaptureError;
use super::plan::CapturePlan;

/// Longest that one request may take: engines are several times slower under a profiler.
const REQUEST_LIMIT: Duration = Duration::from_secs(900);
/// How often Ctrl-C is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// Token ids that every vocabulary has, special ones left out.
const FIRST_ID: u64 = 1000;
const IDS: u64 = 20_000;

/// How the probe went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Probed {
    /// Prompt tokens as the server counted them.
    pub(super) served_input_tokens: Option<u64>,
    /// Ctrl-C came.
    pub(super) interrupted: bool,
}

/// Sends the requests of the plan, one after the other.
///
/// # Errors
/// With the first one that is not answered in full: [`CaptureError::PromptTooLong`] where the server says so, else
/// [`CaptureError::ProbeFailed`].
pub(super) async fn probe(
    plan: &CapturePlan,
    endpoint: &Endpoint,
    headers: &Headers,
    model: &str,
) -> Result<Probed, Failure> {
    let mut probed = Probed {
        served_input_tokens: None,
        interrupted: false,
    };
    let mut slot = Slot::new(endpoint.clone(), headers.clone());
    let cancel = Cancel::new();
    for number in 0..plan.requests {
        let call = Call {
            path: "/v1/completions",
            body: body(plan, model, seed().wrapping_add(number)),
            timeout: Some(REQUEST_LIMIT),
            ignore_eos: true,
            requested_output_tokens: Some(plan.output_tokens),
            count_tokens: None,
            cancel: Some(&cancel),
        };
        let watch = async {
            while !cli_kit::interrupted() {
                tokio::time::sleep(LOOK).await;
            }
            cancel.cancel();
            std::future::pending::<()>().await;
        };
        let observation = tokio::select! {
            observation = slot.send(&call) => observation,
            () = watch => unreachable!("it never ends"),
        };
        if cli_kit::interrupted() {
            probed.interrupted = true;
            return Ok(probed);
        }
        if observation.outcome != Outcome::Ok {
            let said = observation.error.unwrap_or_default();
            if observation.http_status == Some(400) && said.to_ascii_lowercase().contains("context") {
                return Err(CaptureError::PromptTooLong { why: said }.into());
            }
            let reason = if said.is_empty() {
                said
            } else {
                format!(": {said}")
            };
            return Err(CaptureError::ProbeFailed {
                outcome: observation.outcome.name().to_owned(),
                reason,
            }
            .into());
        }
        probed.served_input_tokens = observation.input_tokens;
    }
    Ok(probed)
}

/// A prompt in token ids has exactly the length that was asked for; other ids each time find nothing in a prefix cache.
fn body(plan: &CapturePlan, model: &str, seed: u64) -> Bytes {
    let mut state = seed | 1;
    let prompt: Vec<u64> = (0..plan.input_tokens)
        .map(|_| {
            // Knuth's multiplier: all that matters is that the ids differ.
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            FIRST_ID + (state >> 33) % IDS
        })
        .collect();
    let body = json!({
        "model": model, "prompt": prompt, "max_tokens": plan.output_tokens, "temperature": 0.0, "ignore_eos": true,
        "stream": true, "stream_options": {"include_usage": true},
    });
    Bytes::from(body.to_string())
}

fn seed() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64)
}
