//! aiperf's `profile_export_aiperf.json`: one block `{unit, avg, p50, …}` a metric (schema versions 1.0 to 1.5).

use contracts::serve_bench::result::{Arrival, EngineInfo, EngineKind, LengthRange, LoadInfo, LoadMode};
use contracts::{Distribution, Finite};
use serde_json::Value;

use super::error::ImportError;
use super::foreign::{Foreign, empty_run, errors, whole, window};
use super::{Kind, Part};

/// Configuration keys that are shown as they stand.
const PLAN: [&str; 6] = [
    "schema_version",
    "aiperf_version",
    "benchmark_id",
    "start_time",
    "end_time",
    "was_cancelled",
];

pub(super) fn is(foreign: &Foreign<'_>) -> bool {
    foreign.get("/request_count/unit").is_some() || foreign.get("/request_throughput/unit").is_some()
}

pub(super) fn part(run: u32, foreign: &Foreign<'_>) -> Result<Part, ImportError> {
    let scalar = |metric: &str| foreign.number(&format!("/{metric}/avg"));
    let succeeded = scalar("request_count")
        .and_then(whole)
        .ok_or(ImportError::Missing {
            document: foreign.document,
            key: "request_count",
        })?;
    let failed = scalar("error_request_count").and_then(whole).unwrap_or(0);
    let mut run = empty_run(run, Kind::Aiperf.name(), succeeded, failed);
    if foreign.get("/was_cancelled").and_then(Value::as_bool) == Some(true) {
        run.valid = false;
        run.invalid_reasons.push("the run was cancelled".to_owned());
    }
    run.requests.errors = error_summary(foreign);

    let total = |metrics: [&str; 2]| {
        metrics.iter().find_map(|metric| {
            scalar(metric)
                .or_else(|| foreign.number(&format!("/{metric}/sum")))
                .and_then(whole)
        })
    };
    run.tokens.input =
        total(["total_isl", "total_input_tokens"]).or_else(|| foreign.count("/input_sequence_length/sum"));
    run.tokens.output = total(["total_osl", "total_output_tokens"])
        .or_else(|| foreign.count("/output_sequence_length/sum"))
        .unwrap_or(0);
    run.tokens.reasoning = total(["total_reasoning_tokens", "total_usage_reasoning_tokens"]);

    let rate = |metric: &str| scalar(metric).and_then(Finite::new);
    run.throughput.request_rps = rate("request_throughput");
    run.throughput.output_tps = rate("output_token_throughput");
    run.throughput.total_tps = rate("total_token_throughput");
    run.throughput.goodput_rps = rate("goodput");

    run.latency.ttft_ms = block(foreign, "time_to_first_token", succeeded);
    // (latency - TTFT) / (tokens - first chunk's): one value a request, which is our TPOT and not our ITL.
    run.latency.tpot_ms = block(foreign, "inter_token_latency", succeeded);
    run.latency.chunk_gap_ms = block(
        foreign,
        "inter_chunk_latency",
        run.tokens.output.saturating_sub(succeeded),
    );
    run.latency.e2e_latency_ms = block(foreign, "request_latency", succeeded);
    run.windows.full = window(
        foreign.text("/start_time").as_deref(),
        foreign.text("/end_time").as_deref(),
    );

    let model = [
        "/input_config/endpoint/model_names/0",
        "/input_config/models/items/0/name",
        "/input_config/models/0/name",
        "/input_config/models/0",
    ]
    .iter()
    .find_map(|pointer| foreign.text(pointer));
    let url = ["/input_config/endpoint/urls/0", "/input_config/endpoint/url"]
        .iter()
        .find_map(|pointer| foreign.text(pointer));
    let endpoint = foreign.text("/input_config/endpoint/type");
    Ok(Part {
        url: url.map(|url| without_credentials(&url)),
        served_model: model,
        engine: EngineInfo {
            kind: EngineKind::Other,
            version: None,
        },
        dataset: None,
        endpoint: endpoint.as_deref().and_then(|endpoint| match endpoint {
            "chat" => Some("chat"),
            "completions" => Some("completions"),
            _ => None,
        }),
        input_len: length(foreign, "input_sequence_length"),
        output_len: None,
        load: load(foreign),
        num_prompts: run.requests.sent,
        seed: foreign
            .count("/run_info/random_seed")
            .or_else(|| foreign.count("/input_config/input/random_seed")),
        plan: foreign.plan(&PLAN),
        run,
    })
}

