//! `--compat`: a peer's definitions and their values beside ours, from the same records, so that our numbers can be
//! laid beside published ones. Nothing here changes a result.
//!
//! Definitions were read in vLLM 009e6d4a (`vllm/benchmarks/serve.py`, `lib/endpoint_request_func.py`) and SGLang
//! 00f9ec47 (`python/sglang/bench_serving.py`).

use std::collections::BTreeMap;

use cli_kit::{Align, Table};
use contracts::Finite;
use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::{Phase, RequestRecord};
use serde::Serialize;

use crate::fold;

/// A tool whose definitions are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// `vllm bench serve`.
    Vllm,
    /// `sglang.bench_serving`.
    Sglang,
}

impl Peer {
    const fn source(self) -> &'static str {
        match self {
            Peer::Vllm => "vLLM 009e6d4a vllm/benchmarks/serve.py",
            Peer::Sglang => "SGLang 00f9ec47 python/sglang/bench_serving.py",
        }
    }
}

impl From<crate::cli::CompatArg> for Peer {
    fn from(arg: crate::cli::CompatArg) -> Peer {
        match arg {
            crate::cli::CompatArg::Vllm => Peer::Vllm,
            crate::cli::CompatArg::Sglang => Peer::Sglang,
        }
    }
}

/// One metric by both definitions.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CompatRow {
    /// Our name.
    pub metric: &'static str,
    /// Our value; null when there is none.
    pub ours: Option<Finite>,
    /// The peer's key.
    pub peer_key: &'static str,
    /// The value by the peer's definition; null when our records cannot tell.
    pub theirs: Option<Finite>,
    /// How the peer's definition differs.
    pub difference: &'static str,
    /// Where the definition stands.
    pub source: &'static str,
}

/// What a definition is computed from: the requests that count by it, and how long they took.
struct Population<'a> {
    requests: Vec<&'a RequestRecord>,
    duration_s: f64,
}

/// Every metric of a peer beside ours.
pub fn rows(records: &[RequestRecord], peer: Peer) -> Vec<CompatRow> {
    let ours = Population::ours(records);
    let theirs = Population::theirs(records);
    let row = |metric, ours: Option<f64>, peer_key, theirs: Option<f64>, difference| CompatRow {
        metric,
        ours: ours.and_then(Finite::new),
        peer_key,
        theirs: theirs.and_then(Finite::new),
        difference,
        source: peer.source(),
    };
    let count = |population: &Population<'_>| Some(population.requests.len() as f64);
    let mut rows = vec![
        row(
            "requests.succeeded",
            count(&ours),
            "completed",
            count(&theirs),
            "any stream that ends cleanly after a chunk: no finish_reason, usage or [DONE] is needed, and errors \
             inside the stream pass",
        ),
        row(
            "output_tps",
            ours.per_second(output_tokens),
            "output_throughput",
            theirs.per_second(output_tokens),
            "the clock runs until the last request has ended, and cut answers count",
        ),
        row(
            "request_rps",
            ours.per_second(|_| Some(1.0)),
            "request_throughput",
            theirs.per_second(|_| Some(1.0)),
            "the same clock and requests",
        ),
    ];
    match peer {
        Peer::Vllm => rows.extend(vllm(&ours, &theirs, row)),
        Peer::Sglang => rows.extend(sglang(&ours, &theirs, row)),
    }
    rows
}

