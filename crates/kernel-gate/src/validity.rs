//! What makes a measurement no evidence: of the whole, then of its rows.

use std::collections::BTreeSet;

use contracts::fields::{canonical, sha256_hex};
use contracts::kernel_gate::results::{Provenance, Side, Sides};
use contracts::kernel_gate::verdict::{Effect, TimeKind};
use contracts::text::clean;

use crate::headline::geomean;
use crate::idle::{Before, before};
use crate::ledger::Ledger;
use crate::measured::Measured;
use crate::reasons::Reasons;
use crate::row_set::RowSet;
use crate::thresholds::{FEWEST_TRIALS, HIDDEN_PART, HIDDEN_US, RATIO, SPREADS};
use crate::times::{Fault, Sampled};

/// What holds for any measurement by itself; `what` names it.
pub(crate) fn measurement(what: &str, ledger: &Ledger, reasons: &mut Reasons) {
    let invalid = |reasons: &mut Reasons, code: &str, message: String| {
        reasons.add(Effect::Invalid, code, format!("{what}: {message}"));
    };
    let provenance = match ledger.provenance.as_slice() {
        [one] => one,
        [] => {
            invalid(
                reasons,
                "provenance-missing",
                "nothing says how it was measured".to_owned(),
            );
            return;
        }
        many => {
            let message = format!("{} measurements in one file", many.len());
            return invalid(reasons, "provenance-twice", message);
        }
    };
    for conflict in provenance.conflicts.iter().take(5) {
        invalid(reasons, "measured-on-several", clean(conflict, 200));
    }
    if let Some(sides) = &provenance.sides {
        let (a, b) = (&sides.baseline, &sides.candidate);
        let several = |told: [&Option<String>; 3]| {
            let told: BTreeSet<&str> = told.iter().filter_map(|told| told.as_deref()).collect();
            told.len() > 1
        };
        if several([&provenance.gpu_uuid, &a.gpu_uuid, &b.gpu_uuid])
            || several([&provenance.host, &a.host, &b.host])
        {
            invalid(
                reasons,
                "other-gpu",
                "the sides ran on different devices or machines".to_owned(),
            );
        }
        if let Some(only) = one_sided(a.flags.as_deref(), b.flags.as_deref()) {
            invalid(reasons, "flags-differ", format!("flags of one side only: {only}"));
        }
        if a.wrapper.is_some() && b.wrapper.is_some() && a.wrapper != b.wrapper {
            let message = format!(
                "the baseline is called through {}, the candidate through {}",
                layers(a),
                layers(b)
            );
            invalid(reasons, "wrapper-differs", message);
        }
        for (side, name) in [(a, "baseline"), (b, "candidate")] {
            if differ(&side.source_sha256, &side.source_sha256_after) {
                invalid(
                    reasons,
                    "source-changed",
                    format!("the source of the {name} changed while it was measured"),
                );
            }
        }
    }
    if let Some(trials) = provenance
        .settings
        .num_trials
        .filter(|trials| *trials < FEWEST_TRIALS as u64)
    {
        invalid(
            reasons,
            "too-few-trials",
            format!("{trials} trials of each side; {FEWEST_TRIALS} at least"),
        );
    }
    if let Before::Busy(words) = before(provenance) {
        invalid(
            reasons,
            "gpu-busy",
            format!("the device was not idle before: {words}"),
        );
    }
    let mut ids = BTreeSet::new();
    let lines = ledger.results.iter();
    let twice: Vec<&str> = lines
        .map(|line| line.id.as_str())
        .filter(|id| !ids.insert(*id))
        .collect();
    reasons.rows(
        Effect::Invalid,
        "row-twice",
        &twice,
        format!("{what}: measured more than once: which one counts?"),
    );
    let told = ledger.summaries.iter().filter_map(|summary| summary.total);
    if let Some(told) = told
        .chain(provenance.workload_count)
        .max()
        .filter(|told| *told > ledger.results.len() as u64)
    {
        let message = format!("{told} rows were measured, {} are there", ledger.results.len());
        invalid(reasons, "rows-dropped", message);
    }
}

