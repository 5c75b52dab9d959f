//! `config-search check-config`: dstack configurations held offline against what dstack takes.
//!
//! The facts are those of one release, named in the document. YAML is read as everywhere here: YAML 1.2 with the booleans of 1.1
//! (`on`, `yes`); what PyYAML alone reads otherwise (`22:22` as a number, `010` as octal) needs quotes in dstack anyway.

mod cron;
mod facts;
mod forms;
mod network;
mod places;
mod rules;
mod sizes;

use cli_kit::{Align, Cli as _, DocumentParts, Failure, OutputArgs, Report, Table, View};
use contracts::config_search::config_check::{CheckedConfig, ConfigCheckData, ConfigProblem, SCHEMA};
use contracts::{Document, Exit, Warning};
use serde_json::Value;

use crate::cli::{Args, CheckConfigArgs};

/// Largest configuration.
const CAP: u64 = 1 << 20;

pub(crate) fn run(args: &CheckConfigArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let mut parts = DocumentParts::new(SCHEMA);
    let mut files = Vec::new();
    for path in &args.files {
        let bytes = cli_kit::read_bounded(path, CAP)?;
        let input = cli_kit::input_of(path, &bytes);
        let value = cli_kit::yaml_value(&bytes).map_err(|what| {
            Failure::new(
                Exit::BadInput,
                "config-not-yaml",
                format!("{} is {what}", path.display()),
            )
            .hint("expected a configuration of dstack in YAML")
        })?;
        let file = checked(&value, &input.path, &input.sha256);
        if let Some(name) = file.name.as_deref().filter(|name| !is_resource_name(name)) {
            // dstack's server says so, its reader does not: the file is right, and the run would be refused.
            parts.warnings.push(Warning {
                code: "name-refused".to_owned(),
                message: format!(
                    "{}: the server refuses the name `{name}`: 2 to 41 small letters, digits and dashes, a letter first",
                    input.path
                ),
            });
        }
        files.push(file);
        parts.inputs.push(input);
    }
    let problems: usize = files.iter().map(|file| file.problems.len()).sum();
    let facts = &*facts::FACTS;
    let against = format!("{} {}", facts.source, facts.version);
    parts.summary = match problems {
        0 => format!(
            "{} of {} files are what {against} takes; no server was asked.",
            files.len(),
            files.len()
        ),
        1 => format!("1 problem for {against}: see data.files[].problems."),
        count => format!("{count} problems for {against}: see data.files[].problems."),
    };
    let data = ConfigCheckData {
        source: facts.source.clone(),
        source_version: facts.version.clone(),
        files,
    };
    let exit = if problems == 0 { Exit::Ok } else { Exit::GateNotMet };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = render(&document, output.top);
    Ok(Report::new(&document, view, exit))
}

/// What is wrong with a configuration.
pub(crate) fn problems(value: &Value) -> Vec<ConfigProblem> {
    facts::check(value)
}

fn checked(value: &Value, path: &str, sha256: &str) -> CheckedConfig {
    let word = |name: &str| {
        value
            .get(name)
            .and_then(Value::as_str)
            .map(|text| contracts::text::clean(text, 80))
    };
    CheckedConfig {
        path: path.to_owned(),
        sha256: sha256.to_owned(),
        kind: word("type").filter(|kind| facts::FACTS.types.contains_key(kind)),
        name: word("name"),
        problems: problems(value),
    }
}

fn is_resource_name(name: &str) -> bool {
    let small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (2..=41).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(small)
}

fn render(document: &Document<ConfigCheckData>, top: usize) -> View {
    let mut view = View::new().heading("Configurations").head(document);
    for file in document.data.files.iter().take(top) {
        view = view.heading(format!(
            "{} ({})",
            contracts::text::clean(&file.path, 90),
            file.kind.as_deref().unwrap_or("of no type")
        ));
        let mut table = Table::new(&[("where", Align::Left), ("what", Align::Left), ("do", Align::Left)]);
        for problem in file.problems.iter().take(top) {
            table.row(vec![
                problem.path.clone(),
                contracts::text::clean(&problem.message, 120),
                contracts::text::clean(&problem.hint, 120),
            ]);
        }
        if !file.problems.is_empty() {
            view = view.table(table);
        }
    }
    view.next(document)
}

#[cfg(test)]
mod tests;
