//! The fusions of each stage: every stream's kernels in launch order against the catalogue, added up by pattern.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Finite;
use contracts::profile_tables::report::{FuseRow, FuseState};
use torch_trace::{Derived, Family, Stage, Trace, TrackId};

use crate::fuse::{Catalogue, Context, Finding, Node, Pattern, State, find, gpu_arch};
use crate::server::Server;

/// Sums of one pattern in one stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct FuseSum {
    pub(crate) split: u64,
    pub(crate) fused: u64,
    related_ns: i64,
    pub(crate) saving_ns: i64,
    /// The kernels of the first occurrence, of a split one where there is one.
    kernels: Vec<String>,
    sequence: Vec<String>,
    /// The kernels of all split occurrences.
    parts: BTreeSet<(String, Family)>,
}

impl FuseSum {
    /// Split wherever the parts were found: then the fusion is not done everywhere.
    pub(crate) fn state(&self) -> FuseState {
        match (self.split, self.fused) {
            (0, 0) => FuseState::Absent,
            (0, _) => FuseState::Present,
            _ => FuseState::Split,
        }
    }
}

/// By place in the catalogue.
pub(crate) type FuseSums = BTreeMap<usize, FuseSum>;

/// Adds the fusions of a trace to those of its stages.
pub(crate) fn add(
    sums: &mut BTreeMap<Stage, FuseSums>,
    trace: &Trace,
    derived: &Derived,
    engine: Option<&str>,
    server: Option<&Server>,
) {
    let dtypes = server.and_then(Server::dtypes);
    let context = Context {
        // All ranks of the process group, where nobody says how they are divided.
        world_size: server
            .and_then(|server| server.info.tp_size)
            .or(trace.header.world_size),
        dtypes: dtypes.as_deref(),
        engine,
        gpu_arch: trace.header.gpus.first().and_then(|gpu| gpu_arch(gpu)),
    };
    let mut streams: BTreeMap<(Stage, TrackId), Vec<usize>> = BTreeMap::new();
    for (event, stage) in derived.stages.of_event.iter().enumerate() {
        streams
            .entry((*stage, trace.gpu[event].track))
            .or_default()
            .push(event);
    }
    for ((stage, _), mut events) in streams {
        events.sort_by_key(|event| (trace.gpu[*event].start_ns, *event));
        let sequence: Vec<Node<'_>> = events
            .iter()
            .map(|event| {
                let kernel = derived.kernels.at(*event);
                Node {
                    name: &kernel.name,
                    family: kernel.family,
                    dur_ns: trace.gpu[*event].dur_ns,
                }
            })
            .collect();
        let of_stage = sums.entry(stage).or_default();
        for finding in find(Catalogue::builtin(), &sequence, &context) {
            if finding.state != State::Absent && finding.covered_by.is_none() {
                add_finding(of_stage.entry(finding.pattern).or_default(), &finding, &sequence);
            }
        }
    }
}

fn add_finding(sum: &mut FuseSum, finding: &Finding, sequence: &[Node<'_>]) {
    let first_split = finding.state == State::Split && sum.split == 0;
    if finding.state == State::Split {
        sum.split += finding.occurrences;
        let parts = finding.positions.iter().flatten().map(|place| &sequence[*place]);
        sum.parts
            .extend(parts.map(|node| (node.name.to_owned(), node.family)));
    }
    sum.fused += finding.fused_occurrences;
    sum.related_ns += finding.related_ns;
    sum.saving_ns += finding.estimated_saving_ns;
    if sum.kernels.is_empty() || first_split {
        let first = finding.positions.first().into_iter().flatten();
        sum.kernels = first.map(|place| sequence[*place].name.to_owned()).collect();
        sum.sequence.clone_from(&finding.sequence);
    }
}

/// Where the fused form of a pattern is implemented.
pub(crate) fn source_of(pattern: &Pattern) -> String {
    let source = &pattern.source;
    format!("{} {} @{}", source.repo, source.path, source.at)
}

/// The rows of a stage: what is split first, by what it could save. `on_path` is the time of each kernel on the critical
/// path, `None` where that is not known.
pub(crate) fn rows(
    sums: &FuseSums,
    busy_ns: i64,
    on_path: Option<&BTreeMap<(String, Family), i64>>,
) -> Vec<FuseRow> {
    let mut rows: Vec<FuseRow> = sums
        .iter()
        .map(|(pattern, sum)| {
            let pattern = &Catalogue::builtin().patterns[*pattern];
            let split = sum.split > 0;
            FuseRow {
                pattern: pattern.name.clone(),
                state: sum.state(),
                kernels: sum.kernels.clone(),
                related_ns: sum.related_ns,
                share_pct: Finite::ratio(100.0 * sum.related_ns as f64, busy_ns as f64),
                occurrences: if split { sum.split } else { sum.fused },
                sequence: sum.sequence.clone(),
                estimated_saving_ns: split.then_some(sum.saving_ns),
                shortens_ns: on_path.filter(|_| split).map(|on_path| {
                    let parts = sum.parts.iter().filter_map(|part| on_path.get(part));
                    sum.saving_ns.min(parts.sum())
                }),
                source: source_of(pattern),
                rationale: pattern.rationale.clone(),
            }
        })
        .collect();
    rows.sort_by(|a, b| {
        b.estimated_saving_ns
            .cmp(&a.estimated_saving_ns)
            .then_with(|| b.related_ns.cmp(&a.related_ns))
            .then_with(|| a.pattern.cmp(&b.pattern))
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_of_a_split_row_are_those_that_are_split() {
        let node = |name| Node {
            name,
            family: Family::Norm,
            dur_ns: 10,
        };
        let sequence = [node("fused"), node("a"), node("b")];
        let finding = |state, positions: Vec<usize>| Finding {
            pattern: 0,
            state,
            occurrences: 1,
            fused_occurrences: u64::from(state == State::Present),
            related_ns: 0,
            estimated_saving_ns: 0,
            sequence: positions.iter().map(|at| sequence[*at].name.to_owned()).collect(),
            positions: vec![positions],
            covered_by: None,
        };
        let mut sum = FuseSum::default();
        add_finding(&mut sum, &finding(State::Present, vec![0]), &sequence);
        assert_eq!(sum.kernels, ["fused"]);
        // Another stream, or another rank.
        for split in [vec![1, 2], vec![0, 2]] {
            add_finding(&mut sum, &finding(State::Split, split), &sequence);
            assert_eq!(
                (&sum.kernels, &sum.sequence),
                (&vec!["a".to_owned(), "b".to_owned()], &sum.kernels)
            );
        }
        add_finding(&mut sum, &finding(State::Present, vec![0]), &sequence);
        assert_eq!(sum.kernels, ["a", "b"]);
    }
}
