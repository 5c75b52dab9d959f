//! Evidence to a verdict: pure. The order is that of the rules: no evidence, wrong outputs, then what the times say.

use std::collections::BTreeSet;

use contracts::Finite;
use contracts::kernel_gate::dispatch::{DispatchTable, Entry};
use contracts::kernel_gate::results::Peaks;
use contracts::kernel_gate::verdict::{Deployed, TimeKind, VerdictData};

use crate::aa::aa;
use crate::amdahl::{Share, amdahl};
use crate::beside::Beside;
use crate::classify::{Judged, counts, losses};
use crate::dispatch::assign;
use crate::headline::Headline;
use crate::ledger::Ledger;
use crate::measured::{self, judged_on};
use crate::proofs::{self, Given};
use crate::reasons::Reasons;
use crate::row_set::RowSet;
use crate::{
    claimed, correctness, decide, dispatched, next_steps, rerun, roofline, row_proofs, row_validity, validity,
};

/// Everything that was given.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// Baseline against candidate.
    pub results: &'a Ledger,
    /// The rows that count.
    pub rows: Option<&'a RowSet>,
    /// The baseline against itself.
    pub aa: Option<&'a Ledger>,
    /// Rows that were measured again.
    pub reruns: Vec<&'a Ledger>,
    /// What runs where, with the hash of its file.
    pub dispatch: Option<(&'a DispatchTable, &'a str)>,
    /// Hash of the file that would be promoted.
    pub candidate_sha256: Option<&'a str>,
    /// What the device can do; takes the place of what the measurement says.
    pub peaks: Peaks,
    /// The kernel's share of the run.
    pub share: Option<Share>,
}

/// Judges.
pub fn judge(evidence: &Evidence<'_>) -> VerdictData {
    let (ledger, set) = (evidence.results, evidence.rows);
    let mut reasons = Reasons::default();
    let mut rows = measured::rows(ledger, set);
    let kind = judged_on(&rows);
    let clock = kind.unwrap_or(TimeKind::Device);

    let given = Given {
        set,
        has_aa: evidence.aa.is_some(),
        candidate_sha256: evidence.candidate_sha256,
    };
    validity::measurement("results", ledger, &mut reasons);
    let settings = ledger.provenance.first().map(|of| &of.settings);
    row_validity::check(ledger, &rows, set, kind, &mut reasons);
    let claim = claimed::check(ledger, &mut reasons);
    let aa = evidence.aa.and_then(|other| {
        let rows = measured::beside(other, set);
        Beside::Aa.check(ledger, other, &rows, &given, clock, &mut reasons);
        aa(other, &rows, set, clock, &mut reasons)
    });
    let mut incorrect = correctness::check(&rows, set, &mut reasons);

    let table = evidence.dispatch.map(|(table, _)| table);
    let assigned = table.map(|table| assign(table, &rows, set));
    let routed: BTreeSet<&str> = match (table, &assigned) {
        (Some(table), Some(assigned)) => {
            let of = |at: &Option<usize>| at.map(|at| table.buckets[at].entry);
            let routed = rows.iter().zip(assigned);
            let routed = routed.filter(|(_, at)| of(at) == Some(Entry::Baseline));
            routed.map(|(row, _)| row.id).collect()
        }
        _ => BTreeSet::new(),
    };
    let mut again = rerun::Again::default();
    for other in &evidence.reruns {
        let hash = evidence.dispatch.map(|(_, hash)| hash);
        incorrect.extend(again.take(ledger, other, clock, hash, &given, &mut reasons));
    }
    again.replace(&mut rows, &routed, clock, aa.as_ref(), &mut reasons);

    let own = ledger
        .provenance
        .first()
        .and_then(|of| of.peaks)
        .unwrap_or_default();
    let peaks = Peaks {
        bytes_per_s: evidence.peaks.bytes_per_s.or(own.bytes_per_s),
        flops_per_s: evidence.peaks.flops_per_s.or(own.flops_per_s),
    };
    roofline::check(&rows, set, peaks, clock, &mut reasons);
    proofs::whole(ledger, &given, &mut reasons);
    row_proofs::check(&rows, kind, settings, &mut reasons);

    let judged: Vec<Judged<'_>> = rows
        .iter()
        .map(|row| Judged {
            routed: routed.contains(row.id),
            measured_again: again.replaced.contains(row.id),
            ..Judged::new(row, clock, aa.as_ref(), incorrect.contains(row.id))
        })
        .collect();
    let headline = Headline::new(&judged, set, clock, aa.as_ref().map(|aa| aa.geomean.get()));
    let dispatch = table.zip(assigned.as_deref()).map(|(table, assigned)| {
        dispatched::recomputed(table, assigned, &judged, &headline, &again.behind, clock)
    });
    // A contradicted claim is a reason, so it comes before the verdict.
    let kernel = match &dispatch {
        Some(dispatch) if !decide::runs_everywhere(&judged, &headline) => (
            Deployed::Dispatch,
            dispatch.document.time_weighted.map(Finite::get),
        ),
        _ => (Deployed::Candidate, headline.weighted(clock)),
    };
    let amdahl = evidence
        .share
        .and_then(|share| amdahl(share, kernel, headline.noise_pct.unwrap_or(0.0), &mut reasons));
    let verdict = decide::verdict(&judged, &headline, dispatch.as_ref(), &mut reasons);
    let reasons = reasons.sorted();
    VerdictData {
        verdict,
        judged_on: kind,
        geomean: headline.geomean.documented(),
        time_weighted: headline.time_weighted.documented(),
        weighted_by_calls: headline.by_calls,
        reported_geomean: claim.and_then(Finite::new),
        noise_pct: headline.noise_pct.and_then(Finite::new),
        aa,
        losses: losses(&judged),
        next_actions: next_steps::steps(verdict, &reasons, &judged, dispatch.as_ref()),
        dispatch: dispatch.map(|dispatch| dispatch.document),
        amdahl,
        counts: counts(&judged),
        rows: crate::classify::documented(judged),
        reasons,
    }
}
