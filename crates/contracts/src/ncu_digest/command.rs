//! `ncu-digest.command/1`: the commands that collect what a digest needs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of `schema`.
pub const SCHEMA: &str = "ncu-digest.command/1";

/// `data` of `ncu-digest.command/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CommandData {
    /// Kernels that are profiled: a regular expression on their names without arguments.
    pub kernel: String,
    /// The program.
    pub program: Vec<String>,
    /// What to run, in this order.
    pub captures: Vec<CaptureCommand>,
    /// What to know before.
    pub notes: Vec<String>,
}

/// One capture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CaptureCommand {
    /// What it is good for.
    pub why: String,
    /// The file that it writes.
    pub report: String,
    /// An argv that can be run as it stands.
    pub argv: Vec<String>,
}
