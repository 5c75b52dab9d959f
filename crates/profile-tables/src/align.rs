//! Python lines for kernels that a graph replays: the launches of the graph's capture, in their order, against the
//! kernels of each replay, in theirs. Equal kernels in equal order are the same line; nothing is guessed between them.

use rustc_hash::FxHashMap;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use torch_trace::{Derived, Trace, canonical, short_location};

use crate::fold::Aligned;

/// Longer sequences are not aligned: a graph has a few thousand kernels.
const MAX_SEQUENCE: usize = 50_000;

/// What an alignment found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alignment {
    /// Locations by event.
    pub(crate) of_event: Aligned,
    /// Kernels of graph launches.
    pub(crate) graph_kernels: u64,
    /// Of them, those with a counterpart.
    pub(crate) aligned: u64,
}

/// A kernel of the mapping trace with where it comes from.
struct Known {
    name: String,
    location: Option<String>,
    cpu_op: Option<String>,
}

/// Aligns the graph kernels of `trace` with the kernels that the mapping trace knows.
pub(crate) fn align(trace: &Trace, derived: &Derived, mapping: &Trace, mapped: &Derived) -> Alignment {
    let known = known_kernels(mapping, mapped);
    let known_names: Vec<&str> = known.iter().map(|kernel| kernel.name.as_str()).collect();
    let mut result = Alignment::default();
    for replay in replays(trace, derived) {
        result.graph_kernels += replay.len() as u64;
        if replay.len() > MAX_SEQUENCE || known.len() > MAX_SEQUENCE {
            continue;
        }
        let names: Vec<&str> = replay
            .iter()
            .map(|event| derived.kernels.at(*event).name.as_str())
            .collect();
        for operation in capture_diff_slices(Algorithm::Myers, &known_names, &names) {
            let DiffOp::Equal {
                old_index,
                new_index,
                len,
            } = operation
            else {
                continue;
            };
            for step in 0..len {
                let kernel = &known[old_index + step];
                result.aligned += 1;
                if let Some(location) = &kernel.location {
                    let site = (location.clone(), kernel.cpu_op.clone());
                    result.of_event.insert(replay[new_index + step], site);
                }
            }
        }
    }
    result
}

/// The kernels of graph launches, one sequence a step (or one for the trace), in the order in which they ran.
fn replays(trace: &Trace, derived: &Derived) -> Vec<Vec<usize>> {
    let mut by_step: FxHashMap<Option<usize>, Vec<usize>> = FxHashMap::default();
    for event in 0..trace.gpu.len() {
        if derived.origins.in_graph(event) {
            by_step
                .entry(derived.stages.step_of[event])
                .or_default()
                .push(event);
        }
    }
    let mut sequences: Vec<Vec<usize>> = by_step.into_values().collect();
    for sequence in &mut sequences {
        sequence.sort_by_key(|event| (trace.gpu[*event].start_ns, *event));
    }
    sequences.sort();
    sequences
}

/// The kernels of the mapping trace in order: the launches that name theirs (a capture on HIP), else the work itself.
fn known_kernels(mapping: &Trace, mapped: &Derived) -> Vec<Known> {
    let mut named: Vec<usize> = (0..mapping.calls.len())
        .filter(|call| mapping.calls[*call].kernel.is_some())
        .collect();
    if named.len() > mapping.gpu.len() {
        named.sort_by_key(|call| mapping.calls[*call].start_ns);
        let ops: FxHashMap<_, _> = mapping.ops.iter().map(|op| (op.external_id, op.name)).collect();
        return named
            .into_iter()
            .filter_map(|index| {
                let call = &mapping.calls[index];
                let cpu_op = call.external_id.and_then(|_| ops.get(&call.external_id));
                Some(Known {
                    name: canonical(&mapping.names.text(call.kernel?)).into_owned(),
                    location: mapped.origins.frame_of_call(mapping, index),
                    cpu_op: cpu_op.map(|name| mapping.names.text(*name).into_owned()),
                })
            })
            .collect();
    }
    let mut events: Vec<usize> = (0..mapping.gpu.len()).collect();
    events.sort_by_key(|event| (mapping.gpu[*event].start_ns, *event));
    events
        .into_iter()
        .map(|event| Known {
            name: mapped.kernels.at(event).name.clone(),
            location: mapped
                .origins
                .location(mapping, event)
                .map(|(text, _)| short_location(&text).to_owned()),
            cpu_op: mapped
                .origins
                .op(mapping, event)
                .map(|op| mapping.names.text(op.name).into_owned()),
        })
        .collect()
}
