//! What was typed. The only file that knows clap.

use std::path::PathBuf;

use cli_kit::{BindArgs, Cli, OutputArgs, ToolInfo};
use contracts::telemetry_fetch::{snapshot, window};

/// Say what the engine did in exactly the window of a benchmark: queues, cache, latencies, ratios, restarts.
#[derive(Clone, Debug, clap::Parser)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// Sub-commands.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Keep what the metrics say now, for a window between two of them
    Snapshot(SnapshotArgs),
    /// Fold a window: around a command that runs now, or between two snapshots
    Window(Box<WindowArgs>),
}

/// Servers to read.
#[derive(Clone, Debug, clap::Args)]
pub struct ServerArgs {
    /// Base URL of an engine or of an exporter, with its role where they are parts of one deployment (`prefill=http://…`); may
    /// be given several times
    #[arg(long, value_name = "[ROLE=]URL")]
    pub url: Vec<String>,
    /// Variable that holds the API key
    #[arg(long, value_name = "VARIABLE")]
    pub api_key_env: Option<String>,
}

/// Logs to read.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct LogArgs {
    /// Log of the engine, limited to the window: a file, or where it is kept; may be given several times
    #[arg(long, value_name = "FILE|journald:UNIT|docker:NAME|dstack:RUN|kubectl:POD")]
    pub logs: Vec<String>,
    /// Zone of time stamps that name none: `UTC`, `Europe/Berlin`, `+02:00`; this machine's when it is left out
    #[arg(long, value_name = "ZONE", requires = "logs", allow_hyphen_values = true)]
    pub log_zone: Option<String>,
}

/// Sources beside the servers.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct BesideArgs {
    /// Base URL of a store with the Prometheus API: Prometheus, VictoriaMetrics, Mimir with its prefix
    #[arg(long, value_name = "URL")]
    pub prometheus: Option<String>,
    /// Header for the store, for a tenant or a credential; may be given several times
    #[arg(long, value_name = "NAME:VALUE", requires = "prometheus")]
    pub header: Vec<String>,
    /// Label that the store's series have, to tell one engine from others; may be given several times
    #[arg(long, value_name = "NAME=VALUE", requires = "prometheus")]
    pub label: Vec<String>,
    /// Graphsignal: `local` is the profiler beside the engine (or give its URL), `api` the hosted one
    /// ($GRAPHSIGNAL_API_KEY, $GRAPHSIGNAL_API_BASE)
    #[arg(long, value_name = "local|api|URL")]
    pub graphsignal: Option<String>,
}

/// GPUs of this machine.
#[derive(Clone, Debug, clap::Args)]
pub struct GpuArgs {
    /// Read the GPUs of this machine too: power, clocks, memory, and who is on them
    #[arg(long)]
    pub gpu: bool,
    /// Time between readings of the GPUs, 0.1 s at least
    #[arg(long, value_name = "TIME", default_value = "200ms", requires = "gpu")]
    pub gpu_interval: String,
}

/// Arguments of `snapshot`.
#[derive(Clone, Debug, clap::Args)]
pub struct SnapshotArgs {
    /// Servers.
    #[command(flatten)]
    pub servers: ServerArgs,
    /// Graphsignal's profiler beside the engine: `local`, or its URL
    #[arg(long, value_name = "local|URL")]
    pub graphsignal: Option<String>,
    /// Read the GPUs of this machine too: a second snapshot then has their energy
    #[arg(long)]
    pub gpu: bool,
}

