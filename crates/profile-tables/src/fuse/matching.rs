//! Looks for the catalogue's fusions in one stream.
//!
//! ```text
//! gemm | memcpy | all_reduce | memcpy | rms_norm | gemm      kernels in launch order
//!        '------ all-reduce + RMSNorm, split ---'            one occurrence, three of its kernels vanish
//! ```
//!
//! Occurrences of several rows may want the same kernel. The one with more kernels gets it, then the one that saves
//! more, then a row of the trace's own engine, then the earlier row; so no kernel is counted twice.

use std::cmp::Reverse;
use std::collections::HashMap;

use torch_trace::family::Family;
use torch_trace::kernel_name::short;
use torch_trace::name_pattern::Words;

use super::catalogue::Catalogue;
use super::pattern::{Conditions, Dtype, Kernel, Pattern};
use super::saving::{fixed_ns, saving_ns};

/// Kernels of [`Pattern::skip`] that may stand between two steps, at most.
const MAX_SKIPPED: usize = 2;

/// One kernel (or copy, or fill) of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Its name as the trace has it.
    pub name: &'a str,
    /// What it is for.
    pub family: Family,
    /// How long it took, in nanoseconds.
    pub dur_ns: i64,
}

/// What is known of the run; unknown is `None` and rules nothing out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// Ranks of the run.
    pub world_size: Option<u32>,
    /// Number formats in use.
    pub dtypes: Option<&'a [Dtype]>,
    /// The engine, as the catalogue spells it.
    pub engine: Option<&'a str>,
    /// Architecture, see [`super::gpu_arch`].
    pub gpu_arch: Option<&'a str>,
}

/// Whether a fusion is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The fused kernel runs, and the split sequence does not occur.
    Present,
    /// The split sequence occurs.
    Split,
    /// Neither; or the conditions rule the fusion out.
    Absent,
}

/// What was found of one row of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Index of the row.
    pub pattern: usize,
    /// Whether the fusion is there.
    pub state: State,
    /// Indices of the kernels of each occurrence: of the split sequence, or of the fused kernel where it is present.
    pub positions: Vec<Vec<usize>>,
    /// How many occurrences.
    pub occurrences: u64,
    /// Fused kernels that run, also where the split sequence occurs elsewhere.
    pub fused_occurrences: u64,
    /// Time of the kernels that the fusion would remove, in nanoseconds.
    pub related_ns: i64,
    /// What the fusion would save, in nanoseconds; see `saving`. Never above `related_ns`.
    pub estimated_saving_ns: i64,
    /// Short names of the first occurrence.
    pub sequence: Vec<String>,
    /// The row that has the kernels which this one would have matched.
    pub covered_by: Option<usize>,
}

