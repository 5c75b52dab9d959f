//! Gauges over a window.

use contracts::Finite;
use contracts::telemetry_fetch::metric::Quantile;

/// Fewest readings that say anything about a distribution.
pub(crate) const FEWEST: usize = 5;

/// Whether a row's gauge was read often enough for a mean: readings at the ends know nothing of what lies between them. Who
/// does not count readings has a mean of its own.
pub(crate) fn is_often(readings: Option<u64>) -> bool {
    readings.is_none_or(|readings| readings >= FEWEST as u64)
}

/// What a gauge did; values by the second they were read at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gauge {
    pub(crate) mean: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) readings: usize,
    sorted: Vec<f64>,
}

impl Gauge {
    /// `None` without a reading.
    pub(crate) fn of(points: &[(f64, f64)]) -> Option<Gauge> {
        let mut sorted: Vec<f64> = points.iter().map(|(_, value)| *value).collect();
        stats::percentile::sort(&mut sorted);
        Some(Gauge {
            mean: mean(points)?,
            min: *sorted.first()?,
            max: *sorted.last()?,
            readings: sorted.len(),
            sorted,
        })
    }

    /// Nearest-rank quantiles of the readings, when there are enough of them.
    pub(crate) fn quantiles(&self) -> Vec<Quantile> {
        if self.readings < FEWEST {
            return Vec::new();
        }
        let quantile = |q: f64| {
            let value = Finite::new(stats::percentile::nearest_rank(&self.sorted, q * 100.0)?)?;
            Some(Quantile {
                q: Finite::new(q)?,
                value,
                lo: value,
                hi: Some(value),
            })
        };
        [0.5, 0.95].into_iter().filter_map(quantile).collect()
    }

    /// Whether it never moved over enough readings.
    pub(crate) fn is_still(&self) -> Option<bool> {
        (self.readings >= FEWEST).then_some(self.min == self.max)
    }
}

/// Mean weighted by time, straight lines between readings; of readings at one moment their plain mean.
fn mean(points: &[(f64, f64)]) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    let span = last.0 - first.0;
    if span <= 0.0 {
        return Some(points.iter().map(|(_, value)| value).sum::<f64>() / points.len() as f64);
    }
    let area: f64 = points
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0)
        .sum();
    Some(area / span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_weighs() {
        // 0 for one second, then a line to 10, then 10 for eight seconds.
        let gauge = Gauge::of(&[(0.0, 0.0), (1.0, 0.0), (2.0, 10.0), (10.0, 10.0)]).unwrap();
        assert_eq!((gauge.mean, gauge.min, gauge.max), (8.5, 0.0, 10.0));
        assert!(gauge.quantiles().is_empty());
        assert_eq!(gauge.is_still(), None);
        assert_eq!(Gauge::of(&[(3.0, 4.0)]).unwrap().mean, 4.0);
        assert_eq!(Gauge::of(&[]), None);
    }

    #[test]
    fn stillness_needs_readings() {
        let still: Vec<(f64, f64)> = (0..6).map(|second| (f64::from(second), 0.99)).collect();
        let gauge = Gauge::of(&still).unwrap();
        assert_eq!(gauge.is_still(), Some(true));
        assert_eq!(gauge.quantiles().len(), 2);
    }
}
