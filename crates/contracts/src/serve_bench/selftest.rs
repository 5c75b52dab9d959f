//! `serve-bench.selftest/1`: accuracy and the trap matrix, proven on the user's own machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "serve-bench.selftest/1";

/// `data` of `serve-bench.selftest/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct SelftestData {
    /// True when every trap passed and every accuracy check that the machine was quiet enough for.
    pub passed: bool,
    /// The trap matrix.
    pub traps: Vec<Trap>,
    /// Reported minus true timing.
    pub accuracy: Vec<Accuracy>,
    /// Cost and capacity; empty without `--bench`.
    pub bench: Vec<BenchLine>,
}

/// One awkward stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Trap {
    /// Name, for example `clean-end-without-finish-reason`.
    pub name: String,
    /// What must be reported.
    pub expected: String,
    /// What was reported.
    pub observed: String,
    /// Whether they agree.
    pub passed: bool,
}

/// Timing at one concurrency: reported minus the server's own record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Accuracy {
    /// Streams at once.
    pub concurrency: u32,
    /// Requests.
    pub requests: u64,
    /// Times this level was measured, 1 to 3; the other figures are of the last one.
    pub attempts: u32,
    /// Mean of reported - true TTFT, milliseconds.
    pub ttft_error_mean_ms: Option<Finite>,
    /// 99th percentile of reported - true TTFT, milliseconds.
    pub ttft_error_p99_ms: Option<Finite>,
    /// Error of the mean inter-token latency, percent.
    pub itl_error_mean_pct: Option<Finite>,
    /// Error of its 99th percentile, percent.
    pub itl_error_p99_pct: Option<Finite>,
    /// 99th percentile of the client's heartbeat lag, milliseconds.
    pub heartbeat_p99_ms: Option<Finite>,
    /// True when the heartbeat lag p99 is 1 ms or more: the machine, not the client, sets the errors.
    pub machine_busy: bool,
    /// Whether the limits hold; null when the machine was too busy to say.
    pub passed: Option<bool>,
}

/// One line of `--bench`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct BenchLine {
    /// What was measured.
    pub name: String,
    /// The value.
    pub value: Finite,
    /// Its unit.
    pub unit: String,
    /// The bare read loop's value in the same run; null when there is none.
    pub baseline: Option<Finite>,
    /// value / baseline; null without a baseline.
    pub ratio: Option<Finite>,
    /// The limit that it must keep, in words; null when it is only reported.
    pub limit: Option<String>,
    /// Whether it keeps the limit; null without one.
    pub passed: Option<bool>,
}
