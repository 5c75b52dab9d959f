//! Layers that do not repeat in groups: a kernel that stands once, or a fixed number of times, in each layer divides them.
//!
//! Which kernel that is follows from the configuration: it occurs as often as there are layers, and layers of one type
//! then have the same kernels. Norms are preferred, as layers start with them.

use std::ops::Range;

use model_config::LayerType;

use crate::class::{Kind, Sequence};
use crate::split::self_similar;

/// Most occurrences of the divider in one layer.
const MAX_EACH: usize = 6;
/// Least share of kernels that layers of one type have in common.
const ALIKE: f64 = 0.9;

/// Layers of a stretch, and how alike those of one type are, from 0 to 1.
pub(crate) struct Divided {
    /// In order.
    pub(crate) layers: Vec<Range<usize>>,
    /// From [`ALIKE`] to 1.
    pub(crate) alike: f64,
}

/// Divides the stretch into as many layers as the configuration names.
pub(crate) fn divide(
    sequence: &Sequence,
    stretch: Range<usize>,
    layers: usize,
    types: &[LayerType],
) -> Option<Divided> {
    // Layers of one type would have been found by their period; here they would be as alike one too few or too many.
    let differ = types.len() == layers && types.windows(2).any(|pair| pair[0] != pair[1]);
    if !differ || stretch.len() < 2 * layers {
        return None;
    }
    let mut places: Vec<Vec<usize>> = vec![Vec::new(); sequence.class_count()];
    let mut norms: Vec<usize> = Vec::new();
    for at in stretch.clone() {
        let class = sequence.classes[at];
        places[class as usize].push(at);
        if sequence.kind(class) == Kind::Norm {
            norms.push(at);
        }
    }
    // The first layer's norm is another kernel than the later ones: with the one before them, they are one list.
    let led: Vec<Vec<usize>> = places
        .iter()
        .filter(|list| {
            list.first()
                .is_some_and(|at| sequence.kind(sequence.classes[*at]) == Kind::Norm)
        })
        .filter_map(|list| {
            let before = norms.iter().rev().find(|at| **at < list[0])?;
            Some(std::iter::once(*before).chain(list.iter().copied()).collect())
        })
        .collect();
    let mut best: Option<(f64, Divided)> = None;
    for list in places.iter().chain(&led).chain(std::iter::once(&norms)) {
        for each in 1..=MAX_EACH {
            let needed = (layers - 1) * each + 1;
            // At most one layer's worth more: a norm behind the last layer.
            if list.len() < needed || list.len() > layers * each + each {
                continue;
            }
            for offset in 0..each.min(list.len() - needed + 1) {
                let starts: Vec<usize> = list[offset..]
                    .iter()
                    .copied()
                    .step_by(each)
                    .take(layers)
                    .collect();
                let behind = list.get(offset + layers * each).copied();
                let divided = close(sequence, &starts, behind, stretch.end, types);
                let norm = sequence.kind(sequence.classes[starts[0]]) == Kind::Norm;
                let value = divided.alike + if norm { 0.05 } else { 0.0 } - 0.002 * (each + offset) as f64;
                if divided.alike >= ALIKE
                    && best.as_ref().is_none_or(|(other, _)| value > *other)
                    && !are_groups(sequence, &divided.layers)
                {
                    best = Some((value, divided));
                }
            }
        }
    }
    best.map(|(_, divided)| divided)
}

/// Whether most of these layers are several: a layer does not repeat within itself.
fn are_groups(sequence: &Sequence, layers: &[Range<usize>]) -> bool {
    let group = |layer: &&Range<usize>| self_similar(sequence, &sequence.classes[(*layer).clone()]) > 1;
    layers.iter().filter(group).count() * 2 > layers.len()
}

/// The layers that start here, with an end for the last one, and how alike they are.
fn close(
    sequence: &Sequence,
    starts: &[usize],
    behind: Option<usize>,
    end: usize,
    types: &[LayerType],
) -> Divided {
    let type_of = |layer: usize| types.get(layer).copied();
    let last = starts.len() - 1;
    // Without a divider behind it, the last layer is as long as the one before it of its type.
    let length = (0..last)
        .rev()
        .find(|layer| type_of(*layer) == type_of(last))
        .map_or(end - starts[last], |layer| starts[layer + 1] - starts[layer]);
    let close = behind
        .unwrap_or(starts[last] + length)
        .min(end)
        .min(starts[last] + length);
    let ends = starts[1..].iter().copied().chain(std::iter::once(close));
    let layers: Vec<Range<usize>> = starts.iter().zip(ends).map(|(start, end)| *start..end).collect();
    // Norms count as one kernel: that of the first layer is another one.
    let same = |class: &u32| {
        if sequence.kind(*class) == Kind::Norm {
            u32::MAX
        } else {
            *class
        }
    };
    let kernels = |layer: usize| {
        let mut kernels: Vec<u32> = sequence.classes[layers[layer].clone()].iter().map(same).collect();
        kernels.sort_unstable();
        kernels
    };
    // Each layer against the one before it of the same type.
    let mut before: Vec<(Option<LayerType>, Vec<u32>)> = Vec::new();
    let (mut common, mut all) = (0, 0);
    for layer in 0..layers.len() {
        let own = kernels(layer);
        match before.iter_mut().find(|(known, _)| *known == type_of(layer)) {
            Some((_, other)) => {
                common += 2 * in_common(&own, other);
                all += own.len() + other.len();
                *other = own;
            }
            None => before.push((type_of(layer), own)),
        }
    }
    let alike = if all == 0 { 0.0 } else { common as f64 / all as f64 };
    Divided { layers, alike }
}

/// Kernels that two sorted lists share.
pub(crate) fn in_common(a: &[u32], b: &[u32]) -> usize {
    let (mut left, mut right, mut common) = (0, 0, 0);
    while left < a.len() && right < b.len() {
        match a[left].cmp(&b[right]) {
            std::cmp::Ordering::Less => left += 1,
            std::cmp::Ordering::Greater => right += 1,
            std::cmp::Ordering::Equal => {
                (left, right, common) = (left + 1, right + 1, common + 1);
            }
        }
    }
    common
}
