//! Evidence about each row without which nothing is promoted: that its outputs are right and new, of every row of the set; that
//! its times are of that work, of production rows.

use contracts::kernel_gate::results::{Checks, Settings};
use contracts::kernel_gate::verdict::{Effect, TimeKind};

use crate::calls::{self, inner_iterations};
use crate::correctness::distinct;
use crate::measured::Measured;
use crate::reasons::Reasons;
use crate::thresholds::{FEWEST_INPUT_SETS, MOST_WALL_CV_PCT};
use crate::times::Pair;

/// What is missing of rows that passed.
pub(crate) fn check(
    rows: &[Measured<'_>],
    kind: Option<TimeKind>,
    settings: Option<&Settings>,
    reasons: &mut Reasons,
) {
    let absent = rows.iter().filter(|row| !row.production && row.line.is_none());
    let absent: Vec<&str> = absent.map(|row| row.id).collect();
    reasons.rows(
        Effect::BlocksPromotion,
        "correctness-rows-missing",
        &absent,
        "of the row set, there for correctness, and not run",
    );
    let passed: Vec<&Measured<'_>> = rows.iter().filter(|row| row.status() == "PASSED").collect();
    outputs(&passed, reasons);
    let timed: Vec<&Measured<'_>> = passed.iter().copied().filter(|row| row.production).collect();
    times(&timed, kind, reasons);
    rotation(&timed, kind, reasons);
    calls::check(rows, settings, reasons);
}

fn checks<'a>(row: &Measured<'a>) -> Option<&'a Checks> {
    row.line?.checks.as_ref()
}

/// Blocks where some of these rows do not have a proof.
fn blocks(
    rows: &[&Measured<'_>],
    reasons: &mut Reasons,
    code: &str,
    message: &str,
    is_proven: &dyn Fn(&Measured<'_>) -> bool,
) {
    let without = rows.iter().filter(|row| !is_proven(row));
    let without: Vec<&str> = without.map(|row| row.id).collect();
    reasons.rows(Effect::BlocksPromotion, code, &without, message);
}

/// That outputs are right: of rows that no headline counts, too.
fn outputs(rows: &[&Measured<'_>], reasons: &mut Reasons) {
    let dry = rows
        .iter()
        .filter(|row| checks(row).is_some_and(|checks| checks.poisoned == Some(false)));
    let dry: Vec<&str> = dry.map(|row| row.id).collect();
    reasons.rows(
        Effect::Invalid,
        "not-poisoned",
        &dry,
        "outputs were not poisoned before they were compared",
    );
    let mut needs = |code: &str, message: &str, is_proven: fn(&Checks) -> bool| {
        blocks(rows, reasons, code, message, &|row| {
            checks(row).is_some_and(is_proven)
        });
    };
    needs(
        "poison-unproven",
        "nothing says that outputs were poisoned before they were compared (`checks.poisoned`)",
        |checks| checks.poisoned.is_some(),
    );
    needs(
        "inputs-unproven",
        "no hashes of the inputs before and after each compared run (`checks.inputs_sha256_*`)",
        |checks| {
            !checks.inputs_sha256_before.is_empty()
                && checks.inputs_sha256_before.len() == checks.inputs_sha256_after.len()
        },
    );
    needs(
        "outputs-unproven",
        "no outputs of two different inputs (`checks.seeds`, `checks.*_outputs_sha256`): a cache would not be seen",
        |checks| {
            distinct(&checks.seeds) > 1
                && distinct(&checks.inputs_sha256_before) > 1
                && checks.candidate_outputs_sha256.len() == checks.seeds.len()
                && checks.baseline_outputs_sha256.len() == checks.seeds.len()
                && checks.inputs_sha256_before.len() == checks.seeds.len()
                && distinct(&checks.baseline_outputs_sha256) > 1
        },
    );
    needs(
        "match-unproven",
        "nothing says how many outputs are within tolerance, and whether NaN counted (`checks.matched_ratio`, `checks.nonfinite`, `checks.equal_nan`)",
        |checks| {
            let is_part = checks
                .matched_ratio
                .is_some_and(|ratio| (0.0..=1.0).contains(&ratio));
            is_part && checks.nonfinite.is_some() && checks.equal_nan.is_some()
        },
    );
    blocks(
        rows,
        reasons,
        "row-unproven",
        "the line does not say which row was measured (`workload`)",
        &|row| row.line.is_some_and(|line| line.workload.is_some()),
    );
}

/// That times can be recounted, and no work hides from them.
fn times(rows: &[&Measured<'_>], kind: Option<TimeKind>, reasons: &mut Reasons) {
    blocks(
        rows,
        reasons,
        "samples-unproven",
        "no samples to recount the medians from",
        &|row| trials(row, kind).is_some(),
    );
    if kind != Some(TimeKind::Device) {
        return;
    }
    blocks(
        rows,
        reasons,
        "wall-unproven",
        "no wall times of all trials beside the device times: work on another stream would not be seen",
        &|row| row.wall.is_some() && trials(row, Some(TimeKind::Wall)) >= trials(row, kind),
    );
    blocks(
        rows,
        reasons,
        "wall-unstable",
        &format!(
            "wall times spread by more than {MOST_WALL_CV_PCT} %: work on another stream could hide in them"
        ),
        &|row| {
            let cv = row.wall.and_then(|wall| wall.cv_pct());
            cv.is_none_or(|cv| cv <= MOST_WALL_CV_PCT)
        },
    );
}

fn trials(row: &Measured<'_>, kind: Option<TimeKind>) -> Option<usize> {
    row.pair(kind?).and_then(Pair::trials)
}

/// That the timed calls themselves did the work: a cache of what stays the same within a sample has nothing to keep.
fn rotation(rows: &[&Measured<'_>], kind: Option<TimeKind>, reasons: &mut Reasons) {
    blocks(
        rows,
        reasons,
        "timed-outputs-unproven",
        "the outputs of all input sets were not compared once more after the timed loop (`checks.checked_after_timing`, `checks.sets_checked_after_timing`)",
        &|row| {
            checks(row).is_some_and(|checks| {
                checks.checked_after_timing == Some(true)
                    && checks.sets_checked_after_timing.is_some()
                    && checks.sets_checked_after_timing >= checks.input_sets
            })
        },
    );
    blocks(
        rows,
        reasons,
        "rotation-unproven",
        &format!(
            "nothing says that the calls of a sample had different inputs and poisoned outputs (`checks.input_sets`, `checks.poisoned_between`): a cache of the content would not be seen; rotate {FEWEST_INPUT_SETS} input sets at least"
        ),
        &|row| {
            let is_one_call = row
                .line
                .is_some_and(|line| inner_iterations(line) == (Some(1), Some(1)));
            let needed = if is_one_call { 1 } else { FEWEST_INPUT_SETS };
            checks(row).is_some_and(|checks| {
                checks.input_sets >= Some(needed) && checks.poisoned_between == Some(true)
            })
        },
    );
    blocks(
        rows,
        reasons,
        "timed-inputs-unproven",
        "the inputs were not hashed before and after every timed sample, or are always the same (`checks.timed_inputs_sha256_*`)",
        &|row| {
            checks(row).is_some_and(|checks| {
                let (before, after) = (
                    &checks.timed_inputs_sha256_before,
                    &checks.timed_inputs_sha256_after,
                );
                let is_each = trials(row, kind).is_none_or(|trials| before.len() >= trials);
                before.len() == after.len() && is_each && distinct(before) > 1
            })
        },
    );
}
