//! Evidence to a verdict: pure. The order is that of the rules: no evidence, wrong outputs, then what the times say.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Finite;
use contracts::kernel_gate::dispatch::{DispatchTable, Entry};
use contracts::kernel_gate::results::Peaks;
use contracts::kernel_gate::verdict::{ByKind, Deployed, TimeKind, VerdictData};

use crate::aa::aa;
use crate::amdahl::{Share, amdahl};
use crate::beside::Beside;
use crate::classify::{Judged, counts, losses};
use crate::dispatch::assign;
use crate::headline::{geomean, mean_noise_pct, time_weighted};
use crate::ledger::Ledger;
use crate::measured::{self, Measured, judged_on};
use crate::proofs::{self, Given};
use crate::reasons::Reasons;
use crate::row_set::RowSet;
use crate::{correctness, decide, next_steps, rerun, roofline, row_proofs, validity};

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
    validity::rows(ledger, &rows, set, kind, &mut reasons);
    let claim = validity::claimed(ledger, &mut reasons);
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
    let dispatch = table
        .zip(assigned.as_deref())
        .map(|(table, assigned)| decide::dispatch(table, assigned, &judged, &headline, &again.behind, clock));
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

/// A number for each clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Both {
    device: Option<f64>,
    wall: Option<f64>,
}

impl Both {
    fn new(of: impl Fn(TimeKind) -> Option<f64>) -> Both {
        Both {
            device: of(TimeKind::Device),
            wall: of(TimeKind::Wall),
        }
    }

    pub(crate) fn get(&self, kind: TimeKind) -> Option<f64> {
        match kind {
            TimeKind::Device => self.device,
            TimeKind::Wall => self.wall,
        }
    }

    fn documented(&self) -> ByKind {
        ByKind {
            device: self.device.and_then(Finite::new),
            wall: self.wall.and_then(Finite::new),
        }
    }
}

/// The numbers over all production rows.
#[derive(Clone, Debug)]
pub(crate) struct Headline {
    pub(crate) geomean: Both,
    pub(crate) time_weighted: Both,
    pub(crate) by_calls: bool,
    pub(crate) noise_pct: Option<f64>,
    pub(crate) clock: TimeKind,
    /// Weight of each row's time, by id.
    pub(crate) weights: BTreeMap<String, f64>,
}

impl Headline {
    fn new(judged: &[Judged<'_>], set: Option<&RowSet>, clock: TimeKind, aa: Option<f64>) -> Headline {
        let rows: Vec<&Measured<'_>> = judged
            .iter()
            .map(|row| row.measured)
            .filter(|row| row.production)
            .collect();
        let calls: Vec<Option<f64>> = rows.iter().map(|row| row.number(set, "calls")).collect();
        let by_calls = !calls.is_empty() && calls.iter().all(Option::is_some);
        let weight = |at: usize| calls[at].filter(|_| by_calls).unwrap_or(1.0);
        // Over all production rows or over none: a mean of what happens to be there is another number.
        let has_all = |kind: TimeKind| !rows.is_empty() && rows.iter().all(|row| row.pair(kind).is_some());
        let pairs = |kind: TimeKind| rows.iter().filter_map(move |row| row.pair(kind));
        let production = judged.iter().filter(|row| row.measured.production);
        let spread = mean_noise_pct(production.map(|row| row.noise_pct));
        let away = aa.map_or(0.0, |aa| 100.0 * (aa - 1.0).abs());
        Headline {
            geomean: Both::new(|kind| {
                has_all(kind).then(|| geomean(pairs(kind).map(|pair| pair.speedup())))?
            }),
            time_weighted: Both::new(|kind| {
                let weighted = pairs(kind).enumerate();
                let weighted =
                    weighted.map(|(at, pair)| (weight(at), pair.baseline.median, pair.candidate.median));
                has_all(kind).then(|| time_weighted(weighted))?
            }),
            by_calls,
            noise_pct: (!rows.is_empty()).then(|| spread.max(away)),
            clock,
            weights: rows
                .iter()
                .enumerate()
                .map(|(at, row)| (row.id.to_owned(), weight(at)))
                .collect(),
        }
    }

    /// Geometric mean by the clock that decides.
    pub(crate) fn mean(&self) -> Option<f64> {
        self.geomean.get(self.clock)
    }

    /// Time-weighted ratio by a clock.
    pub(crate) fn weighted(&self, kind: TimeKind) -> Option<f64> {
        self.time_weighted.get(kind)
    }
}
