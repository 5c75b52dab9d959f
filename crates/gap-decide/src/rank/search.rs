//! Rows of config-search (`config-search.candidate/1`): a candidate has a measurement a scenario, and its objectives and GPUs
//! stand in the plan beside the rows.

use std::collections::BTreeMap;
use std::path::Path;

use contracts::bound::Bound;
use contracts::config_search::candidate::{Candidate, SCHEMA, ScenarioResult, Status};
use contracts::config_search::plan::Plan;
use contracts::gap_decide::ranking::SloOutcome;
use serde_json::Value;

use super::row::{Metrics, Row};

/// Longest reason and command that are kept.
const TEXT_CAP: usize = 600;
/// Largest plan.
const PLAN_CAP: u64 = 4 << 20;

/// The plan of a search, with what the rows say it was.
#[derive(Debug)]
pub(crate) struct Planned {
    sha256: String,
    plan: Plan,
}

/// The plan that lies beside the rows; `None` where there is none that reads.
pub(crate) fn planned(candidates: &Path) -> Option<Planned> {
    let path = candidates.with_file_name("plan.yaml");
    let bytes = cli_kit::read_bounded(&path, PLAN_CAP).ok()?;
    let plan = serde_json::from_value(cli_kit::yaml_value(&bytes).ok()?).ok()?;
    Some(Planned {
        sha256: cli_kit::input_of(&path, &bytes).sha256,
        plan,
    })
}

/// Whether a line is of config-search.
pub(crate) fn is_row(value: &Value) -> bool {
    value.get("schema").and_then(Value::as_str) == Some(SCHEMA)
}

/// The first id of each configuration: a search measures a promising one again under another.
#[derive(Default)]
pub(crate) struct Ids(BTreeMap<(String, String), String>);

impl Ids {
    pub(crate) fn of(&mut self, candidate: &Candidate) -> &str {
        let params = serde_json::to_string(&candidate.params).expect("parameters are JSON");
        self.0
            .entry((candidate.framework.clone(), params))
            .or_insert_with(|| candidate.id.clone())
    }
}

/// One row a scenario; a candidate without a measurement is one that says why.
pub(crate) fn rows(line: u32, candidate: &Candidate, id: &str, planned: Option<&Planned>) -> Vec<Row> {
    let planned = planned.filter(|planned| planned.sha256 == candidate.plan_sha256);
    let fidelity = candidate.effort.fidelity_ratio.get();
    let unusable = match candidate.status {
        Status::Ok if fidelity < 1.0 => Some(format!(
            "a screen of {:.0} % of the load, and no result",
            fidelity * 100.0
        )),
        Status::Ok => None,
        _ => {
            let code = candidate.reason_code.as_deref().unwrap_or("failed");
            let reason = candidate.reason.as_deref().unwrap_or_default();
            Some(contracts::text::clean(&format!("{code}: {reason}"), TEXT_CAP))
        }
    };
    let gpu_count = planned.and_then(|planned| {
        let of = planned
            .plan
            .frameworks
            .iter()
            .find(|of| of.name == candidate.framework)?;
        u32::try_from(of.gpu_count).ok().filter(|count| *count > 0)
    });
    let row = |result: Option<&ScenarioResult>| {
        let metrics = result.map_or_else(Metrics::default, metrics);
        let nothing = metrics.request_rps.is_none() && metrics.output_tps.is_none();
        Row {
            line,
            framework: contracts::text::clean(&candidate.framework, super::row::NAME_CAP),
            scenario: result.map_or_else(
                || "default".to_owned(),
                |result| contracts::text::clean(&result.scenario, super::row::NAME_CAP),
            ),
            candidate: contracts::text::clean(id, super::row::NAME_CAP),
            unusable: unusable
                .clone()
                .or_else(|| nothing.then(|| "ok, but without a throughput".to_owned())),
            same: vec![("plan_sha256", Some(candidate.plan_sha256.clone()))],
            slo: result.map_or(SloOutcome::Unknown, |result| slo(result, planned)),
            slo_claimed: result.and_then(|result| result.slo_passed),
            metrics,
            gpu_count,
            server_command: Some(contracts::text::clean(
                &cli_kit::shell_words(&candidate.argv),
                TEXT_CAP,
            )),
        }
    };
    if candidate.results.is_empty() {
        return vec![row(None)];
    }
    candidate.results.iter().map(|result| row(Some(result))).collect()
}

fn metrics(result: &ScenarioResult) -> Metrics {
    let positive = |name: &str| {
        result
            .metrics
            .get(name)
            .map(|value| value.get())
            .filter(|value| *value > 0.0)
    };
    let median_or_mean = |median: &str, mean: &str| match positive(median) {
        Some(median) => (Some(median), false),
        None => positive(mean).map_or((None, false), |mean| (Some(mean), true)),
    };
    let (ttft_ms, ttft_is_mean) = median_or_mean("p50_ttft_ms", "mean_ttft_ms");
    let (tpot_ms, tpot_is_mean) = median_or_mean("p50_tpot_ms", "mean_tpot_ms");
    Metrics {
        request_rps: positive("request_rps"),
        output_tps: positive("output_tps"),
        ttft_ms,
        tpot_ms,
        ttft_is_mean,
        tpot_is_mean,
    }
}

/// The rules of the plan against the metrics of the row. A value that keeps a rule is not enough where the measurement left the
/// rule open: a p99 of a few requests is no p99.
fn slo(result: &ScenarioResult, planned: Option<&Planned>) -> SloOutcome {
    let Some(planned) = planned else {
        return match result.slo_passed {
            Some(false) => SloOutcome::Fail,
            _ => SloOutcome::Unknown,
        };
    };
    let of_rule = |rule: &String| {
        let kept =
            Bound::split(rule).and_then(|(name, bound)| Some(bound.admits(result.metrics.get(name)?.get())));
        match (kept, result.slo_passed) {
            (Some(false), _) => SloOutcome::Fail,
            (Some(true), Some(true)) => SloOutcome::Pass,
            _ => SloOutcome::Unknown,
        }
    };
    let outcomes = planned.plan.slo.iter().map(of_rule);
    // Fail before Unknown before Pass.
    outcomes.min().unwrap_or(SloOutcome::NoLimit)
}