fn vllm(
    ours: &Population<'_>,
    theirs: &Population<'_>,
    row: impl Fn(&'static str, Option<f64>, &'static str, Option<f64>, &'static str) -> CompatRow,
) -> Vec<CompatRow> {
    // A first chunk that carries no token lies between the head of the answer and the first token; what arrived
    // there is not in a record, so a value is known only where the two coincide.
    let ttft = "counts from the first chunk with choices, a role-only one included: anything from the arrival of \
                the head to our TTFT";
    let tpot = "the same quotient; a role-only first chunk that comes early makes it longer";
    let itl = "gap between output events, several tokens or none in each; ours is per token (this is chunk_gap_ms); \
               role and finish chunks add gaps near 0";
    let tpots = theirs.values(tpot_to_last_chunk);
    let gaps = theirs.chunk_gaps();
    let earliest = mean(&theirs.values(|record| ms(record.headers_ms)));
    vec![
        row(
            "mean_ttft_ms",
            mean(&ours.values(ttft_ms)),
            "mean_ttft_ms",
            mean(&theirs.values(ttft_ms)),
            ttft,
        ),
        row(
            "",
            None,
            "mean_ttft_ms, at the earliest",
            earliest,
            "head of the answer - request start",
        ),
        row(
            "p99_ttft_ms",
            nearest_rank(&ours.values(ttft_ms), 99.0),
            "p99_ttft_ms",
            interpolated(&theirs.values(ttft_ms), 99.0),
            "interpolated between ranks; ours is a value that was measured",
        ),
        row(
            "mean_tpot_ms",
            mean(&ours.values(tpot_ms)),
            "mean_tpot_ms",
            mean(&tpots),
            tpot,
        ),
        row(
            "p99_tpot_ms",
            nearest_rank(&ours.values(tpot_ms), 99.0),
            "p99_tpot_ms",
            interpolated(&tpots, 99.0),
            "interpolated",
        ),
        row("mean_itl_ms", mean_itl(ours), "mean_itl_ms", mean(&gaps), itl),
        row(
            "mean_e2e_latency_ms",
            mean(&ours.values(e2e_ms)),
            "mean_e2el_ms",
            mean(&theirs.values(last_chunk_ms)),
            "to the last chunk with choices, which may be the finish chunk",
        ),
    ]
}

fn sglang(
    ours: &Population<'_>,
    theirs: &Population<'_>,
    row: impl Fn(&'static str, Option<f64>, &'static str, Option<f64>, &'static str) -> CompatRow,
) -> Vec<CompatRow> {
    let tpots = theirs.values(tpot_to_end);
    let ended = theirs.values(|record| Some(record.ended_ms.get()));
    vec![
        row(
            "mean_ttft_ms",
            mean(&ours.values(ttft_ms)),
            "mean_ttft_ms",
            mean(&theirs.values(ttft_ms)),
            "first chunk with content or reasoning text, as ours but without tool calls",
        ),
        row(
            "p99_ttft_ms",
            nearest_rank(&ours.values(ttft_ms), 99.0),
            "p99_ttft_ms",
            interpolated(&theirs.values(ttft_ms), 99.0),
            "interpolated between ranks; ours is a value that was measured",
        ),
        row(
            "mean_tpot_ms",
            mean(&ours.values(tpot_ms)),
            "mean_tpot_ms",
            mean(&tpots),
            "(end of the stream - TTFT) / (tokens - 1): what follows the last token counts",
        ),
        row(
            "p99_tpot_ms",
            nearest_rank(&ours.values(tpot_ms), 99.0),
            "p99_tpot_ms",
            interpolated(&tpots, 99.0),
            "interpolated",
        ),
        row(
            "mean_itl_ms",
            mean_itl(ours),
            "mean_itl_ms",
            mean(&theirs.chunk_gaps()),
            "on OpenAI endpoints the gap between chunks, several tokens in each (this is chunk_gap_ms); on /generate \
             per token, as ours",
        ),
        row(
            "mean_e2e_latency_ms",
            mean(&ours.values(e2e_ms)),
            "mean_e2e_latency_ms",
            mean(&ended),
            "to the last line of the stream, [DONE] included",
        ),
        row(
            "client.achieved_concurrency",
            None,
            "concurrency",
            (theirs.duration_s > 0.0).then(|| ended.iter().sum::<f64>() / 1000.0 / theirs.duration_s),
            "sum of all latencies / duration; ours is in the document",
        ),
    ]
}

/// The rows as a table.
pub fn table(records: &[RequestRecord], peer: impl Into<Peer>) -> Table {
    let peer = peer.into();
    let name = match peer {
        Peer::Vllm => "vllm bench serve",
        Peer::Sglang => "sglang.bench_serving",
    };
    let mut table = Table::new(&[
        ("metric", Align::Left),
        ("ours", Align::Right),
        (name, Align::Left),
        ("theirs", Align::Right),
        ("its definition", Align::Left),
    ]);
    for row in rows(records, peer) {
        table.row(vec![
            row.metric.to_owned(),
            shown(row.ours),
            row.peer_key.to_owned(),
            shown(row.theirs),
            row.difference.to_owned(),
        ]);
    }
    table.row(vec![
        "source".to_owned(),
        String::new(),
        String::new(),
        String::new(),
        peer.source().to_owned(),
    ]);
    table
}

fn shown(value: Option<Finite>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{:.2}", value.get()))
}

impl<'a> Population<'a> {
    /// Ours: `ok`, over the window of the fold.
    fn ours(records: &'a [RequestRecord]) -> Population<'a> {
        let is_ok = |record: &RequestRecord| record.outcome == Outcome::Ok;
        Population::of(records, is_ok, |run| fold::window_s(run).unwrap_or(0.0))
    }

    /// Theirs: every stream that ended without an error of the transport, until the last request has ended.
    fn theirs(records: &'a [RequestRecord]) -> Population<'a> {
        Population::of(records, passes_elsewhere, |run| {
            let start = |record: &&RequestRecord| record.start_ms.get();
            let first = run.iter().map(start).reduce(f64::min).unwrap_or(0.0);
            let ends = run.iter().map(|record| start(record) + record.ended_ms.get());
            (ends.reduce(f64::max).unwrap_or(first) - first) / 1000.0
        })
    }

    fn of(
        records: &'a [RequestRecord],
        counts: fn(&RequestRecord) -> bool,
        duration_s: fn(&[&RequestRecord]) -> f64,
    ) -> Population<'a> {
        let mut runs: BTreeMap<u32, Vec<&RequestRecord>> = BTreeMap::new();
        for record in measured(records) {
            runs.entry(record.run).or_default().push(record);
        }
        Population {
            requests: measured(records).filter(|record| counts(record)).collect(),
            duration_s: runs.values().map(|run| duration_s(run)).sum(),
        }
    }

    fn values(&self, of: fn(&RequestRecord) -> Option<f64>) -> Vec<f64> {
        self.requests.iter().filter_map(|record| of(record)).collect()
    }

    fn per_second(&self, of: fn(&RequestRecord) -> Option<f64>) -> Option<f64> {
        (self.duration_s > 0.0).then(|| self.values(of).iter().sum::<f64>() / self.duration_s)
    }

    fn chunk_gaps(&self) -> Vec<f64> {
        let offsets = self
            .requests
            .iter()
            .flat_map(|record| record.chunk_offsets_us.windows(2));
        offsets
            .map(|pair| f64::from(pair[1].saturating_sub(pair[0])) / 1000.0)
            .collect()
    }
}

fn measured(records: &[RequestRecord]) -> impl Iterator<Item = &RequestRecord> {
    records.iter().filter(|record| record.phase == Phase::Measured)
}

/// Whether both peers count a request as completed: HTTP 200, a chunk, and no error of the transport.
fn passes_elsewhere(record: &RequestRecord) -> bool {
    let ended_cleanly = match record.outcome {
        Outcome::Ok | Outcome::EarlyStop | Outcome::InBandError => true,
        // `engine_client::outcome` words a clean end this way, and a cut with the text of the system.
        Outcome::Truncated => record
            .error
            .as_deref()
            .is_some_and(|error| error.starts_with("the stream ended")),
        Outcome::HttpStatus
        | Outcome::Connect
        | Outcome::Timeout
        | Outcome::Cancelled
        | Outcome::Protocol => false,
    };
    ended_cleanly && record.ttft_ms.is_some()
}

fn ms(value: Option<Finite>) -> Option<f64> {
    value.map(Finite::get)
}

fn ttft_ms(record: &RequestRecord) -> Option<f64> {
    ms(record.ttft_ms)
}

fn tpot_ms(record: &RequestRecord) -> Option<f64> {
    ms(record.tpot_ms)
}

fn e2e_ms(record: &RequestRecord) -> Option<f64> {
    ms(record.e2e_latency_ms)
}

fn output_tokens(record: &RequestRecord) -> Option<f64> {
    record.output_tokens.map(|tokens| tokens as f64)
}

/// Arrival of the last token chunk, of failed requests too.
fn last_chunk_ms(record: &RequestRecord) -> Option<f64> {
    let last = record
        .chunk_offsets_us
        .last()
        .map(|offset| f64::from(*offset) / 1000.0);
    ms(record.e2e_latency_ms).or(last)
}

fn tpot_to_last_chunk(record: &RequestRecord) -> Option<f64> {
    let tokens = output_tokens(record).filter(|tokens| *tokens >= 2.0)?;
    Some((last_chunk_ms(record)? - ttft_ms(record)?) / (tokens - 1.0))
}

fn tpot_to_end(record: &RequestRecord) -> Option<f64> {
    let tokens = output_tokens(record).filter(|tokens| *tokens >= 2.0)?;
    Some((record.ended_ms.get() - ttft_ms(record)?) / (tokens - 1.0))
}

/// Gaps divided over the tokens of the later chunk, every token one value: the sum of all gaps over their tokens.
fn mean_itl(ours: &Population<'_>) -> Option<f64> {
    let (mut gaps_ms, mut tokens) = (0.0, 0.0);
    for record in &ours.requests {
        let chunks = record.chunk_offsets_us.len();
        let (Some(first), Some(last)) = (record.chunk_offsets_us.first(), record.chunk_offsets_us.last())
        else {
            continue;
        };
        if chunks < 2 {
            continue;
        }
        gaps_ms += f64::from(last.saturating_sub(*first)) / 1000.0;
        tokens += match record
            .chunk_tokens
            .as_ref()
            .filter(|tokens| tokens.len() == chunks)
        {
            Some(each) => each[1..].iter().map(|tokens| f64::from(*tokens)).sum(),
            None => {
                let even = output_tokens(record).unwrap_or(chunks as f64) / chunks as f64;
                even * (chunks - 1) as f64
            }
        };
    }
    (tokens > 0.0).then(|| gaps_ms / tokens)
}

fn mean(values: &[f64]) -> Option<f64> {
    stats::summary::mean(values)
}

fn nearest_rank(values: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    stats::percentile::sort(&mut sorted);
    stats::percentile::nearest_rank(&sorted, percent)
}

/// Linear between the two ranks, as `numpy.percentile` does.
fn interpolated(values: &[f64], percent: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    stats::percentile::sort(&mut sorted);
    let rank = percent / 100.0 * sorted.len().checked_sub(1)? as f64;
    let low = *sorted.get(rank.floor() as usize)?;
    let high = *sorted.get(rank.ceil() as usize)?;
    Some(low + (high - low) * rank.fract())
}

#[cfg(test)]
mod tests;