/// Two measurements that are put together come from one device, one machine and one source.
pub(crate) fn same_setup(
    what: &str,
    first: &Provenance,
    other: &Provenance,
    with_candidate: bool,
    reasons: &mut Reasons,
) {
    type Told = fn(&Provenance) -> Option<String>;
    let told: [(&str, Told); 3] = [
        ("device", |of| of.gpu.clone()),
        ("device", |of| {
            device_of(of, |side| side.gpu_uuid.clone(), of.gpu_uuid.clone())
        }),
        ("machine", |of| {
            device_of(of, |side| side.host.clone(), of.host.clone())
        }),
    ];
    if let Some((name, _)) = told.iter().find(|(_, told)| differ(&told(first), &told(other))) {
        reasons.add(
            Effect::Invalid,
            "other-gpu",
            format!("{what}: measured on another {name}"),
        );
    }
    if differ(&first.workloads_sha256, &other.workloads_sha256) {
        reasons.add(
            Effect::Invalid,
            "rows-not-frozen",
            format!("{what}: measured with another row set"),
        );
    }
    let hash = |of: &Provenance, side: fn(&Sides) -> &Side| {
        of.sides
            .as_ref()
            .and_then(|sides| side(sides).source_sha256.clone())
    };
    if differ(
        &hash(first, |sides| &sides.baseline),
        &hash(other, |sides| &sides.baseline),
    ) {
        reasons.add(
            Effect::Invalid,
            "stale-hash",
            format!("{what}: the baseline is another one"),
        );
    }
    let candidates = (
        hash(first, |sides| &sides.candidate),
        hash(other, |sides| &sides.candidate),
    );
    if with_candidate && differ(&candidates.0, &candidates.1) {
        reasons.add(
            Effect::Invalid,
            "stale-hash",
            format!("{what}: the candidate is another one"),
        );
    }
}

/// Where a measurement ran: said once, or by a side.
pub(crate) fn device_of(
    of: &Provenance,
    side: fn(&Side) -> Option<String>,
    once: Option<String>,
) -> Option<String> {
    once.or_else(|| side(&of.sides.as_ref()?.candidate))
}

/// Both are known, and not the same.
fn differ(a: &Option<String>, b: &Option<String>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a != b)
}

/// Flags that one side has and the other has not; `None` where all are the same or one side is not known. Paths in them are of
/// somebody's machine, and are left out.
fn one_sided(a: Option<&[String]>, b: Option<&[String]>) -> Option<String> {
    let (a, b) = (a?, b?);
    if a == b {
        return None;
    }
    let (a, b): (BTreeSet<_>, BTreeSet<_>) = (a.iter().collect(), b.iter().collect());
    let plain = |flag: &&String| match flag.split_once('/') {
        Some((before, _)) => format!("{before}…"),
        None => flag.to_string(),
    };
    let only: Vec<String> = a.symmetric_difference(&b).map(plain).collect();
    // The last of two flags that contradict each other counts.
    Some(match only.as_slice() {
        [] => "the same ones in another order, or more often".to_owned(),
        only => clean(&only.join(" "), 200),
    })
}

fn layers(side: &Side) -> String {
    let layers = side.wrapper.as_deref().unwrap_or_default();
    match layers {
        [] => "nothing".to_owned(),
        layers => clean(&layers.join(" > "), 120),
    }
}

/// What is wrong with rows.
pub(crate) fn rows(
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

/// Printed ratios have four digits or more.
fn same(said: f64, recounted: f64) -> bool {
    said > 0.0 && (said / recounted - 1.0).abs() <= RATIO
}

/// The geometric mean that the measurement claims, held against the rows: all that are said to be production, or those of
/// them that passed.
pub(crate) fn claimed(ledger: &Ledger, reasons: &mut Reasons) -> Option<f64> {
    let claim = ledger
        .summaries
        .iter()
        .filter_map(|summary| summary.headline?.geomean_speedup)
        .next_back()?;
    let over = |only_passed: bool| {
        let lines = ledger
            .results
            .iter()
            .filter(|line| line.production.unwrap_or(true) && (!only_passed || line.status == "PASSED"));
        geomean(lines.filter_map(|line| {
            let row = Measured::new(&line.id, true, Some(line));
            Some(row.device.or(row.wall)?.speedup())
        }))
    };
    let fits = [over(true), over(false)]
        .into_iter()
        .flatten()
        .any(|recounted| same(claim, recounted));
    if !fits {
        let recounted = over(false).map_or_else(|| "nothing".to_owned(), |mean| format!("{mean:.4}"));
        reasons.add(
            Effect::Invalid,
            "geomean-edited",
            format!("the summary claims a geometric mean of {claim:.4}; its rows give {recounted}"),
        );
    }
    Some(claim)
}
