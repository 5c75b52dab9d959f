//! Layers whose starts are given.

use crate::attempt::Layers;
use crate::class::{Sequence, Template};

/// Passes of layers that start at these kernels.
pub(crate) fn at_starts(sequence: &Sequence, starts: &[usize], config: Option<usize>) -> Vec<Layers> {
    let end = sequence.classes.len();
    let mut starts: Vec<usize> = starts.iter().copied().filter(|start| *start < end).collect();
    starts.sort_unstable();
    starts.dedup();
    let passes: Vec<&[usize]> = match config {
        Some(config) if config > 0 && starts.len().is_multiple_of(config) => starts.chunks(config).collect(),
        _ => by_distance(sequence, &starts),
    };
    let behind = passes
        .iter()
        .skip(1)
        .map(|pass| pass[0])
        .chain(std::iter::once(end));
    passes
        .iter()
        .zip(behind)
        .map(|(pass, behind)| close(pass, behind))
        .collect()
}

/// Parts where two starts are further apart than usual, and two kernels or more stand between them that the usual layer does
/// not have.
fn by_distance<'a>(sequence: &Sequence, starts: &'a [usize]) -> Vec<&'a [usize]> {
    let mut layers: Vec<&[usize]> = starts.windows(2).collect();
    layers.sort_by_key(|layer| layer[1] - layer[0]);
    let Some(usual) = layers.get(layers.len() / 2) else {
        return starts.chunks(1).collect();
    };
    let template = Template::new(sequence, sequence.classes[usual[0]..usual[1]].to_vec());
    let follows =
        |a: &usize, b: &usize| b - a <= template.period() || template.foreign(&sequence.classes[*a..*b]) < 2;
    starts.chunk_by(follows).collect()
}

/// The layers of a pass, behind which something else starts.
fn close(starts: &[usize], behind: usize) -> Layers {
    let mut layers: Layers = starts.windows(2).map(|layer| layer[0]..layer[1]).collect();
    if let Some(last) = starts.last() {
        let length = layers.last().map_or(behind - last, |layer| layer.len());
        layers.push(*last..behind.min(last + length));
    }
    layers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class::Kind;

    fn passes(classes: &[u32], starts: &[usize], config: Option<usize>) -> Vec<Layers> {
        let kinds = vec![Kind::Other; 100];
        at_starts(
            &Sequence {
                classes: classes.to_vec(),
                kinds,
            },
            starts,
            config,
        )
    }

    #[test]
    fn passes_end_where_other_kernels_stand() {
        let pass = [vec![90, 91], [1, 2, 3, 4].repeat(3), vec![92, 93]].concat();
        let trace = pass.repeat(2);
        let starts = [2, 6, 10, 18, 22, 26, 900];
        let expected = [vec![2..6, 6..10, 10..14], vec![18..22, 22..26, 26..30]];
        assert_eq!(passes(&trace, &starts, None), expected);
        assert_eq!(passes(&trace, &starts, Some(3)), expected);
        // A wrong number changes nothing.
        assert_eq!(passes(&trace, &starts, Some(5)), expected);
    }

    #[test]
    fn few_starts() {
        assert_eq!(passes(&[1, 2, 3], &[], None), [] as [Layers; 0]);
        let one = passes(&[1, 2, 3], &[1], None);
        assert_eq!((one.len(), one[0].len(), one[0][0].clone()), (1, 1, 1..3));
        assert_eq!(passes(&[], &[0], Some(1)), [] as [Layers; 0]);
    }
}
