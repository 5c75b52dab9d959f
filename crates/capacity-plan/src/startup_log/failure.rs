//! Errors about memory: when it ran out says what to do about it.

use super::statement::Failed;
use super::value::{count, number, size};
use crate::facts::{Facts, Failure, Phase, Rank};

/// Most errors that are kept; a server that fails repeats itself.
const MOST_FAILURES: usize = 20;
/// Longest text of an error, bytes.
const TEXT_CAP: usize = 240;

/// Notes an error, once for each rank and phase; false for one that is there already.
pub(super) fn state(facts: &mut Facts, rank: Rank, what: Failed, text: &str, line: u64) -> bool {
    let phase = match what {
        // SGLang says so, too, when a request is too long for the pool; that is no error of the start.
        Failed::SglangPool if !text.contains("--mem-fraction-static") => return false,
        Failed::SglangPool | Failed::VllmPool => Phase::Pool,
        Failed::Context => Phase::Context,
        Failed::Foreign => Phase::Foreign,
        Failed::Capture => Phase::Capture,
        Failed::Cuda => phase_of(facts, rank),
    };
    let known = |failure: &Failure| failure.phase == phase && failure.rank == rank;
    if facts.failures.len() >= MOST_FAILURES || facts.failures.iter().any(known) {
        return false;
    }
    facts.fraction = facts
        .fraction
        .or(number(text, "--mem-fraction-static=").map(|found| found.0));
    facts.failures.push(Failure {
        rank,
        phase,
        line,
        text: contracts::text::clean(text, TEXT_CAP),
        tried: size(text, "Tried to allocate "),
        least_fraction: number(text, "--mem-fraction-static above ").map(|found| found.0),
        fits_context: count(text, "estimated maximum model length is "),
    });
    true
}

/// When PyTorch ran out of memory. A traceback has no rank: then the furthest rank decides.
fn phase_of(facts: &Facts, rank: Rank) -> Phase {
    // A log that was cut, or rotated, may begin where requests are served.
    if facts.is_ready || facts.serves {
        return Phase::Runtime;
    }
    let of: Vec<_> = match facts.ranks.get(&rank) {
        Some(one) => vec![one],
        None => facts.ranks.values().collect(),
    };
    let has_pools = |rank: &&crate::facts::RankFacts| !rank.pools.is_empty() || rank.for_pools.is_some();
    if of.iter().any(has_pools) || of.iter().any(|rank| rank.capture_began) {
        Phase::Capture
    } else if facts.is_empty() {
        Phase::Unknown
    } else {
        Phase::Weights
    }
}
