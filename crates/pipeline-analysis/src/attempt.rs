//! One period tried out: the layer it gives, the runs of that layer, and what they mean for the number of layers.

use std::ops::Range;

use crate::class::{Kind, Sequence, Template};
use crate::cut::{Block, Cut, Run, cut, extent};
use crate::detection::Method;
use crate::lag::Lag;
use crate::phase::rotate;
use crate::prefix::prefix;
use crate::slots::slots;
use crate::split::{MAX_GROUP, begun, self_similar, split};

/// Dense layers before the repeats, where no configuration limits them.
const MAX_PREFIX: usize = 16;

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

    /// Layers of the longest pass.
    pub(crate) fn layers(&self) -> usize {
        self.passes.iter().map(Vec::len).max().unwrap_or(0)
    }
}

/// How blocks become layers.
enum Shape {
    /// Each block is a layer, behind so many layers of another kind.
    Whole { prefix: usize },
    /// The kernels of a run are layers by their number.
    Slots,
    /// Each block is a group of layers, which start here.
    Group { prefix: usize, starts: Vec<usize> },
    /// So many blocks are one layer.
    Part(usize),
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
    let longest = (0..runs.len())
        .rev()
        .max_by_key(|run| runs[*run].len())
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

fn shape(
    sequence: &Sequence,
    template: &Template,
    runs: &[Run],
    longest: usize,
    expected: Option<usize>,
) -> Shape {
    let run = &runs[longest];
    let blocks = run.len();
    let kernels = extent(run);
    let before = longest.checked_sub(1).map_or(0, |index| extent(&runs[index]).end);
    let after = runs
        .get(longest + 1)
        .map_or(sequence.classes.len(), |run| extent(run).start);
    let ahead = |most| prefix(sequence, &template.kernels, before..kernels.start, most).len();
    let strewn = slots(sequence, &template.kernels, kernels.clone()).map(|layers| layers.len());
    let Some(expected) = expected else {
        let groups = self_similar(sequence, &template.kernels);
        return match split(sequence, &template.kernels, groups) {
            _ if strewn.is_some_and(|layers| layers > blocks) => Shape::Slots,
            Some(starts) if groups > 1 => Shape::Group { prefix: 0, starts },
            _ => Shape::Whole {
                prefix: ahead(MAX_PREFIX),
            },
        };
    };
    if blocks == expected {
        return Shape::Whole { prefix: 0 };
    }
    if strewn == Some(expected) {
        return Shape::Slots;
    }
    if blocks > expected {
        let has_attention = template
            .kernels
            .iter()
            .any(|class| sequence.kind(*class) == Kind::Attention);
        if blocks.is_multiple_of(expected) && !has_attention {
            return Shape::Part(blocks / expected);
        }
        return Shape::Whole { prefix: 0 };
    }
    let prefix = ahead(expected - blocks);
    if prefix + blocks == expected {
        return Shape::Whole { prefix };
    }
    for layers in (expected / (blocks + 1)).max(2)..=(expected / blocks).min(MAX_GROUP) {
        let Some(starts) = split(sequence, &template.kernels, layers) else {
            continue;
        };
        let more = begun(sequence, template, &starts, &sequence.classes[kernels.end..after]).len();
        let rest = expected.checked_sub(blocks * layers + more);
        if rest.is_some_and(|rest| rest == 0 || rest == prefix) {
            return Shape::Group {
                prefix: rest.unwrap_or(0),
                starts,
            };
        }
    }
    Shape::Whole { prefix: 0 }
}

/// Layers of one run, and of what is around it, as one pass or more.
fn lay(
    sequence: &Sequence,
    template: &Template,
    run: &Run,
    around: Range<usize>,
    shape: &Shape,
    expected: Option<usize>,
    passes: &mut Vec<Layers>,
) {
    let kernels = extent(run);
    let ahead = |most: usize| prefix(sequence, &template.kernels, around.start..kernels.start, most);
    // What stands between two blocks belongs to the first.
    let blocks: Layers = (0..run.len())
        .map(|block| {
            run[block].kernels.start..run.get(block + 1).map_or(kernels.end, |next| next.kernels.start)
        })
        .collect();
    let layers = match shape {
        Shape::Whole { prefix } => [ahead(*prefix), blocks].concat(),
        Shape::Slots => slots(sequence, &template.kernels, kernels).unwrap_or(blocks),
        Shape::Part(parts) => blocks
            .chunks(*parts)
            .map(|parts| parts[0].start..parts[parts.len() - 1].end)
            .collect(),
        Shape::Group { prefix, starts } => {
            let mut layers = ahead(*prefix);
            for block in &blocks {
                layers.extend(group(sequence, template, starts, block.clone()));
            }
            let mut start = kernels.end;
            for end in begun(
                sequence,
                template,
                starts,
                &sequence.classes[kernels.end..around.end],
            ) {
                layers.push(start..kernels.end + end);
                start = kernels.end + end;
            }
            layers
        }
    };
    let whole = expected.unwrap_or(layers.len()).max(1);
    passes.extend(layers.chunks(whole).map(<[_]>::to_vec));
}

/// The layers of one block.
fn group(sequence: &Sequence, template: &Template, starts: &[usize], block: Range<usize>) -> Layers {
    let kernels = &sequence.classes[block.clone()];
    let mut ends = if kernels == template.kernels {
        starts[1..].to_vec()
    } else {
        begun(sequence, template, starts, kernels)
    };
    // A layer that does not fit is as long as its share of the template.
    for start in &starts[ends.len() + 1..] {
        let least = ends.last().copied().unwrap_or(0);
        ends.push((start * kernels.len() / template.period()).clamp(least, kernels.len()));
    }
    let edges: Vec<usize> = std::iter::once(0)
        .chain(ends)
        .chain(std::iter::once(kernels.len()))
        .collect();
    edges
        .windows(2)
        .map(|edge| block.start + edge[0]..block.start + edge[1])
        .collect()
}

/// Joins two parts of a pass that something unusual between them parted: together they have all layers.
fn join(passes: &mut Vec<Layers>, period: usize, expected: Option<usize>) {
    let Some(expected) = expected else { return };
    let mut index = 0;
    while index + 1 < passes.len() {
        let (a, b) = (&passes[index], &passes[index + 1]);
        let gap = b[0].start - a[a.len() - 1].end;
        if a.len() + b.len() == expected && gap <= period {
            let rest = passes.remove(index + 1);
            if let Some(last) = passes[index].last_mut() {
                last.end = rest[0].start;
            }
            passes[index].extend(rest);
        }
        index += 1;
    }
}
