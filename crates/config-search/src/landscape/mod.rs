//! Landscapes: spaces whose every configuration was measured, to hold searchers against each other. Pure.
//!
//! The file is JSON lines, neutral to who searches: `{"params": {…}, "repeats": [101.2, 99.8], "status": "ok"}`, the baseline
//! first, larger is better; a configuration that does not work has another status and no repeats.

pub mod rivals;
pub mod synthetic;

use std::collections::{BTreeMap, BTreeSet};

use contracts::config_search::candidate::Step;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::space::{Config, Param, Space};
use crate::strategy::{self, Outcome, Settings, Trial};

/// Most configurations of a file.
const MOST_LINES: usize = 100_000;

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Flags with their values.
    pub params: BTreeMap<String, Value>,
    /// Measured values, larger is better.
    pub repeats: Vec<f64>,
    /// `ok`, or why there are none.
    pub status: String,
}

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
    /// Reads a file of measured repeats.
    ///
    /// # Errors
    /// In words, with the line.
    pub fn read(name: &str, text: &str) -> Result<Landscape, String> {
        let mut lines: Vec<Line> = Vec::new();
        for (at, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            if lines.len() >= MOST_LINES {
                return Err(format!("it has more than {MOST_LINES} lines"));
            }
            let line: Line =
                serde_json::from_str(line).map_err(|error| format!("line {}: {error}", at + 1))?;
            if line.repeats.iter().any(|value| value.is_nan() || *value <= 0.0) {
                return Err(format!("line {}: a repeat is not above 0", at + 1));
            }
            if line.status == "ok" && line.repeats.is_empty() {
                return Err(format!("line {}: `ok` without a repeat", at + 1));
            }
            lines.push(line);
        }
        let baseline = lines.first().ok_or("it is empty")?;
        if baseline.status != "ok" {
            return Err("the baseline, which is the first line, does not work".to_owned());
        }
        let flags: BTreeSet<&String> = lines.iter().flat_map(|line| line.params.keys()).collect();
        let value = |line: &Line, flag: &str| line.params.get(flag).cloned().unwrap_or(Value::Null);
        let params: Vec<Param> = flags
            .into_iter()
            .map(|flag| {
                let mut levels = vec![value(baseline, flag)];
                for line in &lines {
                    let value = value(line, flag);
                    if !levels.contains(&value) {
                        levels.push(value);
                    }
                }
                Param {
                    flag: flag.clone(),
                    family: flag.clone(),
                    ordered: levels.iter().all(|level| level.is_number() || level.is_null()),
                    levels,
                    when: vec![],
                }
            })
            .collect();
        let space = Space { params };
        let base = mean(&baseline.repeats);
        let (mut scores, mut truth) = (BTreeMap::new(), BTreeMap::new());
        for line in &lines {
            let config: Config = space
                .params
                .iter()
                .map(|param| {
                    let value = value(line, &param.flag);
                    param
                        .levels
                        .iter()
                        .position(|level| *level == value)
                        .expect("every value is a level")
                })
                .collect();
            let of_line: Vec<f64> = match line.status.as_str() {
                "ok" => line.repeats.iter().map(|value| (value / base).ln()).collect(),
                _ => vec![],
            };
            if !of_line.is_empty() {
                truth.insert(config.clone(), (mean(&line.repeats) / base).ln());
            }
            scores.insert(config, of_line);
        }
        Ok(Landscape {
            name: name.to_owned(),
            space,
            scores,
            truth,
        })
    }

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

    #[test]
    fn a_file_gives_its_space_with_the_baseline_first() {
        let text = r#"{"params": {"--t": 2, "--fa": "on"}, "repeats": [100.0, 102.0], "status": "ok"}
{"params": {"--t": 1, "--fa": "on"}, "repeats": [50.5], "status": "ok"}
{"params": {"--t": 1}, "repeats": [], "status": "oom"}
"#;
        let landscape = Landscape::read("x", text).unwrap();
        assert_eq!(landscape.scores.len(), 3);
        assert_eq!(landscape.truth[&landscape.space.baseline()], 0.0);
        assert_eq!(landscape.oracle(), 0.0);
        let worse = landscape.truth.values().copied().fold(0.0, f64::min);
        assert!((worse - 0.5f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn lines_that_are_none_are_named() {
        for (text, word) in [
            ("", "empty"),
            (
                "{\"params\": {}, \"repeats\": [0], \"status\": \"ok\"}",
                "above 0",
            ),
            ("{\"params\": {}, \"repeats\": [], \"status\": \"ok\"}", "without"),
            (
                "{\"params\": {}, \"repeats\": [], \"status\": \"oom\"}",
                "baseline",
            ),
            ("nonsense", "line 1"),
        ] {
            let error = Landscape::read("x", text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

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