/// A block of statistics in milliseconds, whatever its unit.
fn block(foreign: &Foreign<'_>, metric: &str, count: u64) -> Distribution {
    let scale = match foreign.text(&format!("/{metric}/unit")).as_deref() {
        Some("ms" | "milliseconds") => 1.0,
        Some("s" | "sec" | "seconds") => 1e3,
        Some("us" | "microseconds") => 1e-3,
        Some("ns" | "nanoseconds") => 1e-6,
        // A unit that is not known gives no value.
        _ => return Distribution::EMPTY,
    };
    let value = |statistic: &str| {
        let number = foreign.number(&format!("/{metric}/{statistic}"))?;
        Finite::new(number * scale)
    };
    let count = foreign.count(&format!("/{metric}/count")).unwrap_or(count);
    let mean = value("avg");
    if mean.is_none() || count == 0 {
        return Distribution::EMPTY;
    }
    Distribution {
        count,
        mean,
        stddev: value("std"),
        min: value("min"),
        p50: value("p50"),
        p90: value("p90"),
        p95: value("p95"),
        p99: value("p99"),
        max: value("max"),
    }
}

fn length(foreign: &Foreign<'_>, metric: &str) -> Option<LengthRange> {
    Some(LengthRange {
        min: foreign.count(&format!("/{metric}/min"))?,
        mean: foreign.finite(&format!("/{metric}/avg"))?,
        max: foreign.count(&format!("/{metric}/max"))?,
    })
}

fn load(foreign: &Foreign<'_>) -> LoadInfo {
    let first = |pointers: [&str; 3]| pointers.iter().find_map(|pointer| foreign.number(pointer));
    let concurrency = first([
        "/input_config/loadgen/concurrency",
        "/input_config/phases/profiling/concurrency",
        "/input_config/phases/0/concurrency",
    ])
    .and_then(whole)
    .and_then(|value| u32::try_from(value).ok());
    let rate = first([
        "/input_config/loadgen/request_rate",
        "/input_config/phases/profiling/request_rate",
        "/input_config/phases/0/request_rate",
    ])
    .and_then(Finite::new);
    let mode = foreign
        .text("/input_config/loadgen/request_rate_mode")
        .or_else(|| foreign.text("/input_config/loadgen/arrival_pattern"));
    LoadInfo {
        mode: if rate.is_some() {
            LoadMode::OpenLoop
        } else {
            LoadMode::ClosedLoop
        },
        concurrency: concurrency.filter(|_| rate.is_none()),
        request_rate_rps: rate,
        arrival: rate.and(match mode.as_deref() {
            Some("constant") => Some(Arrival::Constant),
            Some("gamma") => Some(Arrival::Gamma),
            Some("poisson") => Some(Arrival::Poisson),
            _ => None,
        }),
        burstiness: None,
        speedup: None,
        max_concurrency: concurrency.filter(|_| rate.is_some()),
        warmup_requests: 0,
        duration_s: None,
    }
}

/// `error_summary`: `[{"error_details": {"message": …}, "count": n}]`.
fn error_summary(foreign: &Foreign<'_>) -> Vec<contracts::serve_bench::run::ErrorCount> {
    let rows = foreign.get("/error_summary").and_then(Value::as_array);
    let texts = rows.into_iter().flatten().take(1000).map(|row| {
        let text = row
            .pointer("/error_details/message")
            .or_else(|| row.pointer("/error_details/type"))
            .and_then(Value::as_str)
            .unwrap_or("not named");
        (text, row.get("count").and_then(Value::as_u64).unwrap_or(1))
    });
    errors(texts)
}

/// A URL without what stands before an `@`.
fn without_credentials(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_never_pass() {
        assert_eq!(
            without_credentials("https://user:secret@host:8000/v1?key=secret"),
            "https://host:8000/v1"
        );
        assert_eq!(without_credentials("localhost:8000"), "http://localhost:8000");
    }
}
