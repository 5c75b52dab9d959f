//! From runs to warnings, summary and exit code: what a reader should do with a result.

use contracts::serve_bench::run::Run;
use contracts::{Exit, Finite, Warning};

use crate::view::number;

/// Share of prompt tokens from the cache above which a reader must know.
const CACHED_SHARE: f64 = 0.05;
/// Drift of a headline metric above which a reader must know, percent.
const DRIFT_PCT: f64 = 10.0;
/// Requests per slot below which drift says nothing.
const DRIFT_REQUESTS_PER_SLOT: u64 = 20;

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

/// What could mislead: one warning a kind, with the first case in words and the number of the others.
pub(crate) fn warnings<'a>(runs: impl Iterator<Item = (String, &'a Run)>, prompt_unit: &str) -> Vec<Warning> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    if prompt_unit == "words" {
        found.push((
            "words-not-tokens",
            "prompt lengths are words and the token check is off; give --prompt-unit tokens or --tokenizer for exact lengths"
                .to_owned(),
        ));
    }
    for (name, run) in runs {
        found.extend(
            of_run(run)
                .into_iter()
                .map(|(code, text)| (code, format!("{name}: {text}"))),
        );
    }
    let mut grouped: Vec<(Warning, usize)> = Vec::new();
    for (code, message) in found {
        match grouped.iter_mut().find(|(warning, _)| warning.code == code) {
            Some((_, others)) => *others += 1,
            None => grouped.push((Warning::new(code, message), 0)),
        }
    }
    grouped
        .into_iter()
        .map(|(mut warning, others)| {
            if others > 0 {
                warning
                    .message
                    .push_str(&format!(" (and {others} more of this kind)"));
            }
            warning
        })
        .collect()
}

fn of_run(run: &Run) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    found.extend(
        run.invalid_reasons
            .iter()
            .map(|reason| ("run-invalid", reason.clone())),
    );
    let requests = &run.requests;
    if requests.failed > 0 && requests.succeeded > 0 {
        let first = requests.errors.first().map_or("", |error| error.error.as_str());
        found.push((
            "requests-failed",
            format!(
                "{} of {} requests failed: {first}",
                requests.failed, requests.sent
            ),
        ));
    }
    if let (Some(cached), Some(input)) = (run.tokens.cached, run.tokens.input)
        && cached as f64 > CACHED_SHARE * input as f64
    {
        found.push((
            "prefix-cache-hits",
            format!(
                "{cached} of {input} prompt tokens came from a prefix cache; flush it between runs or freeze more prompts"
            ),
        ));
    }
    // A handful of requests per slot starts and ends in waves: their first and last quarter differ by nature.
    let slots = u64::from(run.client.peak_concurrency.unwrap_or(1).max(1));
    let enough = requests.sent >= DRIFT_REQUESTS_PER_SLOT * slots;
    for (metric, change) in run
        .drift
        .iter()
        .filter(|(_, change)| enough && change.get().abs() > DRIFT_PCT)
    {
        found.push((
            "drift",
            format!(
                "{metric} changed by {} % from the first to the last quarter; warm up longer or run longer",
                number(Some(*change))
            ),
        ));
    }
    found
}

/// Runs of one server by their number.
pub(crate) fn numbered(runs: &[Run]) -> impl Iterator<Item = (String, &Run)> {
    runs.iter().map(|run| (format!("run {}", run.run), run))
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
