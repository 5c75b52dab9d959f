//! `METRIC<=NUMBER` and `METRIC>=NUMBER`: how objectives and limits are written, for whoever sets, judges or checks them.

/// A number that a metric may not pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// True for `<=`.
    at_most: bool,
    /// The number; finite.
    value: f64,
}

impl Bound {
    /// The name of the metric and the bound on it; `None` without exactly one of the signs and a finite number after it.
    /// The name is not looked up.
    pub fn split(rule: &str) -> Option<(&str, Bound)> {
        let (metric, at_most, value) = match (rule.split_once("<="), rule.split_once(">=")) {
            (Some((metric, value)), None) => (metric, true, value),
            (None, Some((metric, value))) => (metric, false, value),
            _ => return None,
        };
        let value: f64 = value.trim().parse().ok()?;
        value
            .is_finite()
            .then_some((metric.trim(), Bound { at_most, value }))
    }

    /// Whether a value keeps to it.
    pub fn admits(self, value: f64) -> bool {
        if self.at_most {
            value <= self.value
        } else {
            value >= self.value
        }
    }

    /// True for `<=`.
    pub fn is_at_most(self) -> bool {
        self.at_most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sign_and_a_finite_number() {
        let (metric, bound) = Bound::split(" p50_ttft_ms <= 2000 ").unwrap();
        assert_eq!(metric, "p50_ttft_ms");
        assert!(bound.is_at_most() && bound.admits(2000.0) && !bound.admits(2000.1));
        let (_, bound) = Bound::split("output_tps>=100").unwrap();
        assert!(!bound.is_at_most() && bound.admits(100.0) && !bound.admits(99.9));
        for bad in ["a<2", "a<=", "a>=inf", "a<=NaN", "a<=1>=2", ""] {
            assert_eq!(Bound::split(bad), None, "{bad}");
        }
    }
}
