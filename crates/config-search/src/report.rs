//! `config-search.report/1` from the rows of a search. Pure, but for the head.

use std::collections::BTreeMap;
use std::path::Path;

use cli_kit::{Cli as _, DocumentParts};
use contracts::config_search::candidate::{Candidate, Status};
use contracts::config_search::report::{
    Best, Cause, Confirmation, Coverage, Failed, FrameworkEffort, ParetoPoint, ReportData, SCHEMA, State,
};
use contracts::{Document, Finite, NextAction, Warning};
use serde_json::Value;

use crate::cli::Args;
use crate::history;
use crate::plan::{Loaded, Ready};
use crate::search;
use crate::strategy;
use crate::strategy::failure::Failures;

/// Causes that a document lists of a framework.
const MOST_CAUSES: usize = 12;
/// Smallest belief that is worth a line.
const SLIGHT: f64 = 0.3;

/// The document of a search as it stands.
pub(crate) fn document(
    plan: &Loaded,
    plan_path: &Path,
    folder: &Path,
    rows: &[Candidate],
    confirmation: Option<Confirmation>,
) -> Document<ReportData> {
    let data = data(plan, folder, rows, confirmation);
    let mut parts = DocumentParts::new(SCHEMA);
    parts.simulated = rows.iter().any(|row| row.simulated == Some(true));
    parts.inputs.push(plan.input.clone());
    parts.warnings = warnings(&data);
    parts.summary = summary(&data);
    let (plan_path, folder) = (plan_path.display().to_string(), folder.display().to_string());
    parts.next_actions = match data.state {
        State::Open => vec![NextAction::new(
            "use the rest of the budget",
            &["config-search", "run", &plan_path, "--dir", &folder, "--resume"],
        )],
        State::Done
            if data.confirmation.is_none() && data.best.iter().any(|best| !best.params.is_empty()) =>
        {
            vec![NextAction::new(
                "measure the winner interleaved with the baseline before it is called a gain",
                &["config-search", "confirm", &plan_path, "--dir", &folder],
            )]
        }
        State::Done => vec![],
        State::NoBaseline => vec![by_hand(rows).unwrap_or_else(|| {
            NextAction::new(
                "see what is wrong with the plan",
                &["config-search", "validate", &plan_path],
            )
        })],
    };
    cli_kit::document(&Args::TOOL, parts, data)
}

/// The baseline that failed last, to be started by hand.
fn by_hand(rows: &[Candidate]) -> Option<NextAction> {
    let failed = rows
        .iter()
        .rfind(|row| history::is_baseline(row) && !row.argv.is_empty() && row.reason.is_some())?;
    let reason = contracts::text::clean(failed.reason.as_deref().unwrap_or_default(), 200);
    Some(NextAction {
        why: format!(
            "the baseline failed ({reason}): start it by hand, mend the plan, and begin in another folder"
        ),
        command: failed.argv.clone(),
    })
}

/// What a search found.
fn data(plan: &Loaded, folder: &Path, rows: &[Candidate], confirmation: Option<Confirmation>) -> ReportData {
    let metric = plan.metric();
    let mut data = ReportData {
        metric: metric.name().to_owned(),
        state: State::Done,
        plan_sha256: plan.input.sha256.clone(),
        best: vec![],
        coverage: vec![],
        effort: vec![],
        pareto: vec![],
        failed: vec![],
        causes: vec![],
        confirmation,
    };
    for ready in &plan.frameworks {
        let of: Vec<&Candidate> = rows
            .iter()
            .filter(|row| row.framework == ready.framework.name)
            .collect();
        data.best.extend(best(plan, ready, folder, &of));
        data.coverage.extend(coverage(ready, &of));
        data.effort.push(effort(ready, &of));
        data.causes.extend(causes(plan, ready, &of));
        if search::proposal(plan, ready, rows).is_some() {
            data.state = State::Open;
        }
    }
    if data.state == State::Done && data.best.is_empty() {
        data.state = State::NoBaseline;
    }
    data.pareto = pareto(plan, rows);
    data.failed = rows
        .iter()
        .filter(|row| row.status != Status::Ok)
        .map(|row| Failed {
            candidate: row.id.clone(),
            status: row.status,
            reason_code: row.reason_code.clone().unwrap_or_else(|| "unknown".to_owned()),
            reason: row.reason.clone().unwrap_or_default(),
            params: row.params.clone(),
        })
        .collect();
    data
}

