//! What makes rows no evidence: times that do not fit each other, their samples, or what was frozen.

use contracts::fields::{canonical, sha256_hex};
use contracts::kernel_gate::verdict::{Effect, TimeKind};

use crate::ledger::Ledger;
use crate::measured::Measured;
use crate::reasons::Reasons;
use crate::row_set::RowSet;
use crate::thresholds::{FEWEST_TRIALS, HIDDEN_PART, HIDDEN_US, SPREADS};
use crate::times::{Fault, Sampled, same};

/// What is wrong with rows.
pub(crate) fn check(
    ledger: &Ledger,
    rows: &[Measured<'_>],
    set: Option<&RowSet>,
    kind: Option<TimeKind>,
    reasons: &mut Reasons,
) {
    let of = |is: &dyn Fn(&Measured<'_>) -> bool| -> Vec<&str> {
        rows.iter().filter(|row| is(row)).map(|row| row.id).collect()
    };
    let mut invalid = |code: &str, message: &str, is: &dyn Fn(&Measured<'_>) -> bool| {
        reasons.rows(Effect::Invalid, code, &of(is), message);
    };
    let fault = |fault: Fault| move |row: &Measured<'_>| row.faults.contains(&fault);
    let passed = |row: &Measured<'_>| row.status() == "PASSED";
    let planned = ledger.provenance.first().and_then(|of| of.settings.num_trials);
    let trials = |row: &Measured<'_>| kind.and_then(|kind| row.pair(kind)?.trials());
    invalid(
        "rows-missing",
        "production rows of the row set that were not measured",
        &|row| row.production && row.line.is_none(),
    );
    invalid(
        "row-failed",
        "ended with an error, a timeout or a status that is not known",
        &|row| row.line.is_some() && !matches!(row.status(), "PASSED" | "INCORRECT"),
    );
    invalid(
        "time-not-positive",
        "a time is not a positive number",
        &fault(Fault::NotPositive),
    );
    invalid(
        "samples-do-not-fit",
        "median, mean or minimum is not that of the samples: samples were left out or numbers edited",
        &fault(Fault::DoesNotFit),
    );
    invalid(
        "samples-copied",
        "all samples of a side, or the two sides, are the same to the last bit: they were copied",
        &fault(Fault::Copied),
    );
    invalid(
        "too-few-trials",
        &format!("fewer than {FEWEST_TRIALS} samples of a side"),
        &|row| trials(row).is_some_and(|trials| trials < FEWEST_TRIALS),
    );
    invalid(
        "samples-missing",
        "fewer samples than the trials that were run, or than those of the other side",
        &|row| {
            let sides = kind
                .and_then(|kind| row.pair(kind))
                .map(|pair| (pair.baseline.trials, pair.candidate.trials));
            let is_short = trials(row)
                .zip(planned)
                .is_some_and(|(trials, planned)| (trials as u64) < planned);
            is_short || matches!(sides, Some((Some(a), Some(b))) if a != b)
        },
    );
    invalid(
        "times-missing",
        "passed, and without a time of both sides by the clock that decides",
        &|row| {
            row.production
                && passed(row)
                && row.faults.is_empty()
                && kind.is_none_or(|kind| row.pair(kind).is_none())
        },
    );
    invalid(
        "speedup-edited",
        "the speed-up that is said is not that of the times",
        &|row| {
            let said = row.line.and_then(|line| line.speedup);
            let times = row.device.as_ref().or(row.wall.as_ref());
            said.zip(times)
                .is_some_and(|(said, pair)| !same(said, pair.speedup()))
        },
    );
    invalid(
        "row-changed",
        "measured with other fields than those of the row set",
        &|row| {
            let measured = row.line.and_then(|line| line.workload.as_ref());
            let frozen = set.and_then(|set| set.row(row.id));
            measured
                .zip(frozen)
                .is_some_and(|(measured, frozen)| sha256_hex(canonical(measured).as_bytes()) != frozen.sha256)
        },
    );
    invalid(
        "clocks-contradict",
        "a side's wall time is shorter than its device time: one of the clocks does not show the work",
        &|row| {
            let Some((device, wall)) = row.device.as_ref().zip(row.wall.as_ref()) else {
                return false;
            };
            let sides = [
                (device.baseline, wall.baseline),
                (device.candidate, wall.candidate),
            ];
            sides.iter().any(|(device, wall)| {
                let least = (HIDDEN_PART * device.median)
                    .max(HIDDEN_US)
                    .max(spread(&[*device, *wall]));
                device.median - wall.median > least
            })
        },
    );
    invalid(
        "work-outside-events",
        "the candidate's wall time has work in it that its device events do not see, as on another stream",
        &|row| {
            let Some((device, wall)) = row.device.as_ref().zip(row.wall.as_ref()) else {
                return false;
            };
            let gap = wall.candidate.median - device.candidate.median;
            let of_baseline = (wall.baseline.median - device.baseline.median).max(0.0);
            // In the 172 rows of a real measurement in one loop the largest is 1 %, in another, with a loop for each clock,
            // 10.5 % within a spread twice that.
            let spread = spread(&[wall.candidate, wall.baseline, device.candidate, device.baseline]);
            gap - of_baseline > (HIDDEN_PART * wall.candidate.median).max(HIDDEN_US).max(spread)
        },
    );
}

/// Twice the standard deviation of a sum of medians, microseconds.
fn spread(sides: &[Sampled]) -> f64 {
    let squares = sides
        .iter()
        .map(|side| (side.median * side.cv_pct.unwrap_or(0.0) / 100.0).powi(2));
    SPREADS * squares.sum::<f64>().sqrt()
}
