//! Student's t distribution.

use crate::special::beta_regularized;

/// Probability that a t value with `degrees` of freedom is at most `t`.
pub fn cdf(t: f64, degrees: f64) -> f64 {
    let tail = 0.5 * beta_regularized(degrees / (degrees + t * t), degrees / 2.0, 0.5);
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// The value below which a t value with `degrees` of freedom falls with `probability`.
///
/// # Panics
/// When `probability` is not strictly between 0 and 1, or `degrees` is not positive.
pub fn quantile(probability: f64, degrees: f64) -> f64 {
    assert!(
        probability > 0.0 && probability < 1.0,
        "a probability lies strictly between 0 and 1"
    );
    assert!(degrees > 0.0, "degrees of freedom are positive");
    if probability < 0.5 {
        return -quantile(1.0 - probability, degrees);
    }
    let (mut low, mut high) = (0.0, 2.0);
    while cdf(high, degrees) < probability && high < 1e300 {
        low = high;
        high *= 4.0;
    }
    // Bisection: never diverges, and nothing hot calls this.
    for _ in 0..120 {
        let middle = 0.5 * (low + high);
        if cdf(middle, degrees) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
        for (degrees, p, t) in [
            (1.0, 0.975, 12.706),
            (4.0, 0.975, 2.776),
            (7.0, 0.995, 3.499),
            (10.0, 0.95, 1.812),
            (30.0, 0.999, 3.385),
            (100.0, 0.975, 1.984),
        ] {
            assert!(
                (quantile(p, degrees) - t).abs() < 6e-4,
                "{degrees} {p}: {}",
                quantile(p, degrees)
            );
        }
        assert!((cdf(1.0, 1.0) - 0.75).abs() < 1e-14);
        assert!((quantile(0.025, 4.0) + 2.776).abs() < 6e-4);
    }
}
