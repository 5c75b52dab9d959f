//! Which kernels of two captures belong together: those of one name by themselves, others by `--pair`.

use contracts::ncu_digest::comparison::Unmatched;
use contracts::ncu_digest::kernel::Kernel;

use crate::declared::Declared;
use crate::error::DigestError;
use crate::groups::Group;
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
    let partner = headline(baseline, candidate, first, partner_key, declared)?;
    let mut pairs = vec![(first, partner)];
    let mut unmatched = Vec::new();
    let others = baseline
        .groups
        .iter()
        .filter(|group| !std::ptr::eq(*group, first));
    for group in others {
        match partner_of(baseline.groups, candidate.groups, group, &group.first().key) {
            Some(partner) if pairs.iter().any(|pair| std::ptr::eq(pair.1, partner)) => {
                unmatched.push(without(
                    "baseline",
                    group,
                    "its partner belongs to another kernel",
                ));
            }
            Some(partner) if has_other_work(group.first(), partner.first(), declared) => {
                unmatched.push(without(
                    "baseline",
                    group,
                    "grid and block differ: it does other work",
                ));
            }
            Some(partner) => pairs.push((group, partner)),
            None => unmatched.push(without(
                "baseline",
                group,
                "no kernel of this name and configuration",
            )),
        }
    }
    let alone = candidate
        .groups
        .iter()
        .filter(|group| !pairs.iter().any(|pair| std::ptr::eq(pair.1, *group)));
    unmatched
        .extend(alone.map(|group| without("candidate", group, "no kernel of this name and configuration")));
    Ok(Matched { pairs, unmatched })
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
fn headline<'a, 'k>(
    baseline: &Groups<'a, 'k>,
    candidate: &Groups<'a, 'k>,
    first: &Group<'k>,
    key: &str,
    declared: &Declared,
) -> Result<&'a Group<'k>, DigestError> {
    let has_name = candidate.groups.iter().any(|group| group.first().key == key);
    if !has_name {
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
    let Some(partner) = partner_of(baseline.groups, candidate.groups, first, key) else {
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
    if has_other_work(first.first(), partner.first(), declared) {
        return Err(DigestError::WorkloadMismatch {
            kernel,
            what: format!("{} and {}", shape(first.first()), shape(partner.first())),
        });
    }
    Ok(partner)
}

/// The group of a name on the other side: of the same configuration, else of the same grid and block, else the only one.
fn partner_of<'a, 'k>(
    baseline: &[Group<'_>],
    candidate: &'a [Group<'k>],
    group: &Group<'_>,
    key: &str,
) -> Option<&'a Group<'k>> {
    let one = group.first();
    let all: Vec<&Group<'k>> = candidate
        .iter()
        .filter(|other| other.first().key == key)
        .collect();
    let same_launch =
        |other: &&&Group<'k>| other.first().grid == one.grid && other.first().block == one.block;
    let exact = all
        .iter()
        .find(|other| same_launch(other) && registers(other.first()) == registers(one));
    if let Some(exact) = exact {
        return Some(exact);
    }
    let launches: Vec<_> = all.iter().filter(same_launch).collect();
    if let [only] = launches[..] {
        return Some(only);
    }
    let is_alone = baseline
        .iter()
        .filter(|other| other.first().key == one.key)
        .count()
        == 1;
    match all[..] {
        [only] if is_alone => Some(only),
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

fn registers(kernel: &Kernel) -> Option<f64> {
    kernel.registers.as_ref().map(|counter| counter.value.get())
}

/// Grid and block as text.
pub(crate) fn shape(kernel: &Kernel) -> String {
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
