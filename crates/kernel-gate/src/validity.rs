//! What makes a measurement as a whole no evidence.

use std::collections::BTreeSet;

use contracts::kernel_gate::results::Side;
use contracts::kernel_gate::verdict::Effect;
use contracts::text::clean;

use crate::idle::{Before, before};
use crate::ledger::Ledger;
use crate::reasons::Reasons;
use crate::setup::differ;
use crate::thresholds::FEWEST_TRIALS;

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
