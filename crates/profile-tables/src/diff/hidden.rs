//! The width of a model's hidden states, as far as a trace tells: the shapes that its norms are called with.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde_json::Value;
use torch_trace::{Derived, Family, NameId, Stage, Trace};

/// Part of the norms from which on a width is one of the model's, not of a single place.
const COMMON_PCT: u64 = 20;

/// The widest common input of the norms: those of queries and keys are narrower, and as frequent.
pub(super) fn hidden_size(trace: &Trace, derived: &Derived, stage: Stage) -> Option<u64> {
    let mut known: FxHashMap<NameId, Option<u64>> = FxHashMap::default();
    let mut widths: BTreeMap<u64, u64> = BTreeMap::new();
    let norms = (0..trace.gpu.len()).filter(|event| {
        derived.stages.of_event[*event] == stage && derived.kernels.at(*event).family == Family::Norm
    });
    for event in norms {
        let dims = derived.origins.op(trace, event).and_then(|op| op.dims);
        let width = dims.and_then(|dims| *known.entry(dims).or_insert_with(|| width(trace.names.raw(dims))));
        if let Some(width) = width {
            *widths.entry(width).or_default() += 1;
        }
    }
    let all: u64 = widths.values().sum();
    widths
        .into_iter()
        .rev()
        .find(|(_, count)| *count * 100 >= all * COMMON_PCT)
        .map(|(width, _)| width)
}

/// Last dimension of the first input that has two or more.
fn width(dims: &[u8]) -> Option<u64> {
    let inputs: Vec<Value> = serde_json::from_slice(dims).ok()?;
    inputs
        .iter()
        .find_map(|input| match input.as_array()?.as_slice() {
            [_, .., last] => last.as_u64(),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_width_is_that_of_the_states_and_not_of_the_weights() {
        assert_eq!(width(b"[[16, 2048], [2048], []]"), Some(2048));
        assert_eq!(width(b"[[2048], [1, 16, 2048]]"), Some(2048));
        assert_eq!(width(b"[[2048], []]"), None);
        assert_eq!(width(b"not JSON"), None);
        assert_eq!(width(b"[[[16, 2048], [16, 2048]]]"), None);
    }
}
