//! What `serve-bench` is asked for, and what its document says of a candidate.

use std::path::{Path, PathBuf};

use contracts::config_search::candidate::ScenarioResult;
use contracts::config_search::plan::{Plan, Scenario};
use contracts::metric::{HEADLINE, Metric};
use contracts::serve_bench::result::{self, ResultData};
use contracts::serve_bench::run::Run;

use crate::history;
use crate::launcher::failed;
use crate::reason::Reason;

/// Share of requests that a server which works answers.
const MIN_SUCCESS_RATIO: f64 = 0.99;

/// Flags of a scenario's load, at a share of its length.
pub(crate) fn load(plan: &Plan, scenario: &Scenario, base: &Path, fidelity: f64) -> Vec<String> {
    let mut words = Vec::new();
    let mut say = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    let file = |name: &str| -> PathBuf { base.join(name) };
    if let Some(workload) = &scenario.workload {
        say("--workload", file(workload).display().to_string());
    }
    if let Some(count) = scenario.num_prompts {
        say(
            "--num-prompts",
            ((count as f64 * fidelity).ceil() as u64).max(1).to_string(),
        );
    }
    if let Some(seconds) = scenario.duration_s {
        say("--duration", (seconds.get() * fidelity).to_string());
    }
    if let Some(target) = &plan.target {
        say("--target", file(target).display().to_string());
    }
    for rule in &plan.slo {
        say("--slo", rule.clone());
    }
    words.extend(scenario.args.iter().cloned());
    words
}

/// What a measurement says of a candidate.
///
/// # Errors
/// Why there is no value: of the candidate, or only of this measurement.
pub(crate) fn read(
    metric: &Metric,
    scenario: &Scenario,
    path: &Path,
    document: String,
    code: Option<i32>,
) -> Result<ScenarioResult, Reason> {
    let code = code.map_or("a signal".to_owned(), |code| code.to_string());
    let loaded = cli_kit::load_document::<ResultData>(path, result::SCHEMA).map_err(|failure| {
        failed(
            "no-result",
            &format!("serve-bench ended with {code}: {}", failure.document.message),
            "run its command by hand; `args` of the scenario may be wrong",
        )
    })?;
    let run = loaded
        .document
        .data
        .runs
        .first()
        .filter(|_| loaded.document.complete)
        .ok_or_else(|| failed("no-result", "its result has no complete run", "measure longer"))?;
    let value = metric.value(run);
    // The configuration is what fails here; a run that is only invalid was spoilt by something else.
    if let Some(why) = unanswered(run) {
        return Err(failed(
            "requests-failed",
            &why,
            "leave the setting out of the space, or give requests that it can serve",
        ));
    }
    if !run.valid || value.is_none() {
        let why = run
            .invalid_reasons
            .first()
            .map_or("it has no value of the metric", String::as_str);
        return Err(failed(
            history::INVALID,
            &contracts::text::clean(why, 300),
            "read the result document",
        ));
    }
    let metrics = HEADLINE
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), Metric::parse(name).ok()?.value(run)?)))
        .collect();
    Ok(ScenarioResult {
        scenario: scenario.name.clone(),
        value,
        slo_passed: run.slo.as_ref().and_then(|slo| slo.passed),
        metrics,
        document,
        sha256: loaded.input.sha256,
    })
}

/// Why requests failed, where more did than a run of a working server has.
fn unanswered(run: &Run) -> Option<String> {
    let (sent, succeeded) = (run.requests.sent, run.requests.succeeded);
    let is_served = succeeded as f64 >= MIN_SUCCESS_RATIO * sent as f64;
    let first = run.requests.errors.first();
    let why = first.map_or(String::new(), |error| format!(": {}", error.error));
    (sent > 0 && !is_served).then(|| format!("{} of {sent} requests failed{why}", sent - succeeded.min(sent)))
}
