//! What was seen of a case, judged and put into words.

use contracts::Finite;
use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::{RequestRecord, TokenSource};

use super::Seen;

pub(super) fn ok(seen: &Seen) -> u64 {
    seen.run.requests.succeeded
}

pub(super) fn all_ok(seen: &Seen) -> bool {
    seen.run.requests.failed == 0 && seen.run.requests.succeeded > 0
}

pub(super) fn mean(seen: &Seen, field: fn(&RequestRecord) -> Option<Finite>) -> f64 {
    let values: Vec<f64> = seen.records.iter().filter_map(field).map(Finite::get).collect();
    values.iter().sum::<f64>() / values.len() as f64
}

pub(super) fn chunk_count(seen: &Seen) -> usize {
    seen.records
        .iter()
        .map(|record| record.chunk_offsets_us.len())
        .sum()
}

pub(super) fn outcomes(seen: &Seen, outcome: Outcome, expected: u64) -> (bool, String) {
    let counts = seen.run.requests.outcomes;
    let passed = counts.of(outcome) == expected && counts.ok + expected == counts.total();
    let listed: Vec<String> = Outcome::ALL
        .iter()
        .filter(|outcome| counts.of(**outcome) > 0)
        .map(|outcome| format!("{} {}", counts.of(*outcome), outcome.name()))
        .collect();
    (passed, listed.join(", "))
}

pub(super) fn tokens(seen: &Seen, expected: u64, source: TokenSource) -> (bool, String) {
    let right = seen
        .records
        .iter()
        .all(|record| record.output_tokens == Some(expected) && record.token_source == source);
    let first = seen.records.first();
    (
        all_ok(seen) && right,
        format!(
            "{} ok, {} tokens from {}",
            ok(seen),
            first.and_then(|record| record.output_tokens).unwrap_or(0),
            seen.run.tokens.source
        ),
    )
}

pub(super) fn reasoning(seen: &Seen) -> (bool, String) {
    let (ttft, ttfo) = (
        mean(seen, |record| record.ttft_ms),
        mean(seen, |record| record.ttfo_ms),
    );
    let passed = all_ok(seen) && (19.0..32.0).contains(&ttft) && (18.0..24.0).contains(&(ttfo - ttft));
    (
        passed,
        format!("{} ok, TTFT {ttft:.1} ms, TTFO {ttfo:.1} ms", ok(seen)),
    )
}

pub(super) fn keep_alive(seen: &Seen) -> (bool, String) {
    let ttft = mean(seen, |record| record.ttft_ms);
    let chunks = seen
        .records
        .iter()
        .all(|record| record.chunk_offsets_us.len() == 20);
    (
        all_ok(seen) && chunks && (59.0..75.0).contains(&ttft),
        format!("{} ok, TTFT {ttft:.1} ms, {} chunks", ok(seen), chunk_count(seen)),
    )
}

pub(super) fn multi_token(seen: &Seen, source: &str) -> (bool, String) {
    let latency = &seen.run.latency;
    let value = |distribution: &contracts::Distribution| distribution.mean.map_or(f64::NAN, Finite::get);
    let (tpot, itl, gap) = (
        value(&latency.tpot_ms),
        value(&latency.itl_ms),
        value(&latency.chunk_gap_ms),
    );
    let near = |value: f64, wanted: f64| (value - wanted).abs() <= 0.02 * wanted;
    let passed = all_ok(seen)
        && near(tpot, 9.70)
        && near(itl, 10.0)
        && near(gap, 40.0)
        && seen.run.tokens.source == source;
    (
        passed,
        format!(
            "tpot {tpot:.2}, itl {itl:.2}, chunk gap {gap:.2} ms, source {}",
            seen.run.tokens.source
        ),
    )
}
