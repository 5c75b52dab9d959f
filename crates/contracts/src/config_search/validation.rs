//! `config-search.validation/1`: a plan read and checked, nothing launched.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The value of `schema`.
pub const SCHEMA: &str = "config-search.validation/1";

/// `data` of `config-search.validation/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ValidationData {
    /// One entry a plan, in the order given.
    pub plans: Vec<CheckedPlan>,
}

/// A plan that was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CheckedPlan {
    /// File.
    pub path: String,
    /// SHA-256 of the plan.
    pub sha256: String,
    /// What is wrong with it; empty when it can run.
    pub problems: Vec<Problem>,
    /// The frameworks.
    pub frameworks: Vec<CheckedFramework>,
}

/// Something wrong with a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Problem {
    /// Stable kebab-case name.
    pub code: String,
    /// Framework or scenario; null for the plan itself.
    pub of: Option<String>,
    /// In words.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// A framework that was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CheckedFramework {
    /// Its name.
    pub framework: String,
    /// Configurations of its space, 18446744073709551615 for more than that.
    pub configurations: u64,
    /// Mechanism families, each with its flags.
    pub families: BTreeMap<String, Vec<String>>,
    /// Whether flags were held against what `--help` prints.
    pub help_checked: bool,
    /// The baseline, and one candidate for every value of every flag.
    pub candidates: Vec<Rendered>,
}

/// A command that would be launched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rendered {
    /// Flags that it sets; empty for the baseline.
    pub params: BTreeMap<String, Value>,
    /// The argv, `{port}` still in it, without secrets.
    pub argv: Vec<String>,
}
