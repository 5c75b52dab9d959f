//! The payload of `/signals`, and what of it is of the vocabulary.
//!
//! Its histograms have a count for every bin that is not empty, and what lies above the last bound of the exporter is counted
//! in that last bound. So the widest bin that was ever seen is taken as open: its quantiles are `lo` or more.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Warning;
use contracts::serve_bench::result::EngineKind;
use contracts::text::clean;
use engine_client::metrics::{Kind, Labels as NoLabels, Part, Sample, engine_of};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::clock::Lead;
use crate::history::{Bound, Labels};
use crate::source::{Point, Reading};
use crate::vocabulary::{NameId, find};

/// Type of metrics whose frames are functions.
pub(crate) const PROFILE: &str = "profile";
/// When the process behind the metrics began.
const BIRTH: &str = "process_start_time_seconds";

/// Longest label value that is kept.
const LABEL_CAP: usize = 200;

/// A gauge that was written longer ago is left out: gauges of NVML are not written while they are 0, so an idle device keeps
/// the value of its last work (nvml_recorder.py of 1.1.2).
const STALE_NS: i64 = 5_000_000_000;

/// Gauges of the device, the name of the vocabulary that means the same, and the factor between them.
const DEVICE: [(&str, &str, f64); 5] = [
    ("gpu_clock_sm_megahertz", "DCGM_FI_DEV_SM_CLOCK", 1.0),
    ("gpu_memory_used_bytes", "DCGM_FI_DEV_FB_USED", 1.0 / 1_048_576.0),
    ("gpu_power_usage_watts", "DCGM_FI_DEV_POWER_USAGE", 1.0),
    ("gpu_temperature_celsius", "DCGM_FI_DEV_GPU_TEMP", 1.0),
    ("gpu_utilization_percent", "DCGM_FI_DEV_GPU_UTIL", 1.0),
];

/// What `/signals` says at one moment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Signals {
    /// When it was put together, by the profiler's clock.
    pub(crate) payload_ns: i64,
    /// Since when its counts run; null before anything is watched.
    pub(crate) start_ns: Option<i64>,
    /// Words of the profiler's own.
    #[serde(default)]
    pub(crate) context: Value,
    #[serde(default)]
    pub(crate) metrics: Vec<Signal>,
    #[serde(default)]
    pub(crate) errors: Vec<Value>,
}

/// One metric.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Signal {
    pub(crate) name: String,
    /// `gauge`, `counter`, `histogram` or `profile`.
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default)]
    tags: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) stats: Stats,
    #[serde(default)]
    updated_ns: Option<i64>,
}

/// What it says; which fields there are depends on the type.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Stats {
    value: Option<f64>,
    total: Option<f64>,
    count: Option<f64>,
    sum: Option<f64>,
    bins: Option<Vec<f64>>,
    counts: Option<Vec<f64>>,
    #[serde(default)]
    pub(crate) frames: Vec<Frame>,
}

/// One function of a profile.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct Frame {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) value: f64,
    #[serde(default)]
    pub(crate) samples: f64,
}

impl Signal {
    fn is_device(&self) -> bool {
        self.name.starts_with("gpu_")
    }
}

/// Reads a payload; `None` when it is none.
pub(crate) fn parse(text: &str) -> Option<Signals> {
    serde_json::from_str(text).ok()
}

/// A payload with when we asked for it and when it was there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answered {
    pub(crate) signals: Signals,
    /// Metrics, known or not.
    pub(crate) samples: u64,
    pub(crate) at: Timestamp,
    pub(crate) lead: Option<Lead>,
}

impl Answered {
    /// Keeps what is of the vocabulary and the profiles: a payload may have thousands of other metrics, every second.
    pub(crate) fn of(mut signals: Signals, at: Timestamp, lead: Option<Lead>) -> Answered {
        let samples = signals.metrics.len() as u64;
        signals.metrics.retain(|signal| {
            signal.kind == PROFILE || signal.name == BIRTH || signal.is_device() || term(signal).is_some()
        });
        Answered {
            signals,
            samples,
            at,
            lead,
        }
    }

    /// Lets the profiles go, which count on in the next payload of the same base.
    pub(crate) fn forget_profiles(&mut self) {
        self.signals.metrics.retain(|signal| signal.kind != PROFILE);
    }
}

/// Bins of each histogram over all payloads.
type Bins = BTreeMap<(String, Labels), BTreeSet<Bound>>;

/// Readings of payloads in their order; they are made together, because bins appear with their first observation.
pub(crate) fn readings(all: &[Answered]) -> Vec<Reading> {
    let mut bins = Bins::new();
    for signal in all.iter().flat_map(|answered| &answered.signals.metrics) {
        if let (Some(of), true) = (&signal.stats.bins, signal.kind == "histogram") {
            let bounds = of
                .iter()
                .filter(|bound| bound.is_finite())
                .map(|bound| Bound(*bound));
            bins.entry((signal.name.clone(), labels(signal)))
                .or_default()
                .extend(bounds);
        }
    }
    all.iter().map(|answered| reading(answered, &bins)).collect()
}

