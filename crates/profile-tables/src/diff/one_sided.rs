//! What only one side has: kernels, and known fusions.

use std::collections::{BTreeMap, BTreeSet};

use contracts::profile_tables::diff::{OneSidedFusion, OneSidedKernel, Whose};
use contracts::profile_tables::report::FuseState;
use torch_trace::Family;

use super::side::{Part, Side};
use super::waterfall::finite;
use crate::fuse::Catalogue;
use crate::fusions::{FuseSum, source_of};

/// A kernel without its digits: of one side's tile sizes the other has none.
type Class = (Family, String);

/// Kernels of both sides that the other has not, by time.
pub(super) fn kernels(ours: (&Side, u64), theirs: (&Side, u64)) -> Vec<OneSidedKernel> {
    let (mine, others) = (classes(ours.0), classes(theirs.0));
    let mut rows = of_one(Whose::Ours, &mine, &others, ours.1);
    rows.extend(of_one(Whose::Theirs, &others, &mine, theirs.1));
    rows.sort_by(|a, b| {
        b.ns.cmp(&a.ns)
            .then_with(|| (a.side, &a.kernel).cmp(&(b.side, &b.kernel)))
    });
    rows
}

/// All kernels of a class, and the one of them with most time.
#[derive(Default)]
struct OfClass<'s> {
    all: Part,
    most_ns: f64,
    most: &'s str,
}

fn classes(side: &Side) -> BTreeMap<Class, OfClass<'_>> {
    let mut classes: BTreeMap<Class, OfClass<'_>> = BTreeMap::new();
    for ((name, family), sum) in &side.sum.kernels {
        let class = name.chars().filter(|c| !c.is_ascii_digit()).collect();
        let entry = classes.entry((*family, class)).or_default();
        entry.all.add(sum.share_ns, sum.calls);
        if entry.most.is_empty() || sum.share_ns > entry.most_ns {
            (entry.most_ns, entry.most) = (sum.share_ns, name);
        }
    }
    classes
}

fn of_one(
    side: Whose,
    own: &BTreeMap<Class, OfClass<'_>>,
    other: &BTreeMap<Class, OfClass<'_>>,
    units: u64,
) -> Vec<OneSidedKernel> {
    let units = units.max(1) as f64;
    own.iter()
        .filter(|(class, _)| !other.contains_key(*class))
        .map(|((family, _), of)| OneSidedKernel {
            side,
            kernel: of.most.to_owned(),
            family: family.as_str().to_owned(),
            launches: finite(of.all.launches as f64 / units),
            ns: (of.all.ns / units).round() as i64,
        })
        .collect()
}

/// Fusions that one side has and the other has not, by what they could save there.
pub(super) fn fusions(ours: (&Side, u64), theirs: (&Side, u64)) -> Vec<OneSidedFusion> {
    let none = FuseSum::default();
    let of = |side: &Side, pattern: usize| side.fusions.get(&pattern).unwrap_or(&none).clone();
    let patterns: BTreeSet<usize> = ours
        .0
        .fusions
        .keys()
        .chain(theirs.0.fusions.keys())
        .copied()
        .collect();
    let mut rows: Vec<OneSidedFusion> = patterns
        .into_iter()
        .filter_map(|pattern| {
            let (mine, other) = (of(ours.0, pattern), of(theirs.0, pattern));
            let (side, (has, units), (has_not, other_units)) = match (mine.state(), other.state()) {
                (FuseState::Present, FuseState::Split | FuseState::Absent) => {
                    (Whose::Ours, (mine, ours.1), (other, theirs.1))
                }
                (FuseState::Split | FuseState::Absent, FuseState::Present) => {
                    (Whose::Theirs, (other, theirs.1), (mine, ours.1))
                }
                _ => return None,
            };
            let (units, other_units) = (units.max(1) as f64, other_units.max(1) as f64);
            let row = &Catalogue::builtin().patterns[pattern];
            let split = has_not.state() == FuseState::Split;
            Some(OneSidedFusion {
                pattern: row.name.clone(),
                side,
                other: has_not.state(),
                fused_launches: finite(has.fused as f64 / units),
                split_occurrences: finite(has_not.split as f64 / other_units),
                estimated_saving_ns: split.then(|| (has_not.saving_ns as f64 / other_units).round() as i64),
                source: source_of(row),
                rationale: row.rationale.clone(),
            })
        })
        .collect();
    rows.sort_by(|a, b| {
        b.estimated_saving_ns
            .cmp(&a.estimated_saving_ns)
            .then_with(|| (b.side, &a.pattern).cmp(&(a.side, &b.pattern)))
    });
    rows
}
