//! One line of `candidates.jsonl` in the published layout of AI-Infra-Auto-Driven-SKILLS: what a row says, with nothing believed that can
//! be recomputed. Lines of config-search are read by `search`.

use cli_kit::Failure;
use contracts::gap_decide::ranking::SloOutcome;
use contracts::text::clean;
use serde_json::Value;

use super::search::{self, Planned};
use crate::error::RankError;

/// Most rows; a search has hundreds.
const MOST_ROWS: usize = 200_000;
/// Longest id or name that is kept.
pub(crate) const NAME_CAP: usize = 120;
/// Longest command or reason that is kept.
const TEXT_CAP: usize = 600;

/// Where a row may name its scenario, first found first.
const SCENARIO_PATHS: [&str; 6] = [
    "workload.scenario",
    "workload.scenario_name",
    "workload.dataset_scenario",
    "workload.dataset_name",
    "workload.kind",
    "scenario",
];

/// What must be equal for two rows to stand in one order.
const SAME_PATHS: [&str; 14] = [
    "model",
    "hardware.gpu_model",
    "workload.kind",
    "workload.input_len",
    "workload.output_len",
    "workload.input_len_p50",
    "workload.output_len_p50",
    "workload.num_prompts",
    "workload.request_rate",
    "workload.max_concurrency",
    "workload.endpoint",
    "sla.max_p50_ttft_ms",
    "sla.max_p50_tpot_ms",
    "sla.min_success_rate",
];

/// Checks of a row's own author that say the row does not compare when they are false.
const FAIR_PATHS: [&str; 3] = [
    "normalization.same_model_weights",
    "normalization.same_tokenizer",
    "normalization.same_endpoint",
];

/// A row as it was read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) line: u32,
    pub(crate) framework: String,
    pub(crate) scenario: String,
    pub(crate) candidate: String,
    /// Why the row holds no measurement, if it holds none.
    pub(crate) unusable: Option<String>,
    /// Values of [`SAME_PATHS`], canonical; `None` where the row is silent.
    pub(crate) same: Vec<(&'static str, Option<String>)>,
    pub(crate) metrics: Metrics,
    pub(crate) slo: SloOutcome,
    pub(crate) slo_claimed: Option<bool>,
    pub(crate) gpu_count: Option<u32>,
    pub(crate) server_command: Option<String>,
}

/// Its numbers; `None` where they are missing, zero or no number: a placeholder is no measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Metrics {
    pub(crate) request_rps: Option<f64>,
    pub(crate) output_tps: Option<f64>,
    pub(crate) ttft_ms: Option<f64>,
    pub(crate) tpot_ms: Option<f64>,
    pub(crate) ttft_is_mean: bool,
    pub(crate) tpot_is_mean: bool,
}

/// Reads all rows.
///
/// # Errors
/// Exit 3: a line that is no JSON object, no row at all, too many.
pub(crate) fn read(bytes: &[u8], planned: Option<&Planned>) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    let mut ids = search::Ids::default();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let value: Value = serde_json::from_slice(line).map_err(|error| RankError::Line {
            line: number,
            what: clean(&error.to_string(), TEXT_CAP),
        })?;
        if !matches!(value, Value::Object(_)) {
            let what = "expected an object".to_owned();
            return Err(RankError::Line { line: number, what }.into());
        }
        if rows.len() == MOST_ROWS {
            return Err(RankError::TooManyRows.into());
        }
        if search::is_row(&value) {
            let candidate = serde_json::from_value(value).map_err(|error| RankError::Line {
                line: number,
                what: clean(&error.to_string(), TEXT_CAP),
            })?;
            rows.extend(search::rows(number, &candidate, ids.of(&candidate), planned));
        } else {
            rows.push(row(number, &value));
        }
    }
    if rows.is_empty() {
        return Err(RankError::NoRows.into());
    }
    Ok(rows)
}