fn reading(answered: &Answered, bins: &Bins) -> Reading {
    let signals = &answered.signals;
    let process = signals.metrics.iter().find(|signal| signal.name == BIRTH);
    let base = || signals.start_ns.map(|ns| ns as f64 / 1e9);
    Reading {
        at: answered.at,
        samples: answered.samples,
        unreadable_lines: 0,
        birth_s: process.and_then(|process| process.stats.value).or_else(base),
        lead: answered.lead,
        points: signals
            .metrics
            .iter()
            .flat_map(|signal| points(signal, signals.payload_ns, bins))
            .collect(),
    }
}

fn points(signal: &Signal, now_ns: i64, bins: &Bins) -> Vec<Point> {
    if signal.kind == "gauge" && is_stale(signal, now_ns) {
        return Vec::new();
    }
    let Some((name, kind, factor)) = term(signal) else {
        return Vec::new();
    };
    let labels = labels(signal);
    let point = |part, le, value: f64| Point {
        name,
        raw: clean(&signal.name, LABEL_CAP),
        part,
        le,
        labels: labels.clone(),
        value: value * factor,
    };
    let stats = &signal.stats;
    let plain = [
        (
            Part::Value,
            if kind == Kind::Gauge {
                stats.value
            } else {
                stats.total
            },
        ),
        (Part::Sum, stats.sum),
        (Part::Count, stats.count),
    ];
    let plain = plain.into_iter().filter_map(|(part, value)| Some((part, value?)));
    let plain = plain
        .filter(|(part, value)| value.is_finite() && (*part == Part::Value) != (kind == Kind::Histogram));
    let mut out: Vec<Point> = plain.map(|(part, value)| point(part, None, value)).collect();
    if kind == Kind::Histogram
        && let (Some(of), Some(counts)) = (&stats.bins, &stats.counts)
        && let Some(all) = bins.get(&(signal.name.clone(), labels.clone()))
    {
        let own: BTreeMap<Bound, f64> = of
            .iter()
            .map(|bound| Bound(*bound))
            .zip(counts.iter().copied())
            .collect();
        let mut cumulative = 0.0;
        for bound in all {
            cumulative += own
                .get(bound)
                .copied()
                .filter(|count| *count > 0.0)
                .unwrap_or(0.0);
            let le = if Some(bound) == all.last() {
                f64::INFINITY
            } else {
                bound.0
            };
            out.push(point(Part::Bucket, Some(le), cumulative));
        }
    }
    out
}

fn is_stale(signal: &Signal, now_ns: i64) -> bool {
    signal
        .updated_ns
        .is_some_and(|updated| now_ns.saturating_sub(updated) > STALE_NS)
}

/// What to know of a payload: gauges that nobody writes any more.
pub(crate) fn notes(signals: &Signals) -> Vec<Warning> {
    let gauges = signals.metrics.iter().filter(|signal| signal.kind == "gauge");
    let stale = gauges.filter(|signal| {
        (signal.is_device() || term(signal).is_some()) && is_stale(signal, signals.payload_ns)
    });
    let names: BTreeSet<String> = stale.map(|signal| clean(&signal.name, LABEL_CAP)).collect();
    if names.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = names.into_iter().collect();
    let message = format!(
        "Graphsignal keeps the last value of a gauge that is not written any more; left out at the end of the window: {}",
        clean(&names.join(", "), 300)
    );
    vec![Warning::new("graphsignal-gauge-stale", message)]
}

/// What the profiler says in words: whom it watches, and its newest errors.
pub(crate) fn words(signals: &Signals) -> Vec<(&'static str, Value)> {
    let errors = Value::Array(signals.errors.clone());
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    let all = [("context", signals.context.clone()), ("errors", errors)];
    all.into_iter().filter(|(_, value)| !is_empty(value)).collect()
}

/// The engine whose metrics are among them.
pub(crate) fn engine(signals: &Signals) -> Option<EngineKind> {
    signals.metrics.iter().find_map(|signal| engine_of(&signal.name))
}

/// Which metric of the vocabulary it is, its type, and the factor between them.
fn term(signal: &Signal) -> Option<(NameId, Kind, f64)> {
    let kind = match signal.kind.as_str() {
        "gauge" => Kind::Gauge,
        "counter" => Kind::Counter,
        "histogram" => Kind::Histogram,
        _ => return None,
    };
    let (family, factor) = DEVICE
        .iter()
        .find(|(name, ..)| *name == signal.name)
        .map_or((signal.name.as_str(), 1.0), |(_, family, factor)| {
            (*family, *factor)
        });
    let name = find(&Sample {
        name: family,
        family,
        kind,
        part: Part::Value,
        labels: NoLabels::default(),
        value: 0.0,
        timestamp_ms: None,
    })?;
    Some((name, kind, factor))
}