/// Full measurements of these flags.
fn measured<'a>(rows: &[&'a Candidate], params: &BTreeMap<String, Value>) -> Vec<&'a Candidate> {
    let is_full = |row: &Candidate| row.status == Status::Ok && row.effort.fidelity_ratio.get() >= 1.0;
    let of = rows.iter().copied();
    of.filter(|row| row.params == *params && is_full(row)).collect()
}

/// How much better than the baseline, as a ratio less one: the geometric mean over the scenarios.
fn gain(plan: &Loaded, of: &[&Candidate], baseline: &[&Candidate]) -> Option<f64> {
    let mut logs = Vec::new();
    for scenario in &plan.plan.scenarios {
        let value = history::mean(of, &scenario.name, 1.0)?;
        logs.push((value / history::mean(baseline, &scenario.name, 1.0)?).ln());
    }
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    Some(
        if plan.metric().higher_is_better() {
            mean
        } else {
            -mean
        }
        .exp()
            - 1.0,
    )
}

/// The best configuration of a framework over all scenarios, one entry a scenario.
fn best(plan: &Loaded, ready: &Ready, folder: &Path, rows: &[&Candidate]) -> Vec<Best> {
    let metric = plan.metric();
    let trials = history::trials(&ready.space, &metric, rows);
    let Some((config, _)) = strategy::best(&ready.space, &trials) else {
        return vec![];
    };
    let mut params = ready.space.values(&config);
    let mut of = measured(rows, &params);
    let flagless = measured(rows, &BTreeMap::new());
    // The verdict would call it a tie: then fewer flags are better.
    let meets_slo = flagless.iter().all(|row| history::slo(row) != Some(false));
    if !flagless.is_empty() && meets_slo && gain(plan, &of, &flagless).is_some_and(|gain| gain <= plan.margin)
    {
        params.clear();
        of = flagless;
    }
    let entry = |scenario: &str| {
        let row = of.last()?;
        let value = history::mean(&of, scenario, 1.0)?;
        let baseline = history::baseline(rows, scenario, 1.0);
        let gain = baseline.and_then(|baseline| {
            let ratio = if metric.higher_is_better() {
                value / baseline
            } else {
                baseline / value
            };
            Finite::new(100.0 * (ratio - 1.0))
        });
        let result = row.results.iter().find(|result| result.scenario == scenario)?;
        let missed = of.iter().any(|row| history::slo(row) == Some(false));
        let passed = of.iter().all(|row| history::slo(row) == Some(true));
        Some(Best {
            framework: ready.framework.name.clone(),
            scenario: scenario.to_owned(),
            candidate: row.id.clone(),
            params: params.clone(),
            command: row.argv.clone(),
            result: folder.join(&result.document).display().to_string(),
            value: Finite::new(value)?,
            baseline: baseline.and_then(Finite::new),
            gain_pct: gain,
            repeats: of.len() as u64,
            slo_passed: if missed {
                Some(false)
            } else {
                passed.then_some(true)
            },
        })
    };
    plan.plan
        .scenarios
        .iter()
        .filter_map(|scenario| entry(&scenario.name))
        .collect()
}

fn coverage(ready: &Ready, rows: &[&Candidate]) -> Vec<Coverage> {
    let families = ready.space.families();
    families
        .into_iter()
        .map(|(family, members)| {
            let flags: Vec<String> = members
                .iter()
                .map(|at| ready.space.params[*at].flag.clone())
                .collect();
            let of: Vec<&&Candidate> = rows
                .iter()
                .filter(|row| {
                    history::is_trial(row) && flags.iter().any(|flag| row.params.contains_key(flag))
                })
                .collect();
            Coverage {
                framework: ready.framework.name.clone(),
                family: family.to_owned(),
                flags,
                tried: of.len() as u64,
                measured: of.iter().filter(|row| row.status == Status::Ok).count() as u64,
            }
        })
        .collect()
}

fn effort(ready: &Ready, rows: &[&Candidate]) -> FrameworkEffort {
    let launched: Vec<&&Candidate> = rows.iter().filter(|row| history::is_trial(row)).collect();
    let ok = launched.iter().filter(|row| row.status == Status::Ok);
    let full = ok
        .clone()
        .filter(|row| row.effort.fidelity_ratio.get() >= 1.0)
        .count();
    FrameworkEffort {
        framework: ready.framework.name.clone(),
        trials: launched.len() as u64,
        measured_full: full as u64,
        screens: (ok.clone().count() - full) as u64,
        failed: (launched.len() - ok.count()) as u64,
        wall_s: search::finite(rows.iter().map(|row| row.effort.wall_s.get()).sum()),
        gpu_s: search::finite(rows.iter().map(|row| row.effort.gpu_s.get()).sum()),
    }
}

