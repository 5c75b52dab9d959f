//! Where a series of wall times becomes steady: passes of a trace that starts with cold caches, layers of one pass.
//!
//! No threshold in milliseconds: a decode step takes 0.2 ms on one machine and 50 ms on another. The series is parted where
//! its level changes (binary segmentation of the logarithms by least squares), as long as a part explains more than noise
//! would; noise is measured between neighbours, so that steps in the level are no part of it.

use std::collections::VecDeque;
use std::ops::Range;

/// What a change of level has to explain, in variances of the noise, for each logarithm of the length. Noise alone then is a
/// change in fewer than one series of twenty (tested below, for 12 to 300 values).
const PENALTY: f64 = 6.0;
/// Least change of level, as a share: what is smaller is no other level to anybody, however certain.
const LEAST_CHANGE: f64 = 0.02;
/// Shortest part, in values: often the first pass alone is slow.
const SHORTEST: usize = 1;
/// Values that are looked at, from the start.
const MAX_VALUES: usize = 1 << 20;

/// The steady part of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Steady {
    /// Its values.
    pub range: Range<usize>,
    /// Median of its values, in nanoseconds.
    pub median_ns: i64,
    /// Starts of all parts with a level of their own, from 0. One part: the series is steady throughout.
    pub parts: Vec<usize>,
}

impl Steady {
    /// The value of the steady part that is nearest to its median, the first of equals: the one to look at.
    pub fn representative(&self, values_ns: &[i64]) -> usize {
        let distance = |at: usize| {
            values_ns
                .get(at)
                .map_or(u64::MAX, |value| value.abs_diff(self.median_ns))
        };
        self.range
            .clone()
            .min_by_key(|at| distance(*at))
            .unwrap_or(self.range.start)
    }
}

/// The steady part of wall times: the longest part of one level; of equals the last. `None` for an empty series. Negative
/// values, which a damaged trace may have, count as zero.
///
/// At most 64 parts are searched for, each in one look at the part before it.
pub fn steady(values_ns: &[i64]) -> Option<Steady> {
    let values_ns = &values_ns[..values_ns.len().min(MAX_VALUES)];
    if values_ns.is_empty() {
        return None;
    }
    let levels: Vec<f64> = values_ns
        .iter()
        .map(|value| (*value).max(1) as f64)
        .map(f64::ln)
        .collect();
    let series = Series::new(&levels);
    let mut parts = vec![0];
    let mut open = VecDeque::new();
    open.push_back(0..levels.len());
    while let Some(part) = open.pop_front() {
        if let Some(at) = series.change(&part)
            && parts.len() < 64
        {
            parts.push(at);
            open.extend([part.start..at, at..part.end]);
        }
    }
    parts.sort_unstable();
    let ends = parts.iter().skip(1).copied().chain(std::iter::once(levels.len()));
    let range = parts
        .iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| start..end)
        .max_by_key(|part| part.len())?;
    let mut sorted = values_ns[range.clone()].to_vec();
    sorted.sort_unstable();
    Some(Steady {
        median_ns: sorted[(sorted.len() - 1) / 2],
        range,
        parts,
    })
}

/// A value that is far from both its neighbours, which are near each other, is an outlier and no level: each value becomes the
/// median of three.
fn calm(levels: &[f64]) -> Vec<f64> {
    let mut calm = levels.to_vec();
    for (middle, window) in calm.iter_mut().skip(1).zip(levels.windows(3)) {
        let mut three = [window[0], window[1], window[2]];
        three.sort_unstable_by(f64::total_cmp);
        *middle = three[1];
    }
    calm
}

/// Prefix sums of a series, and its noise.
struct Series {
    sums: Vec<f64>,
    squares: Vec<f64>,
    /// Variance of a value around its level.
    noise: f64,
}

impl Series {
    fn new(levels: &[f64]) -> Series {
        let calm = calm(levels);
        let prefix = |value: &dyn Fn(f64) -> f64| -> Vec<f64> {
            let running = calm.iter().scan(0.0, |sum, level| {
                *sum += value(*level);
                Some(*sum)
            });
            std::iter::once(0.0).chain(running).collect()
        };
        // Of the values as they are, since medians of three lie nearer to each other.
        let mut steps: Vec<f64> = levels.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect();
        steps.sort_unstable_by(f64::total_cmp);
        // The median step between normal values is 0.954 standard deviations.
        let noise = steps
            .get(steps.len() / 2)
            .map_or(0.0, |step| (step / 0.954).powi(2));
        Series {
            sums: prefix(&|level| level),
            squares: prefix(&|level| level * level),
            noise,
        }
    }

