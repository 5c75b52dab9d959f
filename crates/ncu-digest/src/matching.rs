//! Which kernels of two captures belong together: those of one name by themselves, others by `--pair`.

use std::collections::HashMap;

use contracts::ncu_digest::comparison::Unmatched;
use contracts::ncu_digest::kernel::Kernel;

use crate::declared::Declared;
use crate::error::DigestError;
use crate::groups::{Group, registers};
use crate::read::{Side, listed};
use crate::refusal;

/// Groups that belong together, the pair that was asked for first.
pub(crate) struct Matched<'a, 'k> {
    pub(crate) pairs: Vec<(&'a Group<'k>, &'a Group<'k>)>,
    pub(crate) unmatched: Vec<Unmatched>,
}

/// One side of a comparison.
pub(crate) struct Groups<'a, 'k> {
    pub(crate) side: &'a Side,
    pub(crate) groups: &'a [Group<'k>],
}

/// Matches two captures. `pair` is what `--pair` names, `was_named` says that `--kernel` does.
///
/// # Errors
/// The pair that was asked for is not there, is not clear, or does other work.
pub(crate) fn matched<'a, 'k>(
    baseline: &Groups<'a, 'k>,
    candidate: &Groups<'a, 'k>,
    pair: Option<(&str, &str)>,
    was_named: bool,
    declared: &Declared,
) -> Result<Matched<'a, 'k>, DigestError> {
    let (first, partner_key) = match pair {
        Some((a, b)) => (named(baseline, a)?, named(candidate, b)?.first().key.as_str()),
        None => {
            let first = refusal::focus(baseline.side, baseline.groups, was_named)?;
            (first, first.first().key.as_str())
        }
    };
    let index = [Index::of(baseline.groups), Index::of(candidate.groups)];
    let partner = headline([baseline, candidate], &index, first, partner_key, declared)?;
    let mut pairs = vec![(first, &candidate.groups[partner])];
    let mut is_taken = vec![false; candidate.groups.len()];
    is_taken[partner] = true;
    let mut unmatched = Vec::new();
    let others = baseline
        .groups
        .iter()
        .filter(|group| !std::ptr::eq(*group, first));
    for group in others {
        let why = match partner_of(&index, group, &group.first().key) {
            Some(at) if is_taken[at] => "its partner belongs to another kernel",
            Some(at) if has_other_work(group.first(), candidate.groups[at].first(), declared) => {
                "grid and block differ: it does other work"
            }
            Some(at) => {
                is_taken[at] = true;
                pairs.push((group, &candidate.groups[at]));
                continue;
            }
            None => NO_PARTNER,
        };
        unmatched.push(without("baseline", group, why));
    }
    let alone = candidate
        .groups
        .iter()
        .zip(is_taken)
        .filter(|(_, is_taken)| !is_taken);
    unmatched.extend(alone.map(|(group, _)| without("candidate", group, NO_PARTNER)));
    Ok(Matched { pairs, unmatched })
}

const NO_PARTNER: &str = "no kernel of this name and configuration";

/// Where groups of one side are, by what they are looked for.
#[derive(Default)]
struct Index<'a> {
    by_key: HashMap<&'a str, Vec<usize>>,
    by_launch: HashMap<Launch<'a>, Vec<usize>>,
    by_configuration: HashMap<(Launch<'a>, Option<u64>), usize>,
}

/// Name, grid and block.
type Launch<'a> = (&'a str, [u64; 3], [u64; 3]);

