//! What explains failures: one value, a range of one parameter, or a pair of values. Pure.
//!
//! A condition that any configuration with a result meets explains nothing. The blame of a failed configuration is
//! shared among the conditions that it meets and that are left, a pair having a quarter of the share of a single value;
//! over several failures the belief in a condition grows. A failure that nothing explains is taken for chance.

use std::collections::BTreeMap;

use super::{Outcome, Trial};
use crate::space::{Config, Space};

/// From this belief on a configuration is not launched any more.
pub const CERTAIN: f64 = 0.9;
/// Share of a pair beside that of a single value.
const PAIR_WEIGHT: f64 = 0.25;

/// Something that a configuration meets or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// The parameter has this level.
    Is(usize, usize),
    /// The parameter is set to this level's value or more.
    AtLeast(usize, usize),
    /// The parameter is set to this level's value or less.
    AtMost(usize, usize),
    /// Both parameters have these levels.
    Pair((usize, usize), (usize, usize)),
}

/// A condition that may be the cause of failures.
#[derive(Clone, Debug, PartialEq)]
pub struct Suspect {
    /// The condition.
    pub condition: Condition,
    /// Failures that it would explain.
    pub failures: u64,
    /// Belief that it is a cause, 0 to 1.
    pub belief: f64,
}

/// What is believed of the failures so far.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    suspects: Vec<Suspect>,
}

impl Condition {
    /// Whether a configuration meets it.
    pub fn holds(self, space: &Space, config: &Config) -> bool {
        match self {
            Condition::Is(at, level) => config[at] == level,
            Condition::AtLeast(at, level) => placed(space, at, config[at], level, |mine, its| mine >= its),
            Condition::AtMost(at, level) => placed(space, at, config[at], level, |mine, its| mine <= its),
            Condition::Pair((a, x), (b, y)) => config[a] == x && config[b] == y,
        }
    }

    /// In words.
    pub fn words(self, space: &Space) -> String {
        let is = |at: usize, level: usize| match &space.params[at].levels[level] {
            serde_json::Value::Null => format!("no {}", space.params[at].flag),
            value => format!("{} {value}", space.params[at].flag),
        };
        match self {
            Condition::Is(at, level) => is(at, level),
            Condition::AtLeast(at, level) => format!("{} or more", is(at, level)),
            Condition::AtMost(at, level) => format!("{} or less", is(at, level)),
            Condition::Pair((a, x), (b, y)) => format!("{} with {}", is(a, x), is(b, y)),
        }
    }
}

fn placed(space: &Space, at: usize, mine: usize, its: usize, holds: fn(f64, f64) -> bool) -> bool {
    let param = &space.params[at];
    match (param.place(mine), param.place(its)) {
        (Some(mine), Some(its)) => holds(mine, its),
        _ => false,
    }
}

impl Failures {
    /// What the trials so far say.
    pub fn learn(space: &Space, trials: &[Trial]) -> Failures {
        let good: Vec<&Config> = trials
            .iter()
            .filter(|trial| trial.outcome != Outcome::Failed)
            .map(|trial| &trial.config)
            .collect();
        let mut beliefs: BTreeMap<Condition, (u64, f64)> = BTreeMap::new();
        let mut bad: Vec<&Config> = trials
            .iter()
            .filter(|trial| trial.outcome == Outcome::Failed)
            .map(|trial| &trial.config)
            .collect();
        bad.sort();
        // The same configuration twice says nothing new about its cause.
        bad.dedup();
        for config in bad {
            let left: Vec<(Condition, f64)> = conditions(space, config)
                .into_iter()
                .filter(|(condition, _)| !good.iter().any(|good| condition.holds(space, good)))
                .collect();
            let total: f64 = left.iter().map(|(_, weight)| weight).sum();
            for (condition, weight) in left {
                let (failures, doubt) = beliefs.entry(condition).or_insert((0, 1.0));
                *failures += 1;
                *doubt *= 1.0 - weight / total;
            }
        }
        let mut suspects: Vec<Suspect> = beliefs
            .into_iter()
            .map(|(condition, (failures, doubt))| Suspect {
                condition,
                failures,
                belief: 1.0 - doubt,
            })
            .collect();
        suspects.sort_by(|a, b| b.belief.total_cmp(&a.belief).then(a.condition.cmp(&b.condition)));
        Failures { suspects }
    }

    /// The suspects, the most believed first.
    pub fn suspects(&self) -> &[Suspect] {
        &self.suspects
    }

