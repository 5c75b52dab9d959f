//! The trace cut into repeats of one layer: blocks, and runs of blocks that follow each other.

use std::ops::Range;

use rustc_hash::FxHashSet;

use crate::align::align;
use crate::class::{Sequence, Template};

/// Cells of alignments that are computed for one template before the search gives up: below a second.
const MAX_WORK: usize = 100_000_000;

/// One repeat of the layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Its kernels, from the first to the last that belongs to it.
    pub(crate) kernels: Range<usize>,
    /// Those of the layer's kernels that stand where they should.
    pub(crate) equal: usize,
}

/// Blocks that follow each other, in order.
pub(crate) type Run = Vec<Block>;

/// All runs of a layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut {
    /// In the order of the trace.
    pub(crate) runs: Vec<Run>,
    /// Whether the search ended early.
    pub(crate) gave_up: bool,
}

/// First and last kernel of a run.
pub(crate) fn extent(run: &[Block]) -> Range<usize> {
    match (run.first(), run.last()) {
        (Some(first), Some(last)) => first.kernels.start..last.kernels.end,
        _ => 0..0,
    }
}

/// Cuts the sequence into repeats of the layer.
///
/// Where a layer may start is where its first unmistakable kernels stand. From there, blocks are laid behind each other
/// as long as they fit, and before each other where the first ones of a run differ.
pub(crate) fn cut(sequence: &Sequence, layer: &Template) -> Cut {
    let classes = &sequence.classes[..];
    let mut cut = Cut::default();
    let mut work = 0;
    let mut free = 0;
    let (anchor, phase) = anchor(&layer.kernels);
    for at in occurrences(classes, &anchor) {
        if work > MAX_WORK {
            cut.gave_up = true;
            break;
        }
        if at < free {
            continue;
        }
        let start = at.saturating_sub(phase).max(free);
        let mut run = Run::new();
        let mut next = start;
        while work <= MAX_WORK
            && let Some(found) = align(sequence, layer, &classes[next..], &mut work)
        {
            run.push(Block {
                kernels: next + found.first..next + found.end,
                equal: found.equal,
            });
            next += found.end;
        }
        if run.is_empty() {
            continue;
        }
        prepend(sequence, layer, free, &mut run, &mut work);
        free = next;
        cut.runs.push(run);
    }
    cut
}

/// Blocks before the first one of a run, whose unmistakable kernels differ.
fn prepend(sequence: &Sequence, layer: &Template, free: usize, run: &mut Run, work: &mut usize) {
    loop {
        let start = extent(run).start;
        // Two kernels more than the layer has, so that one that is replaced by two is found.
        let from = start.saturating_sub(layer.period() + 2).max(free);
        let stretch = &sequence.classes[from..start];
        match align(sequence, layer, stretch, work) {
            Some(found) if found.end == stretch.len() => {
                run.insert(
                    0,
                    Block {
                        kernels: from + found.first..start,
                        equal: found.equal,
                    },
                );
            }
            _ => return,
        }
    }
}

/// The shortest group of following kernels that occurs once in the repeated layer, the first of its length behind the
/// start (which is a norm that the first layer has in another variant), and its place in the layer.
fn anchor(layer: &[u32]) -> (Vec<u32>, usize) {
    let cyclic = |start: usize, length: usize| -> Vec<u32> {
        layer.iter().copied().cycle().skip(start).take(length).collect()
    };
    for length in 1..=layer.len().min(8) {
        let mut seen: FxHashSet<Vec<u32>> = FxHashSet::default();
        let mut twice: FxHashSet<Vec<u32>> = FxHashSet::default();
        for start in 0..layer.len() {
            let group = cyclic(start, length);
            if !seen.insert(group.clone()) {
                twice.insert(group);
            }
        }
        let last = layer.len() - length;
        let unique = (1..=last)
            .chain(0..1)
            .find(|start| !twice.contains(&cyclic(*start, length)));
        if let Some(start) = unique {
            return (cyclic(start, length), start);
        }
    }
    (layer.to_vec(), 0)
}

/// Where the group stands.
fn occurrences(classes: &[u32], group: &[u32]) -> Vec<usize> {
    classes
        .windows(group.len())
        .enumerate()
        .filter(|(_, window)| *window == group)
        .map(|(at, _)| at)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::Kind;

    fn runs(classes: Vec<u32>, layer: &[u32]) -> Vec<(usize, Range<usize>)> {
        let kinds = vec![Kind::Other; 100];
        let sequence = Sequence { classes, kinds };
        let cut = cut(&sequence, &Template::new(&sequence, layer.to_vec()));
        cut.runs.iter().map(|run| (run.len(), extent(run))).collect()
    }

    #[test]
    fn two_passes_and_what_is_around_them() {
        let layer = [1, 2, 3, 2, 4];
        let pass = [vec![90, 91], layer.repeat(4), vec![92, 93, 94]].concat();
        assert_eq!(runs(pass.repeat(2), &layer), [(4, 2..22), (4, 27..47)]);
    }

    #[test]
    fn first_layers_that_differ_are_found_from_behind() {
        let layer = [1, 2, 3, 4, 5, 6];
        // The first layer lacks its 2, which is the anchor.
        let trace = [vec![90, 1, 3, 4, 5, 6], layer.repeat(3)].concat();
        assert_eq!(runs(trace, &layer), [(4, 1..24)]);
    }

    #[test]
    fn an_anchor_is_unmistakable() {
        assert_eq!(anchor(&[1, 2, 3, 2, 4]), (vec![3], 2));
        assert_eq!(anchor(&[1, 2, 1, 3]), (vec![2], 1));
        assert_eq!(anchor(&[7]), (vec![7], 0));
    }
}