/// Arguments of `window`.
#[derive(Clone, Debug, clap::Args)]
pub struct WindowArgs {
    /// Servers.
    #[command(flatten)]
    pub servers: ServerArgs,
    /// Logs.
    #[command(flatten)]
    pub logs: LogArgs,
    /// Sources beside them.
    #[command(flatten)]
    pub beside: BesideArgs,
    /// GPUs.
    #[command(flatten)]
    pub gpu: GpuArgs,
    /// Take the spans that the engine sends to this port of this machine, as http/protobuf or gRPC (0: a free one)
    #[arg(long, value_name = "PORT", conflicts_with_all = ["before", "during", "start"])]
    pub otlp: Option<u16>,
    /// How long spans are waited for after the window: the engine's OTEL_BSP_SCHEDULE_DELAY, and a little
    #[arg(long, value_name = "TIME", default_value = "6s", requires = "otlp")]
    pub otlp_wait: String,
    /// Time between readings while the command runs, 0.1 s at least; doubles after each 3600 readings
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub interval: String,
    /// Snapshot from before the window
    #[arg(long, value_name = "FILE", requires = "after", conflicts_with_all = ["url", "argv"])]
    pub before: Option<PathBuf>,
    /// Snapshot from after the window
    #[arg(long, value_name = "FILE", requires = "before")]
    pub after: Option<PathBuf>,
    /// The window of this benchmark: from a log or a store, or from snapshots that lie around it; binds to it too
    #[arg(long, value_name = "RESULT", conflicts_with_all = ["argv", "start", "for_result"])]
    pub during: Option<PathBuf>,
    /// Start of the window, RFC 3339: from a log or a store, or from snapshots that lie around it
    #[arg(long, value_name = "TIME", requires = "end", conflicts_with = "argv")]
    pub start: Option<String>,
    /// End of the window, RFC 3339
    #[arg(long, value_name = "TIME", requires = "start")]
    pub end: Option<String>,
    /// End with 5 when a check against the benchmark fails, the command failed, or something invalidates the window
    #[arg(long)]
    pub strict: bool,
    /// What it explains.
    #[command(flatten)]
    pub bind: BindArgs,
    /// Command to run inside the window; its stdout goes to stderr
    #[arg(last = true, value_name = "COMMAND")]
    pub argv: Vec<String>,
}

const EXAMPLES: &str = "  # What does the engine say while the benchmark runs?
  telemetry-fetch window --url http://127.0.0.1:30000 --for result.json --format markdown -o window.json -- \\
    serve-bench run --url http://127.0.0.1:30000 --workload workload.jsonl --concurrency 8 -o result.json

  # The same by hand, bound to the benchmark that ran between the two
  telemetry-fetch snapshot --url http://127.0.0.1:30000 -o before.json
  telemetry-fetch snapshot --url http://127.0.0.1:30000 -o after.json
  telemetry-fetch window --before before.json --after after.json --during result.json -o window.json

  # What the engine's log says of a benchmark that is over: errors, retractions, fallbacks, its own numbers
  telemetry-fetch window --logs engine.log --log-zone UTC --during result.json -o window.json

  # A minute of a long run, from its log
  telemetry-fetch window --logs engine.log --start 2026-11-23T10:00:00Z --end 2026-11-23T10:01:00Z -o part.json

  # Prefill and decode servers of one deployment, each with what limits it
  telemetry-fetch window --url prefill=http://127.0.0.1:30000 --url decode=http://127.0.0.1:30001 --for result.json \\
    --interval 200ms -o window.json -- serve-bench run --url http://127.0.0.1:8000 --workload workload.jsonl -o result.json

  # The window of a benchmark that is over, from the Prometheus that scrapes the engine
  telemetry-fetch window --prometheus http://127.0.0.1:9090 --label job=vllm --during result.json -o window.json
";

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "telemetry-fetch",
        version: env!("CARGO_PKG_VERSION"),
        skill: SKILL,
        schemas: &[
            ("", window::SCHEMA),
            ("snapshot", snapshot::SCHEMA),
            ("window", window::SCHEMA),
        ],
        examples: EXAMPLES,
    };

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}

/// What teaches this tool.
const SKILL: &str = include_str!("../../../skills/telemetry-fetch/SKILL.md");

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_hold_together() {
        Args::command().debug_assert();
    }
}
