//! One layer laid over a stretch of the trace: which of its kernels are there, and where it ends.

use crate::class::{Sequence, Template};

/// What a difference costs. Two kernels of one kind are nearly equal; a replacement is dearer than one kernel too many and
/// cheaper than one too many and one missing. A kernel that no layer has is dear within a layer, and not before it: there
/// it is what stands between two passes.
const KIN: u32 = 1;
const REPLACED: u32 = 3;
const EXTRA: u32 = 2;
const FOREIGN: u32 = 4;

/// Most kernels by which a layer and the trace are shifted against each other.
const MAX_BAND: usize = 32;

/// A layer found in the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Alignment {
    /// First kernel that belongs to the layer, from the start of the stretch.
    pub(crate) first: usize,
    /// One behind its last kernel.
    pub(crate) end: usize,
    /// Kernels of the layer that stand where they should.
    pub(crate) equal: usize,
}

/// Dearest layer that still is one, per kernel of it: two in five kernels missing or too many.
fn limit(period: usize) -> u32 {
    (period as u32 * EXTRA * 2).div_ceil(5)
}

/// Lays the layer over the start of the stretch. `None` where too little of it is there. `work` counts the cells that were
/// computed.
pub(crate) fn align(
    sequence: &Sequence,
    layer: &Template,
    stretch: &[u32],
    work: &mut usize,
) -> Option<Alignment> {
    part(sequence, layer, &layer.kernels, stretch, work)
}

/// As [`align`], with a part of the template: one layer of a group.
pub(crate) fn part(
    sequence: &Sequence,
    template: &Template,
    layer: &[u32],
    stretch: &[u32],
    work: &mut usize,
) -> Option<Alignment> {
    let period = layer.len();
    if stretch.len() >= period && stretch[..period] == *layer {
        *work += period;
        return Some(Alignment {
            first: 0,
            end: period,
            equal: period,
        });
    }
    let limit = limit(period);
    // Kernels too many or missing in a row cannot be more than the limit allows, or than is looked at in long layers.
    let band = ((limit / EXTRA) as usize).min(MAX_BAND);
    let width = 2 * band + 1;
    *work += period * width;
    // costs[row][column]: the layer's first `row` kernels on the stretch's first `row + column - band`.
    let mut costs = vec![u32::MAX; (period + 1) * width];
    let at = |row: usize, column: usize| row * width + column;
    for row in 0..=period {
        let mut least = u32::MAX;
        for column in 0..width {
            let Some(taken) = (row + column)
                .checked_sub(band)
                .filter(|taken| *taken <= stretch.len())
            else {
                continue;
            };
            let mut best = if row == 0 && taken == 0 { 0 } else { u32::MAX };
            if row > 0 && taken > 0 {
                let step = replace(sequence, layer[row - 1], stretch[taken - 1]);
                best = best.min(costs[at(row - 1, column)].saturating_add(step));
            }
            if row > 0 && column + 1 < width {
                best = best.min(costs[at(row - 1, column + 1)].saturating_add(EXTRA));
            }
            if taken > 0 && column > 0 {
                let step = extra(template, row, stretch[taken - 1]);
                best = best.min(costs[at(row, column - 1)].saturating_add(step));
            }
            costs[at(row, column)] = best;
            least = least.min(best);
        }
        // Costs only grow from row to row.
        if least > limit {
            return None;
        }
    }
    // Of equally dear ends the one nearest to the period: kernels behind the layer belong to what follows.
    let (mut column, cost) = (0..width)
        .map(|column| (column, costs[at(period, column)]))
        .min_by_key(|(column, cost)| (*cost, column.abs_diff(band)))?;
    if cost > limit {
        return None;
    }
    let end = period + column - band;
    let (mut row, mut first, mut equal) = (period, end, 0);
    while row > 0 {
        let taken = row + column - band;
        let here = costs[at(row, column)];
        let step = (taken > 0).then(|| replace(sequence, layer[row - 1], stretch[taken - 1]));
        if step.is_some_and(|step| costs[at(row - 1, column)].saturating_add(step) == here) {
            equal += usize::from(step == Some(0));
            first = taken - 1;
            row -= 1;
        } else if column + 1 < width && costs[at(row - 1, column + 1)].saturating_add(EXTRA) == here {
            row -= 1;
            column += 1;
        } else {
            column = column.checked_sub(1)?;
        }
    }
    Some(Alignment { first, end, equal })
}

fn extra(template: &Template, row: usize, kernel: u32) -> u32 {
    if row > 0 && template.foreign(&[kernel]) > 0 {
        FOREIGN
    } else {
        EXTRA
    }
}

fn replace(sequence: &Sequence, a: u32, b: u32) -> u32 {
    if a == b {
        0
    } else if sequence.kin(a, b) {
        KIN
    } else {
        REPLACED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::Kind;

    fn found(stretch: &[u32]) -> Option<Alignment> {
        let mut kinds = vec![Kind::Other; 20];
        kinds[1] = Kind::Norm;
        kinds[9] = Kind::Norm;
        let sequence = Sequence {
            classes: Vec::new(),
            kinds,
        };
        let layer = Template::new(&sequence, vec![1, 2, 3, 4, 5, 6, 7]);
        align(&sequence, &layer, stretch, &mut 0)
    }

    #[test]
    fn a_layer_with_differences() {
        let alignment = |first, end, equal| Some(Alignment { first, end, equal });
        assert_eq!(found(&[1, 2, 3, 4, 5, 6, 7, 1, 2]), alignment(0, 7, 7));
        // Another norm at its start; two kernels before it; one lost; one too many.
        assert_eq!(found(&[9, 2, 3, 4, 5, 6, 7, 1]), alignment(0, 7, 6));
        assert_eq!(found(&[15, 16, 1, 2, 3, 4, 5, 6, 7]), alignment(2, 9, 7));
        assert_eq!(found(&[1, 2, 4, 5, 6, 7, 1, 2]), alignment(0, 6, 6));
        assert_eq!(found(&[1, 2, 3, 4, 12, 5, 6, 7]), alignment(0, 8, 7));
    }

    #[test]
    fn too_little_is_no_layer() {
        assert_eq!(found(&[1, 2, 3]), None);
        assert_eq!(found(&[]), None);
        assert_eq!(found(&[11, 12, 13, 14, 15, 16, 17]), None);
    }
}
