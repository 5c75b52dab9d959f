//! Where the memory of each rank went. Totals are the engine's own; a product's name is no number of bytes.

use contracts::capacity_plan::report::Memory;

use crate::bytes::whole;
use crate::facts::{Facts, Rank, RankFacts};
use crate::size::Size;

/// One row for each rank that speaks of memory.
pub(crate) fn memory(facts: &Facts) -> Vec<Memory> {
    let is_vllm = facts.format.is_some_and(|format| format.is_vllm());
    facts
        .ranks
        .iter()
        .map(|(rank, of)| {
            let parts = if is_vllm {
                vllm(of, facts.graphs_in_budget == Some(true))
            } else {
                sglang(of)
            };
            (rank, parts)
        })
        .filter(|(_, parts)| *parts != Parts::default())
        .map(|(rank, parts)| parts.row(*rank))
        .collect()
}

/// The parts before they are rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Parts {
    total: Option<Size>,
    weights: Option<Size>,
    kv: Option<Size>,
    state: Option<Size>,
    graph: Option<Size>,
    activation: Option<Size>,
    free: Option<Size>,
}

impl Parts {
    /// What is less than nothing is not known, and all that is known adds up.
    fn row(self, rank: Rank) -> Memory {
        let bytes = |size: Option<Size>| size.and_then(whole);
        let (weights, kv, free) = (bytes(self.weights), bytes(self.kv), bytes(self.free));
        let rest = [self.state, self.graph, self.activation].map(bytes);
        let other = || {
            let named = [weights?, kv?, free?];
            let known = named.into_iter().chain(rest.into_iter().flatten());
            let known: i64 = known.map(u64::cast_signed).sum();
            Some(bytes(self.total)?.cast_signed() - known)
        };
        let [state_bytes, graph_bytes, activation_bytes] = rest;
        Memory {
            rank: rank.name(),
            total_bytes: bytes(self.total),
            weights_bytes: weights,
            kv_bytes: kv,
            state_bytes,
            graph_bytes,
            activation_bytes,
            other_bytes: other(),
            free_bytes: free,
        }
    }
}

/// The parts are of what was free before the weights.
fn sglang(of: &RankFacts) -> Parts {
    // One model: what is free after it and what it took are what was free before.
    let before = || match of.weights.as_slice() {
        [one] => Some(of.free_after_weights?.plus(*one)),
        _ => None,
    };
    let total = of.free_before_weights.or(of.fraction_of).or_else(before);
    let by_difference = |first: Option<Size>, second: Option<Size>| Some(first?.less(second?));
    let pools: Vec<Size> = of.pools.iter().filter_map(|pool| pool.all).collect();
    Parts {
        total,
        weights: Size::sum(&of.weights).or_else(|| by_difference(total, of.free_after_weights)),
        kv: Size::sum(&pools).or_else(|| unnamed_pools(of)),
        state: of.states.map(|states| states.all),
        graph: Size::sum(&of.graphs).or_else(|| by_difference(of.free_before_capture, of.free_after_capture)),
        activation: None,
        free: free(of).map(|(free, _)| free),
    }
}

/// Pools whose sizes are not printed: what was planned for them, but no more than they took, the states apart.
fn unnamed_pools(of: &RankFacts) -> Option<Size> {
    let took = match (of.pools_took, of.states) {
        (Some(all), Some(states)) => Some(all.less(states.all)),
        (all, _) => all,
    };
    let planned = of.for_pools.filter(|_| of.free_after_pools.is_some());
    match (planned, took) {
        (Some(planned), Some(took)) if planned.bytes <= took.bytes => Some(planned),
        (planned, took) => took.or(planned),
    }
}

/// What is free in the end, and when that was.
pub(crate) fn free(of: &RankFacts) -> Option<(Size, &'static str)> {
    let stages = [
        (of.free_after_capture, "after_capture"),
        (of.free_before_capture, "before_capture"),
        (of.free_after_pools, "after_pools"),
    ];
    stages.into_iter().find_map(|(size, when)| Some((size?, when)))
}

/// The parts are of the device.
fn vllm(of: &RankFacts, graphs_in_budget: bool) -> Parts {
    let graph = Size::sum(&of.graphs);
    // Where graphs are part of the share, what vLLM calls peak activation has its estimate of them in it
    // (0.33.0, v1/worker/gpu_worker.py).
    let estimated = of.graphs_estimated.filter(|_| graphs_in_budget);
    let activation = of
        .activation
        .map(|peak| estimated.map_or(peak, |graphs| peak.less(graphs)));
    Parts {
        total: of.device_total,
        weights: Size::sum(&of.weights),
        kv: of.for_pools,
        state: None,
        graph,
        activation,
        free: outside(of, graphs_in_budget),
    }
}

/// What vLLM leaves: of what was free at its start, or of the device, less its share, less graphs that are no part of it.
pub(crate) fn outside(of: &RankFacts, graphs_in_budget: bool) -> Option<Size> {
    let left = of.free_at_start.or(of.device_total)?.less(of.budget?);
    let graphs = Size::sum(&of.graphs).filter(|_| !graphs_in_budget);
    Some(graphs.map_or(left, |graphs| left.less(graphs)))
}
