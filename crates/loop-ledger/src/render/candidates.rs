//! `benchmark/candidates.jsonl`: every configuration that was measured, one line a side of a benchmark.

use contracts::Finite;
use serde_json::json;

use super::Source;

/// The lines.
pub(crate) fn lines(source: &Source<'_>) -> String {
    let mut text = String::new();
    for benchmark in source.state.benchmarks() {
        let measured = source.measured(benchmark);
        for (index, side) in benchmark.facts.sides.iter().enumerate() {
            let figures = measured.get(index);
            let figure = |value: fn(&super::Measured) -> Option<Finite>| figures.and_then(value);
            let line = json!({
                "entry": benchmark.seq,
                "attempt": benchmark.attempt,
                "framework": side.framework,
                "name": figures.map(|figures| &figures.name),
                "scenario": benchmark.facts.scenario,
                "subject": side.subject,
                "launch_argv": side.launch_argv.as_deref().map(contracts::argv::redacted),
                "relaunched_clean": side.relaunched_clean,
                "runs": side.runs,
                "output_tps": side.output_tps,
                "ttft_p50_ms": figure(|figures| figures.ttft_ms),
                "tpot_p50_ms": figure(|figures| figures.tpot_ms),
                "e2e_latency_p50_ms": figure(|figures| figures.ttlt_ms),
                "prefill_tps": figure(|figures| figures.prefill_tps),
                "decode_tps": figure(|figures| figures.decode_tps),
                "failed_requests": figures.map(|figures| figures.errors),
                "simulated": benchmark.facts.simulated,
                "document": benchmark.facts.sha256,
            });
            text.push_str(&line.to_string());
            text.push('\n');
        }
    }
    text
}
