//! The mean that a measurement prints of itself.

use contracts::kernel_gate::verdict::Effect;

use crate::headline::geomean;
use crate::ledger::Ledger;
use crate::measured::Measured;
use crate::reasons::Reasons;
use crate::times::same;

/// The geometric mean that the measurement claims, held against the rows: all that are said to be production, or those of
/// them that passed.
pub(crate) fn check(ledger: &Ledger, reasons: &mut Reasons) -> Option<f64> {
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
