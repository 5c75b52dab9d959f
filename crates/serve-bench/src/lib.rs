//! OpenAI-compatible load and honest timing.
//!
//! The way of a request: a frozen [`workload`] -> [`load`] sends it and stamps what comes back -> one record, written
//! as it ends -> [`fold`] (pure: records and window to run) -> a document -> a view of it.

mod cache;
pub mod cli;
mod commands;
pub mod compat;
mod context;
pub mod doctor;
pub mod fold;
mod identity;
pub mod import;
mod level;
pub mod load;
mod measure;
mod merge;
mod prompt_probe;
mod records;
mod search;
mod selftest;
mod server;
mod shard;
mod side;
mod sizing;
mod source;
mod verdict;
mod view;
pub mod workload;

use cli_kit::{Cli as _, Failure, Report};
use contracts::Exit;

use cli::{Args, Command};

/// Runs one invocation.
///
/// # Errors
/// Everything that ends without a document of ours.
pub fn run(args: Args) -> Result<Report, Failure> {
    cli_kit::install_interrupt().map_err(|error| {
        Failure::new(
            Exit::Unavailable,
            "no-signals",
            format!("cannot watch for Ctrl-C: {error}"),
        )
    })?;
    let output = args.output().clone();
    match &args.command {
        Command::Freeze(args) => commands::freeze(args, &output),
        Command::Run(args) => commands::run(args, &output),
        Command::Sweep(args) => commands::sweep(args, &output),
        Command::Compare(args) => commands::compare(args, &output),
        Command::Merge(args) => commands::merge(args, &output),
        Command::Summarize(args) => commands::summarize(args, &output),
        Command::Probe(args) => commands::probe(args, &output),
        Command::Doctor(args) => commands::doctor(args, &output),
        Command::Import(args) => commands::import(args, &output),
        Command::Selftest(args) => selftest::selftest(args, &output),
    }
}

/// This invocation with other values of some flags; a flag that it does not have is added.
pub(crate) fn command_with(changes: &[(&str, &str)]) -> Vec<String> {
    let mut command = command_line();
    for (flag, value) in changes {
        let long = format!("{flag}=");
        if let Some(place) = command.iter().position(|word| word == flag) {
            if let Some(word) = command.get_mut(place + 1) {
                *word = (*value).to_owned();
            }
        } else if let Some(word) = command.iter_mut().find(|word| word.starts_with(&long)) {
            *word = format!("{long}{value}");
        } else {
            command.extend([(*flag).to_owned(), (*value).to_owned()]);
        }
    }
    command
}

/// This invocation as it can be run again; values of `--header` may be secret and stay out, and so do secrets in the
/// launch commands of a comparison.
pub(crate) fn command_line() -> Vec<String> {
    shown(std::env::args().skip(1))
}

fn shown(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut words: Vec<String> = vec![Args::TOOL.name.to_owned()];
    let mut secret = false;
    for word in arguments {
        let is_flag = !secret && word == "--header";
        if secret {
            let name = word.split_once(':').map_or("", |(name, _)| name);
            words.push(format!("{name}: <value>"));
        } else if let Some(header) = word.strip_prefix("--header=") {
            let name = header.split_once(':').map_or("", |(name, _)| name);
            words.push(format!("--header={name}: <value>"));
        } else {
            words.push(word);
        }
        secret = is_flag;
    }
    contracts::argv::redacted(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_without_secrets() {
        let typed = [
            "compare",
            "--swap",
            "--a-cmd",
            r#"["vllm","serve","m","--api-key","sk-1","--port","{port}"]"#,
            r#"--b-cmd=["sglang","--api-key=sk-2"]"#,
            "--header",
            "X-Mine: sk-3",
            "--header=Authorization: sk-4",
            "--api-key-env",
            "KEY",
        ];
        let command = shown(typed.map(str::to_owned).into_iter());
        let text = command.join(" ");
        assert!(!text.contains("sk-"), "{text}");
        assert!(text.contains("--api-key-env KEY"), "{text}");
        assert!(text.contains("X-Mine: <value>"), "{text}");
        assert_eq!(
            command[4],
            r#"["vllm","serve","m","--api-key","<secret>","--port","{port}"]"#
        );
    }
}
