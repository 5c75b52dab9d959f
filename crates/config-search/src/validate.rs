//! `config-search validate`: plans checked and their commands rendered, nothing launched.

use std::collections::BTreeMap;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::config_search::validation::{CheckedFramework, CheckedPlan, Rendered, SCHEMA, ValidationData};
use contracts::{Exit, NextAction};

use crate::cli::{Args, ValidateArgs};
use crate::plan::{self, Ready, command};

pub(crate) fn run(args: &ValidateArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let mut parts = DocumentParts::new(SCHEMA);
    let mut plans = Vec::new();
    for path in &args.plans {
        let loaded = plan::load(path)?;
        if loaded.problems.is_empty() {
            let name = path.display().to_string();
            parts
                .next_actions
                .push(NextAction::new("search", &["config-search", "run", &name]));
        }
        parts.inputs.push(loaded.input.clone());
        parts.warnings.extend(loaded.notes.iter().cloned());
        plans.push(CheckedPlan {
            path: loaded.input.path.clone(),
            sha256: loaded.input.sha256.clone(),
            frameworks: loaded.frameworks.iter().map(checked).collect(),
            problems: loaded.problems,
        });
    }
    let problems: usize = plans.iter().map(|plan| plan.problems.len()).sum();
    parts.summary = match problems {
        0 => format!(
            "{} of {} plans can run; nothing was launched.",
            plans.len(),
            plans.len()
        ),
        1 => "1 problem: see data.plans[].problems.".to_owned(),
        count => format!("{count} problems: see data.plans[].problems."),
    };
    let exit = if problems == 0 { Exit::Ok } else { Exit::GateNotMet };
    let document = cli_kit::document(&Args::TOOL, parts, ValidationData { plans });
    let view = crate::render::validation(&document, output.top);
    Ok(Report::new(&document, view, exit))
}

fn checked(ready: &Ready) -> CheckedFramework {
    let space = &ready.space;
    let name = |at: &usize| space.params[*at].flag.clone();
    let mut configs = vec![space.baseline()];
    for (at, param) in space.params.iter().enumerate() {
        for level in 1..param.levels.len() {
            let mut config = space.baseline();
            config[at] = level;
            // Alone it could not be set: what it needs comes with it.
            for (other, levels) in &param.when {
                config[*other] = levels[0];
            }
            configs.push(config);
        }
    }
    let rendered = |params: BTreeMap<String, serde_json::Value>| {
        let argv = command::argv(&ready.framework, &params).unwrap_or_default();
        Rendered {
            params,
            argv: contracts::argv::redacted(&argv),
        }
    };
    CheckedFramework {
        framework: ready.framework.name.clone(),
        configurations: space.all(1 << 16).map_or(space.size(), |all| all.len() as u64),
        families: space
            .families()
            .into_iter()
            .map(|(family, members)| (family.to_owned(), members.iter().map(name).collect()))
            .collect(),
        help_checked: ready.framework.help.is_some(),
        candidates: configs
            .iter()
            .map(|config| rendered(space.values(config)))
            .collect(),
    }
}
