//! What is wrong with a plan, before anything is launched.

use std::collections::BTreeSet;
use std::path::Path;

use contracts::config_search::plan::{Framework, Plan, Scenario};
use contracts::config_search::validation::Problem;
use contracts::metric::Metric;
use contracts::secret::REDACTED;

use super::command::{self, PORT};
use super::{Ready, parameter};
use crate::launcher;
use crate::space::Space;

/// Flags by which engines are told their longest context.
const CONTEXT_FLAGS: [&str; 5] = [
    "--context-length",
    "--max-model-len",
    "--ctx-size",
    "-c",
    "--max_seq_len",
];
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
/// Largest capture of `--help`.
const HELP_CAP: u64 = 4 << 20;

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

fn of_framework(plan: &Plan, framework: &Framework, base: &Path) -> (Space, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut say = |code: &str, message: String, hint: &str| {
        problems.push(problem(code, Some(&framework.name), message, hint))
    };
    let space = match parameter::space(&framework.search_space) {
        Ok(space) => space,
        Err(why) => {
            say(
                "plan-space",
                why,
                "a list of values, or an object with `type`, `values`, `low`, `high`, `levels`, `family`, `when`",
            );
            Space::default()
        }
    };
    let launcher = launcher::name(framework);
    if !launcher::NAMES.contains(&launcher) {
        say(
            "plan-launcher",
            format!("there is no launcher `{}`", contracts::text::clean(launcher, 80)),
            &format!("there are {}", launcher::NAMES.join(", ")),
        );
        return (space, problems);
    }
    if launcher == "url" {
        match &framework.url {
            Some(url) if engine_client::Endpoint::parse(url).is_ok() => {}
            _ => say(
                "plan-url",
                "its `url` is none".to_owned(),
                "for example http://127.0.0.1:8000",
            ),
        }
        if !space.params.is_empty() {
            say(
                "plan-space",
                "a server that runs already has nothing to search".to_owned(),
                "use the launcher `process`, or leave `search_space` out",
            );
        }
        return (space, problems);
    }
    if space.params.is_empty() && framework.search_space.is_empty() {
        say(
            "plan-space",
            "its space is empty".to_owned(),
            "list flags under `search_space`, or measure it with the launcher `url`",
        );
    }
    let argv = match command::argv(framework, &std::collections::BTreeMap::new()) {
        Ok(argv) => argv,
        Err(why) => {
            say(
                "plan-command",
                why,
                "a list of words, for example [vllm, serve, MODEL, --port, \"{port}\"]",
            );
            return (space, problems);
        }
    };
    if !argv.iter().any(|word| word.contains(PORT)) {
        say(
            "plan-port",
            "its command has no {port}, so its server would listen somewhere else".to_owned(),
            "put {port} where the port goes",
        );
    }
    if argv.iter().any(|word| word.contains(REDACTED)) {
        say(
            "plan-command",
            "its command has the mark that documents show instead of a secret".to_owned(),
            "put the secret into `env` with an empty value",
        );
    }
    if let Some(twice) = space
        .params
        .iter()
        .find(|param| framework.base_server_flags.contains(&param.flag))
    {
        say(
            "plan-flag-twice",
            format!("{} is a base flag and searched", twice.flag),
            "leave it out of one of them",
        );
    }
    if framework.name.starts_with("tensorrt") {
        let is_pytorch = argv
            .windows(2)
            .any(|pair| pair[0] == "--backend" && pair[1] == "pytorch")
            || argv
                .iter()
                .any(|word| word.contains("--backend=pytorch") || word.contains("--backend pytorch"));
        if !is_pytorch || space.params.iter().any(|param| param.flag == "--backend") {
            say(
                "plan-backend",
                "TensorRT-LLM is searched with `--backend pytorch` only".to_owned(),
                "put it into `base_server_flags`",
            );
        }
    }
    problems.extend(launcher::check(framework));
    problems.extend(help(framework, &space, base));
    problems.extend(context(plan, framework, &space));
    (space, problems)
}

/// Flags that the server does not know, as far as its `--help` says.
fn help(framework: &Framework, space: &Space, base: &Path) -> Vec<Problem> {
    let Some(path) = &framework.help else {
        return vec![];
    };
    let of = Some(framework.name.as_str());
    let bytes = match cli_kit::read_bounded(&base.join(path), HELP_CAP) {
        Ok(bytes) => bytes,
        Err(failure) => {
            return vec![problem(
                "plan-file",
                of,
                failure.document.message,
                "paths are relative to the plan",
            )];
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let known: BTreeSet<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))
        .filter(|word| word.starts_with('-'))
        .collect();
    let searched = space.params.iter().map(|param| param.flag.as_str());
    let base_flags = framework.base_server_flags.iter().map(String::as_str);
    let is_flag = |word: &str| word.starts_with('-') && word.parse::<f64>().is_err();
    searched
        .chain(base_flags.filter(|word| is_flag(word)))
        .map(|word| word.split('=').next().unwrap_or(word))
        // Parsers of Python take both spellings.
        .filter(|flag| !known.contains(flag) && !known.contains(flag.replace('_', "-").as_str()))
        .map(|flag| {
            problem(
                "plan-unknown-flag",
                of,
                format!("its --help does not name {}", contracts::text::clean(flag, 80)),
                "correct the flag, or capture the help of the version that is launched",
            )
        })
        .collect()
}

/// Scenarios that are longer than the context.
fn context(plan: &Plan, framework: &Framework, space: &Space) -> Vec<Problem> {
    let words = command::argv(framework, &std::collections::BTreeMap::new()).unwrap_or_default();
    let from_flags = words.iter().enumerate().find_map(|(at, word)| {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.as_str(), words.get(at + 1).map(String::as_str)),
        };
        CONTEXT_FLAGS
            .contains(&name)
            .then(|| value?.parse::<u64>().ok())
            .flatten()
    });
    let searched = space
        .params
        .iter()
        .filter(|param| CONTEXT_FLAGS.contains(&param.flag.as_str()))
        .flat_map(|param| param.levels.iter().filter_map(serde_json::Value::as_u64))
        .min();
    let Some(limit) = [from_flags.or(framework.context_tokens), searched]
        .into_iter()
        .flatten()
        .min()
    else {
        return vec![];
    };
    let longest = |scenario: &Scenario| {
        scenario
            .input_tokens
            .unwrap_or(0)
            .saturating_add(scenario.output_tokens.unwrap_or(0))
    };
    plan.scenarios
        .iter()
        .filter(|scenario| longest(scenario) > limit)
        .map(|scenario| {
            problem(
                "plan-context",
                Some(&framework.name),
                format!(
                    "scenario {} needs {} tokens, and the context is {limit}",
                    scenario.name,
                    longest(scenario)
                ),
                "raise the context, or leave smaller values out of the space",
            )
        })
        .collect()
}
