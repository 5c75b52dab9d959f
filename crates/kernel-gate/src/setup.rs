//! Whether two measurements were made in one place: on one device and machine, of the same rows and sources.

use contracts::kernel_gate::results::{Provenance, Side, Sides};
use contracts::kernel_gate::verdict::Effect;

use crate::reasons::Reasons;

/// Two measurements that are put together come from one device, one machine and one source.
pub(crate) fn check(
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
pub(crate) fn differ(a: &Option<String>, b: &Option<String>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a != b)
}
