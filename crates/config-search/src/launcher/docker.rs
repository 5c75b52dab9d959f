//! `docker run` in the foreground: one container a candidate, gone when it ends.
//!
//! The server's port is published on loopback only, so inside it has to listen on 0.0.0.0; with `--network host` among
//! `launcher_args` nothing is published. `docker` proxies SIGTERM to the container, and `--init` gives it to the server as to any
//! process; what is still there is removed by its name. Exit 125 is docker's own (documentation of `docker run`, "Exit status").

use contracts::config_search::plan::Framework;
use contracts::config_search::validation::Problem;

use super::Cleanup;
use crate::plan::check::problem;

/// The command that runs a container in the foreground.
pub(super) fn run(framework: &Framework, name: &str, command: &[String], port: u16) -> Vec<String> {
    let mut argv: Vec<String> = ["docker", "run", "--rm", "--init", "--name", name]
        .map(str::to_owned)
        .to_vec();
    if !has_network(framework) {
        argv.extend(["-p".to_owned(), format!("127.0.0.1:{port}:{port}")]);
    }
    for variable in framework.env.keys() {
        // Without a value it is that of the environment of `docker`.
        argv.extend(["-e".to_owned(), variable.clone()]);
    }
    argv.extend(framework.launcher_args.iter().cloned());
    argv.extend(framework.image.clone());
    argv.extend(command.iter().cloned());
    argv
}

pub(super) fn cleanup(name: &str) -> Cleanup {
    Cleanup {
        argv: ["docker", "rm", "-f", name].map(str::to_owned).to_vec(),
        // Docker's words, and those of podman under the same name.
        gone: &["no such container", "no container with name"],
        until: None,
    }
}

fn has_network(framework: &Framework) -> bool {
    let is_network =
        |word: &String| ["--network", "--net"].contains(&word.split('=').next().unwrap_or_default());
    framework.launcher_args.iter().any(is_network)
}

pub(super) fn check(framework: &Framework) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut say = |message: &str, hint: &str| {
        problems.push(problem(
            "plan-launcher",
            Some(&framework.name),
            message.to_owned(),
            hint,
        ));
    };
    let is_image = |image: &String| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
        image.starts_with(|c: char| c.is_ascii_alphanumeric()) && image.chars().all(allowed)
    };
    if !framework.image.as_ref().is_some_and(is_image) {
        say(
            "the launcher `docker` has no image",
            "name it under `image`, for example vllm/vllm-openai:v0.11.0",
        );
    }
    let own = |word: &String| {
        ["--name", "--rm", "-d", "--detach", "--entrypoint-env"]
            .contains(&word.split('=').next().unwrap_or_default())
    };
    if framework.launcher_args.iter().any(own) {
        say(
            "`--name`, `--rm` and `--detach` are set by the search",
            "leave them out of `launcher_args`",
        );
    }
    let mut words = framework.launcher_args.iter();
    while let Some(word) = words.next() {
        let value = match word.as_str() {
            "-e" | "--env" => words.next().map(String::as_str),
            word => word.strip_prefix("--env=").or_else(|| word.strip_prefix("-e")),
        };
        if value.is_some_and(|value| value.contains('=')) {
            say(
                "`launcher_args` set a variable, whose value would be on the command line",
                "put it into `env`, with an empty value to take it from your shell",
            );
        }
    }
    problems
}
