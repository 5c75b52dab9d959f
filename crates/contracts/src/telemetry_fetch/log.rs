//! What the log of an engine says of a window, besides incidents.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// Numbers that an engine wrote into its log again and again: SGLang's "Decode batch" and "Prefill batch" lines, vLLM's
/// "Engine 000" lines, llama.cpp's timings of each request. They are what the engine chose to print, not counters: where metrics say the same, metrics are exact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LogSeries {
    /// `running_requests`, `waiting_requests`, `kv_usage_ratio`, `output_tps`, `input_tps`, `cache_hit_ratio`,
    /// `accept_length`, `graph_ratio` (lines that say whether a CUDA graph ran: 1 when it did), and of llama.cpp, once a
    /// request that ended: `prefill_time_ms`, `tpot_ms`, `accept_ratio`.
    pub id: String,
    /// The log, as on the command line.
    pub log: String,
    /// Rank or engine that wrote it, as it names itself; null when it does not.
    pub rank: Option<String>,
    /// Unit of the values.
    pub unit: String,
    /// Lines with this number in the window.
    pub lines: u64,
    /// First such line.
    pub first_at: Timestamp,
    /// Last such line.
    pub last_at: Timestamp,
    /// Mean over the lines, each line counting as one.
    pub mean: Finite,
    /// Smallest.
    pub min: Finite,
    /// Largest.
    pub max: Finite,
    /// At most 60 points: the window in equal parts, those without a line left out.
    pub points: Vec<LogPoint>,
}

/// Lines of one part of the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LogPoint {
    /// Start of the part.
    pub at: Timestamp,
    /// Mean over its lines.
    pub mean: Finite,
    /// Largest of its lines.
    pub max: Finite,
}
