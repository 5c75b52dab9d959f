//! What is wrong with a plan, before anything is launched.

mod framework;

use std::collections::BTreeSet;
use std::path::Path;

use contracts::config_search::plan::{Plan, Scenario};
use contracts::config_search::validation::Problem;
use contracts::metric::Metric;

use super::Ready;
use crate::launcher;
use crate::prior;
use framework::of_framework;

/// Flags of `serve-bench run` that the search sets itself.
const OWN_FLAGS: [&str; 12] = [
    "--url",
    "--workload",
    "--num-prompts",
    "--duration",
    "--slo",
    "--target",
    "--subject",
    "--repeat",
    "-o",
    "--output",
    "--format",
    "--records",
];

pub(crate) fn problem(code: &str, of: Option<&str>, message: String, hint: &str) -> Problem {
    Problem {
        code: code.to_owned(),
        of: of.map(str::to_owned),
        message,
        hint: hint.to_owned(),
    }
}

/// The frameworks that can be used, and what is wrong with the plan.
pub(crate) fn check(plan: &Plan, base: &Path) -> (Vec<Ready>, Vec<Problem>) {
    let mut problems = of_plan(plan, base);
    for scenario in &plan.scenarios {
        problems.extend(of_scenario(plan, scenario, base));
    }
    let mut ready = Vec::new();
    for framework in &plan.frameworks {
        let (space, more) = of_framework(plan, framework, base);
        problems.extend(more);
        ready.push(Ready {
            framework: framework.clone(),
            space,
        });
    }
    (ready, problems)
}

fn of_plan(plan: &Plan, base: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |code: &str, message: String, hint: &str| problems.push(problem(code, None, message, hint));
    if plan.model.id.is_empty() {
        say(
            "plan-no-model",
            "it names no model".to_owned(),
            "name it under `model.id`",
        );
    }
    if plan.frameworks.is_empty() {
        say(
            "plan-no-framework",
            "it has no framework".to_owned(),
            "list at least one under `frameworks`",
        );
    }
    if plan.scenarios.is_empty() {
        say(
            "plan-no-scenario",
            "it has no scenario".to_owned(),
            "list at least one under `scenarios`",
        );
    }
    for (what, names) in [
        (
            "framework",
            plan.frameworks
                .iter()
                .map(|framework| &framework.name)
                .collect::<Vec<_>>(),
        ),
        (
            "scenario",
            plan.scenarios.iter().map(|scenario| &scenario.name).collect(),
        ),
    ] {
        let distinct: BTreeSet<&&String> = names.iter().collect();
        let is_name = |name: &str| {
            !name.is_empty()
                && name.len() <= 64
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        if distinct.len() < names.len() || !names.iter().all(|name| is_name(name)) {
            say(
                "plan-names",
                format!("a {what} has no name, that of another, or one that is no file name"),
                "letters, digits, `.`, `_`, `-`, each name once",
            );
        }
    }
    if plan.budget.trials == 0 {
        say(
            "plan-budget",
            "it allows no trial".to_owned(),
            "`budget.trials` is the number of candidates a framework may launch",
        );
    }
    let alone = plan
        .frameworks
        .iter()
        .find(|framework| !launcher::isolates(framework));
    if let Some(framework) = alone.filter(|_| plan.budget.concurrent > 1) {
        say(
            "plan-concurrent",
            format!(
                "`budget.concurrent` is {}, and the launcher `{}` of {} has one place: trials would disturb each other",
                plan.budget.concurrent,
                launcher::name(framework),
                framework.name
            ),
            "leave it out, or launch by `slurm`",
        );
    }
    let seconds = [plan.budget.wall_s, plan.budget.gpu_s];
    if seconds.iter().flatten().any(|limit| limit.get() <= 0.0) {
        say(
            "plan-budget",
            "a limit of its budget is not above 0".to_owned(),
            "leave the limit out, or give it seconds",
        );
    }
    if plan.budget.gpu_s.is_some() && plan.frameworks.iter().all(|framework| framework.gpu_count == 0) {
        say(
            "plan-budget",
            "its GPU time is limited, and no framework has a GPU".to_owned(),
            "give `gpu_count`, or limit `budget.wall_s`",
        );
    }
    if plan
        .screen_ratio
        .is_some_and(|ratio| !(0.01..1.0).contains(&ratio.get()))
    {
        say(
            "plan-screen",
            "its `screen_ratio` is not from 0.01 to below 1".to_owned(),
            "0.25 is a common choice",
        );
    }
    if let Some(Err(unknown)) = plan.metric.as_deref().map(Metric::parse) {
        say("plan-metric", unknown.to_string(), "`output_tps` is the default");
    }
    if let Some(config) = &plan.model.config
        && prior::model(plan, base).is_none()
    {
        say(
            "plan-file",
            format!(
                "its model's configuration {} is not there, or none",
                contracts::text::clean(config, 120)
            ),
            "name the model's config.json, relative to the plan",
        );
    }
    if let Some(target) = &plan.target
        && !base.join(target).is_file()
    {
        say(
            "plan-file",
            format!("there is no target {target}"),
            "paths are relative to the plan",
        );
    }
    problems
}

fn of_scenario(plan: &Plan, scenario: &Scenario, base: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |code: &str, message: String, hint: &str| {
        problems.push(problem(code, Some(&scenario.name), message, hint))
    };
    if let Some(workload) = &scenario.workload {
        if !base.join(workload).is_file() {
            say(
                "plan-file",
                format!("there is no workload {workload}"),
                "`serve-bench freeze` makes one; paths are relative to the plan",
            );
        }
        if scenario.num_prompts.is_some() {
            say(
                "plan-scenario",
                "a frozen workload has its own number of prompts".to_owned(),
                "leave `num_prompts` out",
            );
        }
    }
    if scenario.duration_s.is_some_and(|seconds| seconds.get() <= 0.0) || scenario.num_prompts == Some(0) {
        say(
            "plan-scenario",
            "it measures nothing".to_owned(),
            "`num_prompts` and `duration_s` are above 0",
        );
    }
    if plan.screen_ratio.is_some() && scenario.num_prompts.is_none() && scenario.duration_s.is_none() {
        say(
            "plan-screen",
            "a screen takes a share of `num_prompts` or `duration_s`, and it has neither".to_owned(),
            "give one of them, or leave `screen_ratio` out",
        );
    }
    if let Some(own) = scenario.args.iter().find(|word| {
        let name = word.split('=').next().unwrap_or_default();
        OWN_FLAGS.contains(&name)
    }) {
        say(
            "plan-scenario",
            format!("`{}` is set by the search", contracts::text::clean(own, 80)),
            "leave it out of `args`",
        );
    }
    problems
}
