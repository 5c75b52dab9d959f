//! What was typed. The only file that knows clap.

use std::path::PathBuf;

use cli_kit::{Cli, OutputArgs, ToolInfo};

/// Say where the GPU time of torch-profiler traces goes: kernels, overlap, known fusions, idle time.
#[derive(Clone, Debug, clap::Parser)]
pub struct Args {
    /// The tables.
    #[command(flatten)]
    pub tables: TablesArgs,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// What to read and how to divide it.
#[derive(Clone, Debug, clap::Args)]
pub struct TablesArgs {
    /// Traces (.json, .json.gz) or folders of them; several ranks of one run are read together
    #[arg(required = true, value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// The trace of the graph capture: it knows the Python lines of kernels that a graph replays
    #[arg(long, value_name = "TRACE")]
    pub mapping: Option<PathBuf>,
    /// Which steps
    #[arg(long, value_enum, default_value_t = StageArg::Auto)]
    pub stage: StageArg,
    /// Smallest share of a row in tables and Markdown, percent; the JSON document holds all rows
    #[arg(long, value_name = "PCT", default_value_t = 1.0)]
    pub min_share_pct: f64,
    /// The rank whose tables are made, or `all` [default: the lowest]
    #[arg(long, value_name = "R|all")]
    pub rank: Option<String>,
    /// Bind the tables to a result of serve-bench: its contract is taken over
    #[arg(long = "for", value_name = "RESULT")]
    pub for_result: Option<PathBuf>,
    /// Read only what the kernel table needs: less memory, no Python lines
    #[arg(long, value_enum, default_value_t = TablesArg::All)]
    pub tables: TablesArg,
}

/// Stages that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StageArg {
    /// Every stage that is there, each with its tables
    Auto,
    /// Prompts only
    Prefill,
    /// Tokens only
    Decode,
    /// Both in one step
    Mixed,
    /// Everything as one stage
    All,
}

/// Tables that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TablesArg {
    /// Kernel, overlap and fuse tables with Python lines
    All,
    /// The kernel table without Python lines
    Kernel,
}

const EXAMPLES: &str = "  # Where does the time of a decode step go?
  profile-tables trace-TP-0-DECODE.trace.json.gz --format markdown -o decode.tables.json

  # A folder with one trace a rank, bound to the benchmark it explains
  profile-tables profile/ --rank all --for ours.result.json -o ours.tables.json

  # Kernels that a CUDA or HIP graph replays, with their Python lines from the capture's trace
  profile-tables replay.trace.json.gz --mapping capture.trace.json.gz
";

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "profile-tables",
        version: env!("CARGO_PKG_VERSION"),
        skill: SKILL,
        schemas: &[("", contracts::profile_tables::report::SCHEMA)],
        examples: EXAMPLES,
    };

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// What teaches this tool.
const SKILL: &str = include_str!("../../../skills/profile-tables/SKILL.md");
