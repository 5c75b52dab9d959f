//! Workloads: from a plan to frozen requests, the same bytes for one seed on every machine, and their file.
//!
//! A data set gives drafts (prompt, lengths, time stamp); a draft becomes a request with its body and arrival; the
//! requests become a file whose header carries their hash. No clock and no socket is used here: a tokenizer that
//! waits on a server is the caller's closure.

pub mod arrival;
mod azure;
pub mod body;
mod burstgpt;
mod check;
mod compose;
mod draft;
pub mod error;
mod file;
mod generate;
mod jsonl;
mod lines;
mod mooncake;
pub mod plan;
pub mod preset;
mod random;
mod seed;
mod sharegpt;
pub mod sizer;
#[cfg(feature = "tokenizer")]
mod tokenizer_file;
mod turns;
mod words;

use contracts::Warning;
use contracts::serve_bench::workload::{ScenarioInfo, WorkloadHeader, WorkloadRequest};

pub use body::{Endpoint, body_bytes};
pub use check::prompt_check;
pub use error::WorkloadError;
pub use generate::generate;
pub use plan::{Dataset, RandomPlan, ScenarioPlan, Shape, TurnsPlan, WorkloadPlan};
pub use sizer::{PromptSizer, PromptUnit, ServerTokenizer, Words};
#[cfg(feature = "tokenizer")]
pub use tokenizer_file::TokenizerFile;

/// A frozen workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// What the first line of its file says.
    pub header: WorkloadHeader,
    /// The requests, scenario after scenario, in order.
    pub requests: Vec<WorkloadRequest>,
    /// What the reader of a document should know of how it was made; not part of the file.
    pub notes: Vec<Warning>,
}

impl Workload {
    /// A scenario and its requests; the only one when none is named.
    ///
    /// # Errors
    /// [`WorkloadError::ScenarioNotChosen`] or [`WorkloadError::ScenarioUnknown`], both with the names there are.
    pub fn scenario(
        &self,
        name: Option<&str>,
    ) -> Result<(ScenarioInfo, Vec<&WorkloadRequest>), WorkloadError> {
        let names = || {
            self.header
                .scenarios
                .iter()
                .map(|info| info.scenario.clone())
                .collect()
        };
        let info = match (name, self.header.scenarios.as_slice()) {
            (Some(name), all) => all.iter().find(|info| info.scenario == name).ok_or_else(|| {
                WorkloadError::ScenarioUnknown {
                    asked: contracts::text::clean(name, 80),
                    names: names(),
                }
            })?,
            (None, [only]) => only,
            (None, _) => return Err(WorkloadError::ScenarioNotChosen { names: names() }),
        };
        let requests = self
            .requests
            .iter()
            .filter(|request| request.scenario == info.scenario)
            .collect();
        Ok((info.clone(), requests))
    }
}
