//! Distributions, plain and weighted.

use contracts::{Distribution, Finite};

/// Distribution of plain values.
pub(crate) fn distribution(values: impl Iterator<Item = f64>) -> Distribution {
    let mut values: Vec<f64> = values.collect();
    stats::percentile::sort(&mut values);
    let Some(summary) = stats::summary::summarize_sorted(&values) else {
        return Distribution::EMPTY;
    };
    Distribution {
        count: values.len() as u64,
        mean: Finite::new(summary.mean),
        stddev: summary.stddev.and_then(Finite::new),
        min: Finite::new(summary.min),
        p50: Finite::new(summary.p50),
        p90: Finite::new(summary.p90),
        p95: Finite::new(summary.p95),
        p99: Finite::new(summary.p99),
        max: Finite::new(summary.max),
    }
}

/// Distribution of values of which each counts `weight` times: a chunk of four tokens gives its gap per token four
/// times. Weights need not be whole; `count` is their sum, rounded.
pub(super) fn weighted_distribution(mut values: Vec<(f64, f64)>) -> Distribution {
    values.retain(|(value, weight)| value.is_finite() && *weight > 0.0);
    values.sort_by(|left, right| left.0.total_cmp(&right.0));
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    let (Some(first), Some(last)) = (values.first(), values.last()) else {
        return Distribution::EMPTY;
    };
    let mean = values.iter().map(|(value, weight)| value * weight).sum::<f64>() / total;
    let squares: f64 = values
        .iter()
        .map(|(value, weight)| weight * (value - mean).powi(2))
        .sum();
    let percentile = |percent: f64| {
        // Nearest rank: the first value whose cumulative weight reaches the share. The tolerance keeps a sum of
        // fractional weights from stepping over an exact rank.
        let rank = total * percent / 100.0 - 1e-9 * total;
        let mut seen = 0.0;
        let found = values.iter().find(|(_, weight)| {
            seen += weight;
            seen >= rank
        });
        Finite::new(found.unwrap_or(last).0)
    };
    Distribution {
        count: total.round() as u64,
        mean: Finite::new(mean),
        stddev: (total > 1.0)
            .then(|| Finite::new((squares / (total - 1.0)).sqrt()))
            .flatten(),
        min: Finite::new(first.0),
        p50: percentile(50.0),
        p90: percentile(90.0),
        p95: percentile(95.0),
        p99: percentile(99.0),
        max: Finite::new(last.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_weights_are_the_same_as_repeated_values() {
        let weighted = weighted_distribution(vec![(1.0, 3.0), (5.0, 1.0), (2.0, 2.0)]);
        let plain = distribution([1.0, 1.0, 1.0, 5.0, 2.0, 2.0].into_iter());
        assert_eq!(weighted, plain);
    }

    #[test]
    fn p50_of_one_to_ten_is_five() {
        assert_eq!(
            distribution((1..=10).map(f64::from)).p50.map(Finite::get),
            Some(5.0)
        );
        let weighted = weighted_distribution((1..=10).map(|value| (f64::from(value), 0.3)).collect());
        assert_eq!(weighted.p50.map(Finite::get), Some(5.0));
    }

    #[test]
    fn nothing_is_null() {
        assert_eq!(weighted_distribution(Vec::new()), Distribution::EMPTY);
    }
}
