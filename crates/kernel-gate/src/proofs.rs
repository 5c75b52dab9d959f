//! Evidence without which nothing is promoted: each trick that no number shows has a proof here that it was not played.

use contracts::kernel_gate::verdict::{Effect, TimeKind};

use crate::correctness::distinct;
use crate::idle::{Before, before};
use crate::ledger::{Checks, Ledger, Provenance, Side};
use crate::measured::Measured;
use crate::reasons::Reasons;
use crate::row_set::RowSet;
use crate::times::Pair;
use crate::validity::device_of;

/// Spread of the wall times in which nothing can hide, percent.
const MOST_WALL_CV_PCT: f64 = 10.0;

/// What the caller gave beside the results.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) set: Option<&'a RowSet>,
    pub(crate) has_aa: bool,
    /// Hash of the candidate's file.
    pub(crate) candidate_sha256: Option<&'a str>,
}

/// What is missing of the whole, and what contradicts what was given.
pub(crate) fn whole(ledger: &Ledger, given: &Given<'_>, reasons: &mut Reasons) {
    let blocks = |reasons: &mut Reasons, code: &str, message: &str| {
        reasons.add(Effect::BlocksPromotion, code, message);
    };
    let Some(provenance) = ledger.provenance.first() else {
        return;
    };
    match (given.set, &provenance.workloads_sha256) {
        (None, _) => blocks(
            reasons,
            "rows-own",
            "the rows are the file's own: give the row set that was frozen with --workloads",
        ),
        (Some(_), None) => blocks(
            reasons,
            "rows-unproven",
            "the measurement does not name the hash of its row set (`workloads_sha256`)",
        ),
        (Some(set), Some(hash)) if !is_hash(hash, &set.data.workloads_sha256) => reasons.add(
            Effect::Invalid,
            "rows-not-frozen",
            "the row set is not the one that was measured: its hash is another",
        ),
        _ => {}
    }
    if !given.has_aa {
        blocks(
            reasons,
            "aa-missing",
            "no A/A: measure the baseline against itself and give it with --aa",
        );
    }
    sides(provenance, given, reasons);
    let settings = &provenance.settings;
    if settings.num_trials.is_none() {
        blocks(
            reasons,
            "trials-unproven",
            "nothing says how many trials were run (`settings.num_trials`): some could be left out",
        );
    }
    if before(provenance) == Before::Unknown {
        blocks(
            reasons,
            "idle-unproven",
            "nothing says that the device was idle before (`idle_before`)",
        );
    }
    if settings.isolated != Some(true) {
        blocks(
            reasons,
            "not-isolated",
            "rows were not each measured in a process of their own (`settings.isolated`)",
        );
    }
    if settings.order.as_deref() != Some("ABBA") {
        blocks(
            reasons,
            "order-unproven",
            "nothing says that the sides were interleaved (`settings.order` is not ABBA)",
        );
    }
    if settings.synchronize.as_deref() != Some("device") {
        blocks(
            reasons,
            "other-streams-unproven",
            "nothing says that wall times wait for the whole device (`settings.synchronize`): work on another stream would not be seen",
        );
    }
}

fn sides(provenance: &Provenance, given: &Given<'_>, reasons: &mut Reasons) {
    let sides = provenance.sides.clone().unwrap_or_default();
    let both = |told: &dyn Fn(&Side) -> bool| told(&sides.baseline) && told(&sides.candidate);
    let mut needs = |code: &str, is: bool, message: &str| {
        if !is {
            reasons.add(Effect::BlocksPromotion, code, message);
        }
    };
    needs(
        "device-unproven",
        provenance.gpu.is_some()
            && device_of(provenance, |side| side.host.clone(), provenance.host.clone()).is_some()
            && (is_cpu(provenance)
                || device_of(
                    provenance,
                    |side| side.gpu_uuid.clone(),
                    provenance.gpu_uuid.clone(),
                )
                .is_some()),
        "nothing says on which device and machine both sides ran (`gpu`, `gpu_uuid`, `host`)",
    );
    needs(
        "flags-unproven",
        both(&|side| side.flags.is_some()),
        "the flags of both sides are not recorded (`sides.*.flags`): fast math on one of them would not be seen",
    );
    needs(
        "wrapper-unproven",
        both(&|side| side.wrapper.is_some()),
        "the layers around both kernels are not recorded (`sides.*.wrapper`)",
    );
    needs(
        "hash-unproven",
        both(&|side| side.source_sha256.is_some() && side.source_sha256_after.is_some()),
        "the sources are not hashed before and after (`sides.*.source_sha256`, `source_sha256_after`)",
    );
    match (given.candidate_sha256, &sides.candidate.source_sha256) {
        (None, _) => reasons.add(
            Effect::BlocksPromotion,
            "candidate-not-checked",
            "give the file that would be promoted with --candidate: its hash has to be the one that was measured",
        ),
        (Some(file), Some(measured)) if !is_hash(measured, file) => reasons.add(
            Effect::Invalid,
            "stale-hash",
            "the candidate that was measured is not the file that was given",
        ),
        _ => {}
    }
}

