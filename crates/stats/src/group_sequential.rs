//! Group-sequential looks: an interval after every look that stays honest however often one looks.
//!
//! A campaign may be judged at [`LOOKS`] and nowhere else. Each look spends a part of one total error;
//! the interval of a look is wider than a single interval of the same confidence, and in return all
//! looks together miss the truth with probability alpha (repeated confidence intervals, Jennison and
//! Turnbull 1989). Any stopping rule may therefore be used: stop when ahead, when behind, when tied,
//! or when bored.
//!
//! Spending (Lan and DeMets 1983) follows alpha * (pairs / 120)^rho, Kim and DeMets' power family. Rho
//! is chosen so that at alpha = 0.05 the first look spends exactly what eight pairs can express, the
//! 2/256 of an interval from the smallest to the largest: less would make the first look useless, more
//! would starve the last. A look that cannot use its share (a smaller alpha leaves eight pairs without
//! any interval) hands it to the next.
//!
//! The tail of each look comes from the exact signed-rank distribution. How looks overlap comes from
//! the Gaussian process with independent increments that rank sums approach: Armitage, McPherson and
//! Rowe's recursion, on a grid.

use crate::{normal, signed_rank};

/// Numbers of pairs at which a verdict may be given.
pub const LOOKS: [usize; 8] = [8, 12, 18, 26, 38, 56, 84, 120];

/// Confidence level that the spending function is tuned for.
const TUNED_ALPHA: f64 = 0.05;

/// One look of a [`Design`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Number of pairs.
    pub pairs: usize,
    /// Walsh averages dropped at each end of the interval; `None` when this many pairs cannot express
    /// the confidence that is left for them.
    pub critical: Option<usize>,
    /// Two-sided error of this look's interval taken alone; 0 without an interval.
    pub nominal_alpha: f64,
    /// Two-sided error of all looks so far.
    pub spent_alpha: f64,
}

impl Look {
    /// Standard normal quantile of the interval of this look; `None` without an interval.
    pub fn z(&self) -> Option<f64> {
        self.critical
            .map(|_| normal::quantile(1.0 - self.nominal_alpha / 2.0))
    }
}

/// The looks of a campaign for one total two-sided error.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    alpha: f64,
    looks: Vec<Look>,
}

impl Design {
    /// Computes the boundaries for a total two-sided error `alpha` over [`LOOKS`].
    ///
    /// # Panics
    /// When `alpha` is not strictly between 0 and 1.
    pub fn new(alpha: f64) -> Self {
        Design::within(alpha, None)
    }

    /// Designs for alpha, alpha / 2, … alpha / `count`, as Holm's step-down tries them, nested: at every look the
    /// interval of a smaller error holds the one of a larger.
    ///
    /// Without this a smaller error could decide earlier: what it cannot spend at 8 pairs it would spend at 12.
    pub fn family(alpha: f64, count: usize) -> Vec<Self> {
        let mut designs: Vec<Design> = Vec::with_capacity(count);
        for share in 1..=count {
            let design = Design::within(alpha / share as f64, designs.last());
            designs.push(design);
        }
        designs
    }

    fn within(alpha: f64, wider: Option<&Design>) -> Self {
        assert!(
            alpha > 0.0 && alpha < 1.0,
            "an error rate lies strictly between 0 and 1"
        );
        let mut process = Process::new(GRID);
        let mut spent = 0.0;
        let looks = LOOKS
            .iter()
            .enumerate()
            .map(|(index, &pairs)| {
                let allowance = spend(alpha, pairs) / 2.0 - spent;
                let distribution = signed_rank::null_distribution(pairs);
                process.advance(pairs as f64);
                // No further in than the design that this one is nested in.
                let bound = wider.map_or(distribution.len() / 2, |wider| {
                    wider.looks[index].critical.map_or(0, |c| c + 1)
                });
                let crossing = |critical: usize| process.crossing(tail_to_boundary(distribution[critical]));
                let critical = largest_within(bound, allowance, crossing);
                if let Some(critical) = critical {
                    spent += crossing(critical);
                    process.absorb(tail_to_boundary(distribution[critical]));
                }
                Look {
                    pairs,
                    critical,
                    nominal_alpha: critical.map_or(0.0, |c| 2.0 * distribution[c]),
                    spent_alpha: 2.0 * spent,
                }
            })
            .collect();
        Design { alpha, looks }
    }

