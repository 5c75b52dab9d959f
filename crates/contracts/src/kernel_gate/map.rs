//! `kernel-gate.map/1`: what the columns of a CSV ledger are. The TOML file that `kernel-gate import --map` reads; the schema is
//! of the same file as JSON.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// The id of its schema.
pub const SCHEMA: &str = "kernel-gate.map/1";

/// The map of a ledger's columns: every column is mapped or ignored, nothing is guessed. It is read strictly.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnMap {
    /// Columns that name a row; joined with `/`.
    pub id: Vec<String>,
    /// Lines that are taken: all of these hold.
    #[serde(default)]
    pub keep: Vec<Condition>,
    /// Where the times are.
    pub times: Vec<TimeColumns>,
    /// Column with the speed-up that the ledger says.
    #[serde(default)]
    pub speedup: Option<String>,
    /// Which rows are production rows; all without it.
    #[serde(default)]
    pub production: Option<Condition>,
    /// Which rows have right outputs.
    #[serde(default)]
    pub valid: Option<Condition>,
    /// The ledger has rows with right outputs only, and no column says so.
    #[serde(default)]
    pub assume_valid: bool,
    /// Columns that describe a row.
    #[serde(default)]
    pub workload: Vec<String>,
    /// Columns that say how it was measured.
    #[serde(default)]
    pub provenance: ProvenanceColumns,
    /// The line with the ledger's own geometric mean.
    #[serde(default)]
    pub summary: Option<SummaryLine>,
    /// Columns that are left out on purpose.
    #[serde(default)]
    pub ignore: Vec<String>,
}

/// A condition on one column; what is not given is not asked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The column.
    pub column: String,
    /// The cell is this.
    #[serde(default)]
    pub equals: Option<String>,
    /// The cell starts with this.
    #[serde(default)]
    pub starts_with: Option<String>,
    /// The cell ends with this.
    #[serde(default)]
    pub ends_with: Option<String>,
    /// The cell does not start with this.
    #[serde(default)]
    pub not_starts_with: Option<String>,
}

/// Times of one side by one clock.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeColumns {
    /// The clock.
    pub clock: Clock,
    /// The side.
    pub side: Side,
    /// `us` where nothing is said.
    #[serde(default)]
    pub unit: Unit,
    /// Values of columns that tell these lines, in a ledger with a line for each side.
    #[serde(default)]
    pub when: BTreeMap<String, String>,
    /// Column of the median.
    pub median: String,
    /// Column of the mean.
    #[serde(default)]
    pub mean: Option<String>,
    /// Column of the standard deviation.
    #[serde(default)]
    pub std: Option<String>,
    /// Column of the smallest.
    #[serde(default)]
    pub min: Option<String>,
}

/// The clock of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Events on the device's stream.
    Device,
    /// The host's clock.
    Wall,
}

/// The side of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What is there.
    Baseline,
    /// What shall take its place.
    Candidate,
}

/// The unit of a column.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Nanoseconds.
    Ns,
    /// Microseconds.
    #[default]
    Us,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
}

/// Columns that have one value over all lines of a measurement.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProvenanceColumns {
    /// Name of the device.
    pub gpu: Option<String>,
    /// Its UUID.
    pub gpu_uuid: Option<String>,
    /// Machine.
    pub host: Option<String>,
    /// Command line of the harness.
    pub command: Option<String>,
    /// Hash of the baseline's source.
    pub baseline_sha256: Option<String>,
    /// Hash of the candidate's source.
    pub candidate_sha256: Option<String>,
    /// How busy the device was before, percent; the largest of all lines counts.
    pub idle_utilization_pct: Option<String>,
}

/// The line with the ledger's own geometric mean.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SummaryLine {
    /// The line for which all of these hold.
    pub keep: Vec<Condition>,
    /// Column of the mean.
    pub geomean: String,
}
