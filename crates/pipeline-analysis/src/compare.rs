//! Two layers of one pass against each other.

use std::collections::BTreeMap;

use contracts::pipeline_analysis::report::{Comparison, FamilyDelta, OnlyKernel};
use contracts::text::clean;

use crate::flow::NAME_CAP;
use crate::layers::Measured;
use crate::stream::{Item, Stream};

/// Compares the layers at two places of a pass.
pub(crate) fn compare(stream: &Stream<'_>, measured: &[Measured], layer: usize, other: usize) -> Comparison {
    let (a, b) = (&measured[layer], &measured[other]);
    let items = |of: &Measured| &stream.items[of.layer.kernels.clone()];
    let mut families: Vec<FamilyDelta> = Vec::new();
    let mut names: Vec<&str> = a.families.keys().chain(b.families.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    for family in names {
        let ns = |of: &Measured| of.families.get(family).map_or(0, |ns| ns.round() as i64);
        families.push(FamilyDelta {
            family: family.to_owned(),
            layer_ns: ns(a),
            other_ns: ns(b),
            delta_ns: ns(b).saturating_sub(ns(a)),
        });
    }
    families.sort_by(|a, b| {
        let size = |row: &FamilyDelta| std::cmp::Reverse(row.delta_ns.saturating_abs());
        size(a).cmp(&size(b)).then_with(|| a.family.cmp(&b.family))
    });
    Comparison {
        layer: layer as u64,
        other: other as u64,
        wall_delta_ns: a.wall_ns().zip(b.wall_ns()).map(|(a, b)| b.saturating_sub(a)),
        only_layer: more(items(a), items(b)),
        only_other: more(items(b), items(a)),
        families,
    }
}

/// Kernels that stand more often in the first than in the second.
fn more(first: &[Item<'_>], second: &[Item<'_>]) -> Vec<OnlyKernel> {
    let mut counts: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for item in first {
        *counts.entry((item.family.as_str(), item.name)).or_default() += 1;
    }
    for item in second {
        *counts.entry((item.family.as_str(), item.name)).or_default() -= 1;
    }
    counts
        .into_iter()
        .filter_map(|((family, kernel), count)| {
            Some(OnlyKernel {
                family: family.to_owned(),
                kernel: clean(kernel, NAME_CAP),
                calls: u64::try_from(count).ok().filter(|count| *count > 0)?,
            })
        })
        .collect()
}
