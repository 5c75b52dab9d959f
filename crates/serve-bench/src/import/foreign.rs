//! One foreign result, read key by key: what is absent or of another type is unknown.

use contracts::serve_bench::outcome::OutcomeCounts;
use contracts::serve_bench::run::{
    ClientHealth, ErrorCount, Lag, Latency, Requests, Run, Throughput, Tokens, Window, Windows,
};
use contracts::{Distribution, Finite};
use serde_json::{Map, Value};

use super::error::ImportError;

/// What a field says when the foreign file does not.
pub const UNKNOWN: &str = "unknown";

/// A document with its number in the file.
pub(super) struct Foreign<'a> {
    pub(super) document: usize,
    pub(super) value: &'a Value,
}

impl<'a> Foreign<'a> {
    /// A value by its JSON pointer; null counts as absent.
    pub(super) fn get(&self, pointer: &str) -> Option<&'a Value> {
        self.value.pointer(pointer).filter(|value| !value.is_null())
    }

    /// A number that is finite and not negative.
    pub(super) fn number(&self, pointer: &str) -> Option<f64> {
        self.get(pointer)?
            .as_f64()
            .filter(|number| number.is_finite() && *number >= 0.0)
    }

    pub(super) fn finite(&self, pointer: &str) -> Option<Finite> {
        Finite::new(self.number(pointer)?)
    }

    /// A count; aiperf and numpy write some as floats.
    pub(super) fn count(&self, pointer: &str) -> Option<u64> {
        whole(self.number(pointer)?)
    }

    /// A text, cleaned and capped.
    pub(super) fn text(&self, pointer: &str) -> Option<String> {
        let text = contracts::text::clean(self.get(pointer)?.as_str()?, 200);
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn needed(&self, key: &'static str) -> Result<f64, ImportError> {
        self.number(&format!("/{key}")).ok_or(ImportError::Missing {
            document: self.document,
            key,
        })
    }

    /// The named scalars as they stand, for `plan`: nothing that was not chosen gets into a document.
    pub(super) fn plan(&self, keys: &[&str]) -> Map<String, Value> {
        keys.iter()
            .filter_map(|key| {
                let value = match self.get(&format!("/{key}"))? {
                    Value::String(text) => Value::String(contracts::text::clean(text, 200)),
                    scalar @ (Value::Number(_) | Value::Bool(_)) => scalar.clone(),
                    _ => return None,
                };
                Some(((*key).to_owned(), value))
            })
            .collect()
    }

    /// A list of numbers, as detailed results have them.
    pub(super) fn numbers(&self, pointer: &str) -> Option<Vec<f64>> {
        self.get(pointer)?.as_array()?.iter().map(Value::as_f64).collect()
    }

    /// A list of lists of numbers.
    pub(super) fn nested(&self, pointer: &str) -> Option<Vec<Vec<f64>>> {
        self.get(pointer)?
            .as_array()?
            .iter()
            .map(|list| list.as_array()?.iter().map(Value::as_f64).collect())
            .collect()
    }
}

/// A float that is a count.
pub(super) fn whole(number: f64) -> Option<u64> {
    // Over 2^53 a float no longer counts.
    ((0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

/// A run in which nothing is known yet but how many requests succeeded and failed.
pub(super) fn empty_run(run: u32, tool: &str, succeeded: u64, failed: u64) -> Run {
    Run {
        run,
        valid: succeeded > 0,
        invalid_reasons: if succeeded > 0 {
            Vec::new()
        } else {
            vec!["no request succeeded".to_owned()]
        },
        requests: Requests {
            sent: succeeded + failed,
            succeeded,
            failed,
            warmup: 0,
            outcomes: OutcomeCounts {
                ok: succeeded,
                ..OutcomeCounts::default()
            },
            errors: Vec::new(),
        },
        tokens: Tokens {
            input: None,
            output: 0,
            cached: None,
            reasoning: None,
            source: UNKNOWN.to_owned(),
        },
        throughput: Throughput {
            request_rps: None,
            output_tps: None,
            total_tps: None,
            goodput_rps: None,
        },
        prefill_tps: Distribution::EMPTY,
        decode_tps: Distribution::EMPTY,
        latency: Latency {
            ttft_ms: Distribution::EMPTY,
            tpot_ms: Distribution::EMPTY,
            itl_ms: Distribution::EMPTY,
            chunk_gap_ms: Distribution::EMPTY,
            e2e_latency_ms: Distribution::EMPTY,
            send_delay_ms: Distribution::EMPTY,
            ttft_from_schedule_ms: Distribution::EMPTY,
            e2e_from_schedule_ms: Distribution::EMPTY,
        },
        turns: None,
        windows: Windows {
            full: None,
            steady: None,
        },
        drift: std::collections::BTreeMap::new(),
        client: unknown_client(tool),
        slo: None,
    }
}

fn unknown_client(tool: &str) -> ClientHealth {
    let unknown = || Lag {
        p50: None,
        p99: None,
        max: None,
    };
    ClientHealth {
        dispatch_lag_ms: unknown(),
        poll_delay_ms: unknown(),
        cpu_share_ratio: None,
        cpu_s: None,
        cores: None,
        same_read_chunk_ratio: None,
        asked_concurrency: None,
        achieved_concurrency: None,
        peak_concurrency: None,
        connections_opened: None,
        peak_rss_bytes: None,
        client_limited: false,
        reasons: vec![format!("not known: {tool} does not report on itself")],
    }
}

/// Values that a foreign tool listed, in seconds, as milliseconds.
pub(super) fn from_seconds(values: impl Iterator<Item = f64>) -> Distribution {
    distribution(values.map(|seconds| seconds * 1000.0))
}

/// Of plain values.
pub(super) fn distribution(values: impl Iterator<Item = f64>) -> Distribution {
    crate::fold::distribution(values.filter(|value| value.is_finite()))
}

/// Error texts by number, most frequent first, ten at most.
pub(super) fn errors<'a>(texts: impl Iterator<Item = (&'a str, u64)>) -> Vec<ErrorCount> {
    let mut counts: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for (text, count) in texts {
        let total = counts
            .entry(contracts::text::clean(text, contracts::text::FOREIGN_TEXT_CAP))
            .or_default();
        *total = total.saturating_add(count);
    }
    let mut all: Vec<ErrorCount> = counts
        .into_iter()
        .map(|(error, count)| ErrorCount { error, count })
        .collect();
    all.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.error.cmp(&b.error)));
    all.truncate(10);
    all
}

/// The window between two instants of a file.
pub(super) fn window(start: Option<&str>, end: Option<&str>) -> Option<Window> {
    // aiperf writes UTC, in some versions without saying so.
    let at = |text: &str| {
        text.parse::<jiff::Timestamp>().ok().or_else(|| {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
        })
    };
    let (start_at, end_at) = (at(start?)?, at(end?)?);
    (start_at <= end_at).then_some(Window { start_at, end_at })
}
