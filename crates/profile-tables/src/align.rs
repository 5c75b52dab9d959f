//! Python lines for kernels that a graph replays: the launches of the graph's capture, in their order, against the
//! kernels of each replay, in theirs. Equal kernels in equal order are the same line; nothing is guessed between them.

use std::ops::Range;

use rustc_hash::FxHashMap;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use torch_trace::{Derived, LocatedBy, Trace, canonical};

use crate::sites::{Located, SiteKey, recorded};

/// Kernels of the capture times kernels of the replays, at most: a graph has a few thousand. A bound on work, not on time,
/// so that the same traces give the same lines.
const MOST_WORK: u64 = 500_000_000;

/// What an alignment found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alignment {
    /// Sites by event.
    pub(crate) located: Located,
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

/// Aligns the graph kernels of `trace` with the kernels that the mapping trace knows, each launch for itself.
pub(crate) fn align(trace: &Trace, derived: &Derived, mapping: &Trace, mapped: &Derived) -> Alignment {
    let known = known_kernels(mapping, mapped);
    let mut aligner = Aligner::new(&known);
    let mut result = Alignment::default();
    for replay in replays(trace, derived) {
        result.graph_kernels += replay.len() as u64;
        let names: Vec<&str> = replay
            .iter()
            .map(|event| derived.kernels.at(*event).name.as_str())
            .collect();
        for (in_known, in_replay) in aligner.runs(&names) {
            result.aligned += in_known.len() as u64;
            for (kernel, event) in known[in_known].iter().zip(&replay[in_replay]) {
                if kernel.location.is_some() {
                    let site = SiteKey {
                        location: kernel.location.clone(),
                        cpu_op: kernel.cpu_op.clone(),
                        by: Some(LocatedBy::GraphAlignment),
                        place: None,
                    };
                    result.located.insert(*event, site);
                }
            }
        }
    }
    result
}

/// Equal kernels in equal order: places in the capture, and in a replay.
type Run = (Range<usize>, Range<usize>);

/// Where one sequence of kernels lies in the capture.
#[derive(Clone)]
enum Found {
    /// As it stands, beginning at each of these places.
    Whole(Vec<usize>),
    /// In pieces.
    Parts(Vec<Run>),
}

/// Finds replays in the capture. A step may be cut into many graphs, so a piece is looked for behind the piece before it.
struct Aligner<'k> {
    ids: FxHashMap<&'k str, u32>,
    known: Vec<u32>,
    /// Where the last replay ended.
    at: usize,
    work_left: u64,
    found: FxHashMap<Vec<u32>, Found>,
}

impl<'k> Aligner<'k> {
    fn new(known: &'k [Known]) -> Self {
        let mut ids = FxHashMap::default();
        let known = known
            .iter()
            .map(|kernel| {
                let next = ids.len() as u32;
                *ids.entry(kernel.name.as_str()).or_insert(next)
            })
            .collect();
        Self {
            ids,
            known,
            at: 0,
            work_left: MOST_WORK,
            found: FxHashMap::default(),
        }
    }

    fn runs(&mut self, names: &[&str]) -> Vec<Run> {
        // A kernel that the capture does not know is equal to none of it.
        let replay: Vec<u32> = names
            .iter()
            .map(|name| self.ids.get(name).copied().unwrap_or(u32::MAX))
            .collect();
        let found = match self.found.get(&replay) {
            Some(found) => found.clone(),
            None => {
                let work = self.known.len() as u64 * replay.len() as u64;
                let Some(left) = self.work_left.checked_sub(work) else {
                    return Vec::new();
                };
                self.work_left = left;
                let found = find(&self.known, &replay);
                self.found.insert(replay.clone(), found.clone());
                found
            }
        };
        match found {
            Found::Parts(runs) => runs,
            Found::Whole(starts) => {
                let behind = starts.iter().find(|start| **start >= self.at);
                let start = *behind.unwrap_or(&starts[0]);
                self.at = start + replay.len();
                vec![(start..self.at, 0..replay.len())]
            }
        }
    }
}

fn find(known: &[u32], replay: &[u32]) -> Found {
    let starts: Vec<usize> = known
        .windows(replay.len())
        .enumerate()
        .filter(|(_, window)| *window == replay)
        .map(|(start, _)| start)
        .collect();
    if !starts.is_empty() {
        return Found::Whole(starts);
    }
    let operations = capture_diff_slices(Algorithm::Myers, known, replay);
    let runs = operations.into_iter().filter_map(|operation| match operation {
        DiffOp::Equal {
            old_index,
            new_index,
            len,
        } => Some((old_index..old_index + len, new_index..new_index + len)),
        _ => None,
    });
    Found::Parts(runs.collect())
}

/// The kernels of each graph launch in the order in which they ran, the launches in theirs.
fn replays(trace: &Trace, derived: &Derived) -> Vec<Vec<usize>> {
    let mut by_launch: FxHashMap<usize, Vec<usize>> = FxHashMap::default();
    for event in 0..trace.gpu.len() {
        if let Some(launch) = derived.origins.launch[event].filter(|_| derived.origins.in_graph(event)) {
            by_launch.entry(launch).or_default().push(event);
        }
    }
    let mut sequences: Vec<(usize, Vec<usize>)> = by_launch.into_iter().collect();
    sequences.sort_by_key(|(launch, _)| (trace.calls[*launch].start_ns, *launch));
    for (_, sequence) in &mut sequences {
        sequence.sort_by_key(|event| (trace.gpu[*event].start_ns, *event));
    }
    sequences.into_iter().map(|(_, sequence)| sequence).collect()
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
        .map(|event| {
            let site = recorded(mapping, &mapped.origins, event);
            Known {
                name: mapped.kernels.at(event).name.clone(),
                location: site.location,
                cpu_op: site.cpu_op,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(names: &[&str]) -> Vec<Known> {
        names
            .iter()
            .map(|name| Known {
                name: (*name).to_owned(),
                location: None,
                cpu_op: None,
            })
            .collect()
    }

    #[test]
    fn the_pieces_of_a_step_follow_each_other() {
        let capture = known(&["a", "b", "x", "a", "b", "y"]);
        let mut aligner = Aligner::new(&capture);
        let starts: Vec<usize> = (0..4).map(|_| aligner.runs(&["a", "b"])[0].0.start).collect();
        assert_eq!(starts, [0, 3, 0, 3], "the next step begins again");
        // Two kernels that the capture has between others.
        assert_eq!(aligner.runs(&["b", "a", "z"]), [(1..2, 0..1), (3..4, 1..2)]);
    }

    #[test]
    fn work_without_end_is_left_undone() {
        let names: Vec<String> = (0..30_000).map(|at| at.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let capture = known(&names);
        let mut aligner = Aligner::new(&capture);
        assert!(aligner.runs(&names).is_empty());
        assert_eq!(aligner.runs(&names[5..10]), [(5..10, 0..5)]);
    }
}
