//! Confidence interval of a mean over independent runs.

use crate::{student, summary};

/// Interval of the mean of independent values by Student's t, `(low, high)`.
///
/// `None` for fewer than two values or a confidence outside 0..1. The values are runs, not requests of
/// one run: requests share batches and are not independent.
pub fn mean_interval_t(values: &[f64], confidence: f64) -> Option<(f64, f64)> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let mean = summary::mean(values)?;
    let stddev = summary::stddev(values)?;
    let count = values.len() as f64;
    let half = student::quantile(0.5 + confidence / 2.0, count - 1.0) * stddev / count.sqrt();
    Some((mean - half, mean + half))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_runs() {
        // t(0.975, 4) = 2.776, stddev of 1..=5 = sqrt(2.5), half width = 2.776 * sqrt(2.5 / 5).
        let (low, high) = mean_interval_t(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).unwrap();
        let half = 2.776_445_105 * 0.5_f64.sqrt();
        assert!((low - (3.0 - half)).abs() < 1e-8 && (high - (3.0 + half)).abs() < 1e-8);
    }

    #[test]
    fn nothing_to_say() {
        assert_eq!(mean_interval_t(&[], 0.95), None);
        assert_eq!(mean_interval_t(&[1.0], 0.95), None);
        assert_eq!(mean_interval_t(&[1.0, 2.0], 1.0), None);
        assert_eq!(mean_interval_t(&[2.0, 2.0, 2.0], 0.95), Some((2.0, 2.0)));
    }
}