    fn mean(&self, part: &Range<usize>) -> f64 {
        (self.sums[part.end] - self.sums[part.start]) / part.len() as f64
    }

    /// Sum of squared distances from the part's mean.
    fn spread(&self, part: &Range<usize>) -> f64 {
        let squares = self.squares[part.end] - self.squares[part.start];
        (squares - self.mean(part).powi(2) * part.len() as f64).max(0.0)
    }

    /// Where the level of the part changes most. `None` where no change is more than noise.
    fn change(&self, part: &Range<usize>) -> Option<usize> {
        if part.len() < 2 * SHORTEST {
            return None;
        }
        let whole = self.spread(part);
        let (gain, at) = (part.start + SHORTEST..=part.end - SHORTEST)
            .map(|at| {
                (
                    whole - self.spread(&(part.start..at)) - self.spread(&(at..part.end)),
                    at,
                )
            })
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))?;
        let change = (self.mean(&(at..part.end)) - self.mean(&(part.start..at))).abs();
        let needed = PENALTY * self.noise * (part.len() as f64).ln();
        (change >= LEAST_CHANGE && gain > needed).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Values around a level, with a fixed pattern of noise of two per cent.
    fn around(level: i64, count: usize) -> Vec<i64> {
        (0..count as i64)
            .map(|at| level + level * ((at * 7 + 3) % 11 - 5) / 250)
            .collect()
    }

    #[test]
    fn a_cold_start_is_not_steady() {
        for cold in [1, 2, 3, 9] {
            let values = [around(9_000_000, cold), around(200_000, 40)].concat();
            let found = steady(&values).unwrap();
            assert_eq!(
                (found.range.clone(), found.parts.clone()),
                (cold..cold + 40, vec![0, cold])
            );
            assert!((190_000..210_000).contains(&found.median_ns));
            assert!(found.range.contains(&found.representative(&values)));
        }
    }

    #[test]
    fn the_unit_does_not_matter() {
        for scale in [1, 1_000, 1_000_000] {
            let values = [around(800 * scale, 4), around(500 * scale, 30)].concat();
            assert_eq!(steady(&values).unwrap().range, 4..34, "scale {scale}");
        }
    }

    #[test]
    fn one_level_is_steady_throughout() {
        for values in [
            around(150_000, 50),
            vec![70; 12],
            vec![5],
            vec![5, 9],
            vec![-3, 0, 0, 0, 0],
        ] {
            let found = steady(&values).unwrap();
            assert_eq!(
                (found.range, found.parts),
                (0..values.len(), vec![0]),
                "{values:?}"
            );
        }
        assert_eq!(steady(&[]), None);
    }

    #[test]
    fn an_outlier_is_no_level() {
        let mut values = around(150_000, 40);
        values[20] = 4_000_000;
        assert_eq!(steady(&values).unwrap().range, 0..40);
    }

    #[test]
    fn the_longest_part_is_taken() {
        let values = [around(100_000, 10), around(140_000, 30), around(100_000, 12)].concat();
        let found = steady(&values).unwrap();
        assert_eq!((found.range, found.parts), (10..40, vec![0, 10, 40]));
    }

    /// Normal noise is taken for a change of level in few series: twelve uniform numbers are nearly a normal one.
    #[test]
    fn noise_is_seldom_a_level() {
        let mut state = 1_u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        for (length, spread) in [(12, 0.05), (50, 0.05), (50, 0.3), (300, 0.1)] {
            let series = 500;
            let taken = (0..series)
                .filter(|_| {
                    let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
                    let values: Vec<i64> = (0..length)
                        .map(|_| (1e6 * (1.0 + spread * normal()).max(0.1)) as i64)
                        .collect();
                    steady(&values).unwrap().parts.len() > 1
                })
                .count();
            assert!(
                taken * 20 <= series,
                "{taken} of {series} series of {length} values"
            );
        }
    }

    proptest! {
        #[test]
        fn any_series(values in prop::collection::vec(any::<i64>(), 0..200)) {
            if let Some(found) = steady(&values) {
                prop_assert!(!found.range.is_empty() && found.range.end <= values.len());
                prop_assert_eq!(found.parts[0], 0);
                prop_assert!(found.range.contains(&found.representative(&values)));
            }
        }

        #[test]
        fn a_planted_change_is_found(
            before in 4_usize..30,
            more in 1_usize..60,
            level in 1_000_i64..1_000_000_000,
            ratio in 130_i64..3000,
        ) {
            // The steady part is the longer one.
            let after = before + more;
            let values = [around(level * ratio / 100, before), around(level, after)].concat();
            prop_assert_eq!(steady(&values).unwrap().range, before..before + after);
        }
    }
}
