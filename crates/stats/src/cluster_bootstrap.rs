//! Bootstrap over clusters: an interval for a figure of many values that come in groups.
//!
//! Tokens of one answer are alike, so drawing tokens one by one would pretend to more evidence than there is. Whole
//! groups are drawn instead. Groups that are all alike give an interval without a width.

use crate::block_bootstrap::SplitMix64;
use crate::percentile::{nearest_rank, sort};

/// Fewest groups that can show how much groups differ.
const FEWEST: usize = 5;

/// Percentile interval `(low, high)` of `figure` over `groups`, drawn with replacement `draws` times from a stream that
/// `seed` fixes. `figure` may reorder the values it is given, and gives `None` of nothing.
///
/// `None` with fewer than 5 groups, no draws, a confidence outside 0..1, or where no draw has a figure.
pub fn interval(
    groups: &[Vec<f64>],
    figure: impl Fn(&mut [f64]) -> Option<f64>,
    confidence: f64,
    draws: usize,
    seed: u64,
) -> Option<(f64, f64)> {
    if groups.len() < FEWEST || draws == 0 || !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let mut stream = SplitMix64(seed);
    let mut values = Vec::new();
    let mut drawn: Vec<f64> = (0..draws)
        .filter_map(|_| {
            values.clear();
            for _ in 0..groups.len() {
                values.extend_from_slice(&groups[(stream.next() % groups.len() as u64) as usize]);
            }
            figure(&mut values)
        })
        .collect();
    sort(&mut drawn);
    let tail = (1.0 - confidence) / 2.0 * 100.0;
    Some((nearest_rank(&drawn, tail)?, nearest_rank(&drawn, 100.0 - tail)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::mean;

    fn of_means(values: &mut [f64]) -> Option<f64> {
        mean(values)
    }

    #[test]
    fn copies_within_a_group_are_no_more_evidence() {
        let mut stream = SplitMix64(3);
        let singles: Vec<Vec<f64>> = (0..40).map(|_| vec![(stream.next() % 1000) as f64]).collect();
        let copies: Vec<Vec<f64>> = singles.iter().map(|one| vec![one[0]; 50]).collect();
        let single = interval(&singles, of_means, 0.95, 400, 1).unwrap();
        assert_eq!(
            interval(&copies, of_means, 0.95, 400, 1).map(|found| found.0.round()),
            Some(single.0.round())
        );
        // The spread of a mean of 40 uniform values up to 1000 is 46; four of them lie in a 95 % interval.
        assert!((120.0..260.0).contains(&(single.1 - single.0)), "{single:?}");
    }

    #[test]
    fn too_little_has_no_interval() {
        let groups = vec![vec![1.0]; 4];
        assert_eq!(interval(&groups, of_means, 0.95, 100, 1), None);
        let empty = vec![vec![]; 9];
        assert_eq!(interval(&empty, of_means, 0.95, 100, 1), None);
        let alike = vec![vec![2.0]; 9];
        assert_eq!(interval(&alike, of_means, 0.95, 100, 1), Some((2.0, 2.0)));
    }
}