/// A harness without a GPU names the processor so.
pub(crate) fn is_cpu(provenance: &Provenance) -> bool {
    provenance
        .gpu
        .as_deref()
        .is_some_and(|gpu| gpu.starts_with("CPU"))
}

/// Ledgers print hashes with or without their name, and cut to 12 digits at least.
fn is_hash(said: &str, hash: &str) -> bool {
    let plain = |hash: &str| hash.strip_prefix("sha256:").unwrap_or(hash).to_ascii_lowercase();
    let (said, hash) = (plain(said), plain(hash));
    said.len() >= 12 && hash.starts_with(&said)
}

/// What is missing of production rows that passed.
pub(crate) fn rows(rows: &[Measured<'_>], kind: Option<TimeKind>, reasons: &mut Reasons) {
    let passed = || {
        rows.iter()
            .filter(|row| row.production && row.status() == "PASSED")
    };
    let without = |is_proven: &dyn Fn(&Measured<'_>) -> bool| -> Vec<&str> {
        passed().filter(|row| !is_proven(row)).map(|row| row.id).collect()
    };
    let checked = |is_proven: fn(&Checks) -> bool| {
        move |row: &Measured<'_>| {
            row.line
                .and_then(|line| line.checks.as_ref())
                .is_some_and(is_proven)
        }
    };
    let dry: Vec<&str> = passed()
        .filter(|row| row.line.and_then(|line| line.checks.as_ref()?.poisoned) == Some(false))
        .map(|row| row.id)
        .collect();
    reasons.rows(
        Effect::Invalid,
        "not-poisoned",
        &dry,
        "outputs were not poisoned before they were compared",
    );
    let mut blocks = |code: &str, message: &str, is_proven: &dyn Fn(&Measured<'_>) -> bool| {
        reasons.rows(Effect::BlocksPromotion, code, &without(is_proven), message);
    };
    blocks(
        "row-unproven",
        "the line does not say which row was measured (`workload`)",
        &|row| row.line.is_some_and(|line| line.workload.is_some()),
    );
    blocks(
        "samples-unproven",
        "no samples to recount the medians from",
        &|row| kind.is_some_and(|kind| row.pair(kind).is_some_and(|pair| pair.trials().is_some())),
    );
    if kind == Some(TimeKind::Device) {
        blocks(
            "wall-unproven",
            "no wall times of all trials beside the device times: work on another stream would not be seen",
            &|row| {
                let trials = |kind| row.pair(kind).and_then(|pair: &Pair| pair.trials());
                row.wall.is_some() && trials(TimeKind::Wall) >= trials(TimeKind::Device)
            },
        );
        blocks(
            "wall-unstable",
            "wall times spread by more than 10 %: work on another stream could hide in them",
            &|row| {
                row.wall
                    .is_none_or(|wall| wall.cv_pct().is_none_or(|cv| cv <= MOST_WALL_CV_PCT))
            },
        );
    }
    blocks(
        "poison-unproven",
        "nothing says that outputs were poisoned before they were compared (`checks.poisoned`)",
        &checked(|checks| checks.poisoned.is_some()),
    );
    blocks(
        "inputs-unproven",
        "no hashes of the inputs before and after each compared run (`checks.inputs_sha256_*`)",
        &checked(|checks| {
            !checks.inputs_sha256_before.is_empty()
                && checks.inputs_sha256_before.len() == checks.inputs_sha256_after.len()
        }),
    );
    blocks(
        "outputs-unproven",
        "no outputs of two different inputs (`checks.seeds`, `checks.*_outputs_sha256`): a cache would not be seen",
        &checked(|checks| {
            distinct(&checks.seeds) > 1
                && distinct(&checks.inputs_sha256_before) > 1
                && checks.candidate_outputs_sha256.len() == checks.seeds.len()
                && checks.baseline_outputs_sha256.len() == checks.seeds.len()
                && checks.inputs_sha256_before.len() == checks.seeds.len()
                && distinct(&checks.baseline_outputs_sha256) > 1
        }),
    );
    blocks(
        "timed-outputs-unproven",
        "outputs were not compared once more after the timed loop (`checks.checked_after_timing`)",
        &checked(|checks| checks.checked_after_timing == Some(true)),
    );
    blocks(
        "match-unproven",
        "nothing says how many outputs are within tolerance (`checks.matched_ratio`, `checks.nonfinite`)",
        &checked(|checks| {
            let is_part = checks
                .matched_ratio
                .is_some_and(|ratio| (0.0..=1.0).contains(&ratio));
            is_part && checks.nonfinite.is_some()
        }),
    );
}
