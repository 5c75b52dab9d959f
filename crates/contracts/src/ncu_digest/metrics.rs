//! `ncu-digest.metrics/1`: every metric of a report that matches a pattern.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::report::Capture;
use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "ncu-digest.metrics/1";

/// `data` of `ncu-digest.metrics/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MetricsData {
    /// The capture.
    pub report: Capture,
    /// The pattern: `*` stands for any characters, `?` for one.
    pub pattern: String,
    /// Kernels in the order of the report.
    pub kernels: Vec<KernelMetrics>,
}

/// Metrics of one kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KernelMetrics {
    /// Position in the report, from 0.
    pub index: u64,
    /// Full name, cleaned.
    pub name: String,
    /// Its metrics, by name.
    pub metrics: Vec<MetricRow>,
}

/// One metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MetricRow {
    /// Name.
    pub name: String,
    /// The number, unscaled; null where it is text, was not finite, or has instances only.
    pub value: Option<Finite>,
    /// The text; null where it is a number.
    pub text: Option<String>,
    /// Unit; null where neither the report nor the table of units names it.
    pub unit: Option<String>,
    /// Its parts: addresses, pipes, samples.
    pub instances: Vec<InstanceRow>,
}

/// One part of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct InstanceRow {
    /// What it belongs to, as text; null where it is not named.
    pub id: Option<String>,
    /// The number; null where it is text or is not there.
    pub value: Option<Finite>,
    /// The text; null where it is a number.
    pub text: Option<String>,
}
