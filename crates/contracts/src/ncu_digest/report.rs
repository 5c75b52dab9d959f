//! `ncu-digest.report/1`: one page of a Nsight Compute report, and one next edit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Counter;
use super::comparison::Comparison;
use super::kernel::Kernel;
use crate::Finite;

/// The value of `schema`.
pub const SCHEMA: &str = "ncu-digest.report/1";

/// `data` of `ncu-digest.report/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ReportData {
    /// The one edit that the report supports, or `E00`, stop; null where the report lacks sections that the decision needs.
    /// With a candidate it is of the candidate's kernel.
    pub next_edit: Option<NextEdit>,
    /// Kernel that `next_edit` is about, or would be, by its position in its report: the one that takes the most time in all
    /// its launches, and prepares nothing.
    pub focus: u64,
    /// Baseline against candidate; null without a candidate.
    pub comparison: Option<Comparison>,
    /// The capture; with a candidate, the baseline's.
    pub report: Capture,
    /// The candidate's capture; null without one.
    pub candidate: Option<Capture>,
    /// Kernels of `report`, longest first, ten without `--all`.
    pub kernels: Vec<Kernel>,
    /// Kernels that were left out of `kernels`.
    pub kernels_left_out: u64,
    /// The candidate's kernels in the same way; empty without one.
    pub candidate_kernels: Vec<Kernel>,
    /// Launches of one kernel with one configuration in `report`, by their time together.
    pub groups: Vec<Group>,
}

/// Facts of a capture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Capture {
    /// How it was stored: `ncu-rep`, `ncu-repz`, `raw-csv`, `details-csv`, `live-csv`.
    pub form: String,
    /// Version of Nsight Compute; null where it is not named.
    pub ncu_version: Option<String>,
    /// CUDA version; null where it is not named.
    pub cuda_version: Option<String>,
    /// Display driver; null where it is not named.
    pub driver_version: Option<String>,
    /// GPU; null where it is not named.
    pub gpu: Option<String>,
    /// Compute capability, `10.0`; null where it is not named.
    pub cc: Option<String>,
    /// Streaming multiprocessors; null where nothing tells.
    pub sm_count: Option<u64>,
    /// `--clock-control`; null where nothing tells.
    pub clock_control: Option<String>,
    /// `--cache-control`; null where nothing tells.
    pub cache_control: Option<String>,
    /// `--set`; null where none was named.
    pub set: Option<String>,
    /// Fewest replays of a kernel; null where nothing tells.
    pub passes: Option<Counter>,
    /// Profiled kernels.
    pub kernels: u64,
    /// When it was recorded; null where nothing tells.
    pub recorded_at: Option<String>,
    /// True where host, paths, environment and command line were left out.
    pub redacted: bool,
    /// Name of the host; null with `redacted`, and where it is not named.
    pub host: Option<String>,
    /// Command line of `ncu`; null likewise.
    pub command_line: Option<String>,
    /// Path of the program; null likewise.
    pub program: Option<String>,
    /// Its folder; null likewise.
    pub working_directory: Option<String>,
    /// Its environment, without the values of secrets; null likewise.
    pub environment: Option<String>,
}

/// Launches of one kernel with one configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Group {
    /// Name and template arguments, normalised.
    pub key: String,
    /// Blocks.
    pub grid: [u64; 3],
    /// Threads of a block.
    pub block: [u64; 3],
    /// Registers of a thread; null where it was not collected.
    pub registers: Option<Counter>,
    /// Launches.
    pub n: u64,
    /// True where the first launch was left out of what follows: it is slower than the rest, and three are there.
    pub first_dropped: bool,
    /// Median duration, ns; null where no duration was collected.
    pub median_ns: Option<Counter>,
    /// Shortest, ns; null likewise.
    pub min_ns: Option<Counter>,
    /// Longest, ns; null likewise.
    pub max_ns: Option<Counter>,
    /// Standard deviation / mean of the durations, percent; null with fewer than two.
    pub cv_pct: Option<Finite>,
}

/// What to change next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NextEdit {
    /// Rule: `E01` to `E15`, `E05b`; `E00` for stop.
    pub id: String,
    /// Kernel that it is about, by its position in its report.
    pub kernel_index: u64,
    /// Its name.
    pub kernel: String,
    /// What was seen, the deciding condition first.
    pub symptom: Vec<String>,
    /// What to change.
    pub edit: String,
    /// The numbers behind it.
    pub evidence: Vec<Evidence>,
    /// Further rules that hold, in their order; none of them is the next edit.
    pub also: Vec<Hit>,
}

/// A number behind a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Evidence {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: Finite,
    /// The metric it was read from, the formula over metrics, or the rule of Nsight Compute that estimates it.
    pub metric: String,
}

/// A further rule that holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Hit {
    /// Rule.
    pub id: String,
    /// What was seen.
    pub symptom: String,
    /// What it would ask for.
    pub edit: String,
}
