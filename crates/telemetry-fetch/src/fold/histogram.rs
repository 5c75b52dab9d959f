//! Quantiles of a histogram's window, with the bucket that they lie in.

use contracts::Finite;
use contracts::telemetry_fetch::metric::Quantile;

/// Quantiles that documents have.
pub(crate) const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// A quantile of cumulative buckets, ascending by bound: linear inside the bucket, as Prometheus has it. In a bucket that is
/// open at its top it is the bound below, and `hi` is null.
pub(crate) fn quantile(buckets: &[(f64, f64)], q: f64, scale: f64) -> Option<Quantile> {
    let (_, total) = *buckets.last()?;
    if total.is_nan() || total <= 0.0 || buckets.len() < 2 {
        return None;
    }
    let rank = q * total;
    let mut below = (0.0, 0.0);
    let mut reached = 0.0_f64;
    for (index, (bound, cumulative)) in buckets.iter().enumerate() {
        // Buckets are read one after the other: a wider one may have been read before a narrower one grew.
        reached = reached.max(*cumulative);
        if reached >= rank {
            if bound.is_infinite() {
                return of(q, below.0, below.0, None, scale);
            }
            // A first bucket of no or negative width has no lower bound to count from.
            let lo = if index == 0 {
                f64::min(0.0, *bound)
            } else {
                below.0
            };
            let share = (rank - below.1) / (reached - below.1);
            let value = if reached > below.1 {
                lo + (bound - lo) * share
            } else {
                lo
            };
            return of(q, value, lo, Some(*bound), scale);
        }
        below = (*bound, reached);
    }
    None
}

fn of(q: f64, value: f64, lo: f64, hi: Option<f64>, scale: f64) -> Option<Quantile> {
    Some(Quantile {
        q: Finite::new(q)?,
        value: Finite::new(value * scale)?,
        lo: Finite::new(lo * scale)?,
        hi: match hi {
            Some(hi) => Some(Finite::new(hi * scale)?),
            None => None,
        },
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(buckets: &[(f64, f64)], q: f64) -> Option<(f64, f64, Option<f64>)> {
        quantile(buckets, q, 1.0).map(|of| (of.value.get(), of.lo.get(), of.hi.map(Finite::get)))
    }

    #[test]
    fn linear_inside_the_bucket() {
        let buckets = [(0.25, 50.0), (0.5, 100.0), (f64::INFINITY, 100.0)];
        assert_eq!(values(&buckets, 0.5), Some((0.25, 0.0, Some(0.25))));
        assert_eq!(values(&buckets, 0.95), Some((0.475, 0.25, Some(0.5))));
    }

    #[test]
    fn an_open_bucket_only_says_at_least() {
        let buckets = [(1.0, 50.0), (f64::INFINITY, 100.0)];
        assert_eq!(values(&buckets, 0.9), Some((1.0, 1.0, None)));
    }

    #[test]
    fn nothing_observed_has_no_quantile() {
        assert_eq!(values(&[(1.0, 0.0), (f64::INFINITY, 0.0)], 0.5), None);
        assert_eq!(values(&[(f64::INFINITY, 3.0)], 0.5), None);
        assert_eq!(values(&[], 0.5), None);
    }

    proptest! {
        #[test]
        fn the_true_value_lies_between_its_bounds(mut observed in proptest::collection::vec(0.0_f64..12.0, 1..200)) {
            let bounds = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, f64::INFINITY];
            let buckets: Vec<(f64, f64)> = bounds
                .iter()
                .map(|bound| (*bound, observed.iter().filter(|value| **value <= *bound).count() as f64))
                .collect();
            observed.sort_by(f64::total_cmp);
            for q in QUANTILES {
                let (value, lo, hi) = values(&buckets, q).unwrap();
                let rank = (q * observed.len() as f64).ceil().max(1.0) as usize;
                let truth = observed[rank - 1];
                prop_assert!(truth >= lo - 1e-9 && hi.is_none_or(|hi| truth <= hi + 1e-9), "{} {} {:?} {}", q, lo, hi, truth);
                prop_assert!(value >= lo && hi.is_none_or(|hi| value <= hi));
            }
        }
    }
}
