//! Documents of `ncu-digest`.

pub mod command;
pub mod comparison;
pub mod kernel;
pub mod metrics;
pub mod report;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// A number of a report, with where it came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Counter {
    /// The number; its unit is in the name of the field that holds it.
    pub value: Finite,
    /// The metric it was read from, or the formula over metrics.
    pub metric: String,
}
