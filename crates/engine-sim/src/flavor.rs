//! What distinguishes the engines: flags and their defaults, memory plans, log lines, metric names.

mod flags;
mod launch;
mod memory;
mod sglang;
mod startup;
mod value;
mod vllm;

pub use flags::{EngineFlags, Flavor};
pub(crate) use launch::{Launch, plan};
pub(crate) use startup::startup_lines;
