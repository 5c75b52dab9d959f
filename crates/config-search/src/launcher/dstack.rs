//! A task of dstack: `dstack apply` in the foreground, which forwards the task's port to loopback and ends with it.
//!
//! A task, not a service: a service is reached through a proxy that is then measured, too. The configuration is rendered as JSON,
//! which is YAML, into the folder of the search, and held against what dstack takes before it is submitted. `apply` that is ended
//! leaves the run running; the run is stopped by its name and asked about until dstack says that it is over.

use std::path::PathBuf;

use contracts::config_search::plan::Framework;
use contracts::config_search::validation::Problem;
use serde_json::{Value, json};

use super::clean::{Answer, Until};
use super::fault::skipped;
use super::{Cleanup, Trial};
use crate::plan::check::problem;
use crate::plan::command::quoted;
use crate::reason::Reason;

/// Fields of the configuration that the search sets.
const OWN: [&str; 5] = ["type", "name", "commands", "ports", "env"];

/// Writes the candidate's configuration; the command that submits it and stays, and the folder that it has to run in.
pub(super) fn apply(trial: &Trial, command: &[String], port: u16) -> Result<(Vec<String>, PathBuf), Reason> {
    let configuration = configuration(trial.framework, &trial.name, command, port);
    if let Some(found) = crate::dstack::problems(&configuration).first() {
        return Err(skipped(
            "dstack-configuration",
            &format!("{}: {}", found.path, found.message),
            "correct `launcher_config`; `config-search validate` lists all problems",
        ));
    }
    let folder = trial.folder.join("launch");
    let file = format!("{}.dstack.yml", trial.id);
    let written = std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(folder.join(&file), format!("{configuration:#}\n")))
        // dstack takes a file of the folder that it runs in only, and compares paths without links (0.22.5).
        .and_then(|()| folder.canonicalize());
    let folder = written.map_err(|error| {
        skipped(
            "launch-file",
            &format!("{}: {error}", folder.display()),
            "make room",
        )
    })?;
    let mut argv: Vec<String> = ["dstack", "apply", "-y", "-f"].map(str::to_owned).to_vec();
    argv.push(folder.join(file).display().to_string());
    argv.extend(trial.framework.launcher_args.iter().cloned());
    Ok((argv, folder))
}

pub(super) fn cleanup(name: &str) -> Cleanup {
    Cleanup {
        argv: ["dstack", "stop", "-y", name].map(str::to_owned).to_vec(),
        gone: &["not found"],
        until: Some(Until {
            argv: ["dstack", "run", "get", "--json", name]
                .map(str::to_owned)
                .to_vec(),
            answer: Answer::Field {
                name: "status",
                values: &["terminated", "failed", "done"],
            },
        }),
    }
}

fn configuration(framework: &Framework, name: &str, command: &[String], port: u16) -> Value {
    let mut configuration = framework.launcher_config.clone().unwrap_or_default();
    let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
    configuration.insert("type".to_owned(), json!("task"));
    configuration.insert("name".to_owned(), json!(name));
    configuration.insert(
        "commands".to_owned(),
        json!([format!("exec {}", words.join(" "))]),
    );
    configuration.insert("ports".to_owned(), json!([format!("{port}:{port}")]));
    if !framework.env.is_empty() {
        // By name: dstack takes the values from the environment of `apply`.
        configuration.insert("env".to_owned(), json!(framework.env.keys().collect::<Vec<_>>()));
    }
    Value::Object(configuration.into_iter().collect())
}

pub(super) fn check(framework: &Framework) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |message: String, hint: &str| {
        problems.push(problem("plan-launcher", Some(&framework.name), message, hint));
    };
    for own in OWN {
        if framework
            .launcher_config
            .as_ref()
            .is_some_and(|fields| fields.contains_key(own))
        {
            say(
                format!("`{own}` of `launcher_config` is set by the search"),
                "leave it out; variables go into `env`, the command into `server_command`",
            );
        }
    }
    for found in crate::dstack::problems(&configuration(
        framework,
        "sota-check",
        &["serve".to_owned()],
        8000,
    )) {
        say(
            format!("`launcher_config`: {}: {}", found.path, found.message),
            &found.hint,
        );
    }
    problems
}
