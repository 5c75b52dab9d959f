//! `kernel-gate.results-line/1`: one line of what a harness writes. A file is one provenance line, one result line a row, and one
//! summary. All is read leniently: what is missing stays missing, and may block a promotion; what else a line has is left alone.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// The id of its schema.
pub const SCHEMA: &str = "kernel-gate.results-line/1";

/// One line; `event` says what it is. Lines with another event are counted and left out.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "it stands for the schema; readers take a line as what its event says"
)]
pub enum ResultsLine {
    /// How it was measured; once, first.
    Provenance(Provenance),
    /// One row.
    Result(ResultLine),
    /// What the harness makes of all rows; once, last.
    Summary(Summary),
}

/// How it was measured.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Provenance {
    /// Command line of the harness.
    pub command: Option<String>,
    /// Name of the device; without a GPU `CPU: ` and the processor's.
    pub gpu: Option<String>,
    /// Its UUID.
    pub gpu_uuid: Option<String>,
    /// Its index in `nvidia_smi_before`.
    pub gpu_index: Option<u64>,
    /// Machine; any stable word for it will do.
    pub host: Option<String>,
    /// Rows that were to be measured.
    pub workload_count: Option<u64>,
    /// Hash of the row set, as `kernel-gate freeze` prints it.
    pub workloads_sha256: Option<String>,
    /// Hash of the dispatch file that the candidate ran behind.
    pub dispatch_sha256: Option<String>,
    /// What ran on the device before: lines of `nvidia-smi`.
    pub nvidia_smi_before: Option<String>,
    /// The same, counted.
    pub idle_before: Option<Idle>,
    /// Protocol.
    pub settings: Settings,
    /// Both sides; missing where nothing was recorded of them.
    pub sides: Option<Sides>,
    /// What differs within the measurement and must not, said by an import.
    pub conflicts: Vec<String>,
    /// What the device can do at most.
    pub peaks: Option<Peaks>,
}

/// What ran on the device before the measurement.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Idle {
    /// How busy the device was, percent.
    pub utilization_pct: Option<f64>,
    /// Processes of others on it.
    pub foreign_processes: Option<u64>,
}

/// Protocol of the harness.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// Samples of each side.
    pub num_trials: Option<u64>,
    /// Calls of each side before the first sample, where a row does not say it of its sides.
    pub warmup_runs: Option<u64>,
    /// Whether each row has a process of its own.
    pub isolated: Option<bool>,
    /// `ABBA` where the sides are interleaved.
    pub order: Option<String>,
    /// What the host's clock waits for: `device` is everything on it.
    pub synchronize: Option<String>,
}

/// Both sides of a measurement.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Sides {
    /// What is there.
    pub baseline: Side,
    /// What shall take its place.
    pub candidate: Side,
}

/// One side.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Side {
    /// Hash of its source, before the measurement.
    pub source_sha256: Option<String>,
    /// The same hash after it.
    pub source_sha256_after: Option<String>,
    /// Flags it was built with.
    pub flags: Option<Vec<String>>,
    /// Layers between the timed call and the kernel, outermost first.
    pub wrapper: Option<Vec<String>>,
    /// Device it ran on, where that is not said once for both.
    pub gpu_uuid: Option<String>,
    /// Machine it ran on, where that is not said once for both.
    pub host: Option<String>,
}

/// What the device can do at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Peaks {
    /// Bytes a second.
    pub bytes_per_s: Option<f64>,
    /// Floating-point operations a second.
    pub flops_per_s: Option<f64>,
}

/// One row.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("required" = ["id", "status"]))]
pub struct ResultLine {
    /// Its id.
    pub id: String,
    /// `PASSED`, `INCORRECT`, `ERROR`, `TIMEOUT`.
    pub status: String,
    /// Whether the headline counts it.
    pub production: Option<bool>,
    /// The row of the row set that was measured, with all its fields.
    pub workload: Option<Value>,
    /// Device times of the baseline.
    pub baseline: Option<Times>,
    /// Device times of the candidate.
    pub candidate: Option<Times>,
    /// Wall times of the baseline, summarised.
    pub baseline_wall: Option<Times>,
    /// Wall times of the candidate, summarised.
    pub candidate_wall: Option<Times>,
    /// Wall times of the baseline, microseconds a call, one a sample.
    pub baseline_wall_us: Option<Vec<f64>>,
    /// Wall times of the candidate.
    pub candidate_wall_us: Option<Vec<f64>>,
    /// How often the baseline was called.
    pub baseline_calls: Option<Calls>,
    /// How often the candidate was called.
    pub candidate_calls: Option<Calls>,
    /// The speed-up that the harness says.
    pub speedup: Option<f64>,
    /// Evidence that the outputs are right, and made by the timed work.
    pub checks: Option<Checks>,
}

/// How often one side of a row was called.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Calls {
    /// Calls before the first sample.
    pub warmup_runs: Option<u64>,
    /// Calls within one sample.
    pub inner_iterations: Option<u64>,
}

/// Times of one side, microseconds a call.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Times {
    /// Median.
    pub median_us: Option<f64>,
    /// Mean.
    pub mean_us: Option<f64>,
    /// Standard deviation.
    pub std_us: Option<f64>,
    /// Smallest.
    pub min_us: Option<f64>,
    /// The samples.
    pub samples_us: Option<Vec<f64>>,
    /// Calls within one sample, where `baseline_calls` and `candidate_calls` do not say it.
    pub inner_iterations: Option<u64>,
}

/// Evidence about one row.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Checks {
    /// Whether the outputs were filled with poison before each run that the lists below tell of.
    pub poisoned: Option<bool>,
    /// Whether outputs were compared once more after the timed loop.
    pub checked_after_timing: Option<bool>,
    /// Seeds of the inputs, one a compared run.
    pub seeds: Vec<u64>,
    /// Hash of the inputs before each compared run.
    pub inputs_sha256_before: Vec<String>,
    /// Hash of the inputs after it.
    pub inputs_sha256_after: Vec<String>,
    /// Hash of the baseline's outputs of each compared run.
    pub baseline_outputs_sha256: Vec<String>,
    /// Hash of the candidate's outputs of each compared run.
    pub candidate_outputs_sha256: Vec<String>,
    /// Smallest part of the outputs within tolerance, of all runs that were compared.
    pub matched_ratio: Option<f64>,
    /// Candidate's outputs that are NaN or infinite where the baseline's are not.
    pub nonfinite: Option<u64>,
    /// Whether NaN counted as equal to NaN: only where the row says `equal_nan`.
    pub equal_nan: Option<bool>,
    /// Different inputs that the calls of one sample went through, each with outputs of its own; 1 only where a sample is one
    /// call.
    pub input_sets: Option<u64>,
    /// Whether outputs were filled with poison, and inputs changed, before an input set came round again.
    pub poisoned_between: Option<bool>,
    /// Input sets whose outputs were compared after the timed samples.
    pub sets_checked_after_timing: Option<u64>,
    /// Hash of all input sets before the last calls of each trial's samples.
    pub timed_inputs_sha256_before: Vec<String>,
    /// Hash of them after both sides' samples: what differs was changed by a timed call.
    pub timed_inputs_sha256_after: Vec<String>,
}

/// The measurement's own summary.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Summary {
    /// What it claims.
    pub headline: Option<Headline>,
    /// Rows of the file.
    pub total: Option<u64>,
}

/// What a summary claims.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Headline {
    /// Production rows.
    pub production_workloads: Option<u64>,
    /// Geometric mean of their speed-ups.
    pub geomean_speedup: Option<f64>,
}
