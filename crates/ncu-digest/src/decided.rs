//! What a report supports, alone or beside another one, and what a reader has to know of it.

use contracts::Warning;
use contracts::ncu_digest::comparison::Comparison;
use contracts::ncu_digest::kernel::Kernel;
use contracts::ncu_digest::report::NextEdit;

use crate::comparison::{Settings, comparison};
use crate::declared::Declared;
use crate::error::DigestError;
use crate::groups::{Group, groups};
use crate::matching::{Groups, matched};
use crate::read::{Side, listed};
use crate::{edits, fields, refusal};

/// What was decided, and what a reader has to know of it.
pub(crate) struct Decided {
    /// Kernel that it is about.
    pub(crate) focus: u64,
    pub(crate) next_edit: Option<NextEdit>,
    pub(crate) warnings: Vec<Warning>,
}

/// Decides about a report.
///
/// # Errors
/// Nothing that could be decided about, and numbers that a class needs.
pub(crate) fn single(side: &Side, declared: &Declared, was_named: bool) -> Result<Decided, DigestError> {
    let groups = groups(&side.kernels);
    let group = refusal::focus(side, &groups, was_named)?;
    let kernel = group.typical();
    refusal::needs_passes(side, kernel)?;
    refusal::needs_class(side, kernel)?;
    Ok(decided(side, kernel, declared))
}

/// The edit of a kernel, where its sections are complete.
fn decided(side: &Side, kernel: &Kernel, declared: &Declared) -> Decided {
    let raw = side.raw(kernel);
    let mut warnings = kernel.warnings.clone();
    if !kernel.missing.is_empty() {
        warnings.push(Warning::new(
            "missing-section",
            format!(
                "no edit without {}; {}",
                kernel.missing.join(", "),
                refusal::mend(side, raw)
            ),
        ));
        return Decided {
            focus: kernel.index,
            next_edit: None,
            warnings,
        };
    }
    let edit = edits::next_edit(kernel, raw, declared);
    if edit.id == "E04" && declared.dtype.is_none() {
        warnings.push(Warning::new(
            "dtype-unknown",
            "a report does not say which type the kernel needs: if it is FP64, --declare dtype=fp64",
        ));
    }
    if kernel.rules.is_empty() {
        warnings.push(Warning::new(
            "rules-not-stored",
            "no rule of Nsight Compute is stored (of CSVs only a details page holds them): E05b, which needs an estimate, was not judged",
        ));
    } else if fields::pick(raw, fields::BYTES_PER_SECTOR).is_none() {
        warnings.push(Warning::new(
            "rule-not-judged",
            format!(
                "E05b was not judged: it needs {}, which this report does not hold",
                fields::BYTES_PER_SECTOR[0]
            ),
        ));
    }
    Decided {
        focus: kernel.index,
        next_edit: Some(edit),
        warnings,
    }
}

/// Decides about a baseline and a candidate, and about the candidate's next edit.
///
/// # Errors
/// Two captures that cannot be compared.
pub(crate) fn compared(
    baseline: &Side,
    candidate: &Side,
    pair: Option<(&str, &str)>,
    was_named: bool,
    declared: &Declared,
) -> Result<(Comparison, Decided), DigestError> {
    refusal::needs_one_setting(&baseline.capture, &candidate.capture)?;
    let (base_groups, cand_groups) = (groups(&baseline.kernels), groups(&candidate.kernels));
    let sides = [
        Groups {
            side: baseline,
            groups: &base_groups,
        },
        Groups {
            side: candidate,
            groups: &cand_groups,
        },
    ];
    let matched = matched(&sides[0], &sides[1], pair, was_named, declared)?;
    let (first, partner): (&Group<'_>, &Group<'_>) = matched.pairs[0];
    refusal::needs_passes(baseline, first.typical())?;
    refusal::needs_passes(candidate, partner.typical())?;
    let mut decided = decided(candidate, partner.typical(), declared);
    let settings = settings(baseline, candidate, &mut decided.warnings);
    let comparison = comparison(matched, settings)?;
    decided.warnings.extend(not_finite(&comparison));
    Ok((comparison, decided))
}

/// Pairs whose numbers have no quotient, or none that a number can hold.
fn not_finite(comparison: &Comparison) -> Option<Warning> {
    let pairs = comparison.pairs.iter();
    let pairs = pairs.filter(|pair| pair.duration_delta_pct.is_none() || pair.noise_pct.is_none());
    let names = listed(pairs.map(|pair| pair.candidate.key.clone()));
    (!names.is_empty()).then(|| {
        Warning::new(
            "change-not-finite",
            format!(
                "the durations of {} give no finite change or noise: there is no verdict",
                names.join(", ")
            ),
        )
    })
}

/// What is known of both captures; a warning for each that is not.
fn settings(baseline: &Side, candidate: &Side, warnings: &mut Vec<Warning>) -> Settings {
    let (a, b) = (&baseline.capture, &candidate.capture);
    let release = |version: &Option<String>| {
        let version = version.as_deref()?;
        let mut parts = version.split('.');
        Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
    };
    let (old, new) = (release(&a.ncu_version), release(&b.ncu_version));
    let compares_metrics = old.is_some() && old == new;
    if !compares_metrics {
        let name = |version: &Option<String>| match version {
            Some(version) => format!("with Nsight Compute {version}"),
            None => "with a release that it does not name".to_owned(),
        };
        warnings.push(Warning::new(
            "ncu-version-mismatch",
            format!(
                "the baseline was collected {}, the candidate {}: a metric can mean something else in another release, so only durations and cycles are compared, and the verdict is provisional; collect both with one release",
                name(&a.ncu_version),
                name(&b.ncu_version)
            ),
        ));
    }
    let unknown = [
        (
            "--clock-control",
            a.clock_control.is_none() || b.clock_control.is_none(),
        ),
        ("the GPU", a.gpu.is_none() || b.gpu.is_none()),
    ];
    let unknown: Vec<&str> = unknown
        .iter()
        .filter(|(_, is)| *is)
        .map(|(name, _)| *name)
        .collect();
    if !unknown.is_empty() {
        warnings.push(Warning::new(
            "capture-setting-unknown",
            format!(
                "a side does not say {}: the verdict is provisional",
                unknown.join(" and ")
            ),
        ));
    }
    Settings {
        compares_metrics,
        is_known: unknown.is_empty(),
    }
}
