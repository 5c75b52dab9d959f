//! Wilcoxon's signed rank: the Hodges-Lehmann estimate of a shift and its distribution-free interval.
//!
//! Both come from the Walsh averages, the n(n + 1)/2 means of every value with every value, itself
//! included. Their median is the estimate; the interval drops the same number of averages at each end:
//!
//! ```text
//!   sorted Walsh averages   w1 w2 | w3 w4 w5 … w(M-2) | w(M-1) wM        critical = 2
//!                            drop   low            high     drop
//! ```
//!
//! The interval covers the centre of any symmetric distribution with probability
//! 1 − 2 P(W <= critical), exactly, where W is the signed-rank statistic of n values. A wild run
//! moves it by a rank, not by its size.

/// Estimate and interval of a shift, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShiftInterval {
    /// Hodges-Lehmann estimate: the median of the Walsh averages.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// P(W <= w) for every w from 0 to n(n + 1)/2: the exact null distribution of the signed-rank statistic.
pub fn null_distribution(count: usize) -> Vec<f64> {
    let mut density = vec![0.0; count * (count + 1) / 2 + 1];
    density[0] = 1.0;
    let mut highest = 0;
    for rank in 1..=count {
        highest += rank;
        // Each rank is in the sum or not, with probability one half; downwards, so that it enters once.
        for w in (0..=highest).rev() {
            let with = if w >= rank { density[w - rank] } else { 0.0 };
            density[w] = 0.5 * (density[w] + with);
        }
    }
    let mut sum = 0.0;
    for value in &mut density {
        sum += *value;
        *value = sum;
    }
    density
}

/// Estimate and interval of the centre of `values`, dropping `critical` Walsh averages at each end.
///
/// `None` for no values, or when nothing is left between the ends.
pub fn shift_interval(values: &[f64], critical: usize) -> Option<ShiftInterval> {
    let mut averages = walsh_averages(values);
    let total = averages.len();
    if total == 0 || 2 * critical >= total {
        return None;
    }
    let middle = total / 2;
    // Three selections from the inside out instead of a sort: n = 120 has 7,260 averages.
    let upper_middle = *averages.select_nth_unstable_by(middle, f64::total_cmp).1;
    let high = *averages[middle..]
        .select_nth_unstable_by(total - 1 - critical - middle, f64::total_cmp)
        .1;
    let below = &mut averages[..middle];
    let estimate = if total % 2 == 1 {
        upper_middle
    } else {
        let lower_middle = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        0.5 * (lower_middle + upper_middle)
    };
    let low = if critical < middle {
        *below.select_nth_unstable_by(critical, f64::total_cmp).1
    } else {
        upper_middle
    };
    Some(ShiftInterval { estimate, low, high })
}

/// Whether [`shift_interval`] holds `centre`, without building the averages: neither too many of them lie above it nor
/// too many below. The mean of two values at equal distances on both sides, like a value on the centre itself, is neither.
pub fn covers(values: &[f64], centre: f64, critical: usize) -> bool {
    let mut around: Vec<f64> = values.iter().map(|value| value - centre).collect();
    around.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let (mut above, mut below, mut nearer) = (0, 0, 0);
    for tied in around.chunk_by(|a, b| a.abs() == b.abs()) {
        let positive = tied.iter().filter(|value| **value > 0.0).count();
        let negative = tied.iter().filter(|value| **value < 0.0).count();
        // With every nearer value, with those of its own side at the same distance, and with itself.
        above += positive * nearer + positive * (positive + 1) / 2;
        below += negative * nearer + negative * (negative + 1) / 2;
        nearer += tied.len();
    }
    let all = around.len() * (around.len() + 1) / 2;
    all - above > critical && all - below > critical
}

/// Hodges-Lehmann estimate of the centre; `None` for no values.
pub fn hodges_lehmann(values: &[f64]) -> Option<f64> {
    shift_interval(values, 0).map(|interval| interval.estimate)
}

