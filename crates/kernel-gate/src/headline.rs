//! The numbers over all production rows.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::kernel_gate::verdict::{ByKind, TimeKind};

use crate::classify::Judged;
use crate::measured::Measured;
use crate::row_set::RowSet;
use crate::thresholds::LEAST_MEAN_NOISE_PCT;

/// Geometric mean; `None` for no values.
pub(crate) fn geomean(ratios: impl Iterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = ratios.map(f64::ln).collect();
    stats::summary::mean(&logs).map(f64::exp)
}

/// Noise of a mean of rows with these noises, percent.
pub(crate) fn mean_noise_pct(rows: impl Iterator<Item = f64>) -> f64 {
    let squares: Vec<f64> = rows.map(|noise| noise * noise).collect();
    let spread = squares.iter().sum::<f64>().sqrt() / squares.len().max(1) as f64;
    spread.max(LEAST_MEAN_NOISE_PCT)
}

/// sum(weight × baseline) / sum(weight × candidate); `None` for no rows.
pub(crate) fn time_weighted(rows: impl Iterator<Item = (f64, f64, f64)>) -> Option<f64> {
    let (mut baseline, mut candidate) = (0.0, 0.0);
    for (weight, of_baseline, of_candidate) in rows {
        baseline += weight * of_baseline;
        candidate += weight * of_candidate;
    }
    let ratio = baseline / candidate;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
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

    pub(crate) fn documented(&self) -> ByKind {
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
    weights: BTreeMap<String, f64>,
}

impl Headline {
    pub(crate) fn new(
        judged: &[Judged<'_>],
        set: Option<&RowSet>,
        clock: TimeKind,
        aa: Option<f64>,
    ) -> Headline {
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
    /// The same where routed rows run the baseline, over the production rows that have times.
    pub(crate) fn weighted_behind(&self, judged: &[Judged<'_>], kind: TimeKind) -> Option<f64> {
        let production = judged.iter().filter(|row| row.measured.production);
        time_weighted(production.filter_map(|row| {
            let pair = row.measured.pair(kind)?;
            let candidate = if row.routed { pair.baseline } else { pair.candidate };
            let weight = self.weights.get(row.measured.id).copied().unwrap_or(1.0);
            Some((weight, pair.baseline.median, candidate.median))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_hide_what_time_shows() {
        // A row of 100 us that loses, a row of 1 us that wins twice over.
        let geomean = geomean([100.0 / 110.0, 2.0].into_iter()).unwrap();
        let weighted = time_weighted([(1.0, 100.0, 110.0), (1.0, 2.0, 1.0)].into_iter()).unwrap();
        assert!(geomean > 1.34 && weighted < 0.92, "{geomean} {weighted}");
        assert_eq!(super::geomean(std::iter::empty()), None);
        assert_eq!(time_weighted(std::iter::empty()), None);
    }
}
