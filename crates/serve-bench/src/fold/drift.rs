//! Last against first quarter of the window: a run that warms up, throttles or leaks shows here.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::serve_bench::record::RequestRecord;

use super::latency::successful;
use super::windows::Span;

/// A metric of one part of the window.
type DriftMetric = fn(&[&RequestRecord], Span) -> Option<f64>;

/// Percent change of throughput, first token and chunk gap; a metric whose quarter has no value is absent.
pub(super) fn drift(measured: &[&RequestRecord], window: Option<Span>) -> BTreeMap<String, Finite> {
    let Some(window) = window else {
        return BTreeMap::new();
    };
    let quarter = (window.end_ms - window.start_ms) / 4.0;
    let first = Span {
        start_ms: window.start_ms,
        end_ms: window.start_ms + quarter,
    };
    let last = Span {
        start_ms: window.end_ms - quarter,
        end_ms: window.end_ms,
    };
    let metrics: [(&str, DriftMetric); 3] = [
        ("output_tps", output_tps),
        ("mean_ttft_ms", mean_ttft_ms),
        ("mean_chunk_gap_ms", mean_chunk_gap_ms),
    ];
    metrics
        .into_iter()
        .filter_map(|(name, metric)| {
            let change = metric(measured, last)? / metric(measured, first)? - 1.0;
            Some((name.to_owned(), Finite::new(100.0 * change)?))
        })
        .collect()
}

/// Token chunk arrivals of a request, milliseconds from the epoch of the run.
fn arrivals(record: &RequestRecord) -> impl Iterator<Item = f64> {
    record
        .chunk_offsets_us
        .iter()
        .map(|offset| record.start_ms.get() + f64::from(*offset) / 1000.0)
}

fn output_tps(measured: &[&RequestRecord], span: Span) -> Option<f64> {
    let tokens: f64 = successful(measured)
        .map(|record| {
            let per_chunk =
                record.output_tokens.unwrap_or(0) as f64 / record.chunk_offsets_us.len().max(1) as f64;
            per_chunk * arrivals(record).filter(|at| span.contains(*at)).count() as f64
        })
        .sum();
    (tokens > 0.0).then(|| tokens / span.seconds())
}

fn mean_ttft_ms(measured: &[&RequestRecord], span: Span) -> Option<f64> {
    mean(
        successful(measured)
            .filter(|record| span.contains(record.start_ms.get()))
            .filter_map(|record| Some(record.ttft_ms?.get())),
    )
}

fn mean_chunk_gap_ms(measured: &[&RequestRecord], span: Span) -> Option<f64> {
    mean(successful(measured).flat_map(|record| {
        record.chunk_offsets_us.windows(2).filter_map(move |pair| {
            let at = record.start_ms.get() + f64::from(pair[1]) / 1000.0;
            span.contains(at)
                .then(|| f64::from(pair[1].saturating_sub(pair[0])) / 1000.0)
        })
    }))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}
