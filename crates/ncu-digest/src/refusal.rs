//! What a report cannot be used for.

use contracts::ncu_digest::kernel::Kernel;
use contracts::ncu_digest::report::Capture;
use ncu_report::Form;

use crate::error::DigestError;
use crate::groups::Group;
use crate::read::{Side, listed};
use crate::thresholds::FEWEST_PASSES;
use crate::{collect, fields, names, sections};

/// The group that a decision is about: the one that takes the most time, and prepares nothing unless it was asked for.
pub(crate) fn focus<'a, 'k>(
    side: &Side,
    groups: &'a [Group<'k>],
    was_named: bool,
) -> Result<&'a Group<'k>, DigestError> {
    let works = |group: &&Group<'_>| !names::is_collective(&group.first().key);
    let matters = |group: &&Group<'_>| works(group) && !names::is_decoy(&group.first().key);
    if let Some(group) = groups.iter().find(matters) {
        return Ok(group);
    }
    match groups.iter().find(works) {
        Some(group) if was_named => Ok(group),
        Some(_) => Err(DigestError::DecoyOnly {
            report: side.input.path.clone(),
            names: listed(groups.iter().map(|group| group.first().key.clone())),
            collect: collect::any(),
        }),
        None => Err(DigestError::Collective(
            listed(groups.iter().map(|group| group.first().key.clone())).join(", "),
        )),
    }
}

/// Sections that no class can do without.
pub(crate) fn needs_class(side: &Side, kernel: &Kernel) -> Result<(), DigestError> {
    let raw = side.raw(kernel);
    let missing = sections::missing_for_class(raw);
    if missing.is_empty() {
        return Ok(());
    }
    Err(DigestError::MissingSection {
        report: side.input.path.clone(),
        kernel: contracts::text::clean(&kernel.key, 200),
        sections: missing,
        mend: mend(side, raw),
    })
}

/// How what is missing is got.
pub(crate) fn mend(side: &Side, raw: &ncu_report::Kernel) -> String {
    let again = format!("collect it again: {}", collect::again(raw));
    match side.report.form {
        Form::DetailsCsv => {
            format!(
                "a details page leaves numbers out: give the report itself, or its raw page; else {again}"
            )
        }
        _ => again,
    }
}

/// Fewer replays than the set needs: the capture stopped, or was narrowed.
pub(crate) fn needs_passes(side: &Side, kernel: &Kernel) -> Result<(), DigestError> {
    let raw = side.raw(kernel);
    let (Some(set), Some(passes)) = (&side.capture.set, fields::number(raw, fields::PASSES)) else {
        return Ok(());
    };
    let known = FEWEST_PASSES.iter().find(|(name, _, _)| name == set);
    match known {
        Some((_, fewest, seen)) if passes < *fewest => Err(DigestError::FewPasses {
            report: side.input.path.clone(),
            set: set.clone(),
            passes,
            fewest: *fewest,
            seen: *seen,
            mend: mend(side, raw),
        }),
        _ => Ok(()),
    }
}

/// What two captures must have in common. What is not known differs from nothing here; it makes the verdict provisional.
pub(crate) fn needs_one_setting(baseline: &Capture, candidate: &Capture) -> Result<(), DigestError> {
    for (what, a, b) in [
        ("GPU", &baseline.gpu, &candidate.gpu),
        ("compute capability", &baseline.cc, &candidate.cc),
    ] {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
        {
            return Err(DigestError::GpuMismatch(format!("{what} {a} and {b}")));
        }
    }
    if let (Some(a), Some(b)) = (baseline.sm_count, candidate.sm_count)
        && a != b
    {
        return Err(DigestError::GpuMismatch(format!("{a} and {b} multiprocessors")));
    }
    if let (Some(a), Some(b)) = (&baseline.clock_control, &candidate.clock_control)
        && a != b
    {
        return Err(DigestError::ClockMismatch {
            baseline: a.clone(),
            candidate: b.clone(),
        });
    }
    if let (Some(a), Some(b)) = (&baseline.set, &candidate.set)
        && a != b
    {
        return Err(DigestError::SetMismatch {
            baseline: a.clone(),
            candidate: b.clone(),
        });
    }
    Ok(())
}