/// Says of every row of the catalogue whether the kernels of one stream, in launch order, have it.
pub fn find(catalogue: &Catalogue, sequence: &[Node<'_>], context: &Context<'_>) -> Vec<Finding> {
    let names = Names::of(sequence);
    let kinds: HashMap<&str, Vec<bool>> = catalogue
        .kernels
        .iter()
        .map(|(name, kernel)| (name.as_str(), names.which(kernel)))
        .collect();
    let fixed = fixed_ns(sequence);

    let mut findings = Vec::with_capacity(catalogue.patterns.len());
    let mut candidates: Vec<Candidate> = Vec::new();
    for (index, pattern) in catalogue.patterns.iter().enumerate() {
        let mut finding = Finding {
            pattern: index,
            state: State::Absent,
            positions: Vec::new(),
            occurrences: 0,
            fused_occurrences: 0,
            related_ns: 0,
            estimated_saving_ns: 0,
            sequence: Vec::new(),
            covered_by: None,
        };
        let fused = pattern
            .fused
            .as_ref()
            .map_or_else(|| vec![false; names.distinct.len()], |fused| names.which(fused));
        finding.positions = (0..sequence.len())
            .filter(|at| fused[names.of_node[*at]])
            .map(|at| vec![at])
            .collect();
        finding.fused_occurrences = finding.positions.len() as u64;
        if may_hold(&pattern.conditions, context) {
            let foreign = !context
                .engine
                .is_some_and(|engine| pattern.engines.iter().any(|own| own == engine));
            let search = Search::new(pattern, &kinds, &fused, &names.of_node);
            candidates.extend((0..sequence.len()).filter_map(|start| {
                let steps = search.at(start)?;
                Some(Candidate::new(index, foreign, steps, pattern, sequence, fixed))
            }));
        }
        findings.push(finding);
    }
    settle(candidates, &mut findings, sequence.len());
    for finding in &mut findings {
        conclude(finding, sequence);
    }
    findings
}

/// Gives each kernel to one candidate at most.
fn settle(mut candidates: Vec<Candidate>, findings: &mut [Finding], kernels: usize) {
    candidates.sort_by_key(|one| {
        (
            Reverse(one.nodes.len()),
            Reverse(one.saving_ns),
            one.foreign,
            one.pattern,
            one.nodes[0],
        )
    });
    let mut owner: Vec<Option<usize>> = vec![None; kernels];
    let mut split: Vec<Vec<Candidate>> = findings.iter().map(|_| Vec::new()).collect();
    for candidate in candidates {
        if let Some(other) = candidate.nodes.iter().find_map(|at| owner[*at]) {
            if other != candidate.pattern {
                findings[candidate.pattern].covered_by.get_or_insert(other);
            }
            continue;
        }
        for at in &candidate.nodes {
            owner[*at] = Some(candidate.pattern);
        }
        split[candidate.pattern].push(candidate);
    }
    for (finding, mut occurrences) in findings.iter_mut().zip(split) {
        if occurrences.is_empty() {
            continue;
        }
        occurrences.sort_by_key(|one| one.nodes[0]);
        finding.state = State::Split;
        finding.covered_by = None;
        finding.related_ns = occurrences
            .iter()
            .map(|one| one.related_ns)
            .fold(0, i64::saturating_add);
        finding.estimated_saving_ns = occurrences
            .iter()
            .map(|one| one.saving_ns)
            .fold(0, i64::saturating_add);
        finding.positions = occurrences.into_iter().map(|one| one.nodes).collect();
    }
}

/// Fills in what follows from the positions.
fn conclude(finding: &mut Finding, sequence: &[Node<'_>]) {
    if finding.state != State::Split && finding.fused_occurrences > 0 {
        finding.state = State::Present;
        finding.covered_by = None;
    }
    finding.occurrences = finding.positions.len() as u64;
    if let Some(first) = finding.positions.first() {
        finding.sequence = first.iter().map(|at| short(sequence[*at].name)).collect();
    }
}

/// Whether no condition is known not to hold: what the trace does not tell rules nothing out.
fn may_hold(conditions: &Conditions, context: &Context<'_>) -> bool {
    let tp = context
        .world_size
        .is_none_or(|size| size >= conditions.min_tp.unwrap_or(0));
    let dtype = conditions.dtype.is_empty()
        || context
            .dtypes
            .is_none_or(|seen| seen.iter().any(|dtype| conditions.dtype.contains(dtype)));
    let arch = conditions.gpu_arch.is_empty()
        || context.gpu_arch.is_none_or(|arch| {
            conditions
                .gpu_arch
                .iter()
                .any(|asked| arch.starts_with(asked.as_str()))
        });
    tp && dtype && arch
}

/// The distinct kernels of a sequence, so that each name is taken apart once.
struct Names {
    /// Distinct kernel of each node.
    of_node: Vec<usize>,
    distinct: Vec<(Words, Family)>,
}

impl Names {
    fn of(sequence: &[Node<'_>]) -> Self {
        let mut index: HashMap<(&str, Family), usize> = HashMap::new();
        let mut distinct = Vec::new();
        let of_node = sequence
            .iter()
            .map(|node| {
                *index.entry((node.name, node.family)).or_insert_with(|| {
                    distinct.push((Words::of(node.name), node.family));
                    distinct.len() - 1
                })
            })
            .collect();
        Self { of_node, distinct }
    }

    /// Which distinct kernels are of a kind.
    fn which(&self, kernel: &Kernel) -> Vec<bool> {
        self.distinct
            .iter()
            .map(|(words, family)| kernel.family.is_none_or(|asked| asked == *family) && kernel.fits(words))
            .collect()
    }
}

/// One way in which a split sequence lies in the stream.
struct Candidate {
    pattern: usize,
    /// Whether the row is of other engines than the trace.
    foreign: bool,
    nodes: Vec<usize>,
    related_ns: i64,
    saving_ns: i64,
}

impl Candidate {
    fn new(
        index: usize,
        foreign: bool,
        steps: Vec<(usize, usize)>,
        pattern: &Pattern,
        sequence: &[Node<'_>],
        fixed: i64,
    ) -> Self {
        let mut candidate = Self {
            pattern: index,
            foreign,
            nodes: steps.iter().map(|(_, at)| *at).collect(),
            related_ns: 0,
            saving_ns: 0,
        };
        for (step, at) in steps {
            if let Some(saves) = pattern.split[step].saves {
                let dur = sequence[at].dur_ns.max(0);
                candidate.related_ns = candidate.related_ns.saturating_add(dur);
                candidate.saving_ns = candidate.saving_ns.saturating_add(saving_ns(dur, fixed, saves));
            }
        }
        candidate
    }
}

/// The search for one row; kinds are answers by distinct kernel.
struct Search<'a> {
    pattern: &'a Pattern,
    steps: Vec<&'a [bool]>,
    skip: Vec<&'a [bool]>,
    fused: &'a [bool],
    of_node: &'a [usize],
}

impl<'a> Search<'a> {
    fn new(
        pattern: &'a Pattern,
        kinds: &'a HashMap<&str, Vec<bool>>,
        fused: &'a [bool],
        of_node: &'a [usize],
    ) -> Self {
        // The catalogue was read with every kind that a row names.
        let kind = |name: &String| kinds.get(name.as_str()).map_or(&[][..], Vec::as_slice);
        Self {
            pattern,
            steps: pattern.split.iter().map(|step| kind(&step.is)).collect(),
            skip: pattern.skip.iter().map(kind).collect(),
            fused,
            of_node,
        }
    }

    /// The sequence that begins exactly at `start`: pairs of step and node.
    fn at(&self, start: usize) -> Option<Vec<(usize, usize)>> {
        let mut found = Vec::new();
        self.step(0, start, &mut found).then_some(found)
    }

    /// Matches from `step` on, the next kernel being `at`; takes an optional step where it can.
    fn step(&self, step: usize, at: usize, found: &mut Vec<(usize, usize)>) -> bool {
        let Some(wanted) = self.steps.get(step) else {
            return true;
        };
        let may_skip = if found.is_empty() { 0 } else { MAX_SKIPPED };
        for node in at..=at.saturating_add(may_skip) {
            let Some(kernel) = self.of_node.get(node) else {
                break;
            };
            if is(wanted, *kernel) && !self.fused[*kernel] {
                found.push((step, node));
                if self.step(step + 1, node + 1, found) {
                    return true;
                }
                found.pop();
            }
            if !self.skip.iter().any(|kind| is(kind, *kernel)) {
                break;
            }
        }
        self.pattern.split[step].optional && self.step(step + 1, at, found)
    }
}

fn is(kind: &[bool], kernel: usize) -> bool {
    kind.get(kernel).copied().unwrap_or(false)
}
