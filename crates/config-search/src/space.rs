//! What may be set: flags with their levels, the families they belong to, and when they mean anything. Pure.
//!
//! Every flag has finitely many levels, and level 0 is the baseline: the flag left out. A configuration is one level a flag.

use std::collections::BTreeMap;

use serde_json::Value;

/// One level of each parameter, in the order of [`Space::params`].
pub type Config = Vec<usize>;

/// A flag.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Its name, with dashes.
    pub flag: String,
    /// The mechanism it belongs to.
    pub family: String,
    /// Its values; the first is the baseline, null where the flag is left out.
    pub levels: Vec<Value>,
    /// Whether the order of its values means something.
    pub ordered: bool,
    /// It can be set only where all of these hold: another parameter, at one of these levels.
    pub when: Vec<(usize, Vec<usize>)>,
}

/// All flags of one framework.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space {
    /// The flags. A condition names only flags that have none themselves, or that stand before.
    pub params: Vec<Param>,
}

impl Space {
    /// The configuration that sets nothing.
    pub fn baseline(&self) -> Config {
        vec![0; self.params.len()]
    }

    /// Puts flags whose condition does not hold back to the baseline.
    pub fn normalise(&self, config: &mut Config) {
        // A condition may hang on a flag that is put back itself.
        for _ in 0..self.params.len() {
            let mut is_stable = true;
            for at in 0..self.params.len() {
                if config[at] != 0 && !self.is_active(at, config) {
                    config[at] = 0;
                    is_stable = false;
                }
            }
            if is_stable {
                return;
            }
        }
    }

    /// Whether a flag may be set beside the rest of a configuration.
    pub fn is_active(&self, at: usize, config: &Config) -> bool {
        let mut conditions = self.params[at].when.iter();
        conditions.all(|(other, levels)| levels.contains(&config[*other]))
    }

    /// Number of configurations, conditions not counted; [`u64::MAX`] for more than that.
    pub fn size(&self) -> u64 {
        let levels = self.params.iter().map(|param| param.levels.len() as u64);
        levels.fold(1, u64::saturating_mul)
    }

    /// Every configuration, where there are at most `cap`.
    pub fn all(&self, cap: u64) -> Option<Vec<Config>> {
        if self.size() > cap {
            return None;
        }
        let mut all = vec![self.baseline()];
        for (at, param) in self.params.iter().enumerate() {
            let shorter = std::mem::take(&mut all);
            for config in shorter {
                for level in 0..param.levels.len() {
                    let mut longer = config.clone();
                    longer[at] = level;
                    all.push(longer);
                }
            }
        }
        for config in &mut all {
            self.normalise(config);
        }
        all.sort();
        all.dedup();
        Some(all)
    }

    /// The flags that a configuration sets, with their values.
    pub fn values(&self, config: &Config) -> BTreeMap<String, Value> {
        let pairs = self.params.iter().zip(config);
        pairs
            .filter(|(_, level)| **level != 0)
            .map(|(param, level)| (param.flag.clone(), param.levels[*level].clone()))
            .collect()
    }

    /// The configuration that sets these flags; `None` when the space has no such flag or value.
    pub fn config(&self, values: &BTreeMap<String, Value>) -> Option<Config> {
        let mut config = self.baseline();
        for (flag, value) in values {
            let at = self.params.iter().position(|param| param.flag == *flag)?;
            config[at] = self.params[at].levels.iter().position(|level| level == value)?;
        }
        Some(config)
    }

    /// The families, each with its parameters, by name.
    pub fn families(&self) -> BTreeMap<&str, Vec<usize>> {
        let mut families: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, param) in self.params.iter().enumerate() {
            families.entry(param.family.as_str()).or_default().push(at);
        }
        families
    }

    /// Flags that a configuration sets.
    pub fn set_count(config: &Config) -> usize {
        config.iter().filter(|level| **level != 0).count()
    }
}

impl Param {
    /// Place of a level within the order, 0 to 1; `None` where there is no order, or the flag is left out.
    pub fn place(&self, level: usize) -> Option<f64> {
        if !self.ordered || self.levels[level].is_null() {
            return None;
        }
        let rank = |at: usize| self.levels[at].as_f64().unwrap_or(at as f64);
        let mine = rank(level);
        let others = (0..self.levels.len()).filter(|at| !self.levels[*at].is_null());
        let below = others.clone().filter(|at| rank(*at) < mine).count();
        let count = others.count();
        Some(if count > 1 {
            below as f64 / (count - 1) as f64
        } else {
            0.0
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn space() -> Space {
        let param = |flag: &str, levels: Vec<Value>, ordered, when| Param {
            flag: flag.to_owned(),
            family: flag.to_owned(),
            levels,
            ordered,
            when,
        };
        Space {
            params: vec![
                param("--spec", vec![Value::Null, json!("ngram")], false, vec![]),
                param(
                    "--draft",
                    vec![Value::Null, json!(4), json!(2)],
                    true,
                    vec![(0, vec![1])],
                ),
            ],
        }
    }

    #[test]
    fn a_flag_whose_condition_does_not_hold_is_not_set() {
        let space = space();
        let all = space.all(100).unwrap();
        assert_eq!(all, [vec![0, 0], vec![1, 0], vec![1, 1], vec![1, 2]]);
        assert_eq!(space.all(5), None);
    }

    #[test]
    fn values_and_configurations_are_the_same_thing() {
        let space = space();
        for config in space.all(100).unwrap() {
            assert_eq!(space.config(&space.values(&config)), Some(config));
        }
        let unknown = BTreeMap::from([("--nothing".to_owned(), json!(1))]);
        assert_eq!(space.config(&unknown), None);
    }

    #[test]
    fn places_follow_the_numbers_and_not_the_list() {
        let space = space();
        assert_eq!(space.params[1].place(1), Some(1.0));
        assert_eq!(space.params[1].place(2), Some(0.0));
        assert_eq!(space.params[1].place(0), None);
        assert_eq!(space.params[0].place(1), None);
    }
}