/// The means of every value with every value, itself included, unordered.
fn walsh_averages(values: &[f64]) -> Vec<f64> {
    let mut averages = Vec::with_capacity(values.len() * (values.len() + 1) / 2);
    for (i, &a) in values.iter().enumerate() {
        averages.extend(values[i..].iter().map(|&b| 0.5 * (a + b)));
    }
    averages
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The largest `critical` with P(W <= critical) <= `tail`; `None` when even the full range
    /// of the averages covers less than asked.
    fn critical_for_tail(distribution: &[f64], tail: f64) -> Option<usize> {
        // A hair of slack: 1/256 computed in two ways is still 1/256.
        distribution
            .partition_point(|p| *p <= tail * (1.0 + 1e-9))
            .checked_sub(1)
    }

    #[test]
    fn null_distribution_of_known_sizes() {
        let eight = null_distribution(8);
        assert_eq!(eight.len(), 37);
        assert!((eight[0] - 1.0 / 256.0).abs() < 1e-16 && (eight[36] - 1.0).abs() < 1e-12);
        // Two-sided 5 % critical values of the published tables: 3 for n = 8, 8 for 10, 29 for 16, 52 for 20, 434 for 50.
        for (count, critical) in [(8, 3), (10, 8), (16, 29), (20, 52), (50, 434)] {
            assert_eq!(
                critical_for_tail(&null_distribution(count), 0.025),
                Some(critical),
                "n = {count}"
            );
        }
        assert_eq!(critical_for_tail(&eight, 1.0 / 256.0), Some(0));
        assert_eq!(critical_for_tail(&eight, 1.0 / 257.0), None);
    }

    #[test]
    fn large_counts_are_normal() {
        let distribution = null_distribution(120);
        let (mean, stddev) = (3630.0, (120.0 * 121.0 * 241.0_f64 / 24.0).sqrt());
        for z in [-3.0, -1.0, 0.0, 2.0_f64] {
            let w = (mean + z * stddev).round();
            assert!((distribution[w as usize] - crate::normal::cdf((w + 0.5 - mean) / stddev)).abs() < 1e-3);
        }
    }

    #[test]
    fn eight_pairs_span_their_range() {
        let values = [1.1, 0.9, 1.0, 1.3, 0.7, 1.2, 0.8, 5.0];
        let interval = shift_interval(&values, 0).unwrap();
        assert_eq!((interval.low, interval.high), (0.7, 5.0));
        assert!((interval.estimate - 1.05).abs() < 0.06, "{}", interval.estimate);
        assert_eq!(shift_interval(&[], 0), None);
        assert_eq!(shift_interval(&[1.0], 1), None);
    }

    proptest! {
        #[test]
        fn selections_agree_with_a_sort(values in proptest::collection::vec(-10.0..10.0f64, 1..40), drop in 0..200usize) {
            let mut sorted = walsh_averages(&values);
            sorted.sort_by(f64::total_cmp);
            let total = sorted.len();
            let expected = (2 * drop < total).then(|| ShiftInterval {
                estimate: 0.5 * (sorted[(total - 1) / 2] + sorted[total / 2]),
                low: sorted[drop],
                high: sorted[total - 1 - drop],
            });
            prop_assert_eq!(shift_interval(&values, drop), expected);
        }

        #[test]
        fn the_statistic_and_the_interval_agree(values in proptest::collection::vec(-10.0..10.0f64, 8..30), centre in -10.0..10.0f64, critical in 0..20usize) {
            if let Some(interval) = shift_interval(&values, critical) {
                prop_assert_eq!(covers(&values, centre, critical), interval.low <= centre && centre <= interval.high);
            }
        }

        #[test]
        fn ties_and_zeros_count_as_the_interval_counts_them(values in proptest::collection::vec(-3..=3i32, 8..30), centre in -6..=6i32, critical in 0..20usize) {
            // Halves are exact, so equal means are equal.
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let centre = f64::from(centre) / 2.0;
            if let Some(interval) = shift_interval(&values, critical) {
                prop_assert_eq!(covers(&values, centre, critical), interval.low <= centre && centre <= interval.high);
            }
        }

        #[test]
        fn interval_shifts_with_its_values(values in proptest::collection::vec(-10.0..10.0f64, 8..30), shift in -5.0..5.0f64) {
            let moved: Vec<f64> = values.iter().map(|v| v + shift).collect();
            let (a, b) = (shift_interval(&values, 2).unwrap(), shift_interval(&moved, 2).unwrap());
            prop_assert!((b.low - a.low - shift).abs() < 1e-9 && (b.high - a.high - shift).abs() < 1e-9);
        }
    }
}
