//! What was typed. The only file that knows clap.

use std::path::PathBuf;

use cli_kit::{BindArgs, Cli, OutputArgs, ToolInfo};

/// Cut torch-profiler traces into passes and layers: which layers take the time, and which kernels of them.
#[derive(Clone, Debug, clap::Parser)]
pub struct Args {
    /// Traces (.json, .json.gz) or folders of them; several ranks of one run are read together
    #[arg(required = true, value_name = "TRACE")]
    pub traces: Vec<PathBuf>,
    /// The model's config.json: number and types of layers
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The rank whose layers are shown, or `slowest` for that with the longest steady pass [default: slowest]
    #[arg(long, value_name = "R|slowest")]
    pub rank: Option<String>,
    /// The pass whose layers are shown, or `auto` for a steady one
    #[arg(long, value_name = "N|auto", default_value = "auto")]
    pub pass: String,
    /// The server's log: one that shows the diffusers backend makes the traces no evidence
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Show the kernels of this layer instead of one layer of each kind
    #[arg(long, value_name = "L")]
    pub layer: Option<usize>,
    /// Compare the layer with this one: kernels that only one has, time by family
    #[arg(long, value_name = "M", requires = "layer")]
    pub compare_layer: Option<usize>,
    /// A layer starts at every kernel whose name matches, whatever repeats
    #[arg(long, value_name = "REGEX")]
    pub anchor: Option<String>,
    /// Show the kernels of one layer of each kind in tables and Markdown; the JSON document holds them always
    #[arg(long)]
    pub flow: bool,
    /// What it explains.
    #[command(flatten)]
    pub bind: BindArgs,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,
}

const EXAMPLES: &str = "  # Which layers take the time of a decode step?
  pipeline-analysis trace-TP-0-DECODE.trace.json.gz --config config.json --format markdown -o decode.pipeline.json

  # The kernels of one layer of each kind, in launch order
  pipeline-analysis trace-TP-0-DECODE.trace.json.gz --config config.json --flow --format markdown

  # Two layers against each other
  pipeline-analysis trace-TP-0-DECODE.trace.json.gz --config config.json --layer 0 --compare-layer 1

  # Which of eight ranks is the slowest, and at which layer?
  pipeline-analysis profile/ --config config.json --format markdown -o ranks.pipeline.json

  # Layers of a model that nothing repeats in: each starts at its first norm
  pipeline-analysis trace.json.gz --anchor 'input_norm' --config config.json
";

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "pipeline-analysis",
        version: env!("CARGO_PKG_VERSION"),
        skill: SKILL,
        schemas: &[("", contracts::pipeline_analysis::report::SCHEMA)],
        examples: EXAMPLES,
    };

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// What teaches this tool.
const SKILL: &str = include_str!("../../../skills/pipeline-analysis/SKILL.md");
