//! `serve-bench.freeze/1`: what `freeze` says about the workload file it wrote.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::result::PromptCheck;
use super::workload::WorkloadHeader;

/// The value of `schema`.
pub const SCHEMA: &str = "serve-bench.freeze/1";

/// `data` of `serve-bench.freeze/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FreezeData {
    /// The file.
    pub path: String,
    /// Its header line.
    pub workload: WorkloadHeader,
    /// Prompt length on a probe; null when no server was asked.
    pub prompt_check: Option<PromptCheck>,
}
