//! A decode rate that the declared memory could not deliver is a wrong measurement or another model.

use contracts::Finite;
use contracts::serve_bench::run::Run;
use contracts::target::Target;

use crate::evidence::SideEvidence;

/// Slack for clocks, and for bandwidth declared a little low.
const SLACK: f64 = 1.05;

/// Tokens per second that one request can reach at most: every token reads all active weights once. `None` when the
/// target does not declare both numbers.
pub(crate) fn limit_tps(target: Option<&Target>) -> Option<f64> {
    let target = target?;
    let bytes = target.model.active_weight_bytes.filter(|bytes| *bytes > 0)?;
    let bandwidth = target.hardware.memory_bandwidth_bytes_per_s?;
    Some(bandwidth as f64 / bytes as f64)
}

/// Why a side is faster than its memory, or `None`.
pub(crate) fn violation(side: &SideEvidence, limit: f64) -> Option<String> {
    let accepted = 1.0 + speculated_tokens(side);
    let limit = limit * accepted;
    let fastest = side
        .runs
        .iter()
        .filter_map(|run| run.decode_tps.p50)
        .map(Finite::get)
        .fold(0.0, f64::max);
    if fastest > limit * SLACK {
        return Some(format!(
            "{}: a request decodes {fastest:.0} tokens/s, but reading the active weights once per token allows {limit:.0}: not the declared model, cached answers, or speculation that the subject does not declare",
            side.name
        ));
    }
    side.runs.iter().find_map(|run| batch_violation(side, run, limit))
}

fn batch_violation(side: &SideEvidence, run: &Run, limit: f64) -> Option<String> {
    let rate = run.throughput.output_tps?.get();
    // Imported results may not say how many were in flight: then there is no limit to hold them to.
    let in_flight = f64::from(run.client.peak_concurrency?.max(1));
    (rate > limit * in_flight * SLACK).then(|| {
        format!(
            "{}: {rate:.0} output tokens/s with at most {in_flight} requests in flight, but the memory allows {:.0}",
            side.name,
            limit * in_flight
        )
    })
}

/// Draft tokens per step that the subject declares or the server reports; 0 without speculation.
fn speculated_tokens(side: &SideEvidence) -> f64 {
    side.parts
        .iter()
        .flat_map(|part| &part.subject.fields)
        .filter(|(name, _)| name.contains("speculative") && name.contains("tokens"))
        .filter_map(|(_, field)| {
            field
                .value
                .as_f64()
                .or_else(|| field.value.as_str()?.parse().ok())
        })
        .fold(0.0, f64::max)
}
