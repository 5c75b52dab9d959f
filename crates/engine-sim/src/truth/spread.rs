//! Many nanosecond values in little memory: exact mean and extremes, percentiles within 0.1 %.

use contracts::engine_sim::Lateness;
use contracts::{Distribution, Finite};
use hdrhistogram::Histogram;

/// Values of one quantity.
#[derive(Debug)]
pub(super) struct Spread {
    histogram: Histogram<u64>,
    sum_ns: f64,
    squares: f64,
    max_ns: u64,
    min_ns: u64,
}

impl Spread {
    pub(super) fn new() -> Spread {
        // From 1 ns to an hour with three digits; values beyond are clamped, the exact maximum is kept apart.
        let histogram = Histogram::new_with_bounds(1, 3_600_000_000_000, 3).expect("the bounds are in order");
        Spread {
            histogram,
            sum_ns: 0.0,
            squares: 0.0,
            max_ns: 0,
            min_ns: u64::MAX,
        }
    }

    pub(super) fn add(&mut self, ns: u64) {
        self.histogram.saturating_record(ns);
        let value = ns as f64;
        self.sum_ns += value;
        self.squares += value * value;
        self.max_ns = self.max_ns.max(ns);
        self.min_ns = self.min_ns.min(ns);
    }

    fn mean_ns(&self) -> f64 {
        self.sum_ns / self.histogram.len() as f64
    }

    pub(super) fn lateness(&self) -> Lateness {
        let count = self.histogram.len();
        let ms = |ns: f64| if count == 0 { None } else { Finite::new(ns / 1e6) };
        Lateness {
            count,
            mean_ms: ms(self.mean_ns()),
            p99_ms: ms((self.histogram.value_at_quantile(0.99) as f64).min(self.max_ns as f64)),
            max_ms: ms(self.max_ns as f64),
        }
    }

    pub(super) fn distribution_ms(&self) -> Distribution {
        let count = self.histogram.len();
        if count == 0 {
            return Distribution::EMPTY;
        }
        let n = count as f64;
        let at = |quantile| {
            let ns = self
                .histogram
                .value_at_quantile(quantile)
                .clamp(self.min_ns, self.max_ns);
            Finite::new(ns as f64 / 1e6)
        };
        let variance = ((self.squares - self.sum_ns * self.sum_ns / n) / (n - 1.0)).max(0.0);
        Distribution {
            count,
            mean: Finite::new(self.mean_ns() / 1e6),
            stddev: if count < 2 {
                None
            } else {
                Finite::new(variance.sqrt() / 1e6)
            },
            min: Finite::new(self.min_ns as f64 / 1e6),
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            max: Finite::new(self.max_ns as f64 / 1e6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_close_and_the_mean_is_exact() {
        let mut spread = Spread::new();
        (1..=1000u64).for_each(|ms| spread.add(ms * 1_000_000));
        let distribution = spread.distribution_ms();
        assert_eq!(distribution.mean.map(Finite::get), Some(500.5));
        let p99 = distribution.p99.map(Finite::get).unwrap();
        assert!((p99 - 990.0).abs() < 1.0, "{p99}");
        assert_eq!(spread.lateness().max_ms.map(Finite::get), Some(1000.0));
        assert_eq!(Spread::new().distribution_ms(), Distribution::EMPTY);
    }
}
