//! The head that every document carries, in a fixed order with `data` last: whoever reads only the beginning has
//! the verdict and the next step.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::FieldSet;

/// Longest `summary`, in characters.
pub const SUMMARY_CAP: usize = 400;

/// One document of one invocation of one tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Document<D> {
    /// Name and version of the schema, for example `serve-bench.result/1`.
    pub schema: String,
    /// The tool that wrote it.
    pub tool: Tool,
    /// When it was written, UTC; `SOURCE_DATE_EPOCH` fixes it.
    pub created_at: Timestamp,
    /// False when the work was interrupted and the document holds what was done until then.
    pub complete: bool,
    /// True when any number in it comes from a simulated engine.
    pub simulated: bool,
    /// One or two sentences a reader can act on, at most 400 characters.
    pub summary: String,
    /// What to run next.
    pub next_actions: Vec<NextAction>,
    /// What could make a reader draw a wrong conclusion.
    pub warnings: Vec<Warning>,
    /// What must be equal for two results to be compared.
    pub contract: FieldSet,
    /// Driver, machine, clocks: a change asks for a new baseline.
    pub environment: FieldSet,
    /// What is free to change: engine, commit, launch argv, settings.
    pub subject: FieldSet,
    /// Files that were read.
    pub inputs: Vec<Input>,
    /// Files that were written beside the document.
    pub artifacts: Vec<Artifact>,
    /// The tool's own part.
    pub data: D,
}

/// Name and version of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Tool {
    /// Binary name.
    pub name: String,
    /// Semantic version.
    pub version: String,
}

/// A command that leads on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct NextAction {
    /// What it is good for.
    pub why: String,
    /// An argv that can be run as it stands.
    pub command: Vec<String>,
}

impl NextAction {
    /// From a reason and an argv.
    pub fn new(why: impl Into<String>, command: &[&str]) -> NextAction {
        NextAction {
            why: why.into(),
            command: command.iter().map(|word| (*word).to_owned()).collect(),
        }
    }
}

/// Something that could mislead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Warning {
    /// Stable kebab-case name.
    pub code: String,
    /// In words.
    pub message: String,
}

impl Warning {
    /// From a code and a message.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Warning {
        Warning {
            code: code.into(),
            message: message.into(),
        }
    }
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Input {
    /// As given on the command line; `-` for stdin.
    pub path: String,
    /// `sha256:<hex>` of its bytes.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Artifact {
    /// What it is, for example `request_records`.
    pub kind: String,
    /// Where it is.
    pub path: String,
    /// `sha256:<hex>` of its bytes; null while it is still being written.
    pub sha256: Option<String>,
    /// Size in bytes.
    pub bytes: u64,
}
