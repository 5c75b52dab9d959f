//! How repeats become layers: one by one, in groups, in parts, or by their number alone.

use std::ops::Range;

use crate::attempt::Layers;
use crate::class::{Kind, Sequence, Template};
use crate::cut::{Run, extent};
use crate::prefix::prefix;
use crate::slots::slots;
use crate::split::{MAX_GROUP, begun, self_similar, split};

/// Dense layers before the repeats, where no configuration limits them.
const MAX_PREFIX: usize = 16;

/// How blocks become layers.
pub(crate) enum Shape {
    /// Each block is a layer, behind so many layers of another kind.
    Whole { prefix: usize },
    /// The kernels of a run are layers by their number.
    Slots,
    /// Each block is a group of layers, which start here.
    Group { prefix: usize, starts: Vec<usize> },
    /// So many blocks are one layer.
    Part(usize),
}

/// What the repeats of this run are: the first that gives the expected number of layers, else what they show by themselves.
pub(crate) fn shape(
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
    // A layer does not repeat within itself: such a template is a group, even if a wrong configuration has as many layers as
    // there are groups.
    let groups = self_similar(sequence, &template.kernels);
    let group = || match split(sequence, &template.kernels, groups) {
        Some(starts) if groups > 1 => Some(Shape::Group { prefix: 0, starts }),
        _ => None,
    };
    let Some(expected) = expected else {
        if strewn.is_some_and(|layers| layers > blocks) {
            return Shape::Slots;
        }
        return group().unwrap_or_else(|| Shape::Whole {
            prefix: ahead(MAX_PREFIX),
        });
    };
    if blocks == expected {
        return group().unwrap_or(Shape::Whole { prefix: 0 });
    }
    if strewn == Some(expected) {
        return Shape::Slots;
    }
    if blocks > expected {
        // A part of a layer has no attention, or not the GEMMs before, behind and after it.
        let of_kind = |kind| {
            template
                .kernels
                .iter()
                .filter(|class| sequence.kind(**class) == kind)
                .count()
        };
        if blocks.is_multiple_of(expected) && of_kind(Kind::Attention) == 0 && of_kind(Kind::Gemm) <= 3 {
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
pub(crate) fn lay(
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
    // Several passes, between which is less than it takes to part them, but something is.
    let whole = expected.filter(|whole| *whole > 0).unwrap_or(layers.len()).max(1);
    let kernels_between = |index: usize| {
        let layer = &layers[index];
        let block = run.binary_search_by_key(&layer.start, |block| block.kernels.start);
        block.is_ok_and(|block| run[block].kernels.end < layer.end)
    };
    let passes_end = |index: &usize| (index + 1).is_multiple_of(whole) && index + 1 < layers.len();
    let several =
        layers.len().is_multiple_of(whole) && (0..layers.len()).filter(passes_end).all(kernels_between);
    if several {
        passes.extend(layers.chunks(whole).map(<[_]>::to_vec));
    } else {
        passes.push(layers);
    }
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
