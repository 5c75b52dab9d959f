//! The numbers over all production rows.

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
