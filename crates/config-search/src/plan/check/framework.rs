//! What is wrong with a framework: its launcher, its command, its space, what its `--help` says.

use std::collections::BTreeSet;
use std::path::Path;

use contracts::config_search::plan::{Framework, Plan};
use contracts::config_search::validation::Problem;
use contracts::secret::REDACTED;

use super::super::command::{self, PORT};
use super::super::{parameter, tokens};
use super::problem;
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
/// Largest capture of `--help`.
const HELP_CAP: u64 = 4 << 20;

pub(super) fn of_framework(plan: &Plan, framework: &Framework, base: &Path) -> (Space, Vec<Problem>) {
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
    for (code, message, hint) in variables(framework, &space) {
        say(code, message, hint);
    }
    if let Some(gpu) = framework
        .gpu
        .as_deref()
        .filter(|name| capacity::Gpu::find(name).is_none())
    {
        say(
            "plan-gpu",
            format!("there is no device `{}`", contracts::text::clean(gpu, 80)),
            "those of `capacity-plan estimate --gpu`, for example h100; leave it out where yours is none of them",
        );
    }
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

/// What is wrong with variables that are searched.
fn variables(framework: &Framework, space: &Space) -> Vec<(&'static str, String, &'static str)> {
    let names = space
        .params
        .iter()
        .filter_map(|param| param.flag.strip_prefix(parameter::VARIABLE));
    let mut wrong = Vec::new();
    for name in names {
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let shown = contracts::text::clean(name, 80);
        if !is_name {
            wrong.push((
                "plan-variable",
                format!("`env.{shown}` is no name of a variable"),
                "letters, digits and `_`",
            ));
        } else if contracts::secret::is_secret(name) {
            wrong.push((
                "plan-variable",
                format!("`env.{shown}` looks like a secret, and candidates are public"),
                "put it into `env`",
            ));
        } else if framework.env.contains_key(name) {
            wrong.push((
                "plan-flag-twice",
                format!("the variable {shown} is set and searched"),
                "leave it out of one of them",
            ));
        }
    }
    wrong
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
    let searched = searched.filter(|flag| !flag.starts_with(parameter::VARIABLE));
    let base_flags = framework.base_server_flags.iter().map(String::as_str);
    searched
        .chain(base_flags.filter(|word| command::is_flag(word)))
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
    let from_flags = command::named(&words).find_map(|(name, value)| {
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
    plan.scenarios
        .iter()
        .filter(|scenario| tokens(scenario) > limit)
        .map(|scenario| {
            problem(
                "plan-context",
                Some(&framework.name),
                format!(
                    "scenario {} needs {} tokens, and the context is {limit}",
                    scenario.name,
                    tokens(scenario)
                ),
                "raise the context, or leave smaller values out of the space",
            )
        })
        .collect()
}
