//! What `vllm bench serve` and `sglang.bench_serving` have in common: flat keys such as `mean_ttft_ms`, and with
//! details lists of seconds by request.

use contracts::serve_bench::result::{Arrival, LengthRange, LoadInfo, LoadMode};
use contracts::serve_bench::run::Run;
use contracts::{Distribution, Finite};
use serde_json::Value;

use super::error::ImportError;
use super::foreign::{Foreign, distribution, empty_run, errors, from_seconds, whole};

/// How a file names what both tools have.
pub(super) struct Keys {
    pub(super) tool: &'static str,
    pub(super) e2e: &'static str,
    pub(super) total_tps: &'static str,
    /// Where the list of gaps belongs: per token, or per output event.
    pub(super) gaps_are_per_token: bool,
}

/// Lists of a detailed result, for the requests that succeeded.
struct Details {
    input_lens: Option<Vec<f64>>,
    output_lens: Vec<f64>,
    ttfts_s: Vec<f64>,
    gaps_s: Vec<Vec<f64>>,
    /// vLLM's alone, and only since it writes them.
    latencies_s: Option<Vec<f64>>,
}

/// One run from the flat keys, refined by the lists where the file has them.
pub(super) fn run(number: u32, foreign: &Foreign<'_>, keys: &Keys) -> Result<Run, ImportError> {
    let succeeded = whole(foreign.needed("completed")?).unwrap_or(0);
    let error_texts: Vec<&str> = foreign
        .get("/errors")
        .and_then(Value::as_array)
        .map(|all| {
            all.iter()
                .filter_map(Value::as_str)
                .filter(|text| !text.is_empty())
                .collect()
        })
        .unwrap_or_default();
    let failed = foreign
        .count("/failed")
        .or_else(|| Some(foreign.count("/num_prompts")?.saturating_sub(succeeded)))
        .unwrap_or(error_texts.len() as u64);
    let mut run = empty_run(number, keys.tool, succeeded, failed);
    run.requests.errors = errors(error_texts.into_iter().map(|text| (text, 1)));
    run.tokens.input = foreign.count("/total_input_tokens");
    run.tokens.output = foreign.count("/total_output_tokens").unwrap_or(0);
    run.throughput.request_rps = foreign.finite("/request_throughput");
    run.throughput.output_tps = foreign.finite("/output_throughput");
    run.throughput.total_tps = foreign.finite(&format!("/{}", keys.total_tps));
    // Older vLLM wrote the key with its colon.
    run.throughput.goodput_rps = foreign
        .finite("/request_goodput")
        .or_else(|| foreign.finite("/request_goodput:"));
    if let Some(peak) = foreign.count("/max_concurrent_requests") {
        run.client.peak_concurrency = u32::try_from(peak).ok();
    }

    run.latency.ttft_ms = flat(foreign, "ttft", succeeded);
    run.latency.tpot_ms = flat(foreign, "tpot", succeeded);
    run.latency.e2e_latency_ms = flat(foreign, keys.e2e, succeeded);
    let gaps = if keys.gaps_are_per_token {
        &mut run.latency.itl_ms
    } else {
        &mut run.latency.chunk_gap_ms
    };
    // The file does not say how many gaps there are; one token an event would give this many.
    *gaps = flat(foreign, "itl", run.tokens.output.saturating_sub(succeeded));

    if let Some(details) = details(foreign, succeeded) {
        refine(&mut run, &details, keys);
    }
    Ok(run)
}

/// `mean_X_ms`, `median_X_ms`, `std_X_ms`, `pNN_X_ms`.
fn flat(foreign: &Foreign<'_>, metric: &str, count: u64) -> Distribution {
    let value = |statistic: &str| foreign.finite(&format!("/{statistic}_{metric}_ms"));
    let mean = value("mean");
    let distribution = Distribution {
        count,
        mean,
        stddev: value("std"),
        min: value("min"),
        p50: value("median").or_else(|| value("p50")),
        p90: value("p90"),
        p95: value("p95"),
        p99: value("p99"),
        max: value("max"),
    };
    let known = mean.is_some() || distribution.p50.is_some() || distribution.p99.is_some();
    if known && count > 0 {
        distribution
    } else {
        Distribution::EMPTY
    }
}

