//! One metric over a window.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// What one value of a metric stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Semantics {
    /// Observed once a request.
    PerRequest,
    /// Observed once a token: an interval with several tokens counts several times.
    PerToken,
    /// Observed once an output event, however many tokens it has: not comparable with `per_token` under speculation.
    PerOutputEvent,
    /// Observed once a step of the engine.
    PerStep,
    /// Counted since the process began; the value here is the increase over the window.
    Cumulative,
    /// What was true when the exporter was asked.
    Instantaneous,
    /// Overwritten by the last batch, whatever came before it: not a mean over anything.
    LastBatch,
}

/// Type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// Grows until a restart.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets.
    Histogram,
    /// Every request by itself, from the spans that the engine sends.
    Spans,
}

/// One metric of the vocabulary over the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MetricRow {
    /// Name in the vocabulary, the same for all engines; ends in its unit where it has one.
    pub id: String,
    /// Names in the payloads, as they stood there.
    pub raw_names: Vec<String>,
    /// Type.
    pub kind: MetricKind,
    /// What one value stands for.
    pub semantics: Semantics,
    /// Unit of `value`, `min`, `max` and the quantiles, for example `ms`.
    pub unit: String,
    /// Counter: increase over the window. Gauge: time-weighted mean. Histogram: mean of what was observed in the window
    /// (exact: sum / count). Null when the window does not say.
    pub value: Option<Finite>,
    /// Increase / (last - first reading), per second; null for gauges.
    pub per_s: Option<Finite>,
    /// Smallest reading of a gauge, smallest value of a request; null otherwise.
    pub min: Option<Finite>,
    /// Largest reading of a gauge, largest value of a request; null otherwise.
    pub max: Option<Finite>,
    /// Quantiles of a histogram's window, of a gauge's readings and of the requests that spans tell of; empty without any.
    pub quantiles: Vec<Quantile>,
    /// Histogram: observations in the window. Gauge: readings. Spans: requests that ended in the window. Null for counters.
    pub count: Option<u64>,
    /// True when a gauge never changed over five readings or more while requests ended: it may not be written any more.
    /// Null where it cannot be told.
    pub stale: Option<bool>,
    /// Labels that tell rows of one metric apart; empty when it has one row.
    pub labels: BTreeMap<String, String>,
}

/// A quantile with what is known about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Quantile {
    /// Which one, 0 to 1.
    pub q: Finite,
    /// Histogram: linear inside its bucket; the lower bound when the bucket is open at its top. Gauge and spans: nearest
    /// rank, and with spans `lo` and `hi` are the value itself.
    pub value: Finite,
    /// Lower bound of the bucket that it lies in: the true value is not below.
    pub lo: Finite,
    /// Upper bound of that bucket; null when the bucket is open: the true value is `lo` or more.
    pub hi: Option<Finite>,
}
