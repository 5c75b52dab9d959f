//! What is typed: the only file that knows clap.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Parser;
use cli_kit::{Cli, OutputArgs, ToolInfo};

use crate::SimError;
pub use crate::flavor::{EngineFlags, Flavor};
use crate::flavor::{Launch, plan};

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
    /// Answer as this script says: a file, or the JSON itself (engine-sim.script/1; `engine-sim --schema script` has all of it, the
    /// answers to a suite among it)
    #[arg(long, value_name = "FILE|JSON")]
    pub script: Option<String>,
    /// Simulate this engine's scheduler instead of a script
    #[arg(
        long,
        value_enum,
        conflicts_with = "script",
        required_unless_present = "script"
    )]
    pub flavor: Option<Flavor>,
    /// Accelerator to simulate
    #[arg(long, default_value = "h100", value_name = "NAME")]
    pub hardware: String,
    /// Seed of the noise
    #[arg(long, visible_alias = "random-seed", default_value_t = 0)]
    pub seed: u64,
    /// Noise of every launch and of every step: coefficient of variation in percent
    #[arg(
        long,
        default_value_t = 0.0,
        value_name = "PCT",
        allow_negative_numbers = true
    )]
    pub noise_cv: f64,
    /// Make every step this much longer: a gap of known size
    #[arg(
        long,
        default_value_t = 0.0,
        value_name = "PCT",
        allow_negative_numbers = true
    )]
    pub slowdown: f64,
    /// Folder of the traces that `/start_profile` asks no other folder for
    ///
    /// Without it SGLANG_TORCH_PROFILER_DIR or VLLM_TORCH_PROFILER_DIR, as the flavour has it, else `profile` in the
    /// working folder.
    #[arg(long, value_name = "DIR", conflicts_with = "script")]
    pub profile_dir: Option<PathBuf>,
    /// Layers of every step in a trace; together they take the time of all layers of the model
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=128))]
    pub profile_layers: u64,
    #[command(flatten)]
    pub(crate) engine: EngineFlags,
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

impl Args {
    /// Where traces go: the flag, the variable of the engine, a folder of the working folder.
    pub(crate) fn profile_folder(&self, flavor: Flavor) -> PathBuf {
        let variable = match flavor {
            Flavor::Sglang => "SGLANG_TORCH_PROFILER_DIR",
            Flavor::Vllm => "VLLM_TORCH_PROFILER_DIR",
        };
        let named = std::env::var_os(variable).filter(|value| !value.is_empty());
        let folder = self
            .profile_dir
            .clone()
            .or_else(|| named.map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("profile"));
        // Said to clients, who have a working folder of their own.
        std::path::absolute(&folder).unwrap_or(folder)
    }
}

impl Args {
    /// The engine that the flags describe.
    pub(crate) fn launch(&self) -> Result<Launch, SimError> {
        for (flag, got, least, expected) in [
            ("--noise-cv", self.noise_cv, 0.0, "a percentage from 0 to 1000"),
            (
                "--slowdown",
                self.slowdown,
                -90.0,
                "a percentage from -90 to 1000",
            ),
        ] {
            if !(got >= least && got <= 1000.0) {
                return Err(SimError::OutOfRange { flag, got, expected });
            }
        }
        plan(
            self.flavor.unwrap_or(Flavor::Sglang),
            &self.hardware,
            &self.engine,
        )
    }
}

impl Cli for Args {
    const TOOL: ToolInfo = ToolInfo {
        name: "engine-sim",
        version: env!("CARGO_PKG_VERSION"),
        skill: include_str!("../../../skills/engine-sim/SKILL.md"),
        schemas: &[
            ("", contracts::engine_sim::SCRIPT_SCHEMA),
            ("script", contracts::engine_sim::SCRIPT_SCHEMA),
            ("profile-truth", contracts::engine_sim::PROFILE_TRUTH_SCHEMA),
            ("ready", contracts::engine_sim::READY_SCHEMA),
            ("truth", contracts::engine_sim::TRUTH_SCHEMA),
        ],
        examples: "  engine-sim --script '{\"defaults\": {\"ttft_ms\": 50, \"itl_ms\": 10}}'\n  \
                   engine-sim --port 30000 --script traps.json\n",
    };

    const EXITS: &'static [(contracts::Exit, &'static str)] = &[(
        contracts::Exit::GateNotMet,
        "the configuration does not fit the simulated memory; stderr has the message of the engine",
    )];

    fn output(&self) -> &OutputArgs {
        &self.output
    }
}