    /// Probability that a configuration starts, as far as failures say.
    pub fn starts(&self, space: &Space, config: &Config) -> f64 {
        // Conditions of one parameter overlap, so the strongest of each counts once.
        let mut worst: BTreeMap<usize, f64> = BTreeMap::new();
        for suspect in &self.suspects {
            if suspect.condition.holds(space, config) {
                let at = match suspect.condition {
                    Condition::Is(at, _) | Condition::AtLeast(at, _) | Condition::AtMost(at, _) => at,
                    Condition::Pair((a, _), (b, _)) => 1000 * (a + 1) + b,
                };
                let belief = worst.entry(at).or_insert(0.0);
                *belief = belief.max(suspect.belief);
            }
        }
        worst.values().map(|belief| 1.0 - belief).product()
    }

    /// Whether a configuration meets a cause that is as good as certain.
    pub fn excludes(&self, space: &Space, config: &Config) -> bool {
        let certain = self
            .suspects
            .iter()
            .take_while(|suspect| suspect.belief >= CERTAIN);
        certain
            .into_iter()
            .any(|suspect| suspect.condition.holds(space, config))
    }
}

/// Conditions that a configuration meets, with their weight before anything is known.
fn conditions(space: &Space, config: &Config) -> Vec<(Condition, f64)> {
    let mut conditions = Vec::new();
    let set: Vec<usize> = (0..config.len()).filter(|at| config[*at] != 0).collect();
    for &at in &set {
        let level = config[at];
        if space.params[at].place(level).is_some() {
            // Too much and too little of a number are what engines refuse.
            conditions.push((Condition::AtLeast(at, level), 0.5));
            conditions.push((Condition::AtMost(at, level), 0.5));
        } else {
            conditions.push((Condition::Is(at, level), 1.0));
        }
    }
    for (first, &a) in set.iter().enumerate() {
        for &b in &set[first + 1..] {
            conditions.push((Condition::Pair((a, config[a]), (b, config[b])), PAIR_WEIGHT));
        }
    }
    conditions
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::Trial;
    use super::*;
    use crate::space::Param;
    use contracts::config_search::candidate::Step;

    fn space() -> Space {
        let param = |flag: &str, levels: Vec<Value>, ordered| Param {
            flag: flag.to_owned(),
            family: flag.to_owned(),
            levels,
            ordered,
            when: vec![],
        };
        Space {
            params: vec![
                param(
                    "--memory",
                    vec![Value::Null, json!(0.7), json!(0.8), json!(0.9)],
                    true,
                ),
                param("--backend", vec![Value::Null, json!("a"), json!("b")], false),
                param("--graph", vec![Value::Null, json!(true)], false),
            ],
        }
    }

    fn trial(config: [usize; 3], is_good: bool) -> Trial {
        Trial {
            config: config.to_vec(),
            fidelity: 1.0,
            step: Step::Coverage,
            outcome: if is_good {
                Outcome::Measured {
                    score: 0.0,
                    slo: None,
                }
            } else {
                Outcome::Failed
            },
        }
    }

    #[test]
    fn the_one_value_that_is_left_is_the_cause_and_only_its_family_goes() {
        let space = space();
        let trials = [
            trial([0, 0, 0], true),
            trial([1, 1, 1], false),
            trial([1, 0, 1], true),
            trial([0, 1, 0], false),
        ];
        let failures = Failures::learn(&space, &trials);
        assert_eq!(failures.suspects()[0].condition, Condition::Is(1, 1));
        assert!(failures.excludes(&space, &vec![2, 1, 0]));
        assert!(!failures.excludes(&space, &vec![1, 2, 1]));
        assert_eq!(failures.suspects()[0].condition.words(&space), "--backend \"a\"");
    }

    #[test]
    fn too_much_memory_takes_everything_above_with_it() {
        let space = space();
        let trials = [
            trial([0, 0, 0], true),
            trial([1, 0, 0], true),
            trial([2, 0, 0], false),
        ];
        let failures = Failures::learn(&space, &trials);
        assert!(failures.starts(&space, &vec![3, 0, 0]) < 0.6);
        assert_eq!(failures.starts(&space, &vec![1, 0, 0]), 1.0);
    }

    #[test]
    fn a_pair_is_blamed_when_each_of_it_works_alone() {
        let space = space();
        let trials = [
            trial([0, 0, 0], true),
            trial([0, 1, 0], true),
            trial([0, 0, 1], true),
            trial([0, 1, 1], false),
        ];
        let failures = Failures::learn(&space, &trials);
        assert_eq!(failures.suspects().len(), 1);
        assert!(failures.excludes(&space, &vec![3, 1, 1]));
        assert!(!failures.excludes(&space, &vec![3, 2, 1]));
    }

    #[test]
    fn a_failure_that_nothing_explains_excludes_nothing() {
        let space = space();
        let trials = [trial([0, 1, 0], true), trial([0, 1, 0], false)];
        let failures = Failures::learn(&space, &trials);
        assert!(failures.suspects().is_empty());
        assert_eq!(failures.starts(&space, &vec![0, 1, 0]), 1.0);
    }
}
