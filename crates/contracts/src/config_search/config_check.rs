//! `config-search.config-check/1`: dstack configurations read and checked, nothing submitted, no server asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of `schema`.
pub const SCHEMA: &str = "config-search.config-check/1";

/// `data` of `config-search.config-check/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ConfigCheckData {
    /// Software whose configurations these are: `dstack`.
    pub source: String,
    /// Its release whose fields, choices and limits were held against the files.
    pub source_version: String,
    /// One entry a file, in the order given.
    pub files: Vec<CheckedConfig>,
}

/// A configuration that was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CheckedConfig {
    /// File.
    pub path: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// `service`, `task`, `dev-environment`, `fleet`, `volume`, `gateway`, `preset`; null when it says none of them.
    pub kind: Option<String>,
    /// Name of the run or resource; null when dstack chooses one.
    pub name: Option<String>,
    /// What is wrong with it; empty when dstack would take it.
    pub problems: Vec<ConfigProblem>,
}

/// Something wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ConfigProblem {
    /// Where, for example `resources.gpu` or `commands[2]`; empty for the whole file.
    pub path: String,
    /// `config-type`, `config-choice`, `config-missing`, `config-unknown-field`, `config-value` or `config-rule`.
    pub code: String,
    /// In words, without values that may be secrets.
    pub message: String,
    /// What to do.
    pub hint: String,
}
