//! Landscapes: spaces whose every configuration is known, to hold searchers against each other. Pure. `recorded` reads them from
//! files, `synthetic` makes them up.

pub mod recorded;
pub mod rivals;
pub mod synthetic;

use std::collections::BTreeMap;

use contracts::config_search::candidate::Step;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::space::{Config, Space};
use crate::strategy::{self, Outcome, Settings, Trial};

/// A space that is known whole.
#[derive(Clone, Debug)]
pub struct Landscape {
    /// Its name.
    pub name: String,
    /// What may be set.
    pub space: Space,
    /// Measured scores of each configuration: logarithms of ratios to the baseline's mean; empty for one that fails.
    pub scores: BTreeMap<Config, Vec<f64>>,
    /// True score of each configuration that works.
    pub truth: BTreeMap<Config, f64>,
}

/// Who searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Searcher {
    /// This crate's strategy.
    Ours,
    /// Configurations drawn at random, the luckiest one wins.
    Random,
    /// A plain tree-structured Parzen estimator.
    Tpe,
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// ln(final/base) / ln(oracle/base).
    pub captured: f64,
    /// ln(oracle/final).
    pub regret: f64,
    /// |claimed - true|, as logarithms.
    pub claim_error: f64,
    /// Trials without a result.
    pub failed: usize,
}

impl Landscape {
    /// The best true score.
    pub fn oracle(&self) -> f64 {
        self.truth.values().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// One measurement: one of the repeats by chance.
    fn measure(&self, config: &Config, rng: &mut ChaCha8Rng) -> Outcome {
        match self.scores.get(config).map(Vec::as_slice) {
            Some([]) | None => Outcome::Failed,
            Some(scores) => Outcome::Measured {
                score: scores[rng.random_range(0..scores.len())],
                slo: None,
            },
        }
    }

    /// Searches with a budget.
    pub fn play(&self, searcher: Searcher, budget: usize, seed: u64) -> Played {
        // The same luck for every searcher.
        let mut luck = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(7919) + 13);
        let settings = Settings {
            trials: budget,
            screen: None,
            seed,
        };
        let mut trials: Vec<Trial> = Vec::new();
        while trials.len() < budget {
            let rival = |config: Option<Config>| config.map(|config| (config, Step::Refine));
            let next = match searcher {
                Searcher::Ours => {
                    strategy::propose(&self.space, &settings, &trials).map(|next| (next.config, next.step))
                }
                Searcher::Random => rival(rivals::random(&self.space, &trials, seed)),
                Searcher::Tpe => rival(rivals::tpe(&self.space, &trials, seed)),
            };
            let Some((config, step)) = next else { break };
            let outcome = self.measure(&config, &mut luck);
            trials.push(Trial {
                config,
                fidelity: 1.0,
                step,
                outcome,
            });
        }
        let chosen = match searcher {
            Searcher::Ours => strategy::best(&self.space, &trials),
            Searcher::Random | Searcher::Tpe => rivals::luckiest(&trials),
        };
        let (config, claimed) = chosen.unwrap_or_else(|| (self.space.baseline(), 0.0));
        let (truth, oracle) = (self.truth.get(&config).copied().unwrap_or(0.0), self.oracle());
        Played {
            captured: if oracle > 0.0 { truth / oracle } else { 1.0 },
            regret: oracle - truth,
            claim_error: (claimed - truth).abs(),
            failed: trials.iter().filter(|trial| trial.score().is_none()).count(),
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean regret over 30 seeds on landscapes with noise and failures.
    fn regret(searcher: Searcher, budget: usize) -> f64 {
        let played: Vec<f64> = (0..30)
            .map(|seed| {
                let landscape =
                    synthetic::landscape(&synthetic::KINDS[seed as usize % synthetic::KINDS.len()], seed);
                landscape.play(searcher, budget, seed).regret
            })
            .collect();
        mean(&played)
    }

    #[test]
    fn ours_regrets_less_than_chance_and_than_a_plain_estimator() {
        for budget in [10, 20] {
            let (ours, random, tpe) = (
                regret(Searcher::Ours, budget),
                regret(Searcher::Random, budget),
                regret(Searcher::Tpe, budget),
            );
            assert!(ours < random && ours < tpe, "{budget}: {ours} {random} {tpe}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_search() {
        let landscape = synthetic::landscape(&synthetic::KINDS[0], 3);
        for searcher in [Searcher::Ours, Searcher::Random, Searcher::Tpe] {
            assert_eq!(landscape.play(searcher, 12, 5), landscape.play(searcher, 12, 5));
        }
    }
}
