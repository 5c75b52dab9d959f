//! `kernel-gate.workloads/1`: the rows as a task writes them, before they are frozen.

use schemars::JsonSchema;
use serde::Deserialize;

/// The id of its schema.
pub const SCHEMA: &str = "kernel-gate.workloads/1";

/// One row. What else it has describes it, and is part of its hash.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct WorkloadRow {
    /// Its id; no two rows have one.
    #[schemars(length(min = 1, max = 200))]
    pub id: String,
    /// Whether the headline counts it; a row that does not say is counted. Others are there for correctness.
    #[serde(default)]
    pub production: Option<bool>,
    /// Absolute tolerance of its outputs.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub atol: Option<f64>,
    /// Relative tolerance of its outputs.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub rtol: Option<f64>,
    /// Whether NaN where the baseline has NaN is right. Without it, NaN equals nothing.
    #[serde(default)]
    pub equal_nan: Option<bool>,
    /// Calls of the row in a typical run, the weight of its time.
    #[serde(default)]
    pub calls: Option<f64>,
    /// Bytes that one call must move at least.
    #[serde(default)]
    pub bytes: Option<f64>,
    /// Floating-point operations of one call.
    #[serde(default)]
    pub flops: Option<f64>,
}
