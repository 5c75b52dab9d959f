//! What is left on the ranks.

use contracts::capacity_plan::report::Headroom;

use crate::facts::{Facts, Rank};
use crate::memory::{free, outside};
use crate::size::Size;

/// What vLLM's share and its graphs are more than was free at its start, on the rank where that is most; `None` where they
/// are not.
pub(crate) fn overdrawn(facts: &Facts) -> Option<f64> {
    let is_vllm = facts.format.is_some_and(|format| format.is_vllm());
    let left = facts
        .ranks
        .values()
        .filter_map(|of| outside(of, facts.graphs_in_budget == Some(true)));
    let least = left.map(|size| size.bytes).min_by(f64::total_cmp)?;
    (is_vllm && least < 0.0).then_some(-least)
}

/// Least and most that is free, over the ranks that say so at the latest moment that any of them names.
pub(crate) fn headroom(facts: &Facts) -> Option<Headroom> {
    let is_vllm = facts.format.is_some_and(|format| format.is_vllm());
    let frees: Vec<(Rank, Size, &'static str)> = facts
        .ranks
        .iter()
        .filter_map(|(rank, of)| {
            let (size, when) = if is_vllm {
                (outside(of, facts.graphs_in_budget == Some(true))?, "startup")
            } else {
                free(of)?
            };
            Some((*rank, size, when))
        })
        .collect();
    // Ranks at different moments do not compare.
    let order = ["after_capture", "startup", "before_capture", "after_pools"];
    let when = order
        .into_iter()
        .find(|when| frees.iter().any(|(_, _, of)| of == when))?;
    let same = || frees.iter().filter(|(_, _, of)| *of == when);
    let (rank, least, _) = same().min_by(|a, b| a.1.bytes.total_cmp(&b.1.bytes))?;
    let most = same().map(|(_, size, _)| size.bytes).fold(least.bytes, f64::max);
    Some(Headroom {
        min_free_bytes: least.bytes.max(0.0).round() as u64,
        rank: rank.name(),
        skew_bytes: (most - least.bytes).round() as u64,
        when: when.to_owned(),
    })
}