/// The lists, when all are there and tell of as many successes as the file counts.
fn details(foreign: &Foreign<'_>, succeeded: u64) -> Option<Details> {
    let mut ttfts_s = foreign.numbers("/ttfts")?;
    let mut gaps_s = foreign.nested("/itls")?;
    let mut output_lens = foreign.numbers("/output_lens")?;
    let mut input_lens = foreign.numbers("/input_lens");
    let count = ttfts_s.len();
    if gaps_s.len() != count || output_lens.len() != count {
        return None;
    }
    input_lens = input_lens.filter(|lens| lens.len() == count);
    let mut latencies_s = foreign
        .numbers("/latencies")
        .filter(|latencies| latencies.len() == count);
    // Failed requests stand in the lists with an error text and zeros.
    let ok: Vec<bool> = match foreign.get("/errors").and_then(Value::as_array) {
        Some(errors) if errors.len() == count => errors
            .iter()
            .map(|text| text.as_str().is_none_or(str::is_empty))
            .collect(),
        _ => ttfts_s.iter().map(|ttft| *ttft > 0.0).collect(),
    };
    if ok.iter().filter(|ok| **ok).count() as u64 != succeeded {
        return None;
    }
    keep(&mut ttfts_s, &ok);
    keep(&mut gaps_s, &ok);
    keep(&mut output_lens, &ok);
    for list in [&mut input_lens, &mut latencies_s].into_iter().flatten() {
        keep(list, &ok);
    }
    Some(Details {
        input_lens,
        output_lens,
        ttfts_s,
        gaps_s,
        latencies_s,
    })
}

fn keep<T>(list: &mut Vec<T>, ok: &[bool]) {
    let mut flags = ok.iter();
    list.retain(|_| flags.next().copied().unwrap_or(false));
}

/// Exact nearest-rank distributions in place of the interpolated summary.
fn refine(run: &mut Run, details: &Details, keys: &Keys) {
    let spans_s = || details.gaps_s.iter().map(|gaps| gaps.iter().sum::<f64>());
    let gaps = from_seconds(details.gaps_s.iter().flatten().copied());
    if keys.gaps_are_per_token {
        run.latency.itl_ms = gaps;
    } else {
        run.latency.chunk_gap_ms = gaps;
    }
    run.latency.ttft_ms = from_seconds(details.ttfts_s.iter().copied());
    if let Some(latencies) = &details.latencies_s {
        run.latency.e2e_latency_ms = from_seconds(latencies.iter().copied());
    }
    run.latency.tpot_ms = from_seconds(
        spans_s()
            .zip(&details.output_lens)
            .filter(|(_, tokens)| **tokens >= 2.0)
            .map(|(span, tokens)| span / (tokens - 1.0)),
    );
    run.decode_tps = distribution(
        spans_s()
            .zip(&details.output_lens)
            .filter(|(span, tokens)| **tokens >= 2.0 && *span > 0.0)
            .map(|(span, tokens)| (tokens - 1.0) / span),
    );
    if let Some(input_lens) = &details.input_lens {
        run.prefill_tps = distribution(
            input_lens
                .iter()
                .zip(&details.ttfts_s)
                .filter(|(_, ttft)| **ttft > 0.0)
                .map(|(tokens, ttft)| tokens / ttft),
        );
    }
}

/// The load of both tools: a rate of infinity is a closed loop of `max_concurrency`, or all at once.
pub(super) fn load(foreign: &Foreign<'_>, num_prompts: u64) -> LoadInfo {
    let cap = foreign
        .count("/max_concurrency")
        .and_then(|cap| u32::try_from(cap).ok());
    let rate = foreign.finite("/request_rate").filter(|rate| rate.get() > 0.0);
    let burstiness = foreign.finite("/burstiness");
    let is_trace = foreign.text("/request_rate").as_deref() == Some("trace");
    let is_poisson = burstiness.is_none_or(|shape| shape.get() == 1.0);
    LoadInfo {
        mode: match (is_trace, rate) {
            (true, _) => LoadMode::Trace,
            (false, Some(_)) => LoadMode::OpenLoop,
            (false, None) => LoadMode::ClosedLoop,
        },
        concurrency: (!is_trace && rate.is_none())
            .then(|| cap.unwrap_or(u32::try_from(num_prompts).unwrap_or(u32::MAX))),
        request_rate_rps: rate,
        arrival: match (is_trace, rate) {
            (true, _) => Some(Arrival::Trace),
            (false, Some(_)) if is_poisson => Some(Arrival::Poisson),
            (false, Some(_)) => Some(Arrival::Gamma),
            (false, None) => None,
        },
        burstiness: burstiness.filter(|_| rate.is_some() && !is_poisson),
        speedup: None,
        max_concurrency: cap.filter(|_| is_trace || rate.is_some()),
        warmup_requests: 0,
        duration_s: None,
    }
}

/// Smallest, mean and largest of a list of lengths.
pub(super) fn range(foreign: &Foreign<'_>, pointer: &str) -> Option<LengthRange> {
    let lens = foreign.numbers(pointer)?;
    let whole: Option<Vec<u64>> = lens.iter().map(|len| whole(*len)).collect();
    let whole = whole?;
    Some(LengthRange {
        min: *whole.iter().min()?,
        mean: Finite::ratio(lens.iter().sum(), lens.len() as f64)?,
        max: *whole.iter().max()?,
    })
}