fn labels(signal: &Signal) -> Labels {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    // The vocabulary splits by the device that the DCGM exporter calls `gpu`.
    let name = |name: &String| {
        if name == "device.uuid" {
            "gpu".to_owned()
        } else {
            clean(name, LABEL_CAP)
        }
    };
    signal
        .tags
        .iter()
        .map(|(tag, value)| (name(tag), clean(&text(value), LABEL_CAP)))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::fold::rows::fold;
    use crate::history::History;

    fn answered(second: i64, metrics: &Value) -> Answered {
        let payload = json!({"payload_ns": second * 1_000_000_000, "start_ns": 7, "metrics": metrics});
        Answered::of(
            parse(&payload.to_string()).unwrap(),
            Timestamp::from_second(second).unwrap(),
            None,
        )
    }

    fn folded(all: &[Answered]) -> Vec<contracts::telemetry_fetch::metric::MetricRow> {
        let mut history = History::default();
        readings(all)
            .into_iter()
            .for_each(|reading| history.push(reading));
        fold(&history).rows
    }

    #[test]
    fn bins_that_appear_later_are_counted_once() {
        let histogram = |bins: Value, counts: Value, count: u32, sum: f64| {
            json!([{"name": "vllm:time_to_first_token_seconds", "type": "histogram", "tags": {"engine": "0"},
                "stats": {"count": count, "sum": sum, "bins": bins, "counts": counts}}])
        };
        let rows = folded(&[
            answered(10, &histogram(json!([0.25, 1.0]), json!([10, 2]), 12, 4.0)),
            answered(
                20,
                &histogram(json!([0.25, 0.5, 1.0]), json!([14, 4, 4]), 22, 8.0),
            ),
        ]);
        let [row] = rows.as_slice() else {
            panic!("{rows:?}")
        };
        assert_eq!(
            (row.id.as_str(), row.count, row.value.map(contracts::Finite::get)),
            ("ttft_ms", Some(10), Some(400.0))
        );
        // 4 up to 0.25, 4 up to 0.5, 2 beyond: the median lies a quarter into the second bin.
        let quantiles: Vec<_> = row
            .quantiles
            .iter()
            .map(|q| (q.value.get(), q.lo.get(), q.hi.map(contracts::Finite::get)))
            .collect();
        assert_eq!(quantiles[0], (312.5, 250.0, Some(500.0)));
        assert_eq!(
            quantiles[2],
            (500.0, 500.0, None),
            "the widest bin holds what lies above it, too"
        );
    }

    #[test]
    fn a_gauge_that_nobody_writes_is_left_out() {
        let metrics = |updated: i64| {
            json!([{"name": "gpu_utilization_percent", "type": "gauge", "tags": {"device.uuid": "GPU-1"},
                "stats": {"value": 97}, "updated_ns": updated * 1_000_000_000}])
        };
        assert_eq!(
            folded(&[answered(10, &metrics(9)), answered(20, &metrics(19))]).len(),
            1
        );
        let idle = answered(30, &metrics(19));
        assert!(folded(&[answered(20, &metrics(9)), idle.clone()]).is_empty());
        let notes = notes(&idle.signals);
        assert!(
            notes.len() == 1 && notes[0].message.ends_with(": gpu_utilization_percent"),
            "{notes:?}"
        );
    }

    #[test]
    fn counters_have_no_total_and_devices_have_other_names() {
        let rows = folded(&[10, 20].map(|second| {
            answered(
                second,
                &json!([
                    {"name": "vllm:generation_tokens", "type": "counter", "tags": {"engine": "0"}, "stats": {"total": second * 5}},
                    {"name": "gpu_memory_used_bytes", "type": "gauge", "tags": {"device.uuid": "GPU-1"}, "stats": {"value": 1_048_576}},
                    {"name": "vllm:prompt_tokens_created", "type": "gauge", "tags": {}, "stats": {"value": 1.0}},
                    {"name": "x", "type": "summary"}
                ]),
            )
        }));
        let of = |id: &str| {
            rows.iter()
                .find(|row| row.id == id)
                .and_then(|row| row.value)
                .map(contracts::Finite::get)
        };
        assert_eq!(
            (of("generation_tokens"), of("gpu_memory_used_mib"), rows.len()),
            (Some(50.0), Some(1.0), 2)
        );
        assert!(parse("{}").is_none() && parse("<html>").is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_a_payload_or_none(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }
    }
}
