//! A tool for tests of this crate.

use crate::{Cli, OutputArgs, ToolInfo};

/// Measures nothing.
#[derive(Debug, clap::Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Sub-commands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Measure
    Measure {
        /// How often
        #[arg(long)]
        blocks: Option<u32>,
        /// What is read
        inputs: Vec<std::path::PathBuf>,
    },
    /// Not for people
    #[command(hide = true)]
    Secret,
}

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "test-tool",
        version: "1.2.3",
        skill: "",
        schemas: &[
            ("", "error/1"),
            ("measure", "serve-bench.probe/1"),
            ("target", "sota-loop.target/1"),
        ],
        examples: "  test-tool measure --blocks 8\n  test-tool measure",
    };

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}
