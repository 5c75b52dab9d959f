//! What vLLM says: its first engine, its second, and the one-line form of 0.33.

use super::statement::Vllm;
use super::value::{after, count, number, size, size_before};
use crate::facts::{Facts, Format, Rank};
use crate::size::Size;

/// Takes a statement over; false where its numbers are not there, and then it may be of another engine.
pub(super) fn state(facts: &mut Facts, rank: Rank, what: Vllm, text: &str) -> bool {
    let understood = take(facts, rank, what, text);
    match what {
        _ if !understood => {}
        Vllm::ProfileV0 | Vllm::BlocksV0 => facts.format = Some(Format::VllmV0),
        // The first engine has lines that the second one took over.
        _ => {
            facts.format.get_or_insert(Format::VllmV1);
        }
    }
    understood
}

fn take(facts: &mut Facts, rank: Rank, what: Vllm, text: &str) -> bool {
    match what {
        Vllm::DeviceShare => {
            facts.fraction = number(text, "gpu_memory_utilization (")
                .map(|found| found.0)
                .or(facts.fraction);
            let of = facts.rank(rank);
            of.device_total = size(text, "total_gpu_memory (").or(of.device_total);
            of.budget = after(text, ") = ").and_then(super::value::size_at).or(of.budget);
            of.budget.is_some()
        }
        Vllm::ProfileV0 => {
            let of = facts.rank(rank);
            of.weights = size(text, "model weights take ").into_iter().collect();
            of.non_torch = size(text, "non_torch_memory takes ");
            of.activation = size(text, "activation peak memory takes ");
            of.for_pools = size(text, "reserved for KV Cache is ");
            of.for_pools.is_some()
        }
        Vllm::ProfileV1 => {
            let of = facts.rank(rank);
            of.activation = size(text, "torch peak memory increase: ").or(of.activation);
            of.non_torch = size(text, "non-torch forward increase memory: ").or(of.non_torch);
            if let Some(weights) = size(text, "weights memory: ") {
                of.weights = vec![weights];
            }
            of.activation.is_some()
        }
        Vllm::Blocks | Vllm::BlocksV0 => {
            facts.blocks = count(text, "blocks: ")
                .or_else(|| count(text, "blocks is: "))
                .or(facts.blocks);
            facts.blocks.is_some()
        }
        Vllm::Weights => {
            let weights = size(text, "took ");
            if let Some(weights) = weights {
                facts.rank(rank).weights = vec![weights];
            }
            weights.is_some()
        }
        Vllm::ForKv => {
            let of = facts.rank(rank);
            of.for_pools = size(text, "memory: ").or(of.for_pools);
            of.for_pools.is_some()
        }
        Vllm::Tokens => {
            let tokens = count(text, "size: ");
            facts.tokens = tokens.or(facts.tokens);
            tokens.is_some()
        }
        Vllm::Concurrency => {
            let length = count(text, "concurrency for ");
            let times = number(text, "per request: ");
            if let (Some(length), Some((times, half_digit))) = (length, times) {
                facts.concurrency = Some((length, times, half_digit));
                // It is the longest context, which may have been made to fit since the settings were printed.
                facts.context = Some(length);
            }
            length.is_some()
        }
        Vllm::Padding => {
            facts.padding_layers = count(text, "Add ").or(facts.padding_layers);
            facts.padding_layers.is_some()
        }
        Vllm::Graphs => {
            let graphs = size(text, "took ");
            if let Some(graphs) = graphs {
                facts.rank(rank).graphs = vec![graphs];
            }
            graphs.is_some()
        }
        Vllm::GraphsEstimated => {
            // Part of the share, unless a later line says that they are not.
            facts.graphs_in_budget.get_or_insert(true);
            let of = facts.rank(rank);
            of.graphs_estimated = size(text, "memory: ").or(of.graphs_estimated);
            of.graphs_estimated.is_some()
        }
        Vllm::GraphsInShare | Vllm::GraphsOutside => {
            facts.graphs_in_budget = Some(what == Vllm::GraphsInShare);
            true
        }
        Vllm::Reserved => {
            let reserved = size(text, "reserved ");
            let of = facts.rank(rank);
            of.for_pools = reserved.or(of.for_pools);
            of.free_at_start = size(text, "Initial free memory ")
                .filter(|_| reserved.is_some())
                .or(of.free_at_start);
            reserved.is_some()
        }
        Vllm::Startup => startup(facts, rank, text),
        Vllm::Version => {
            let version = after(text, "version ").and_then(|rest| rest.split_whitespace().next());
            facts.version = version
                .map(|version| contracts::text::clean(version, 60))
                .or(facts.version.take());
            version.is_some()
        }
    }
}

/// `Free memory on device (f/t GiB) on startup. Desired GPU memory utilization is (u, r GiB). Actual usage is …`.
fn startup(facts: &mut Facts, rank: Rank, text: &str) -> bool {
    facts.offered_kv_bytes = count(text, "--kv-cache-memory=").or(facts.offered_kv_bytes);
    facts.fraction = number(text, "utilization is (")
        .map(|found| found.0)
        .or(facts.fraction);
    let free = size(text, "memory on device (");
    let total = after(text, "memory on device (")
        .and_then(|rest| rest.split_once('/'))
        .and_then(|(_, rest)| super::value::size_at(rest));
    let budget = after(text, "utilization is (")
        .and_then(|rest| rest.split_once(", "))
        .and_then(|(_, rest)| super::value::size_at(rest));
    let of = facts.rank(rank);
    of.free_at_start = free.or(of.free_at_start);
    of.device_total = total.or(of.device_total);
    of.budget = budget.or(of.budget);
    of.activation = size_before(text, " for peak activation").or(of.activation);
    of.non_torch = size_before(text, " for non-torch").or(of.non_torch);
    if let Some(weights) = size_before(text, " for weight") {
        of.weights = vec![weights];
    } else if let Some(consumed) = size_before(text, " for consumed memory") {
        // Weights and what PyTorch does not count, in one.
        let weights = Size::sum(&of.weights);
        of.non_torch = weights.map(|weights| consumed.less(weights));
    }
    if of.graphs.is_empty() {
        of.graphs.extend(size_before(text, " for CUDAGraph memory"));
    }
    of.budget.is_some()
}
