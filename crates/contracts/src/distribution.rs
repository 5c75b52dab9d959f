//! The shape in which every tool reports many values of one quantity.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// Summary of many values; percentiles are nearest-rank on the sorted values (p50 of 1..=10 is 5).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Distribution {
    /// How many values.
    pub count: u64,
    /// Arithmetic mean; null without values.
    pub mean: Option<Finite>,
    /// Sample standard deviation (n - 1); null for fewer than two values.
    pub stddev: Option<Finite>,
    /// Smallest value; null without values.
    pub min: Option<Finite>,
    /// 50th percentile; null without values.
    pub p50: Option<Finite>,
    /// 90th percentile; null without values.
    pub p90: Option<Finite>,
    /// 95th percentile; null without values.
    pub p95: Option<Finite>,
    /// 99th percentile; null without values.
    pub p99: Option<Finite>,
    /// Largest value; null without values.
    pub max: Option<Finite>,
}

impl Distribution {
    /// No values: all null.
    pub const EMPTY: Distribution = Distribution {
        count: 0,
        mean: None,
        stddev: None,
        min: None,
        p50: None,
        p90: None,
        p95: None,
        p99: None,
        max: None,
    };

    /// One statistic by the name used in metric names and SLO rules (`mean`, `p50`, … `max`, `min`).
    pub fn statistic(&self, name: &str) -> Option<Finite> {
        match name {
            "mean" => self.mean,
            "min" => self.min,
            "p50" => self.p50,
            "p90" => self.p90,
            "p95" => self.p95,
            "p99" => self.p99,
            "max" => self.max,
            _ => None,
        }
    }
}
