//! What every sota-loop binary does identically: flags, documents in and out, tables, progress, errors to exit
//! codes. A tool is `cli_kit::main::<Args>(run)`, where `run` returns a [`Report`] or a [`Failure`].

mod bind;
mod companion;
mod create;
mod embedded;
mod emit;
mod failure;
mod flags;
mod generated;
mod interrupt;
mod machine;
mod manual;
mod overwrite;
mod progress;
mod read;
#[cfg(test)]
mod test_tool;
mod view;

use std::ffi::OsString;

use contracts::Exit;
pub use contracts::ToolError;

pub use bind::{BindArgs, Binding};
pub use companion::find_companion;
pub use create::{DocumentParts, created_at, document, tool};
pub use emit::{Report, say, write_atomically};
pub use failure::Failure;
pub use flags::{Format, OutputArgs};
pub use interrupt::{install as install_interrupt, interrupted};
pub use machine::environment;
pub use progress::{progress_bar, spinner};
pub use read::{
    Loaded, input_of, load_document, load_documents, load_yaml, load_yaml_bytes, read_bounded, yaml_value,
};
pub use view::{Align, Block, Table, View, shell_words};

/// What a binary is, for the flags that all share.
pub struct ToolInfo {
    /// Binary name.
    pub name: &'static str,
    /// Version.
    pub version: &'static str,
    /// Text of its SKILL.md.
    pub skill: &'static str,
    /// Schema ids by sub-command, and by the name of other documents that it writes or reads; `""` is the default.
    pub schemas: &'static [(&'static str, &'static str)],
    /// Examples for the end of `--help`, two at least.
    pub examples: &'static str,
}

/// The arguments of a binary.
pub trait Cli: clap::Parser {
    /// What the binary is.
    const TOOL: ToolInfo;

    /// Exit codes that mean something narrower in this tool than [`Exit::meaning`] says of all.
    const EXITS: &'static [(Exit, &'static str)] = &[];

    /// The flags that all binaries share, as typed.
    fn output(&self) -> &OutputArgs;
}

/// What an exit code means in this tool.
pub(crate) fn meaning<A: Cli>(exit: Exit) -> &'static str {
    let narrower = A::EXITS.iter().find(|(known, _)| *known == exit);
    narrower.map_or_else(|| exit.meaning(), |(_, meaning)| meaning)
}

/// The clap command of a tool with the shared end of its help; what `main` parses with, and tests too.
pub fn command<A: Cli>() -> clap::Command {
    let mut after = String::from("Exit codes:\n");
    for exit in Exit::ALL {
        after.push_str(&format!("  {:<4} {}\n", exit.code(), meaning::<A>(exit)));
    }
    after.push_str("\nExamples:\n");
    after.push_str(A::TOOL.examples.trim_end());
    after.push_str("\n\n");
    after.push_str(generated::HELP);
    A::command()
        .name(A::TOOL.name)
        .version(A::TOOL.version)
        .after_help(after)
}

/// Runs a tool: parses the arguments, calls `run`, emits its report or its failure, and gives the exit code.
pub fn main<A: Cli>(run: fn(A) -> Result<Report, Failure>) -> std::process::ExitCode {
    let argv: Vec<OsString> = std::env::args_os().collect();
    let exit = std::panic::catch_unwind(|| main_with::<A>(&argv, run)).unwrap_or_else(|_| {
        emit::print_failure(&internal(A::TOOL.name), emit::wants_json(&argv));
        Exit::Internal
    });
    std::process::ExitCode::from(exit.code())
}

fn main_with<A: Cli>(argv: &[OsString], run: fn(A) -> Result<Report, Failure>) -> Exit {
    if let Some(exit) = generated::print::<A>(argv) {
        return exit;
    }
    if let Some(exit) = embedded::print::<A>(argv) {
        return exit;
    }
    let mut command = command::<A>();
    let parsed = command
        .try_get_matches_from_mut(argv)
        .and_then(|matches| Ok((A::from_arg_matches(&matches)?, matches)));
    let (args, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return emit::usage(&A::TOOL, &error, argv),
    };
    flags::start_logging(args.output());
    let options = args.output().clone();
    let checked = match options.file() {
        Some(output) => overwrite::check_typed(&command, &matches, output),
        None => Ok(()),
    };
    if let Err(failure) = checked {
        return emit::failure(&failure, &options);
    }
    // Nothing of `args` is looked at after a panic.
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(args)));
    match ran.unwrap_or_else(|_| Err(internal(A::TOOL.name))) {
        Ok(report) => emit::report(&report, &options),
        Err(failure) => emit::failure(&failure, &options),
    }
}

/// What is left to say after a panic, which is a bug report and no message: the hook has printed where it was.
fn internal(tool: &str) -> Failure {
    Failure::new(
        Exit::Internal,
        "internal",
        format!("{tool} has a bug: it panicked, and the lines above say where"),
    )
    .hint("keep the command and these lines and report them; do not work around it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_a_hint() {
        let argv: Vec<OsString> = ["test-tool", "measure", "--format", "table"]
            .map(OsString::from)
            .into();
        let exit = main_with::<test_tool::Args>(&argv, |_| panic!("on purpose"));
        assert_eq!(exit, Exit::Internal);
        let failure = internal("measure");
        assert_eq!(
            (failure.exit, failure.document.code.as_str()),
            (Exit::Internal, "internal")
        );
        assert!(failure.document.hint.is_some());
    }
}
