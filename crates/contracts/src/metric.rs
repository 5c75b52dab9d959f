//! Names of metrics as they are used in SLO rules, gap decisions and aggregates, read from a [`Run`].
//!
//! A metric is a throughput (`output_tps`), a rate (`success_rate_ratio`) or a statistic of a latency
//! (`p99_ttft_ms`: statistic, underscore, field of `latency`).

use std::fmt;

use crate::serve_bench::run::Run;
use crate::{Distribution, Finite};

/// Metrics that every result aggregates over its runs.
pub const HEADLINE: [&str; 12] = [
    "output_tps",
    "total_tps",
    "request_rps",
    "goodput_rps",
    "success_rate_ratio",
    "mean_ttft_ms",
    "p50_ttft_ms",
    "p99_ttft_ms",
    "mean_tpot_ms",
    "p99_tpot_ms",
    "mean_itl_ms",
    "p50_e2e_latency_ms",
];

const STATISTICS: [&str; 7] = ["mean", "min", "p50", "p90", "p95", "p99", "max"];
const THROUGHPUTS: [&str; 4] = ["request_rps", "output_tps", "total_tps", "goodput_rps"];
const LATENCIES: [&str; 8] = [
    "ttft_ms",
    "tpot_ms",
    "itl_ms",
    "chunk_gap_ms",
    "e2e_latency_ms",
    "send_delay_ms",
    "ttft_from_schedule_ms",
    "e2e_from_schedule_ms",
];
const SUCCESS_RATE: &str = "success_rate_ratio";

/// A metric by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Metric {
    name: String,
    /// Statistic and field of a latency; `None` for throughput and rates.
    latency: Option<(&'static str, &'static str)>,
}

/// The name is none of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMetric(pub String);

impl fmt::Display for UnknownMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown metric `{}`; known are {}, {SUCCESS_RATE}, and a statistic ({}) before one of {}",
            crate::text::clean(&self.0, 80),
            THROUGHPUTS.join(", "),
            STATISTICS.join(", "),
            LATENCIES.join(", ")
        )
    }
}

impl std::error::Error for UnknownMetric {}

impl Metric {
    /// Reads a name.
    ///
    /// # Errors
    /// [`UnknownMetric`], which lists the names there are.
    pub fn parse(name: &str) -> Result<Metric, UnknownMetric> {
        if name == SUCCESS_RATE || THROUGHPUTS.contains(&name) {
            return Ok(Metric {
                name: name.to_owned(),
                latency: None,
            });
        }
        let latency = name.split_once('_').and_then(|(statistic, field)| {
            let statistic = STATISTICS.iter().find(|known| **known == statistic)?;
            let field = LATENCIES.iter().find(|known| **known == field)?;
            Some((*statistic, *field))
        });
        match latency {
            Some(latency) => Ok(Metric {
                name: name.to_owned(),
                latency: Some(latency),
            }),
            None => Err(UnknownMetric(name.to_owned())),
        }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Statistic and latency field, for metrics that are one.
    pub fn latency(&self) -> Option<(&'static str, &'static str)> {
        self.latency
    }

    /// The percentile, for metrics that are one.
    pub fn percentile(&self) -> Option<f64> {
        match self.latency?.0 {
            "p50" => Some(50.0),
            "p90" => Some(90.0),
            "p95" => Some(95.0),
            "p99" => Some(99.0),
            _ => None,
        }
    }

    /// Whether more is better.
    pub fn higher_is_better(&self) -> bool {
        self.latency.is_none()
    }

    /// The value in a run; null when the run has none.
    pub fn value(&self, run: &Run) -> Option<Finite> {
        if let Some((statistic, field)) = self.latency {
            return distribution(run, field)?.statistic(statistic);
        }
        match self.name.as_str() {
            "request_rps" => run.throughput.request_rps,
            "output_tps" => run.throughput.output_tps,
            "total_tps" => run.throughput.total_tps,
            "goodput_rps" => run.throughput.goodput_rps,
            _ => Finite::ratio(run.requests.succeeded as f64, run.requests.sent as f64),
        }
    }
}

/// A latency of a run by its field name.
pub fn distribution<'a>(run: &'a Run, field: &str) -> Option<&'a Distribution> {
    let latency = &run.latency;
    Some(match field {
        "ttft_ms" => &latency.ttft_ms,
        "tpot_ms" => &latency.tpot_ms,
        "itl_ms" => &latency.itl_ms,
        "chunk_gap_ms" => &latency.chunk_gap_ms,
        "e2e_latency_ms" => &latency.e2e_latency_ms,
        "send_delay_ms" => &latency.send_delay_ms,
        "ttft_from_schedule_ms" => &latency.ttft_from_schedule_ms,
        "e2e_from_schedule_ms" => &latency.e2e_from_schedule_ms,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_headline_metric_has_a_name_that_reads() {
        for name in HEADLINE {
            assert_eq!(Metric::parse(name).unwrap().name(), name);
        }
    }

    #[test]
    fn direction_follows_the_kind() {
        assert!(Metric::parse("output_tps").unwrap().higher_is_better());
        assert!(!Metric::parse("p99_ttft_ms").unwrap().higher_is_better());
        assert_eq!(Metric::parse("p99_ttft_ms").unwrap().percentile(), Some(99.0));
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = Metric::parse("p42_ttft_ms").unwrap_err().to_string();
        assert!(
            message.contains("output_tps") && message.contains("p99"),
            "{message}"
        );
    }
}
