//! Where a candidate's command runs: here, in a container, on another host, as a run of dstack, as a job of Slurm.
//!
//! A launcher turns the command into what runs here in the foreground, whose end is the server's end; says where the server
//! answers; and how to make sure that nothing of it is left elsewhere. This file alone knows which launchers there are.
//! Values of variables reach no argv and no file: they are handed on by name.

mod clean;
mod docker;
mod dstack;
mod fault;
mod slurm;
mod ssh;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use contracts::config_search::plan::Framework;
use contracts::config_search::validation::Problem;
use engine_client::Endpoint;
use serde_json::Value;

use crate::plan::check::problem;
use crate::plan::command::{self, PORT};
use crate::reason::Reason;

pub(crate) use clean::{Cleanup, clean};
pub(crate) use fault::{failed, is_its_own, of_launch, skipped};
pub(crate) use slurm::Place;

/// The launchers, the default first.
pub(crate) const NAMES: [&str; 6] = ["process", "docker", "ssh", "slurm", "dstack", "url"];

/// The launcher of a framework.
pub(crate) fn name(framework: &Framework) -> &str {
    framework.launcher.as_deref().unwrap_or(NAMES[0])
}

/// A candidate that is to be launched.
pub(crate) struct Trial<'a> {
    pub(crate) framework: &'a Framework,
    pub(crate) params: &'a BTreeMap<String, Value>,
    /// Id of the candidate.
    pub(crate) id: &'a str,
    /// Name that nothing else has: of the container, the run, the process's file.
    pub(crate) name: String,
    /// Folder of the search.
    pub(crate) folder: &'a Path,
}

/// What is launched here.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) argv: Vec<String>,
    /// Folder that it runs in; none is ours.
    pub(crate) dir: Option<PathBuf>,
    pub(crate) endpoint: Endpoint,
}

/// A name for the trial: small letters, digits and dashes, at most 41, as docker and dstack take it.
pub(crate) fn unique_name(id: &str, port: u16) -> String {
    let word = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let name: String = format!("sota-{}-{port}-{id}", std::process::id())
        .chars()
        .map(word)
        .take(41)
        .collect();
    name.trim_end_matches('-').to_owned()
}

/// Whether trials of a framework may run at once: each has a place of its own.
pub(crate) fn isolates(framework: &Framework) -> bool {
    name(framework) == "slurm"
}

/// Waits for the place of a candidate, where the launcher has to ask for one. Whoever stops waiting runs [`cleanup`].
///
/// # Errors
/// Why there is none, which says nothing of the candidate.
pub(crate) async fn reserve(trial: &Trial<'_>) -> Result<Option<Place>, Reason> {
    match name(trial.framework) {
        "slurm" => slurm::allocate(trial).await.map(Some),
        _ => Ok(None),
    }
}

/// Ends what the foreground process leaves elsewhere, whether it was started or not; `None` where nothing can be left.
pub(crate) fn cleanup(trial: &Trial) -> Option<Cleanup> {
    match name(trial.framework) {
        "docker" => Some(docker::cleanup(&trial.name)),
        "ssh" => Some(ssh::cleanup(trial.framework, &trial.name)),
        "slurm" => Some(slurm::cleanup(&trial.name)),
        "dstack" => Some(dstack::cleanup(&trial.name)),
        _ => None,
    }
}

/// Makes a candidate ready to be launched, in the place that was reserved.
///
/// # Errors
/// Why it cannot be, which says nothing of the candidate.
pub(crate) fn prepare(trial: &Trial, place: Option<&Place>, port: u16) -> Result<Prepared, Reason> {
    let argv = command::argv(trial.framework, trial.params)
        .map_err(|why| fault::skipped("plan-command", &why, "correct the plan"))?;
    let with = |port: u16| -> Vec<String> {
        argv.iter()
            .map(|word| word.replace(PORT, &port.to_string()))
            .collect()
    };
    if let Some(place) = place {
        return Ok(Prepared {
            argv: slurm::run(place, &with(port)),
            dir: None,
            endpoint: endpoint(&format!("http://{}:{port}", place.host))?,
        });
    }
    match name(trial.framework) {
        "docker" => Ok(Prepared {
            argv: docker::run(trial.framework, &trial.name, &with(port), port),
            dir: None,
            endpoint: loopback(port)?,
        }),
        "ssh" => {
            // The server's port is on the other host; here another one is forwarded to it.
            let there = free_port()?;
            let direct = trial
                .framework
                .url
                .as_ref()
                .map(|url| url.replace(PORT, &there.to_string()));
            let endpoint = match &direct {
                Some(url) => endpoint(url)?,
                None => loopback(port)?,
            };
            let forward = direct.is_none().then_some(port);
            Ok(Prepared {
                argv: ssh::run(trial.framework, &trial.name, &with(there), forward, there),
                dir: None,
                endpoint,
            })
        }
        "dstack" => {
            let (argv, dir) = dstack::apply(trial, &with(port), port)?;
            Ok(Prepared {
                argv,
                dir: Some(dir),
                endpoint: loopback(port)?,
            })
        }
        _ => Ok(Prepared {
            argv: with(port),
            dir: None,
            endpoint: loopback(port)?,
        }),
    }
}

/// What is wrong with a framework's fields for its launcher.
pub(crate) fn check(framework: &Framework) -> Vec<Problem> {
    let mut problems = Vec::new();
    let name = name(framework);
    let mut say = |message: String, hint: &str| {
        problems.push(problem("plan-launcher", Some(&framework.name), message, hint));
    };
    for (field, is_set, of) in [
        ("image", framework.image.is_some(), &["docker"][..]),
        ("host", framework.host.is_some(), &["ssh"]),
        (
            "launcher_args",
            !framework.launcher_args.is_empty(),
            &["docker", "ssh", "slurm", "dstack"],
        ),
        ("queue_timeout_s", framework.queue_timeout_s.is_some(), &["slurm"]),
        (
            "launcher_config",
            framework.launcher_config.is_some(),
            &["dstack"],
        ),
    ] {
        if is_set && !of.contains(&name) {
            say(
                format!("the launcher `{name}` takes no `{field}`"),
                &format!("leave it out, or choose `launcher: {}`", of.join("` or `")),
            );
        }
    }
    problems.extend(match name {
        "docker" => docker::check(framework),
        "ssh" => ssh::check(framework),
        "slurm" => slurm::check(framework),
        "dstack" => dstack::check(framework),
        _ => vec![],
    });
    problems
}

/// A free port here.
pub(crate) fn free_port() -> Result<u16, Reason> {
    engine_launch::free_port()
        .map_err(|error| fault::skipped("no-free-port", &error.to_string(), "free a port on loopback"))
}

fn loopback(port: u16) -> Result<Endpoint, Reason> {
    endpoint(&format!("http://127.0.0.1:{port}"))
}

fn endpoint(url: &str) -> Result<Endpoint, Reason> {
    Endpoint::parse(url).map_err(|error| fault::skipped("url", &error.to_string(), "correct `url`"))
}

#[cfg(test)]
mod tests;
