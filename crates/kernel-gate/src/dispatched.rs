//! A dispatch held against what was measured: what it gains, and what is missing before it can be shipped.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::kernel_gate::dispatch::DispatchTable;
use contracts::kernel_gate::verdict::{Dispatch, Effect, TimeKind};

use crate::classify::Judged;
use crate::dispatch::buckets;
use crate::headline::{Headline, geomean};
use crate::measured::Measured;
use crate::reasons::Reasons;
use crate::thresholds::{ROUTED_PCT, UNSTABLE_PCT};

/// A dispatch with what it still lacks.
pub(crate) struct Dispatched {
    pub(crate) document: Dispatch,
    /// Production rows that the baseline runs.
    pub(crate) routed: usize,
    /// Of those, not measured again behind the dispatch.
    pub(crate) not_again: Vec<String>,
    /// Of those, not at 1.
    pub(crate) differ: Vec<String>,
}

/// Recomputes a dispatch: rows that the baseline runs have a speed-up of 1.
pub(crate) fn recomputed(
    table: &DispatchTable,
    assigned: &[Option<usize>],
    judged: &[Judged<'_>],
    headline: &Headline,
    behind: &BTreeMap<&str, (f64, f64)>,
    clock: TimeKind,
) -> Dispatched {
    let production = || judged.iter().filter(|row| row.measured.production);
    let has_all = production().all(|row| row.pair.is_some()) && production().next().is_some();
    let ratio = |row: &Judged<'_>| match row.routed {
        true => Some(1.0),
        false => row.speedup(),
    };
    let weighted = || headline.weighted_behind(judged, clock);
    let mean = || geomean(production().filter_map(ratio));
    let routed: Vec<&Judged<'_>> = production().filter(|row| row.routed).collect();
    let id = |row: &&Judged<'_>| row.measured.id.to_owned();
    let is_off = |row: &&&Judged<'_>| {
        behind.get(row.measured.id).is_some_and(|(speedup, noise)| {
            100.0 * (speedup - 1.0).abs() > noise.clamp(ROUTED_PCT, UNSTABLE_PCT)
        })
    };
    let not_again: Vec<String> = routed
        .iter()
        .filter(|row| !behind.contains_key(row.measured.id))
        .map(id)
        .collect();
    let measured: Vec<Measured<'_>> = judged.iter().map(|row| row.measured.clone()).collect();
    let in_no_bucket = judged.iter().zip(assigned);
    let in_no_bucket = in_no_bucket.filter(|(row, at)| row.measured.production && at.is_none());
    Dispatched {
        routed: routed.len(),
        differ: routed.iter().filter(is_off).map(id).collect(),
        document: Dispatch {
            buckets: buckets(table, &measured, assigned, clock),
            geomean: has_all.then(mean).flatten().and_then(Finite::new),
            time_weighted: has_all.then(weighted).flatten().and_then(Finite::new),
            routed_measured_again: (routed.len() - not_again.len()) as u64,
            rows_in_no_bucket: in_no_bucket.map(|(row, _)| row.measured.id.to_owned()).collect(),
        },
        not_again,
    }
}

impl Dispatched {
    /// Whether something is missing before it can be shipped, with the reasons.
    pub(crate) fn lacks(&self, reasons: &mut Reasons) -> bool {
        let mut lacks = |code: &str, rows: &[String], message: &str| {
            let ids: Vec<&str> = rows.iter().map(String::as_str).collect();
            reasons.rows(Effect::BlocksPromotion, code, &ids, message);
            !rows.is_empty()
        };
        let open = lacks(
            "dispatch-not-total",
            &self.document.rows_in_no_bucket,
            "no bucket of the dispatch takes them",
        );
        let unproven = lacks(
            "routed-not-measured-again",
            &self.not_again,
            "the baseline runs them, and they were not measured again behind the dispatch",
        );
        let off = lacks(
            "routed-rows-differ",
            &self.differ,
            "behind the dispatch they are not at 1: the dispatch costs, or does not route",
        );
        open || unproven || off
    }
}
