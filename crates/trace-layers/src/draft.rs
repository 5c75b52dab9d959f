//! Draft layers between the passes: multi-token prediction runs a layer or two of its own, once for each token it guesses.

use std::ops::Range;

use crate::attempt::{Attempt, Layers, attempt};
use crate::class::{Kind, Sequence};
use crate::lag::lags;

/// Shortest gap that is looked at, in kernels.
const MIN_GAP: usize = 8;

/// Repeats in the gaps between the passes, with a period of their own: each is a pass of one layer.
pub(crate) fn drafts(sequence: &Sequence, passes: &[Layers]) -> Vec<Layers> {
    let mut drafts = Vec::new();
    let ends = passes.iter().filter_map(|pass| Some(pass.last()?.end));
    let starts = passes
        .iter()
        .skip(1)
        .map(|pass| pass.first().map_or(0, |layer| layer.start));
    for (end, start) in ends.zip(starts.chain(std::iter::once(sequence.classes.len()))) {
        if start.saturating_sub(end) >= MIN_GAP {
            drafts.extend(in_gap(sequence, end..start));
        }
    }
    drafts
}

/// The repeat that most of the gap is, if it is half of it, and has a GEMM in each repeat, as every layer has.
fn in_gap(sequence: &Sequence, gap: Range<usize>) -> Vec<Layers> {
    let part = sequence.part(gap.clone());
    let found = lags(&part.classes);
    let Some(lag) = found
        .iter()
        .find(|lag| (lag.matches + lag.period) * 2 >= gap.len())
    else {
        return Vec::new();
    };
    let Some(Attempt { template, passes, .. }) = attempt(&part, *lag, None) else {
        return Vec::new();
    };
    if !template
        .kernels
        .iter()
        .any(|class| sequence.kind(*class) == Kind::Gemm)
    {
        return Vec::new();
    }
    let shift = |layer: Range<usize>| layer.start + gap.start..layer.end + gap.start;
    passes
        .into_iter()
        .flatten()
        .map(|layer| vec![shift(layer)])
        .collect()
}
