//! The baseline against itself: what the protocol says where there is no difference.

use contracts::Finite;
use contracts::kernel_gate::results::Provenance;
use contracts::kernel_gate::verdict::{Aa, Effect, TimeKind};

use crate::correctness;
use crate::headline::geomean;
use crate::ledger::Ledger;
use crate::measured::Measured;
use crate::reasons::Reasons;
use crate::row_set::RowSet;
use crate::thresholds::{AA_FEWEST_ROWS, AA_MEAN_PCT, AA_ROW_PCT};

/// Recounts an A/A, and says where it is none.
pub(crate) fn aa(
    ledger: &Ledger,
    rows: &[Measured<'_>],
    set: Option<&RowSet>,
    kind: TimeKind,
    reasons: &mut Reasons,
) -> Option<Aa> {
    let foreign: Vec<&str> = rows
        .iter()
        .filter(|row| set.is_some_and(|set| set.row(row.id).is_none()))
        .map(|row| row.id)
        .collect();
    reasons.rows(
        Effect::Invalid,
        "aa-other-rows",
        &foreign,
        "the A/A has them, the row set has not",
    );
    // What makes the outputs of a measurement wrong does so here, too: the baseline is held against itself.
    let incorrect = correctness::check(rows, set, &mut Reasons::default());
    let faulty: Vec<&str> = rows
        .iter()
        .filter(|row| !row.faults.is_empty() || row.status() != "PASSED" || incorrect.contains(row.id))
        .map(|row| row.id)
        .collect();
    reasons.rows(
        Effect::Invalid,
        "aa-faulty",
        &faulty,
        "of the A/A, not passed, with wrong outputs, or with samples that do not fit",
    );
    if ledger.provenance.first().is_some_and(differs) {
        reasons.add(
            Effect::Invalid,
            "aa-not-the-same",
            "both sides of the A/A have different sources, flags or wrappers: it is no A/A",
        );
    }
    let ratios: Vec<f64> = rows
        .iter()
        .filter_map(|row| Some(row.pair(kind)?.speedup()))
        .collect();
    if ratios.len() < rows.len() || ratios.is_empty() {
        reasons.add(
            Effect::Invalid,
            "aa-other-clock",
            "the A/A has no times by the clock that decides",
        );
        return None;
    }
    let production = |id: &str| set.and_then(|set| set.row(id)).is_some_and(|row| row.production);
    let covered = rows.iter().filter(|row| production(row.id)).count() as u64;
    let needed = set.map_or(0, |set| set.data.production.min(AA_FEWEST_ROWS));
    if covered < needed {
        reasons.add(
            Effect::BlocksPromotion,
            "aa-too-few-rows",
            format!("the A/A has {covered} production rows; {needed} at least say what the protocol does"),
        );
    }
    let mut away: Vec<f64> = ratios.iter().map(|ratio| 100.0 * (ratio - 1.0).abs()).collect();
    stats::percentile::sort(&mut away);
    let mean = geomean(ratios.iter().copied())?;
    let most = away.last().copied()?;
    if 100.0 * (mean - 1.0).abs() > AA_MEAN_PCT || most > AA_ROW_PCT {
        reasons.add(
            Effect::Invalid,
            "aa-off",
            format!(
                "the baseline against itself gives {mean:.4}, one row {most:.2} % from 1; at most {AA_MEAN_PCT} % and {AA_ROW_PCT} % are allowed: the protocol or the machine favours a side"
            ),
        );
    }
    let finite = Finite::new;
    Some(Aa {
        rows: ratios.len() as u64,
        geomean: finite(mean)?,
        min: finite(ratios.iter().copied().fold(f64::INFINITY, f64::min))?,
        max: finite(ratios.iter().copied().fold(0.0, f64::max))?,
        median_pct: finite(stats::percentile::linear(&away, 50.0)?)?,
        p90_pct: finite(stats::percentile::linear(&away, 90.0)?)?,
        max_pct: finite(most)?,
    })
}

/// Whether the two sides are said to be different things.
fn differs(provenance: &Provenance) -> bool {
    let Some(sides) = &provenance.sides else {
        return false;
    };
    let (a, b) = (&sides.baseline, &sides.candidate);
    a.source_sha256 != b.source_sha256 || a.flags != b.flags || a.wrapper != b.wrapper
}