impl<'a> Index<'a> {
    fn of(groups: &[Group<'a>]) -> Index<'a> {
        let mut index = Index::default();
        for (at, group) in groups.iter().enumerate() {
            let one = group.first();
            let launch = (one.key.as_str(), one.grid, one.block);
            index.by_key.entry(launch.0).or_default().push(at);
            index.by_launch.entry(launch).or_default().push(at);
            index.by_configuration.insert((launch, registers(one)), at);
        }
        index
    }
}

/// The group of a part of a name: the one that takes the most time, of one name only.
fn named<'a, 'k>(side: &Groups<'a, 'k>, part: &str) -> Result<&'a Group<'k>, DigestError> {
    let found: Vec<&Group<'_>> = side
        .groups
        .iter()
        .filter(|group| group.first().key.contains(part) || group.first().name.contains(part))
        .collect();
    let names = listed(found.iter().map(|group| group.first().key.clone()));
    match found.first() {
        // A whole name is clear, also where it is a part of another one.
        Some(_) if names.len() > 1 => match found.into_iter().find(|group| group.first().key == part) {
            Some(group) => Ok(group),
            None => Err(DigestError::AmbiguousKernel {
                what: format!(
                    "`{}` is a part of several names in {}",
                    contracts::text::clean(part, 100),
                    side.side.input.path
                ),
                baseline: names,
                candidate: Vec::new(),
            }),
        },
        Some(group) => Ok(group),
        None => Err(DigestError::KernelNotFound {
            wanted: part.to_owned(),
            report: side.side.input.path.clone(),
            names: listed(side.groups.iter().map(|group| group.first().key.clone())),
        }),
    }
}

/// The partner of the pair that was asked for.
fn headline(
    [baseline, candidate]: [&Groups<'_, '_>; 2],
    index: &[Index<'_>; 2],
    first: &Group<'_>,
    key: &str,
    declared: &Declared,
) -> Result<usize, DigestError> {
    if !index[1].by_key.contains_key(key) {
        return Err(DigestError::AmbiguousKernel {
            what: format!(
                "`{}` has another name in {}",
                contracts::text::clean(key, 120),
                candidate.side.input.path
            ),
            baseline: listed(std::iter::once(first.first().key.clone())),
            candidate: listed(candidate.groups.iter().map(|group| group.first().key.clone())),
        });
    }
    let kernel = contracts::text::clean(key, 120);
    let Some(partner) = partner_of(index, first, key) else {
        let configurations = |groups: &[Group<'_>], key: &str| {
            let groups = groups.iter().filter(|group| group.first().key == key);
            listed(groups.map(|group| shape(group.first()))).join(", ")
        };
        return Err(DigestError::WorkloadMismatch {
            kernel,
            what: format!(
                "its configurations do not match: {} and {}",
                configurations(baseline.groups, &first.first().key),
                configurations(candidate.groups, key)
            ),
        });
    };
    let other = candidate.groups[partner].first();
    if has_other_work(first.first(), other, declared) {
        return Err(DigestError::WorkloadMismatch {
            kernel,
            what: format!("{} and {}", shape(first.first()), shape(other)),
        });
    }
    Ok(partner)
}

/// The group of a name on the other side: of the same configuration, else of the same grid and block, else the only one.
fn partner_of([baseline, candidate]: &[Index<'_>; 2], group: &Group<'_>, key: &str) -> Option<usize> {
    let one = group.first();
    let launch = (key, one.grid, one.block);
    if let Some(exact) = candidate.by_configuration.get(&(launch, registers(one))) {
        return Some(*exact);
    }
    if let Some([only]) = candidate.by_launch.get(&launch).map(Vec::as_slice) {
        return Some(*only);
    }
    let is_alone = baseline.by_key.get(one.key.as_str()).map(Vec::len) == Some(1);
    match candidate.by_key.get(key).map(Vec::as_slice) {
        Some([only]) if is_alone => Some(*only),
        _ => None,
    }
}

/// Threads in all are the only work that a report knows; a declared shape says that it is the same.
fn has_other_work(a: &Kernel, b: &Kernel, declared: &Declared) -> bool {
    let threads = |kernel: &Kernel| -> u128 {
        kernel
            .grid
            .iter()
            .chain(&kernel.block)
            .map(|side| u128::from(*side))
            .fold(1, u128::saturating_mul)
    };
    declared.shape.is_none() && threads(a) != threads(b)
}

/// Grid and block as text.
fn shape(kernel: &Kernel) -> String {
    let side = |[x, y, z]: [u64; 3]| match (y, z) {
        (1, 1) => x.to_string(),
        (_, 1) => format!("{x}×{y}"),
        _ => format!("{x}×{y}×{z}"),
    };
    format!("{} blocks of {}", side(kernel.grid), side(kernel.block))
}

fn without(side: &str, group: &Group<'_>, why: &str) -> Unmatched {
    Unmatched {
        side: side.to_owned(),
        key: group.first().key.clone(),
        grid: group.first().grid,
        why: why.to_owned(),
    }
}
