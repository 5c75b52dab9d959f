//! Percentiles: by nearest rank, always a value that was measured; and linear, where a format of others is recounted.

/// The nearest-rank percentile of values that are already sorted ascending; `None` for no values.
///
/// The rank is `ceil(percentile / 100 * n)`, at least 1: p50 of 1..=10 is 5.
pub fn nearest_rank(sorted: &[f64], percentile: f64) -> Option<f64> {
    if sorted.is_empty() {
        return None;
    }
    Some(sorted[rank(sorted.len(), percentile) - 1])
}

/// The percentile of values that are already sorted ascending, linear between the two nearest, as NumPy counts; `None` for no
/// values. For numbers that others counted so: ours are nearest ranks.
pub fn linear(sorted: &[f64], percentile: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = percentile / 100.0 * last as f64;
    let (below, above) = (at.floor() as usize, (at.ceil() as usize).min(last));
    Some(sorted[below] + (sorted[above] - sorted[below]) * (at - at.floor()))
}

/// The one-based rank of a percentile among `count` values; `count` must not be zero.
pub(crate) fn rank(count: usize, percentile: f64) -> usize {
    let exact = percentile * count as f64 / 100.0;
    // 99.9 % of 1000 is 999, whatever the last bit of the product says.
    let slack = exact * 1e-12;
    ((exact - slack).ceil().max(1.0) as usize).min(count)
}

/// Sorts values ascending in the total order of floats (a NaN, which callers keep out, comes last).
pub fn sort(values: &mut [f64]) {
    values.sort_unstable_by(f64::total_cmp);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, word for word: the smallest value that at least p percent of the values do not exceed.
    fn reference(sorted: &[f64], percent: u32) -> f64 {
        for &candidate in sorted {
            let not_above = sorted.iter().filter(|v| **v <= candidate).count();
            if not_above * 100 >= percent as usize * sorted.len() {
                return candidate;
            }
        }
        unreachable!("the last value is above none")
    }

    #[test]
    fn median_of_one_to_ten_is_five() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(nearest_rank(&values, 50.0), Some(5.0));
        assert_eq!(nearest_rank(&values, 90.0), Some(9.0));
        assert_eq!(nearest_rank(&values, 99.0), Some(10.0));
        assert_eq!(nearest_rank(&values, 0.0), Some(1.0));
        assert_eq!(nearest_rank(&values, 100.0), Some(10.0));
        assert_eq!(nearest_rank(&[], 50.0), None);
    }

    #[test]
    fn linear_between_two_values() {
        assert_eq!(linear(&[1.0, 2.0], 50.0), Some(1.5));
        assert!((linear(&[0.0, 1.0, 2.0, 3.0, 4.0], 90.0).unwrap() - 3.6).abs() < 1e-12);
        assert_eq!(linear(&[], 90.0), None);
    }

    #[test]
    fn ranks_survive_decimal_percentiles() {
        assert_eq!(rank(1000, 99.9), 999);
        assert_eq!(rank(100, 7.0), 7);
        assert_eq!(rank(100, 29.0), 29);
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(mut values in proptest::collection::vec(-1e6..1e6, 1..80), percent in 1..=100u32) {
            sort(&mut values);
            prop_assert_eq!(nearest_rank(&values, f64::from(percent)), Some(reference(&values, percent)));
        }
    }
}
