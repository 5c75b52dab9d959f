//! What is typed: the only file that knows clap.

use std::net::IpAddr;

use clap::Parser;
use cli_kit::{Cli, OutputArgs, ToolInfo};

use crate::SimError;

/// Simulates an inference engine with an OpenAI API on loopback.
///
/// Prints one JSON line with its URL when it is ready, and serves until SIGTERM or SIGINT.
#[derive(Clone, Debug, Parser)]
pub struct Args {
    /// Loopback address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub host: String,
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Answer as this script says: a file, or the JSON itself
    #[arg(long, value_name = "FILE|JSON")]
    pub script: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

impl Args {
    /// The address, which has to be loopback: a simulated engine is nobody else's business.
    pub(crate) fn address(&self) -> Result<IpAddr, SimError> {
        let host = if self.host == "localhost" {
            "127.0.0.1"
        } else {
            &self.host
        };
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        address
            .filter(IpAddr::is_loopback)
            .ok_or_else(|| SimError::NotLoopback {
                host: self.host.clone(),
            })
    }
}

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "engine-sim",
        version: env!("CARGO_PKG_VERSION"),
        skill: include_str!("../../../skills/engine-sim/SKILL.md"),
        schemas: &[("", contracts::engine_sim::SCRIPT_SCHEMA)],
        examples: "  engine-sim --script '{\"defaults\": {\"ttft_ms\": 50, \"itl_ms\": 10}}'\n  \
                   engine-sim --port 30000 --script traps.json\n",
    };

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}
