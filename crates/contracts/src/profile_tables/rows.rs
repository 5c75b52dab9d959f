//! `profile-tables.rows/1`: the shapes that kernels are called with, weighted by their time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::report::TraceInfo;
use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "profile-tables.rows/1";

/// `data` of `profile-tables.rows/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct RowsData {
    /// The traces that were read, by name.
    pub traces: Vec<TraceInfo>,
    /// The pattern that names had to match.
    pub kernel: String,
    /// Stage that the calls are of; `all` for every one.
    pub stage: String,
    /// Calls of the kernels that match.
    pub calls: u64,
    /// Sum of their durations, nanoseconds.
    pub gpu_time_ns: i64,
    /// Of it, time of calls whose shapes are known, percent; null without time.
    pub with_shapes_pct: Option<Finite>,
    /// What they are called with, most time first: what a kernel has to be tested on, and how much each case counts.
    pub workloads: Vec<KernelWorkload>,
}

/// Calls of one kernel with the same inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KernelWorkload {
    /// Whole name.
    pub kernel: String,
    /// Family.
    pub family: String,
    /// Operator that launches it; null when unknown.
    pub op: Option<String>,
    /// Shape of each input of the operator, as the trace has it: a list of numbers, empty for a scalar, a list of lists for a
    /// list of tensors; null when not recorded.
    pub input_dims: Option<Vec<Value>>,
    /// Type of each input of the operator, such as `c10::BFloat16`; null when not recorded.
    pub input_types: Option<Vec<String>>,
    /// Strides of each input of the operator; null when not recorded.
    pub input_strides: Option<Vec<Value>>,
    /// Calls.
    pub calls: u64,
    /// Of them, calls that a graph replayed: they have no operator of their own, and so no inputs.
    pub in_graph_calls: u64,
    /// Share of its time in that of all calls that match, percent; null without time.
    pub weight_pct: Option<Finite>,
    /// Sum of durations, nanoseconds.
    pub gpu_time_ns: i64,
    /// Shortest of its calls, nanoseconds.
    pub shortest_ns: i64,
    /// Longest of its calls, nanoseconds.
    pub longest_ns: i64,
}
