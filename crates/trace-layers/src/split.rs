//! One repeat split into its layers: hybrid models repeat in groups, as three linear layers and a full one.

use crate::align::part;
use crate::class::{Kind, Sequence, Template};

/// Most layers of one group.
pub(crate) const MAX_GROUP: usize = 64;
/// Kernels around a start that are compared with those around the first one.
const CONTEXT: usize = 8;
/// Least likeness of the surroundings: four equal kernels. A norm with an all-reduce before it and a GEMM behind it is also in
/// the middle of a layer.
const LEAST_CONTEXT: u32 = 8;

/// Where the layers of a group start, the first at 0. `None` where the group shows no such starts.
pub(crate) fn split(sequence: &Sequence, group: &[u32], layers: usize) -> Option<Vec<usize>> {
    if layers == 1 {
        return Some(vec![0]);
    }
    if layers > MAX_GROUP || group.len() < 2 * layers {
        return None;
    }
    equal_parts(sequence, group, layers).or_else(|| by_context(sequence, group, layers))
}

/// Into how many equal layers the group falls by itself; 1 where it does not.
pub(crate) fn self_similar(sequence: &Sequence, group: &[u32]) -> usize {
    (2..=8)
        .rev()
        .find(|layers| group.len() >= 6 * layers && equal_parts(sequence, group, *layers).is_some())
        .unwrap_or(1)
}

/// Parts of one length, each like the one before it: at least four in five kernels are equal or of one kind.
fn equal_parts(sequence: &Sequence, group: &[u32], layers: usize) -> Option<Vec<usize>> {
    if !group.len().is_multiple_of(layers) {
        return None;
    }
    let period = group.len() / layers;
    let alike = |a: &[u32], b: &[u32]| {
        let equal = a
            .iter()
            .zip(b)
            .filter(|(a, b)| a == b || sequence.kin(**a, **b))
            .count();
        equal * 5 >= period * 4
    };
    let parts: Vec<&[u32]> = group.chunks(period).collect();
    let same = parts.windows(2).all(|pair| alike(pair[0], pair[1]));
    same.then(|| (0..layers).map(|layer| layer * period).collect())
}

/// The places whose surroundings are most like those of the group's start: the same kernels end the layer before, or begin
/// this one.
fn by_context(sequence: &Sequence, group: &[u32], layers: usize) -> Option<Vec<usize>> {
    let period = group.len();
    let weight = |a: u32, b: u32| {
        if a == b {
            2
        } else if sequence.kin(a, b) {
            1
        } else {
            0
        }
    };
    let along = |place: usize, step: &dyn Fn(usize, usize) -> usize| -> u32 {
        (0..CONTEXT)
            .map(|distance| weight(group[step(place, distance)], group[step(0, distance)]))
            .take_while(|weight| *weight > 0)
            .sum()
    };
    let score = |place: usize| {
        let right = along(place, &|place, distance| (place + distance) % period);
        let left = along(place, &|place, distance| {
            (place + 2 * period - 1 - distance) % period
        });
        // A layer that starts at a norm starts at one everywhere.
        let norm = sequence.kind(group[0]) == Kind::Norm;
        if norm && sequence.kind(group[place]) != Kind::Norm {
            0
        } else {
            right + left
        }
    };
    let mut places: Vec<(u32, usize)> = (1..period).map(|place| (score(place), place)).collect();
    places.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let chosen = places.get(..layers - 1)?;
    let worst = chosen.last()?.0;
    // The next best place has to be clearly worse, or the choice would be arbitrary.
    let next = places.get(layers - 1).map_or(0, |(score, _)| *score);
    if worst < LEAST_CONTEXT || next >= worst {
        return None;
    }
    let mut starts: Vec<usize> = std::iter::once(0)
        .chain(chosen.iter().map(|(_, place)| *place))
        .collect();
    starts.sort_unstable();
    Some(starts)
}

/// Layers of a group that ends early: how many of its first layers stand at the start of the stretch, and where each ends.
pub(crate) fn begun(sequence: &Sequence, group: &Template, starts: &[usize], stretch: &[u32]) -> Vec<usize> {
    let mut ends = Vec::new();
    for next in &starts[1..] {
        let at = ends.last().copied().unwrap_or(0);
        let layer = &group.kernels[starts[ends.len()]..*next];
        match part(sequence, group, layer, &stretch[at..], &mut 0) {
            Some(found) => ends.push(at + found.end),
            None => break,
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Class 1 is a norm.
    fn sequence() -> Sequence {
        let mut kinds = vec![Kind::Other; 100];
        kinds[1] = Kind::Norm;
        Sequence {
            classes: Vec::new(),
            kinds,
        }
    }

    #[test]
    fn equal_layers_with_another_attention() {
        let sliding = [1, 2, 3, 4, 5, 1, 6, 7, 8];
        let full = [1, 2, 3, 9, 5, 1, 6, 7, 8];
        let group = [sliding, full].concat();
        assert_eq!(split(&sequence(), &group, 2), Some(vec![0, 9]));
        assert_eq!(self_similar(&sequence(), &group), 2);
        assert_eq!(self_similar(&sequence(), &sliding), 1);
    }

    #[test]
    fn layers_of_different_length() {
        let linear = [1, 20, 21, 22, 23, 24, 25, 1, 6, 7, 8, 5];
        let full = [1, 30, 31, 5, 1, 6, 7, 8, 5];
        let group = [&linear[..], &linear, &linear, &full].concat();
        assert_eq!(split(&sequence(), &group, 4), Some(vec![0, 12, 24, 36]));
        let dense = [1, 30, 31, 32, 5, 1, 40, 41, 5];
        let moe = [1, 30, 31, 32, 5, 1, 50, 51, 52, 53, 5];
        assert_eq!(
            split(&sequence(), &[&dense[..], &moe].concat(), 2),
            Some(vec![0, 9])
        );
    }

    #[test]
    fn what_shows_no_layers_is_not_split() {
        assert_eq!(split(&sequence(), &[1, 2, 3, 4, 5, 6, 7, 8], 2), None);
        assert_eq!(split(&sequence(), &[1, 2, 3], 64), None);
    }

    #[test]
    fn a_group_that_ends_early() {
        let a = [1, 20, 21, 22, 23];
        let b = [1, 30, 31, 32];
        let group = Template::new(&sequence(), [&a[..], &b, &a].concat());
        let stretch = [&a[..], &b, &[90, 91, 92]].concat();
        assert_eq!(begun(&sequence(), &group, &[0, 5, 9], &stretch), [5, 9]);
    }
}
