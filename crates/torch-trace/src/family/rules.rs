//! Reads the rule file and applies one rule.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Family;
use crate::name_pattern::{NamePattern, Part, Words, fits};

const TEXT: &str = include_str!("families.yaml");

pub(super) static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| serde_saphyr::from_str(TEXT).expect("families.yaml is embedded and a test reads it"));

/// The rules in their order.
pub fn rules() -> &'static [Rule] {
    &RULES
}

/// One rule of `families.yaml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What a kernel is that matches.
    pub family: Family,
    /// Whose kernels these are, and why the rule stands where it does.
    pub about: String,
    #[serde(default, rename = "in")]
    part: Part,
    /// Each of them must match.
    #[serde(default)]
    all: Vec<NamePattern>,
    /// One of them must match; empty asks for nothing.
    #[serde(default)]
    any: Vec<NamePattern>,
    /// None of them may match.
    #[serde(default)]
    not: Vec<NamePattern>,
    /// Kernels that this rule decides.
    pub examples: Vec<String>,
    /// Kernels that look like it and are another family's.
    pub near_misses: BTreeMap<String, Family>,
}

impl Rule {
    pub(super) fn matches(&self, words: &Words) -> bool {
        fits(words, self.part, &self.all, &self.any, &self.not)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::family_of;

    fn decided_by(name: &str) -> Option<usize> {
        let words = Words::of(name);
        RULES.iter().position(|rule| rule.matches(&words))
    }

    #[test]
    fn every_rule_decides_its_examples_and_leaves_its_near_misses() {
        let mut wrong = Vec::new();
        for (index, rule) in RULES.iter().enumerate() {
            assert!(
                !rule.examples.is_empty() && !rule.near_misses.is_empty(),
                "rule {index}: {}",
                rule.about
            );
            assert!(
                !(rule.all.is_empty() && rule.any.is_empty()),
                "rule {index} matches everything"
            );
            for name in &rule.examples {
                if decided_by(name) != Some(index) {
                    let by = decided_by(name).map(|by| RULES[by].about.as_str());
                    wrong.push(format!(
                        "`{name}` is not decided by `{}` but by {by:?}",
                        rule.about
                    ));
                }
            }
            for (name, family) in &rule.near_misses {
                if rule.matches(&Words::of(name)) || family_of(name) != *family {
                    wrong.push(format!(
                        "`{name}` should be {family:?} and no case of `{}`; it is {:?}",
                        rule.about,
                        family_of(name)
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_family_but_other_has_a_rule() {
        for family in Family::ALL {
            let ruled = RULES.iter().any(|rule| rule.family == family);
            assert_eq!(ruled, family != Family::Other, "{family:?}");
        }
    }
}
