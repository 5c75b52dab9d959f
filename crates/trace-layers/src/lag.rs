//! At which distances a sequence repeats itself.
//!
//! A layer of `p` kernels that follows itself makes `s[i] == s[i + p]`. A kernel that is inserted, lost or out of place
//! breaks that for about `p` positions and no further, so the share of equal positions stays high.
//!
//! Candidates are the distances between two occurrences of the same kernel and of the same three kernels, weighted with
//! the kernels that they span. Only the best [`CANDIDATES`] are looked at along the whole sequence, so the work is
//! `O(n * CANDIDATES)`, whatever the length of a layer.

use rustc_hash::FxHashMap;

/// Longest period that is looked for, in kernels.
pub(crate) const MAX_PERIOD: usize = 8192;
/// Distances that are followed along the whole sequence.
const CANDIDATES: usize = 64;

/// One distance at which the sequence repeats itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lag {
    /// The distance, in kernels.
    pub(crate) period: usize,
    /// Kernels that come back at this distance, in stretches that repeat.
    pub(crate) matches: usize,
    /// Start of the longest stretch without any difference.
    pub(crate) exact_start: usize,
    /// Length of that stretch, without the period that follows it.
    pub(crate) exact_len: usize,
}

/// The distances at which a share of the sequence repeats itself, those at which most comes back first; of equals, the shortest.
pub(crate) fn lags(classes: &[u32]) -> Vec<Lag> {
    let mut weights: FxHashMap<usize, usize> = FxHashMap::default();
    let single = classes.iter().map(|class| u64::from(*class));
    add_distances(single, &mut weights);
    let triple = classes.windows(3).map(|w| {
        // Classes stay far below 2^21: there are at most as many as kernels that are analysed.
        u64::from(w[0]) | u64::from(w[1]) << 21 | u64::from(w[2]) << 42
    });
    add_distances(triple, &mut weights);
    let mut candidates: Vec<(usize, usize)> = weights
        .into_iter()
        .map(|(p, w)| (w.saturating_mul(p), p))
        .collect();
    candidates.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    candidates.truncate(CANDIDATES);
    let mut lags: Vec<Lag> = candidates
        .into_iter()
        .map(|(_, period)| follow(classes, period))
        .collect();
    lags.retain(|lag| lag.matches > 0);
    lags.sort_unstable_by(|a, b| b.matches.cmp(&a.matches).then(a.period.cmp(&b.period)));
    lags
}

/// Counts, for each distance, how often the same item comes back after it.
fn add_distances(items: impl Iterator<Item = u64>, weights: &mut FxHashMap<usize, usize>) {
    let mut last: FxHashMap<u64, usize> = FxHashMap::default();
    for (at, item) in items.enumerate() {
        if let Some(before) = last.insert(item, at)
            && at - before <= MAX_PERIOD
        {
            *weights.entry(at - before).or_default() += 1;
        }
    }
}

/// Follows one distance: a match counts one, a mismatch two against it; a stretch ends where that falls to nothing, or
/// far below its best.
fn follow(classes: &[u32], period: usize) -> Lag {
    let mut lag = Lag {
        period,
        matches: 0,
        exact_start: 0,
        exact_len: 0,
    };
    let (mut score, mut best, mut matches, mut best_matches, mut exact) = (0_i64, 0_i64, 0, 0, 0);
    let length = classes.len().saturating_sub(period);
    let drop = 6 * period as i64;
    let least = period.max(3) as i64;
    for at in 0..=length {
        let equal = at < length && classes[at] == classes[at + period];
        if equal {
            matches += 1;
            exact += 1;
            if exact > lag.exact_len {
                (lag.exact_start, lag.exact_len) = (at + 1 - exact, exact);
            }
        } else {
            exact = 0;
        }
        score += if equal { 1 } else { -2 };
        if score > best {
            (best, best_matches) = (score, matches);
        }
        if score <= 0 || best - score > drop || at == length {
            if best >= least {
                lag.matches += best_matches;
            }
            (score, best, matches, best_matches) = (0, 0, 0, 0);
        }
    }
    lag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layers(layer: &[u32], count: usize) -> Vec<u32> {
        layer.iter().copied().cycle().take(layer.len() * count).collect()
    }

    #[test]
    fn the_shortest_of_equals_comes_first() {
        let sequence = [vec![90, 91, 92], layers(&[1, 2, 3, 2, 4], 10), vec![93]].concat();
        let found = lags(&sequence);
        assert_eq!((found[0].period, found[0].matches), (5, 45));
        assert_eq!((found[0].exact_start, found[0].exact_len), (3, 45));
    }

    #[test]
    fn a_kernel_out_of_place_does_not_end_a_repeat() {
        let mut sequence = layers(&[1, 2, 3, 4, 5, 6, 7], 30);
        sequence.insert(64, 5);
        sequence.remove(120);
        assert_eq!(lags(&sequence)[0].period, 7);
    }

    #[test]
    fn nothing_repeats() {
        assert_eq!(lags(&[]), []);
        assert_eq!(lags(&[1, 2, 3, 4]), []);
    }
}
