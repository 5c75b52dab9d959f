//! The numbers of one distribution: count, mean, spread and nearest-rank percentiles.

use crate::percentile::{nearest_rank, sort};

/// Summary of at least one value, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Number of values.
    pub count: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation (divisor n − 1); `None` for one value.
    pub stddev: Option<f64>,
    /// Smallest value.
    pub min: f64,
    /// Nearest-rank median.
    pub p50: f64,
    /// Nearest-rank 90th percentile.
    pub p90: f64,
    /// Nearest-rank 95th percentile.
    pub p95: f64,
    /// Nearest-rank 99th percentile.
    pub p99: f64,
    /// Largest value.
    pub max: f64,
}

/// Summarizes finite values in any order; `None` for no values.
pub fn summarize(values: &[f64]) -> Option<Summary> {
    let mut sorted = values.to_vec();
    sort(&mut sorted);
    summarize_sorted(&sorted)
}

/// Summarizes finite values that are already sorted ascending, without a copy; `None` for no values.
pub fn summarize_sorted(sorted: &[f64]) -> Option<Summary> {
    let at = |percentile| nearest_rank(sorted, percentile);
    Some(Summary {
        count: sorted.len(),
        mean: mean(sorted)?,
        stddev: stddev(sorted),
        min: *sorted.first()?,
        p50: at(50.0)?,
        p90: at(90.0)?,
        p95: at(95.0)?,
        p99: at(99.0)?,
        max: *sorted.last()?,
    })
}

/// Arithmetic mean; `None` for no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    let first = *values.first()?;
    // Deviations from the first value are small where the values are large: no digits are lost, and
    // the mean of equal values is exactly that value.
    let offset = values.iter().map(|v| v - first).sum::<f64>() / values.len() as f64;
    Some(first + offset)
}

/// Sample standard deviation (divisor n − 1); `None` for fewer than two values.
pub fn stddev(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let mean = mean(values)?;
    let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
    Some((squares / (values.len() - 1) as f64).sqrt())
}

/// Coefficient of variation in percent, `100 * stddev / |mean|`; `None` for fewer than two values or a zero mean.
pub fn cv_pct(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let stddev = stddev(values)?;
    (mean != 0.0).then(|| 100.0 * stddev / mean.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_to_ten() {
        let values: Vec<f64> = (1..=10).rev().map(f64::from).collect();
        let summary = summarize(&values).unwrap();
        assert_eq!(
            (summary.count, summary.mean, summary.min, summary.max),
            (10, 5.5, 1.0, 10.0)
        );
        assert_eq!(
            (summary.p50, summary.p90, summary.p95, summary.p99),
            (5.0, 9.0, 10.0, 10.0)
        );
        assert!((summary.stddev.unwrap() - (82.5_f64 / 9.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn few_values_have_no_spread() {
        assert_eq!(summarize(&[]), None);
        assert_eq!(summarize(&[3.0]).unwrap().stddev, None);
        assert_eq!(cv_pct(&[3.0]), None);
        assert_eq!(cv_pct(&[-1.0, 1.0]), None);
        assert!((cv_pct(&[98.0, 102.0]).unwrap() - 2.0 * 2.0_f64.sqrt()).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn stays_within_its_bounds(values in proptest::collection::vec(-1e9..1e9, 1..60)) {
            let s = summarize(&values).unwrap();
            prop_assert!(s.min <= s.p50 && s.p50 <= s.p90 && s.p90 <= s.p95 && s.p95 <= s.p99 && s.p99 <= s.max);
            prop_assert!(s.min - 1e-3 <= s.mean && s.mean <= s.max + 1e-3);
            prop_assert_eq!(s.stddev.is_some(), values.len() > 1);
        }

        #[test]
        fn equal_values_have_no_spread(value in -1e9..1e9, count in 2..40usize) {
            let s = summarize(&vec![value; count]).unwrap();
            prop_assert_eq!((s.mean, s.stddev, s.p99), (value, Some(0.0), value));
        }
    }
}
