//! Evidence about the whole measurement without which nothing is promoted: each trick that no number shows has a proof here, or in
//! `row_proofs`, that it was not played.

use contracts::kernel_gate::results::{Provenance, Side};
use contracts::kernel_gate::verdict::Effect;

use crate::idle::{Before, before};
use crate::ledger::Ledger;
use crate::reasons::Reasons;
use crate::row_set::RowSet;
use crate::setup::device_of;

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
    let frozen = given.set.and_then(|set| set.data.baseline_sha256.as_deref());
    let measured = sides.baseline.source_sha256.as_deref();
    if frozen
        .zip(measured)
        .is_some_and(|(frozen, measured)| !is_hash(measured, frozen))
    {
        reasons.add(
            Effect::Invalid,
            "baseline-changed",
            "the baseline that was measured is not the one that was frozen with the rows",
        );
    }
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
