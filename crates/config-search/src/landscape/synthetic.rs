//! Landscapes with known truth: effects that multiply, some that need each other, noise, and failures with causes. Pure.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::Landscape;
use crate::space::{Config, Param, Space};

/// Measurements of each configuration.
const REPEATS: usize = 5;

/// What a landscape is like.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// Levels of its flags without an order.
    pub choices: &'static [usize],
    /// Levels of its flags with an order.
    pub numbers: &'static [usize],
    /// Share of its flags that matter.
    pub relevant: f64,
    /// Size of what two flags do together, against what one does.
    pub together: f64,
    /// Standard deviation of the logarithm of a measurement.
    pub noise: f64,
    /// Single values and pairs that fail.
    pub causes: (usize, usize),
}

/// The kinds.
pub const KINDS: [Kind; 6] = [
    Kind {
        name: "additive",
        choices: &[2, 2, 3],
        numbers: &[5, 4],
        relevant: 0.7,
        together: 0.0,
        noise: 0.02,
        causes: (0, 0),
    },
    Kind {
        name: "interacting",
        choices: &[2, 3, 3],
        numbers: &[5, 4],
        relevant: 0.8,
        together: 0.8,
        noise: 0.02,
        causes: (0, 0),
    },
    Kind {
        name: "failing",
        choices: &[2, 3, 3],
        numbers: &[5, 4],
        relevant: 0.7,
        together: 0.3,
        noise: 0.02,
        causes: (2, 2),
    },
    Kind {
        name: "noisy",
        choices: &[2, 2, 3],
        numbers: &[5, 4],
        relevant: 0.6,
        together: 0.3,
        noise: 0.08,
        causes: (1, 0),
    },
    Kind {
        name: "sparse-wide",
        choices: &[2, 2, 2, 3, 3],
        numbers: &[4, 4],
        relevant: 0.35,
        together: 0.3,
        noise: 0.03,
        causes: (1, 1),
    },
    Kind {
        name: "rugged",
        choices: &[3, 4],
        numbers: &[5, 5],
        relevant: 1.0,
        together: 1.5,
        noise: 0.03,
        causes: (1, 1),
    },
];

/// A landscape of a kind; each seed gives another one.
pub fn landscape(kind: &Kind, seed: u64) -> Landscape {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(104_729) + 1);
    let mut params = Vec::new();
    for (at, (levels, ordered)) in (kind.choices.iter().map(|levels| (*levels, false)))
        .chain(kind.numbers.iter().map(|levels| (*levels, true)))
        .enumerate()
    {
        let mut values = vec![Value::Null];
        values.extend((1..levels).map(|level| {
            if ordered {
                json!(1 << level)
            } else {
                json!(format!("v{level}"))
            }
        }));
        params.push(Param {
            flag: format!("--p{at}"),
            family: format!("p{at}"),
            levels: values,
            ordered,
            when: vec![],
        });
    }
    let space = Space { params };
    let effects: Vec<Vec<f64>> = space
        .params
        .iter()
        .map(|param| effects(param, kind, &mut rng))
        .collect();
    let pairs = pairs(&space, kind, &mut rng);
    let singles: Vec<(usize, usize)> = (0..kind.causes.0).map(|_| value(&space, &mut rng)).collect();
    let twos: Vec<[(usize, usize); 2]> = (0..kind.causes.1)
        .map(|_| [value(&space, &mut rng), value(&space, &mut rng)])
        .collect();
    let has = |config: &Config, (at, level): (usize, usize)| {
        if space.params[at].ordered {
            config[at] >= level
        } else {
            config[at] == level
        }
    };
    let (mut scores, mut truth) = (BTreeMap::new(), BTreeMap::new());
    for config in space.all(u64::MAX).expect("no space is larger") {
        let fails = singles.iter().any(|cause| has(&config, *cause))
            || twos
                .iter()
                .any(|pair| pair.iter().all(|cause| has(&config, *cause)));
        if fails {
            scores.insert(config, vec![]);
            continue;
        }
        let alone: f64 = effects
            .iter()
            .zip(&config)
            .map(|(effect, level)| effect[*level])
            .sum();
        let together: f64 = pairs
            .iter()
            .map(|((a, b), table)| table[config[*a]][config[*b]])
            .sum();
        let score = alone + together;
        scores.insert(
            config.clone(),
            (0..REPEATS)
                .map(|_| score + kind.noise * normal(&mut rng))
                .collect(),
        );
        truth.insert(config, score);
    }
    Landscape {
        name: kind.name.to_owned(),
        space,
        scores,
        truth,
    }
}

/// What the levels of one flag do alone; the baseline does nothing.
fn effects(param: &Param, kind: &Kind, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let count = param.levels.len();
    if rng.random::<f64>() > kind.relevant {
        return vec![0.0; count];
    }
    // Most changes of a flag make it slower: defaults are not chosen blindly.
    let mut draw = || 0.15 * (normal(rng) - 0.2);
    if !param.ordered {
        return (0..count)
            .map(|level| if level == 0 { 0.0 } else { draw() })
            .collect();
    }
    // A number has a best place, and loses on both sides of it.
    let (height, peak) = (draw().abs(), 1.0 + (draw() * 10.0).abs() % (count as f64 - 1.0));
    let at = |level: usize| -(level as f64 - peak).powi(2) / (count as f64) * 0.5;
    (0..count)
        .map(|level| {
            if level == 0 {
                0.0
            } else {
                height * (1.0 + at(level)) - 0.3 * height
            }
        })
        .collect()
}

type Pairs = Vec<((usize, usize), Vec<Vec<f64>>)>;

/// What pairs of flags do together, where both are set.
fn pairs(space: &Space, kind: &Kind, rng: &mut ChaCha8Rng) -> Pairs {
    let count = space.params.len();
    let mut pairs = Vec::new();
    for a in 0..count {
        for b in a + 1..count {
            if kind.together == 0.0 || rng.random::<f64>() > 0.35 {
                continue;
            }
            let table = (0..space.params[a].levels.len())
                .map(|x| {
                    (0..space.params[b].levels.len())
                        .map(|y| {
                            if x == 0 || y == 0 {
                                0.0
                            } else {
                                0.1 * kind.together * normal(rng)
                            }
                        })
                        .collect()
                })
                .collect();
            pairs.push(((a, b), table));
        }
    }
    pairs
}

fn value(space: &Space, rng: &mut ChaCha8Rng) -> (usize, usize) {
    let at = rng.random_range(0..space.params.len());
    let levels = space.params[at].levels.len();
    // The highest numbers are what does not fit.
    let level = if space.params[at].ordered {
        levels - 1
    } else {
        rng.random_range(1..levels)
    };
    (at, level)
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius: f64 = rng.random::<f64>().max(f64::MIN_POSITIVE);
    let angle: f64 = rng.random();
    (-2.0 * radius.ln()).sqrt() * (2.0 * std::f64::consts::PI * angle).cos()
}
