//! From runs to warnings, summary and exit code: what a reader should do with a result.

use contracts::serve_bench::run::Run;
use contracts::{Exit, Finite, Warning};

use crate::view::number;

/// Share of prompt tokens from the cache above which a reader must know.
const CACHED_SHARE: f64 = 0.05;
/// Drift of a headline metric above which a reader must know, percent.
const DRIFT_PCT: f64 = 10.0;

/// How the process ends.
pub(crate) fn exit(runs: &[Run], complete: bool) -> Exit {
    let slo = |wanted: Option<bool>| {
        runs.iter()
            .filter_map(|run| run.slo.as_ref())
            .any(|slo| slo.passed == wanted)
    };
    if !complete {
        Exit::Interrupted
    } else if runs.is_empty() || runs.iter().any(|run| !run.valid) {
        Exit::Undecided
    } else if slo(Some(false)) {
        Exit::GateNotMet
    } else if slo(None) {
        Exit::Undecided
    } else {
        Exit::Ok
    }
}

/// What could mislead in runs of one server.
pub(crate) fn warnings(runs: &[Run], prompt_unit: &str) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if prompt_unit == "words" {
        warnings.push(Warning::new(
            "words-not-tokens",
            "prompt lengths are words and the token check is off; give --prompt-unit tokens or --tokenizer for exact lengths",
        ));
    }
    for run in runs {
        for reason in &run.invalid_reasons {
            warnings.push(Warning::new("run-invalid", format!("run {}: {reason}", run.run)));
        }
        if run.requests.failed > 0 && run.requests.succeeded > 0 {
            let first = run
                .requests
                .errors
                .first()
                .map_or("", |error| error.error.as_str());
            warnings.push(Warning::new(
                "requests-failed",
                format!(
                    "run {}: {} of {} requests failed: {first}",
                    run.run, run.requests.failed, run.requests.sent
                ),
            ));
        }
        if let (Some(cached), Some(input)) = (run.tokens.cached, run.tokens.input)
            && cached as f64 > CACHED_SHARE * input as f64
        {
            warnings.push(Warning::new(
                "prefix-cache-hits",
                format!(
                    "run {}: {cached} of {input} prompt tokens came from a prefix cache; flush it between runs or freeze more prompts",
                    run.run
                ),
            ));
        }
        for (metric, change) in run
            .drift
            .iter()
            .filter(|(_, change)| change.get().abs() > DRIFT_PCT)
        {
            warnings.push(Warning::new(
                "drift",
                format!(
                    "run {}: {metric} changed by {} % from the first to the last quarter; warm up longer or run longer",
                    run.run,
                    number(Some(*change))
                ),
            ));
        }
    }
    warnings.dedup();
    warnings
}

/// One line on the last valid run.
pub(crate) fn headline(runs: &[Run]) -> String {
    let Some(run) = runs.iter().rev().find(|run| run.valid).or(runs.last()) else {
        return "nothing was measured".to_owned();
    };
    let verdict = match (run.valid, run.slo.as_ref().map(|slo| slo.passed)) {
        (false, _) => "INVALID: ",
        (true, Some(Some(false))) => "SLO not met: ",
        (true, Some(None)) => "SLO undecided: ",
        _ => "",
    };
    let ms = |value: Option<Finite>| number(value);
    format!(
        "{verdict}{} output tok/s, {} req/s, TTFT p50 {} ms p99 {} ms, TPOT mean {} ms, {}/{} requests ok",
        number(run.throughput.output_tps),
        number(run.throughput.request_rps),
        ms(run.latency.ttft_ms.p50),
        ms(run.latency.ttft_ms.p99),
        ms(run.latency.tpot_ms.mean),
        run.requests.succeeded,
        run.requests.sent
    )
}
