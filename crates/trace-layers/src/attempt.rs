//! One period tried out: the layer it gives, the runs of that layer, and what they mean for the number of layers.

use std::ops::Range;

use crate::class::{Kind, Sequence, Template};
use crate::cut::{Block, Cut, Run, cut, extent};
use crate::detection::Method;
use crate::lag::Lag;
use crate::phase::rotate;
use crate::shape::{Shape, lay, shape};

/// Layers of a pass, in order.
pub(crate) type Layers = Vec<Range<usize>>;

/// What a period gives.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// How the layers follow from the repeats.
    pub(crate) method: Method,
    /// One repeat, from the start of its layer.
    pub(crate) template: Template,
    /// Length of the longest run, in repeats.
    pub(crate) repeats: f64,
    /// Repeats of the longest run.
    pub(crate) blocks: usize,
    /// Passes, in the order of the trace.
    pub(crate) passes: Vec<Layers>,
    /// Share of the kernels of all runs that stand where the template has them.
    pub(crate) equal: f64,
    /// Kernels of the longest run that no block has.
    pub(crate) out_of_order: usize,
    /// Whether the search ended early.
    pub(crate) gave_up: bool,
}

impl Attempt {
    /// Whether a repeat is a layer, and no part of one: it has an attention, or comes back too often for a loop over experts.
    pub(crate) fn is_layer(&self, sequence: &Sequence) -> bool {
        let has_attention = self
            .template
            .kernels
            .iter()
            .any(|class| sequence.kind(*class) == Kind::Attention);
        self.blocks >= if has_attention { 8 } else { 16 }
    }

    /// How well the passes with all layers explain the stream: their kernels, less the share of those that differ.
    pub(crate) fn explained(&self, config: Option<usize>) -> usize {
        let whole = config.unwrap_or(self.layers());
        let complete = self.passes.iter().filter(|pass| pass.len() == whole);
        let kernels: usize = complete
            .map(|pass| pass[pass.len() - 1].end - pass[0].start)
            .sum();
        (kernels as f64 * self.equal) as usize
    }

    /// Layers of a whole pass.
    pub(crate) fn layers(&self) -> usize {
        typical(&self.passes).unwrap_or(0)
    }
}

/// Layers of a whole pass: the length that most layers are in passes of; of equals, the greater. `None` without passes.
pub(crate) fn typical(passes: &[Layers]) -> Option<usize> {
    let mut lengths: Vec<usize> = passes.iter().map(Vec::len).collect();
    lengths.sort_unstable();
    lengths
        .chunk_by(|a, b| a == b)
        .max_by_key(|equal| equal.len() * equal[0])
        .map(|equal| equal[0])
}

/// Tries one period. `None` where it gives no run of two blocks.
pub(crate) fn attempt(sequence: &Sequence, lag: Lag, expected: Option<usize>) -> Option<Attempt> {
    let raw = sequence
        .classes
        .get(lag.exact_start..lag.exact_start + lag.period)?;
    let raw = Template::new(sequence, raw.to_vec());
    let first = cut(sequence, &raw);
    let layer = consensus(sequence, &raw, &first);
    let first = if layer == raw {
        first
    } else {
        cut(sequence, &layer)
    };
    let template = rotate(sequence, &layer, &first);
    let Cut { runs, gave_up } = cut(sequence, &template);
    let runs = apart(sequence, &template, runs);
    // A run of the expected length shows more than a longer one, in which two passes may not be told apart.
    let rank = |run: &usize| (Some(runs[*run].len()) == expected, runs[*run].len());
    let longest = (0..runs.len())
        .rev()
        .max_by_key(rank)
        .filter(|run| runs[*run].len() > 1)?;
    let shape = shape(sequence, &template, &runs, longest, expected);
    let mut passes = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let before = passes
            .last()
            .and_then(|pass: &Layers| pass.last())
            .map_or(0, |layer| layer.end);
        let after = runs
            .get(index + 1)
            .map_or(sequence.classes.len(), |run| extent(run).start);
        lay(
            sequence,
            &template,
            run,
            before..after,
            &shape,
            expected,
            &mut passes,
        );
    }
    join(&mut passes, template.period(), expected);
    let kernels: usize = runs
        .iter()
        .map(|run| extent(run).len().max(run.len() * template.period()))
        .sum();
    let equal: usize = runs.iter().flatten().map(|block| block.equal).sum();
    let stretch = extent(&runs[longest]).len();
    Some(Attempt {
        method: match shape {
            Shape::Whole { .. } => Method::Period,
            Shape::Slots => Method::Slots,
            Shape::Group { .. } => Method::Superperiod,
            Shape::Part(_) => Method::Subperiod,
        },
        repeats: stretch as f64 / template.period() as f64,
        blocks: runs[longest].len(),
        passes,
        equal: equal as f64 / kernels as f64,
        out_of_order: match shape {
            Shape::Slots => {
                stretch
                    - runs[longest]
                        .iter()
                        .map(|block| block.equal)
                        .sum::<usize>()
                        .min(stretch)
            }
            _ => 0,
        },
        template,
        gave_up,
    })
}

/// The layer with, at each place, the kernel that most blocks have there.
fn consensus(sequence: &Sequence, template: &Template, cut: &Cut) -> Template {
    let layer = &template.kernels;
    let whole: Vec<&[u32]> = cut
        .runs
        .iter()
        .flatten()
        .filter(|block| block.kernels.len() == layer.len())
        .map(|block| &sequence.classes[block.kernels.clone()])
        .take(1024)
        .collect();
    if whole.len() < 3 {
        return template.clone();
    }
    let most = |place: usize| {
        let mut here: Vec<u32> = whole.iter().map(|block| block[place]).collect();
        here.sort_unstable();
        here.chunk_by(|a, b| a == b)
            .max_by_key(|equal| equal.len())
            .map_or(layer[place], |equal| equal[0])
    };
    Template::new(sequence, (0..layer.len()).map(most).collect())
}

/// Runs parted where kernels that no layer has stand between two blocks: the end of a pass and the start of the next.
fn apart(sequence: &Sequence, template: &Template, runs: Vec<Run>) -> Vec<Run> {
    // One may be anything; a pass ends with an output projection and sampling, and starts with an embedding.
    let follows =
        |a: &Block, b: &Block| template.foreign(&sequence.classes[a.kernels.end..b.kernels.start]) < 2;
    runs.into_iter()
        .flat_map(|run| run.chunk_by(follows).map(<[Block]>::to_vec).collect::<Vec<_>>())
        .collect()
}

/// Joins two parts of a pass that something unusual between them parted: together they have all layers. Two equal parts
/// are two passes, of a model with half as many.
fn join(passes: &mut Vec<Layers>, period: usize, expected: Option<usize>) {
    let Some(expected) = expected else { return };
    let mut index = 0;
    while index + 1 < passes.len() {
        let (a, b) = (&passes[index], &passes[index + 1]);
        let gap = b[0].start - a[a.len() - 1].end;
        if a.len() + b.len() == expected && a.len() != b.len() && gap <= period {
            let rest = passes.remove(index + 1);
            if let Some(last) = passes[index].last_mut() {
                last.end = rest[0].start;
            }
            passes[index].extend(rest);
        }
        index += 1;
    }
}
