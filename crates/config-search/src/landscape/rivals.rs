//! Plain searchers to be held against: random search, and a tree-structured Parzen estimator. Both choose the luckiest.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::space::{Config, Space};
use crate::strategy::Trial;

/// Random trials before the estimator begins, and configurations it looks at for each, as Optuna's defaults are (4.x).
const STARTUP: usize = 10;
const LOOKED_AT: usize = 24;

fn rng(trials: &[Trial], seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed.wrapping_mul(1_000_003) + trials.len() as u64)
}

/// A configuration that was not tried, at random; the baseline first.
pub fn random(space: &Space, trials: &[Trial], seed: u64) -> Option<Config> {
    if trials.is_empty() {
        return Some(space.baseline());
    }
    let mut rng = rng(trials, seed);
    for _ in 0..1000 {
        let levels = space.params.iter().map(|param| param.levels.len());
        let mut config: Config = levels.map(|levels| rng.random_range(0..levels)).collect();
        space.normalise(&mut config);
        if !trials.iter().any(|trial| trial.config == config) {
            return Some(config);
        }
    }
    None
}

/// What a tree-structured Parzen estimator tries next: every parameter on its own, good against the rest.
pub fn tpe(space: &Space, trials: &[Trial], seed: u64) -> Option<Config> {
    if trials.len() < STARTUP {
        return random(space, trials, seed);
    }
    let mut ranked: Vec<&Trial> = trials.iter().collect();
    let score = |trial: &Trial| trial.score().unwrap_or(f64::NEG_INFINITY);
    ranked.sort_by(|a, b| score(b).total_cmp(&score(a)));
    let good = (trials.len().div_ceil(10)).min(25);
    let densities = |of: &[&Trial]| -> Vec<Vec<f64>> {
        space
            .params
            .iter()
            .enumerate()
            .map(|(at, param)| {
                let prior = 1.0 / param.levels.len() as f64;
                (0..param.levels.len())
                    .map(|level| {
                        let seen = of.iter().filter(|trial| trial.config[at] == level).count();
                        (seen as f64 + prior) / (of.len() as f64 + 1.0)
                    })
                    .collect()
            })
            .collect()
    };
    let (of_good, of_rest) = (densities(&ranked[..good]), densities(&ranked[good..]));
    let mut rng = rng(trials, seed);
    let mut chosen: Option<(f64, Config)> = None;
    for _ in 0..LOOKED_AT {
        let mut config: Config = of_good
            .iter()
            .map(|density| {
                let mut left: f64 = rng.random();
                for (level, share) in density.iter().enumerate() {
                    left -= share;
                    if left <= 0.0 {
                        return level;
                    }
                }
                density.len() - 1
            })
            .collect();
        space.normalise(&mut config);
        let worth: f64 = (0..config.len())
            .map(|at| (of_good[at][config[at]] / of_rest[at][config[at]]).ln())
            .sum();
        if chosen.as_ref().is_none_or(|(most, _)| worth > *most) {
            chosen = Some((worth, config));
        }
    }
    chosen.map(|(_, config)| config)
}

/// The configuration with the largest single measurement.
pub fn luckiest(trials: &[Trial]) -> Option<(Config, f64)> {
    trials
        .iter()
        .filter_map(|trial| Some((trial.config.clone(), trial.score()?)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
}
