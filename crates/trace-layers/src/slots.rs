//! Layers whose kernels stand out of order.
//!
//! ROCm traces of graph replays may give the names of one layer's kernels to the times of others: the names of a whole
//! layer are strewn over the trace, and what lies between them is shifted. Laying the layer over the trace then finds one
//! layer too few. But where a stretch has exactly the kernels of `n` layers, whatever their order, and nothing else, it is
//! `n` layers, and since times are in order, each is the next `p` kernels.

use std::ops::Range;

use crate::class::Sequence;

/// The layers of the stretch. `None` where it has not exactly the kernels of a whole number of layers, but for one in a
/// hundred (a first norm is another kernel).
pub(crate) fn slots(sequence: &Sequence, layer: &[u32], stretch: Range<usize>) -> Option<Vec<Range<usize>>> {
    let period = layer.len();
    let layers = stretch.len() / period;
    if layers < 2 || !stretch.len().is_multiple_of(period) {
        return None;
    }
    let mut surplus = vec![0_i64; sequence.class_count()];
    for class in &sequence.classes[stretch.clone()] {
        surplus[*class as usize] += 1;
    }
    for class in layer {
        surplus[*class as usize] -= layers as i64;
    }
    let wrong: i64 = surplus.iter().map(|count| count.abs()).sum();
    (wrong <= 2 + stretch.len() as i64 / 100).then(|| {
        (0..layers)
            .map(|slot| stretch.start + slot * period..stretch.start + (slot + 1) * period)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::Kind;

    fn found(classes: Vec<u32>) -> Option<usize> {
        let end = classes.len();
        let sequence = Sequence {
            classes,
            kinds: vec![Kind::Other; 50],
        };
        slots(&sequence, &[1, 2, 3, 4, 5], 0..end).map(|layers| layers.len())
    }

    #[test]
    fn a_strewn_layer_is_counted() {
        let mut trace = [1, 2, 3, 4, 5].repeat(20);
        for (at, class) in [(7, 3), (31, 1), (32, 2), (55, 5), (90, 4)] {
            trace.insert(at, class);
        }
        assert_eq!(found(trace), Some(21));
    }

    #[test]
    fn other_kernels_are_no_layers() {
        assert_eq!(
            found([[1, 2, 3, 4, 5].repeat(20), vec![1, 1, 1, 1, 2]].concat()),
            None
        );
        assert_eq!(found([1, 2, 3, 4, 5, 1].to_vec()), None);
        assert_eq!(found(vec![]), None);
    }
}
