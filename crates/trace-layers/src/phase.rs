//! Where in the repeated stretch a layer starts.
//!
//! A repeat may be cut anywhere. The layer's start shows where a pass begins: what precedes the first whole repeat is the
//! rest of layer 0, and before that the preamble. Going backwards from there, the start is where the repeat stops fitting.
//! The norm before that belongs to layer 0 as well: without a residual to add it is another kernel than in later layers.

use crate::class::{Kind, Sequence, Template};
use crate::cut::{Cut, extent};

/// The same layer, from its start: the phase at which most blocks' passes begin.
pub(crate) fn rotate(sequence: &Sequence, template: &Template, cut: &Cut) -> Template {
    let layer = &template.kernels;
    let mut votes: Vec<(usize, usize)> = Vec::new();
    for (start, blocks) in passes(sequence, template, cut) {
        let (phase, first) = phase(sequence, layer, start);
        // A trace that begins within a pass does not show where a layer starts, where another pass does.
        let blocks = if first == 0 { 0 } else { blocks };
        match votes.iter_mut().find(|(voted, _)| *voted == phase) {
            Some((_, votes)) => *votes += blocks,
            None => votes.push((phase, blocks)),
        }
    }
    // Of equals the first.
    let best = votes
        .iter()
        .rev()
        .max_by_key(|(_, blocks)| *blocks)
        .map_or(0, |(phase, _)| *phase);
    Template::new(sequence, [&layer[best..], &layer[..best]].concat())
}

/// First kernel and number of the blocks that follow each other without anything between. A block of an unrotated layer
/// bridges what is between two passes, if that is short; it has kernels that no layer has.
fn passes(sequence: &Sequence, layer: &Template, cut: &Cut) -> Vec<(usize, usize)> {
    let mut passes = Vec::new();
    for run in &cut.runs {
        let mut pass = (extent(run).start, 0);
        for block in run {
            if layer.foreign(&sequence.classes[block.kernels.clone()]) >= 2 {
                passes.push(pass);
                pass = (block.kernels.end, 0);
            } else {
                pass.1 += 1;
            }
        }
        passes.push(pass);
    }
    passes.retain(|(_, blocks)| *blocks > 0);
    passes
}

/// Phase at which the layer starts, if a run starts at this kernel, and the kernel at which it does.
fn phase(sequence: &Sequence, layer: &[u32], start: usize) -> (usize, usize) {
    let period = layer.len();
    let (taken, kernels) = fits_before(sequence, layer, start);
    let phase = (period - taken) % period;
    let first = start - kernels;
    let before = (phase + period - 1) % period;
    let is_norm = |class: u32| sequence.kind(class) == Kind::Norm;
    let variant = first > 0 && is_norm(sequence.classes[first - 1]) && is_norm(layer[before]);
    if variant && !is_norm(layer[phase]) {
        (before, first - 1)
    } else {
        (phase, first)
    }
}

/// How much of the layer's end stands before this kernel: kernels of the layer, and of the trace. The best local
/// alignment, backwards.
fn fits_before(sequence: &Sequence, layer: &[u32], start: usize) -> (usize, usize) {
    const BAND: usize = 8;
    const WIDTH: usize = 2 * BAND + 1;
    const DROP: i32 = 5;
    const DEAD: i32 = i32::MIN / 2;
    let period = layer.len();
    let mut above = [DEAD; WIDTH];
    let (mut best, mut at) = (0, (0, 0));
    for row in 0..period {
        let mut costs = [DEAD; WIDTH];
        for column in 0..WIDTH {
            let Some(taken) = (row + column).checked_sub(BAND).filter(|taken| *taken <= start) else {
                continue;
            };
            if row == 0 && taken == 0 {
                costs[column] = 0;
                continue;
            }
            let mut score = DEAD;
            if row > 0 && taken > 0 {
                let (a, b) = (layer[period - row], sequence.classes[start - taken]);
                let step = if a == b {
                    2
                } else if sequence.kin(a, b) {
                    0
                } else {
                    -3
                };
                score = score.max(above[column] + step);
            }
            if row > 0 && column + 1 < WIDTH {
                score = score.max(above[column + 1] - 2);
            }
            if taken > 0 && column > 0 {
                score = score.max(costs[column - 1] - 2);
            }
            // What differs too much in a row is no part of the layer: behind it, the pass before would fit.
            costs[column] = if score < best - DROP { DEAD } else { score };
            if score > best {
                (best, at) = (score, (row, taken));
            }
        }
        above = costs;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cut::cut;

    /// Classes 0 and 1 are norms.
    fn rotated(classes: &[u32], layer: &[u32]) -> Vec<u32> {
        let mut kinds = vec![Kind::Other; 100];
        kinds[..2].fill(Kind::Norm);
        let sequence = Sequence {
            classes: classes.to_vec(),
            kinds,
        };
        let layer = Template::new(&sequence, layer.to_vec());
        let cut = cut(&sequence, &layer);
        rotate(&sequence, &layer, &cut).kernels
    }

    #[test]
    fn the_layer_starts_at_its_norm() {
        let layer = [1, 5, 6, 7, 8, 9];
        for shift in 0..layer.len() {
            let template = [&layer[shift..], &layer[..shift]].concat();
            // The first norm has no residual to add.
            let trace = [vec![50, 51, 0], layer[1..].to_vec(), layer.repeat(9), vec![1, 60]].concat();
            assert_eq!(rotated(&trace, &template), layer, "template from {shift}");
        }
    }

    #[test]
    fn without_a_norm_it_starts_behind_the_preamble() {
        let layer = [4, 5, 6, 7, 8, 9];
        let trace = [vec![50, 51], layer.repeat(9), vec![60, 61]].concat();
        assert_eq!(rotated(&trace, &[7, 8, 9, 4, 5, 6]), layer);
    }

    #[test]
    fn a_pass_cut_by_the_start_of_the_trace_does_not_decide() {
        let layer = [4, 5, 6, 7, 8, 9];
        let trace = [
            layer[2..].to_vec(),
            layer.repeat(3),
            vec![50, 51],
            layer.repeat(9),
            vec![60],
        ]
        .concat();
        assert_eq!(rotated(&trace, &[7, 8, 9, 4, 5, 6]), layer);
    }
}