    /// Total two-sided error over all looks.
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// All looks, in order.
    pub fn looks(&self) -> &[Look] {
        &self.looks
    }

    /// The largest look that `pairs` pairs have reached; `None` below the first.
    ///
    /// Pairs beyond that look wait for the next one: judging them now would be a look that nothing was
    /// spent on.
    pub fn look_at(&self, pairs: usize) -> Option<&Look> {
        self.looks.iter().rev().find(|look| look.pairs <= pairs)
    }

    /// The next look after `pairs` pairs; `None` once the last was reached.
    pub fn next_look(&self, pairs: usize) -> Option<&Look> {
        self.looks.iter().find(|look| look.pairs > pairs)
    }
}

/// Two-sided error that may be spent up to and including the look at `pairs`.
fn spend(alpha: f64, pairs: usize) -> f64 {
    let last = LOOKS[LOOKS.len() - 1] as f64;
    let first = LOOKS[0] as f64;
    let rho = (2.0_f64.powf(1.0 - first) / TUNED_ALPHA).ln() / (first / last).ln();
    alpha * (pairs as f64 / last).powf(rho)
}

/// The standard normal boundary that is exceeded with probability `tail`.
fn tail_to_boundary(tail: f64) -> f64 {
    -normal::quantile(tail.clamp(1e-300, 0.5))
}