fn causes(plan: &Loaded, ready: &Ready, rows: &[&Candidate]) -> Vec<Cause> {
    let trials = history::trials(&ready.space, &plan.metric(), rows);
    let failures = Failures::learn(&ready.space, &trials);
    failures
        .suspects()
        .iter()
        .filter(|suspect| suspect.belief >= SLIGHT)
        .take(MOST_CAUSES)
        .map(|suspect| Cause {
            framework: ready.framework.name.clone(),
            condition: contracts::text::clean(&suspect.condition.words(&ready.space), 200),
            failures: suspect.failures,
            belief_ratio: search::finite(suspect.belief),
        })
        .collect()
}

/// Of each scenario the full measurements that no other beats in throughput and latency both.
fn pareto(plan: &Loaded, rows: &[Candidate]) -> Vec<ParetoPoint> {
    let mut front = Vec::new();
    for scenario in &plan.plan.scenarios {
        let points: Vec<ParetoPoint> = rows
            .iter()
            .filter(|row| row.status == Status::Ok && row.effort.fidelity_ratio.get() >= 1.0)
            .filter(|row| history::slo(row) != Some(false))
            .filter_map(|row| {
                let result = row
                    .results
                    .iter()
                    .find(|result| result.scenario == scenario.name)?;
                Some(ParetoPoint {
                    framework: row.framework.clone(),
                    scenario: scenario.name.clone(),
                    candidate: row.id.clone(),
                    output_tps: *result.metrics.get("output_tps")?,
                    p50_ttft_ms: *result.metrics.get("p50_ttft_ms")?,
                })
            })
            .collect();
        let beats = |a: &ParetoPoint, b: &ParetoPoint| {
            a.output_tps >= b.output_tps
                && a.p50_ttft_ms <= b.p50_ttft_ms
                && (a.output_tps > b.output_tps || a.p50_ttft_ms < b.p50_ttft_ms)
        };
        let mut kept: Vec<ParetoPoint> = points
            .iter()
            .filter(|point| !points.iter().any(|other| beats(other, point)))
            .cloned()
            .collect();
        kept.sort_by(|a, b| {
            b.output_tps
                .get()
                .total_cmp(&a.output_tps.get())
                .then(a.candidate.cmp(&b.candidate))
        });
        front.extend(kept);
    }
    front
}

fn warnings(data: &ReportData) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let missed: Vec<&str> = data
        .coverage
        .iter()
        .filter(|coverage| coverage.measured == 0)
        .map(|coverage| coverage.family.as_str())
        .collect();
    if data.state == State::Done && !missed.is_empty() {
        warnings.push(Warning::new(
            "coverage-incomplete",
            format!("no candidate with a result sets: {}", missed.join(", ")),
        ));
    }
    let trials = data.effort.iter().map(|effort| effort.trials);
    if data.state == State::Done && trials.clone().max() != trials.min() {
        warnings.push(Warning::new(
            "effort-unequal",
            "the frameworks did not get equal numbers of trials: `data.effort` has them",
        ));
    }
    warnings
}

fn summary(data: &ReportData) -> String {
    let trials: u64 = data.effort.iter().map(|effort| effort.trials).sum();
    let failed: u64 = data.effort.iter().map(|effort| effort.failed).sum();
    let of_state = match data.state {
        State::Open => "The search is not finished",
        State::Done => "The search used its budget",
        State::NoBaseline => "No baseline could be measured",
    };
    let mut text = format!("{of_state}: {trials} candidates, {failed} without a result.");
    if let Some(failed) = data.failed.last().filter(|_| data.state == State::NoBaseline) {
        text.push_str(&format!(
            " The last failed by {}: {}.",
            failed.reason_code,
            contracts::text::clean(failed.reason.trim_end_matches('.'), 200)
        ));
    }
    for best in data.best.iter().take(3) {
        let gain = match best.gain_pct {
            _ if best.params.is_empty() => "nothing beats its baseline by more than a tie".to_owned(),
            Some(gain) => format!("{} at {:+.1} % as searched", best.candidate, gain.get()),
            None => best.candidate.clone(),
        };
        text.push_str(&format!(" {} on {}: {gain}.", best.framework, best.scenario));
    }
    match &data.confirmation {
        None => text.push_str(" Not confirmed."),
        Some(confirmation) => text.push_str(&format!(
            " Confirmation of {}: {}.",
            confirmation.candidate,
            confirmation.verdict.as_deref().unwrap_or("no verdict")
        )),
    }
    text
}