fn row(line: u32, value: &Value) -> Row {
    let name = |path: &str| text(value, path, NAME_CAP);
    let metrics = metrics(value);
    let status = name("status").unwrap_or_else(|| "without a status".to_owned());
    let reason = text(value, "failure_reason", TEXT_CAP);
    let unfair = FAIR_PATHS
        .iter()
        .find(|path| at(value, path) == Some(&Value::Bool(false)));
    let unusable = if status != "ok" {
        Some(reason.map_or_else(|| status.clone(), |reason| format!("{status}: {reason}")))
    } else if let Some(path) = unfair {
        Some(format!("{path} is false: it was not measured like the others"))
    } else if metrics.request_rps.is_none() && metrics.output_tps.is_none() {
        Some("ok, but without a throughput".to_owned())
    } else {
        None
    };
    let command = ["server_command", "launch_command"]
        .iter()
        .find_map(|path| text(value, path, TEXT_CAP));
    Row {
        line,
        framework: name("framework").unwrap_or_else(|| "unknown".to_owned()),
        scenario: SCENARIO_PATHS
            .iter()
            .find_map(|path| name(path))
            .unwrap_or_else(|| "default".to_owned()),
        candidate: name("candidate_id").unwrap_or_else(|| format!("line {line}")),
        unusable,
        same: SAME_PATHS.iter().map(|path| (*path, said(value, path))).collect(),
        slo: slo(value, &metrics),
        slo_claimed: at(value, "sla.passed").and_then(Value::as_bool),
        metrics,
        gpu_count: at(value, "hardware.gpu_count")
            .and_then(Value::as_u64)
            .and_then(|n| u32::try_from(n).ok()),
        server_command: command,
    }
}

fn metrics(value: &Value) -> Metrics {
    let positive = |path: &str| number(value, path).filter(|number| *number > 0.0);
    let median_or_mean = |median: &str, mean: &str| match positive(median) {
        Some(median) => (Some(median), false),
        None => positive(mean).map_or((None, false), |mean| (Some(mean), true)),
    };
    let (ttft_ms, ttft_is_mean) = median_or_mean("metrics.p50_ttft_ms", "metrics.mean_ttft_ms");
    let (tpot_ms, tpot_is_mean) = median_or_mean("metrics.p50_tpot_ms", "metrics.mean_tpot_ms");
    Metrics {
        request_rps: positive("metrics.request_throughput"),
        output_tps: positive("metrics.output_token_throughput"),
        ttft_ms,
        tpot_ms,
        ttft_is_mean,
        tpot_is_mean,
    }
}

/// The limits of the row against the metrics of the row. A mean does not stand for a median here.
fn slo(value: &Value, metrics: &Metrics) -> SloOutcome {
    let median = |metric: Option<f64>, is_mean: bool| metric.filter(|_| !is_mean);
    let success = number(value, "metrics.success_rate");
    let limits = [
        (
            "sla.max_p50_ttft_ms",
            median(metrics.ttft_ms, metrics.ttft_is_mean),
            true,
        ),
        (
            "sla.max_p50_tpot_ms",
            median(metrics.tpot_ms, metrics.tpot_is_mean),
            true,
        ),
        ("sla.min_success_rate", success, false),
    ];
    // A limit that is no number, or of a metric that is not known here, was never held against anything.
    let foreign = value.get("sla").and_then(Value::as_object).is_some_and(|sla| {
        let is_limit = |key: &str| key.starts_with("max_") || key.starts_with("min_");
        let is_known = |key: &str| {
            limits
                .iter()
                .any(|(path, ..)| path.strip_prefix("sla.") == Some(key))
        };
        sla.iter()
            .any(|(key, limit)| is_limit(key) && !limit.is_null() && !is_known(key))
    });
    let mut outcomes = limits.iter().filter_map(|(path, metric, is_most)| {
        at(value, path)?;
        let Some(limit) = number(value, path) else {
            return Some(SloOutcome::Unknown);
        };
        Some(match metric {
            None => SloOutcome::Unknown,
            Some(metric) if (*is_most && *metric <= limit) || (!is_most && *metric >= limit) => {
                SloOutcome::Pass
            }
            Some(_) => SloOutcome::Fail,
        })
    });
    let foreign = foreign.then_some(SloOutcome::Unknown);
    let Some(first) = foreign.or_else(|| outcomes.next()) else {
        return SloOutcome::NoLimit;
    };
    // Fail before Unknown before Pass.
    outcomes.fold(first, SloOutcome::min)
}

fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.')
        .try_fold(value, |inner, key| inner.get(key))
        .filter(|found| !found.is_null())
}

fn number(value: &Value, path: &str) -> Option<f64> {
    at(value, path)?.as_f64().filter(|number| number.is_finite())
}

fn text(value: &Value, path: &str, cap: usize) -> Option<String> {
    let cleaned = clean(at(value, path)?.as_str()?, cap);
    (!cleaned.is_empty()).then_some(cleaned)
}

/// One spelling of a value, so that 16 and 16.0 are one.
fn said(value: &Value, path: &str) -> Option<String> {
    let found = at(value, path)?;
    let spelled = found
        .as_f64()
        .map_or_else(|| found.to_string(), |number| number.to_string());
    Some(clean(&spelled, NAME_CAP))
}
