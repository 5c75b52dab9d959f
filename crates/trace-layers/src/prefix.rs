//! Layers before the repeats: a model whose first layers are dense repeats only its later ones.

use std::ops::Range;

use crate::class::{Kind, Sequence};

/// Kernels by which the start of a layer is known.
const HEAD: usize = 4;

/// Layers in the gap before a run, which start as the repeated layer does and end at the run. `most` limits how many.
pub(crate) fn prefix(
    sequence: &Sequence,
    layer: &[u32],
    gap: Range<usize>,
    most: usize,
) -> Vec<Range<usize>> {
    let classes = &sequence.classes;
    let norm = usize::from(sequence.kind(layer[0]) == Kind::Norm);
    let head: Vec<u32> = layer.iter().copied().skip(norm).take(HEAD).collect();
    if head.len() < HEAD {
        return Vec::new();
    }
    let has_attention = |range: &Range<usize>| {
        let attention = |class: &&u32| sequence.kind(**class) == Kind::Attention;
        let wanted = layer.iter().filter(attention).count();
        classes[range.clone()].iter().filter(attention).count() >= wanted
    };
    let mut layers = Vec::new();
    let mut end = gap.end;
    for at in gap.clone().rev() {
        if layers.len() == most || end - at > 3 * layer.len() {
            break;
        }
        if classes.get(at..at + HEAD) != Some(&head[..]) || at + HEAD > gap.end {
            continue;
        }
        // The norm before it belongs to the layer, whichever variant it is.
        let is_norm = |at: usize| sequence.kind(classes[at]) == Kind::Norm;
        let start = if norm == 1 && at > gap.start && is_norm(at - 1) {
            at - 1
        } else {
            at
        };
        let found = start..end;
        if found.len() * 3 < layer.len() || !has_attention(&found) {
            continue;
        }
        end = start;
        layers.push(found);
    }
    layers.reverse();
    layers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(classes: &[u32], gap: Range<usize>) -> Vec<Range<usize>> {
        let mut kinds = vec![Kind::Other; 100];
        kinds[0] = Kind::Norm;
        kinds[1] = Kind::Norm;
        kinds[4] = Kind::Attention;
        let sequence = Sequence {
            classes: classes.to_vec(),
            kinds,
        };
        prefix(&sequence, &[1, 2, 3, 4, 5, 1, 50, 51, 52], gap, 8)
    }

    #[test]
    fn dense_layers_before_the_others() {
        let dense = [1, 2, 3, 4, 5, 1, 40, 41];
        let trace = [
            vec![90, 91, 0],
            dense[1..].to_vec(),
            dense.to_vec(),
            vec![1, 2, 3, 4, 5],
        ]
        .concat();
        assert_eq!(found(&trace, 0..18), [2..10, 10..18]);
    }

    #[test]
    fn a_preamble_is_no_layer() {
        assert_eq!(found(&[90, 91, 92, 93, 0, 1], 0..5), []);
        // It starts like a layer and has no attention.
        assert_eq!(found(&[90, 1, 2, 3, 7, 5, 92, 93, 94, 1], 0..9), []);
        assert_eq!(found(&[], 0..0), []);
    }
}
