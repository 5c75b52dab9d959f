//! Latencies of successful requests. The definitions stand in `contracts::serve_bench::run::Latency`.

use contracts::Finite;
use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::RequestRecord;
use contracts::serve_bench::run::Latency;

use super::weighted::{distribution, weighted_distribution};

pub(super) fn latency(measured: &[&RequestRecord]) -> Latency {
    let ok = || successful(measured);
    let of =
        |field: fn(&RequestRecord) -> Option<Finite>| distribution(ok().filter_map(field).map(Finite::get));
    let from_schedule = |field: fn(&RequestRecord) -> Option<Finite>| {
        distribution(ok().filter_map(|record| Some(field(record)?.get() + record.send_delay_ms?.get())))
    };
    Latency {
        ttft_ms: of(|record| record.ttft_ms),
        tpot_ms: of(|record| record.tpot_ms),
        itl_ms: weighted_distribution(ok().flat_map(token_gaps).collect()),
        chunk_gap_ms: distribution(ok().flat_map(chunk_gaps)),
        e2e_latency_ms: of(|record| record.e2e_latency_ms),
        send_delay_ms: of(|record| record.send_delay_ms),
        ttft_from_schedule_ms: from_schedule(|record| record.ttft_ms),
        e2e_from_schedule_ms: from_schedule(|record| record.e2e_latency_ms),
    }
}

/// Only these enter latency and throughput.
pub(super) fn successful<'a>(measured: &'a [&RequestRecord]) -> impl Iterator<Item = &'a RequestRecord> {
    measured
        .iter()
        .copied()
        .filter(|record| record.outcome == Outcome::Ok)
}

/// Undivided gaps between token chunks, milliseconds.
fn chunk_gaps(record: &RequestRecord) -> impl Iterator<Item = f64> {
    record
        .chunk_offsets_us
        .windows(2)
        .map(|pair| f64::from(pair[1].saturating_sub(pair[0])) / 1000.0)
}

/// Gap per token with the number of tokens it stands for: the gap before a chunk is divided evenly over the tokens
/// of that chunk. Without per-chunk numbers the output tokens are spread evenly over the chunks.
fn token_gaps(record: &RequestRecord) -> Vec<(f64, f64)> {
    let chunks = record.chunk_offsets_us.len();
    let known = record
        .chunk_tokens
        .as_ref()
        .filter(|tokens| tokens.len() == chunks);
    let even = record
        .output_tokens
        .map_or(1.0, |tokens| tokens as f64 / chunks.max(1) as f64);
    chunk_gaps(record)
        .enumerate()
        .map(|(gap_index, gap)| {
            let tokens = known.map_or(even, |tokens| f64::from(tokens[gap_index + 1]));
            (gap / tokens, tokens)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::requests::tests::ok_record;
    use super::*;

    #[test]
    fn four_tokens_a_chunk_forty_ms_apart() {
        let mut record = ok_record();
        record.chunk_offsets_us = (0..25).map(|chunk| 50_000 + chunk * 40_000).collect();
        record.output_tokens = Some(100);
        record.tpot_ms = Finite::new(24.0 * 40.0 / 99.0);
        let latency = latency(&[&record]);
        assert_eq!(latency.chunk_gap_ms.mean.map(Finite::get), Some(40.0));
        assert_eq!(latency.itl_ms.mean.map(Finite::get), Some(10.0));
        assert_eq!(latency.itl_ms.count, 96);
        assert!((latency.tpot_ms.mean.unwrap().get() - 9.697).abs() < 0.001);
    }

    #[test]
    fn per_chunk_numbers_win_over_an_even_spread() {
        let mut record = ok_record();
        record.chunk_offsets_us = vec![0, 10_000, 40_000];
        record.chunk_tokens = Some(vec![1, 1, 3]);
        record.output_tokens = Some(5);
        let latency = latency(&[&record]);
        assert_eq!(latency.itl_ms.count, 4);
        assert_eq!(latency.itl_ms.max.map(Finite::get), Some(10.0));
    }

    #[test]
    fn failing_requests_are_never_averaged_in() {
        let good = ok_record();
        let mut bad = ok_record();
        bad.outcome = Outcome::Truncated;
        bad.ttft_ms = Finite::new(1.0);
        assert_eq!(latency(&[&good, &bad]).ttft_ms.count, 1);
    }
}
