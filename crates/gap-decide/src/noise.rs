//! How runs scatter, for simulated campaigns: log ratios of pairs whose true effect is zero.

use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Share of the run-to-run variance that belongs to the launch: a launch is fast or slow as a whole.
const LAUNCH_SHARE: f64 = 0.3;

/// Chance that a run is an outlier.
const OUTLIER_CHANCE: f64 = 0.05;

/// How much slower an outlier run is.
const OUTLIER_SLOWDOWN: std::ops::Range<f64> = 0.10..0.30;

/// Linear drift of the machine over 240 runs, log.
const DRIFT: f64 = -0.03;

/// Step of the machine's random walk from run to run, in run standard deviations.
const WALK_SHARE: f64 = 0.2;

/// Jitter of a drawn pair, relative and absolute: a few magnitudes drawn with both signs have means that are the truth to
/// the last bit, and real measurements have not.
const TIE_RATIO: f64 = 1e-6;
const TIE_LOG: f64 = 1e-12;

/// How often the servers of a campaign are launched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Launches {
    /// Every pair is a launch of each side: what `serve-bench compare --swap` does.
    EveryPair,
    /// Two servers stay up for the whole campaign, and what their launches happened to be stays with them.
    Once,
}

/// Where pairs come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Noise {
    /// Log-normal runs with launch effects and drift, interleaved A B B A, every pair a launch of each side.
    Modelled {
        /// Coefficient of variation of a run, launch included, as a ratio.
        cv_ratio: f64,
        /// One run in twenty is 10 to 30 % slower.
        outliers: bool,
        /// How often the servers are launched.
        launches: Launches,
    },
    /// Measured log ratios around their centre, drawn with replacement. Which side of an A/A pair was called ours is
    /// a coin, so the sign is one too.
    Measured(Vec<f64>),
}

impl Noise {
    /// From measured log ratios; their own centre is taken out.
    pub fn measured(logs: &[f64]) -> Noise {
        let centre = stats::signed_rank::hodges_lehmann(logs).unwrap_or(0.0);
        Noise::Measured(logs.iter().map(|log| log - centre).collect())
    }

    /// Standard deviation of a pair's log ratio without outliers: what an oracle knows.
    pub fn pair_stddev(&self) -> f64 {
        match self {
            Noise::Modelled { cv_ratio, .. } => std::f64::consts::SQRT_2 * run_stddev(*cv_ratio),
            Noise::Measured(logs) => {
                (logs.iter().map(|log| log * log).sum::<f64>() / logs.len().max(1) as f64).sqrt()
            }
        }
    }

    /// The next `count` pairs of a campaign, in time order.
    pub fn pairs(&self, rng: &mut ChaCha8Rng, count: usize) -> Vec<f64> {
        match self {
            Noise::Measured(logs) => (0..count)
                .map(|_| {
                    let drawn = logs[rng.random_range(0..logs.len())];
                    let log = drawn * (1.0 + TIE_RATIO * rng.sample::<f64, _>(StandardNormal));
                    let log = if rng.random_bool(0.5) { log } else { -log };
                    log + TIE_LOG * rng.sample::<f64, _>(StandardNormal)
                })
                .collect(),
            Noise::Modelled {
                cv_ratio,
                outliers,
                launches,
            } => modelled(rng, count, run_stddev(*cv_ratio), *outliers, *launches),
        }
    }
}

/// Standard deviation of the log of a log-normal value with this coefficient of variation.
fn run_stddev(cv_ratio: f64) -> f64 {
    (cv_ratio * cv_ratio).ln_1p().sqrt()
}

fn modelled(rng: &mut ChaCha8Rng, count: usize, stddev: f64, outliers: bool, launches: Launches) -> Vec<f64> {
    let launch = |rng: &mut ChaCha8Rng| {
        let effect = stddev * LAUNCH_SHARE.sqrt();
        if rng.random_bool(0.5) { effect } else { -effect }
    };
    let within = stddev * (1.0 - LAUNCH_SHARE).sqrt();
    let standing = match launches {
        Launches::Once => Some([launch(rng), launch(rng)]),
        Launches::EveryPair => None,
    };
    let mut machine = 0.0;
    let mut run = |rng: &mut ChaCha8Rng, side: usize| {
        machine += DRIFT / 240.0 + WALK_SHARE * stddev * rng.sample::<f64, _>(StandardNormal);
        let mut log = machine + within * rng.sample::<f64, _>(StandardNormal);
        log += standing.map_or_else(|| launch(rng), |effects| effects[side]);
        if outliers && rng.random_bool(OUTLIER_CHANCE) {
            log += (-rng.random_range(OUTLIER_SLOWDOWN)).ln_1p();
        }
        log
    };
    (0..count)
        .map(|pair| {
            // A B B A: sides take turns in going first.
            let first = pair % 2;
            let logs = [run(rng, first), run(rng, 1 - first)];
            logs[first] - logs[1 - first]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn modelled_pairs_scatter_as_asked() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let noise = Noise::Modelled {
            cv_ratio: 0.025,
            outliers: false,
            launches: Launches::EveryPair,
        };
        let logs: Vec<f64> = (0..100).flat_map(|_| noise.pairs(&mut rng, 120)).collect();
        // The walk between the two runs of a pair adds 2 % to the variance.
        let stddev = stats::summary::stddev(&logs).unwrap();
        assert!((stddev / noise.pair_stddev() - 1.01).abs() < 0.03, "{stddev}");
        assert!(stats::summary::mean(&logs).unwrap().abs() < 0.001);
    }

    #[test]
    fn outliers_are_one_run_in_twenty() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let logs = Noise::Modelled {
            cv_ratio: 0.005,
            outliers: true,
            launches: Launches::EveryPair,
        }
        .pairs(&mut rng, 4000);
        let far = logs.iter().filter(|log| log.abs() > 0.08).count();
        assert!((320..=460).contains(&far), "{far}");
    }

    #[test]
    fn measured_pairs_lose_their_centre() {
        let Noise::Measured(logs) = Noise::measured(&[0.1, 0.11, 0.12]) else {
            panic!("measured")
        };
        assert!((logs[0] + 0.01).abs() < 1e-12 && logs[1].abs() < 1e-12);
    }

    #[test]
    fn drawn_pairs_are_never_tied() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut drawn: Vec<f64> = Noise::Measured(vec![0.0, 0.01, -0.02])
            .pairs(&mut rng, 500)
            .iter()
            .map(|log| log.abs())
            .collect();
        drawn.sort_by(f64::total_cmp);
        assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(
            drawn
                .iter()
                .all(|log| [0.0, 0.01, 0.02].iter().any(|d| (log - d).abs() < 1e-6))
        );
    }
}