/// The largest index below `bound` whose crossing probability, which grows with it, is within `allowance`.
fn largest_within(bound: usize, allowance: f64, crossing: impl Fn(usize) -> f64) -> Option<usize> {
    let within = |index: usize| crossing(index) <= allowance * (1.0 + 1e-6);
    if bound == 0 || !within(0) {
        return None;
    }
    let (mut low, mut high) = (0, bound);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if within(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(low)
}

/// Density of a Gaussian random walk that has not yet crossed its upper boundary.
struct Process {
    information: f64,
    /// Positions (sum scale) with density times integration weight; one point with mass 1 at the start.
    points: Vec<(f64, f64)>,
    /// Intervals of the grid.
    grid: usize,
    /// Information between the points' time and now.
    step: f64,
}

/// Intervals of the recursion's grid, an even number; a test holds it against a grid five times as fine.
const GRID: usize = 160;

impl Process {
    fn new(grid: usize) -> Self {
        Process {
            grid,
            information: 0.0,
            points: vec![(0.0, 1.0)],
            step: 0.0,
        }
    }

    /// Lets time pass up to `information`.
    fn advance(&mut self, information: f64) {
        self.step += information - self.information;
        self.information = information;
    }

    /// Probability of lying above the standardized boundary `z` now, not having crossed before.
    fn crossing(&self, z: f64) -> f64 {
        let boundary = z * self.information.sqrt();
        let scale = self.step.sqrt();
        self.points
            .iter()
            .map(|(at, mass)| mass * normal::cdf((at - boundary) / scale))
            .sum()
    }

    /// Removes the paths above the boundary `z`.
    fn absorb(&mut self, z: f64) {
        let root = self.information.sqrt();
        let (low, high) = (-8.0 * root, z * root);
        let width = (high - low) / self.grid as f64;
        let scale = self.step.sqrt();
        let points = (0..=self.grid)
            .map(|i| {
                let at = low + width * i as f64;
                let density: f64 = self
                    .points
                    .iter()
                    .map(|(from, mass)| mass * normal::density((at - from) / scale))
                    .sum::<f64>()
                    / scale;
                // Simpson's weights.
                let weight = if i == 0 || i == self.grid {
                    1.0
                } else if i % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                (at, density * weight * width / 3.0)
            })
            .collect();
        self.points = points;
        self.step = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recursion_gives_published_constants() {
        // Jennison and Turnbull, Group Sequential Methods (2000), tables 2.1 and 2.3, two-sided 5 %, five
        // equal looks: Pocock 2.413 at every look; O'Brien-Fleming 2.040 * sqrt(5 / k).
        for boundary in [|_: f64| 2.413, |k: f64| 2.040 * (5.0 / k).sqrt()] {
            let mut process = Process::new(GRID);
            let mut spent = 0.0;
            for k in 1..=5 {
                let k = f64::from(k);
                process.advance(k);
                spent += process.crossing(boundary(k));
                process.absorb(boundary(k));
            }
            assert!((spent - 0.025).abs() < 3e-5, "{spent}");
        }
    }

    #[test]
    fn the_grid_is_fine_enough() {
        let spent = |grid| {
            let mut process = Process::new(grid);
            let design = Design::new(0.05);
            design.looks().iter().fold(0.0, |spent, look| {
                let z = look.z().unwrap();
                process.advance(look.pairs as f64);
                let crossed = process.crossing(z);
                process.absorb(z);
                spent + crossed
            })
        };
        assert!(
            (spent(GRID) - spent(5 * GRID)).abs() < 1e-7,
            "{} {}",
            spent(GRID),
            spent(5 * GRID)
        );
    }

    #[test]
    fn design_spends_all_and_no_more() {
        let design = Design::new(0.05);
        let mut before = 0.0;
        for look in design.looks() {
            assert!(look.spent_alpha >= before && look.spent_alpha <= spend(0.05, look.pairs) * (1.0 + 1e-5));
            assert!(look.nominal_alpha < 0.05);
            before = look.spent_alpha;
        }
        assert!(before > 0.0495, "{before}");
        assert_eq!(design.looks()[0].critical, Some(0));
    }

    #[test]
    fn boundaries_of_the_default_design() {
        let critical: Vec<_> = Design::new(0.05)
            .looks()
            .iter()
            .map(|look| look.critical)
            .collect();
        assert_eq!(critical, [0, 4, 24, 71, 191, 490, 1244, 2740].map(Some));
    }

    /// Normal values by Box and Muller from SplitMix64, so that the test depends on nothing.
    fn normal_values(seed: &mut u64, count: usize) -> Vec<f64> {
        let mut uniform = || {
            *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *seed;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..count)
            .map(|_| (-2.0 * (1.0 - uniform()).ln()).sqrt() * (2.0 * std::f64::consts::PI * uniform()).cos())
            .collect()
    }

    /// Whether the interval of some look misses the true centre 0.
    fn ever_misses(design: &Design, values: &[f64]) -> bool {
        let misses = |look: &Look| {
            look.critical
                .is_some_and(|c| !signed_rank::covers(&values[..look.pairs], 0.0, c))
        };
        design.looks().iter().any(misses)
    }

    #[test]
    fn all_looks_together_miss_as_often_as_promised() {
        let mut seed = 1;
        for (alpha, allowed) in [(0.05, 45..=105), (0.01, 3..=31)] {
            let design = Design::new(alpha);
            let missed = (0..1_500)
                .filter(|_| ever_misses(&design, &normal_values(&mut seed, 120)))
                .count();
            assert!(allowed.contains(&missed), "{missed} of 1500 at alpha {alpha}");
        }
    }

    #[test]
    fn a_small_alpha_leaves_the_first_look_without_an_interval() {
        let design = Design::new(0.01);
        assert_eq!(design.looks()[0].critical, None);
        assert_eq!(design.looks()[0].z(), None);
        assert!(design.looks()[1].critical.is_some());
        assert!(design.looks().last().unwrap().spent_alpha > 0.0098);
    }

    #[test]
    fn a_family_is_nested_and_still_spends() {
        let family = Design::family(0.05, 4);
        assert_eq!(family[0], Design::new(0.05));
        for pair in family.windows(2) {
            let (larger, smaller) = (&pair[0], &pair[1]);
            for (a, b) in larger.looks().iter().zip(smaller.looks()) {
                assert!(
                    b.critical <= a.critical,
                    "{} pairs: {:?} inside {:?}",
                    a.pairs,
                    b.critical,
                    a.critical
                );
            }
            assert!(smaller.looks().last().unwrap().spent_alpha > 0.98 * smaller.alpha());
        }
        // Alone, the smaller error would decide earlier than the larger.
        assert!(Design::new(0.025).looks()[1].critical > family[1].looks()[1].critical);
    }

    #[test]
    fn pairs_between_looks_wait() {
        let design = Design::new(0.05);
        assert_eq!(design.look_at(7), None);
        assert_eq!(design.look_at(37).unwrap().pairs, 26);
        assert_eq!(design.look_at(500).unwrap().pairs, 120);
        assert_eq!(design.next_look(26).unwrap().pairs, 38);
        assert_eq!(design.next_look(120), None);
    }
}
