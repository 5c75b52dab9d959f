//! Bootstrap over time blocks: how far a percentile of one run could be off.
//!
//! Requests of one run share batches, so neighbours in time are alike and drawing them one by one would
//! pretend to more evidence than there is. Whole blocks of neighbours are drawn instead. The result
//! bounds a percentile within a run; what another run would give it cannot know.

use crate::percentile::{nearest_rank, rank, sort};

/// Interval of a percentile within one run, `(low, high)`, from values in time order.
///
/// The values are cut into `blocks` stretches of equal length (the last may be longer), which are drawn
/// with replacement `draws` times from a stream that `seed` fixes. `None` with fewer than 5 blocks, fewer
/// values than blocks, no draws, or a confidence outside 0..1.
pub fn percentile_interval(
    values: &[f64],
    percentile: f64,
    confidence: f64,
    blocks: usize,
    draws: usize,
    seed: u64,
) -> Option<(f64, f64)> {
    if blocks < 5 || values.len() < blocks || draws == 0 || !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let order = ranks_in_time(values);
    let mut sorted = values.to_vec();
    sort(&mut sorted);
    let length = values.len() / blocks;
    let mut counts = vec![0_u32; values.len()];
    let mut stream = SplitMix64(seed);
    let mut drawn: Vec<f64> = (0..draws)
        .map(|_| {
            counts.fill(0);
            let mut total = 0;
            for _ in 0..blocks {
                let block = (stream.next() % blocks as u64) as usize;
                let end = if block + 1 == blocks {
                    values.len()
                } else {
                    (block + 1) * length
                };
                for &place in &order[block * length..end] {
                    counts[place] += 1;
                }
                total += end - block * length;
            }
            // Counting along the sorted values finds the percentile without sorting each draw.
            let wanted = rank(total, percentile);
            let mut seen = 0;
            let at = counts.iter().position(|&count| {
                seen += count as usize;
                seen >= wanted
            });
            sorted[at.expect("the counts add up to the total, which the rank does not exceed")]
        })
        .collect();
    sort(&mut drawn);
    let tail = (1.0 - confidence) / 2.0 * 100.0;
    Some((nearest_rank(&drawn, tail)?, nearest_rank(&drawn, 100.0 - tail)?))
}

/// For each value in time order, its place among the sorted values.
fn ranks_in_time(values: &[f64]) -> Vec<usize> {
    let mut by_size: Vec<usize> = (0..values.len()).collect();
    by_size.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut places = vec![0; values.len()];
    for (place, index) in by_size.into_iter().enumerate() {
        places[index] = place;
    }
    places
}

/// Steele, Lea and Flood's SplitMix64: enough for drawing blocks, and the same on every machine.
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize, seed: u64) -> Vec<f64> {
        let mut stream = SplitMix64(seed);
        (0..count)
            .map(|_| (stream.next() >> 11) as f64 / (1_u64 << 53) as f64)
            .collect()
    }

    #[test]
    fn covers_the_median_of_independent_values() {
        let covered = (0..300)
            .filter(|&run| {
                let (low, high) =
                    percentile_interval(&noise(400, 1_000 + run), 50.0, 0.95, 20, 400, run).unwrap();
                low <= 0.5 && 0.5 <= high
            })
            .count();
        assert!((265..=296).contains(&covered), "{covered} of 300");
    }

    #[test]
    fn neighbours_that_move_together_widen_the_interval() {
        let independent = noise(400, 7);
        let batches: Vec<f64> = noise(20, 7).iter().flat_map(|v| [*v; 20]).collect();
        let width = |values: &[f64]| {
            let (low, high) = percentile_interval(values, 50.0, 0.95, 20, 400, 1).unwrap();
            high - low
        };
        assert!(width(&batches) > 2.0 * width(&independent));
    }

    #[test]
    fn same_seed_same_interval_and_bad_arguments() {
        let values = noise(100, 3);
        assert_eq!(
            percentile_interval(&values, 99.0, 0.95, 10, 200, 5),
            percentile_interval(&values, 99.0, 0.95, 10, 200, 5)
        );
        assert_eq!(percentile_interval(&values, 99.0, 0.95, 4, 200, 5), None);
        assert_eq!(percentile_interval(&values[..6], 99.0, 0.95, 10, 200, 5), None);
        assert_eq!(percentile_interval(&values, 99.0, 1.0, 10, 200, 5), None);
    }
}
