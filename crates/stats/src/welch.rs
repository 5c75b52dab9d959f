//! Welch's interval for the difference of two means with unequal noise.

use crate::{student, summary};

/// Difference of two means with its interval, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DifferenceInterval {
    /// Mean of the first minus mean of the second.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Welch-Satterthwaite degrees of freedom.
    pub degrees: f64,
}

/// Interval of mean(a) − mean(b) with two-sided error `alpha`, noise estimated per side.
///
/// On logarithms of runs this is the ratio of geometric means. `None` when a side has fewer than two values.
pub fn difference_interval(a: &[f64], b: &[f64], alpha: f64) -> Option<DifferenceInterval> {
    let estimate = summary::mean(a)? - summary::mean(b)?;
    let (va, vb) = (variance_of_mean(a)?, variance_of_mean(b)?);
    let total = va + vb;
    if total == 0.0 {
        let degrees = (a.len() + b.len() - 2) as f64;
        return Some(DifferenceInterval {
            estimate,
            low: estimate,
            high: estimate,
            degrees,
        });
    }
    let degrees = total * total / (va * va / (a.len() - 1) as f64 + vb * vb / (b.len() - 1) as f64);
    let half = student::quantile(1.0 - alpha / 2.0, degrees) * total.sqrt();
    Some(DifferenceInterval {
        estimate,
        low: estimate - half,
        high: estimate + half,
        degrees,
    })
}

fn variance_of_mean(values: &[f64]) -> Option<f64> {
    let stddev = summary::stddev(values)?;
    Some(stddev * stddev / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn textbook_example() {
        // Two samples of the Wikipedia article on Welch's t-test, example 1: t = -2.46, 25.0 degrees of freedom.
        let a = [
            27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4,
        ];
        let b = [
            27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4,
        ];
        let result = difference_interval(&a, &b, 0.05).unwrap();
        assert!((result.degrees - 25.0).abs() < 0.1, "{}", result.degrees);
        let standard_error = (result.high - result.estimate) / student::quantile(0.975, result.degrees);
        assert!((result.estimate / standard_error + 2.46).abs() < 0.01);
    }

    #[test]
    fn degenerate_sides() {
        assert_eq!(difference_interval(&[1.0], &[1.0, 2.0], 0.05), None);
        let equal = difference_interval(&[2.0, 2.0], &[1.0, 1.0], 0.05).unwrap();
        assert_eq!((equal.low, equal.high), (1.0, 1.0));
    }
}
