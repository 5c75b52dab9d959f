//! Why a document is no evidence. Fragments complete "failed to …".

use cli_kit::ToolError;
use contracts::loop_ledger::status::Need;
use contracts::{Exit, NextAction};

use crate::state::exit_of;

/// A document that was not accepted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It does not read, or says nothing of what it is bound to.
    #[error("read {path} as evidence: {what}")]
    Unreadable {
        /// Stable name.
        code: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// It measures badly: repeat.
    #[error("accept {path}: {what}")]
    Invalid {
        /// Stable name.
        code: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// It belongs to something else, or was changed.
    #[error("accept {path}: {what}")]
    Drift {
        /// Stable name.
        code: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// Something has to come first.
    #[error("{action}: {}", need.what)]
    Gate {
        /// What was tried.
        action: String,
        /// What is missing.
        need: Box<Need>,
    },
}

impl ToolError for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Refusal::Unreadable { code, .. }
            | Refusal::Invalid { code, .. }
            | Refusal::Drift { code, .. } => code,
            Refusal::Gate { need, .. } => gate_code(&need.code),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Refusal::Unreadable { .. } => "give the document as the tool wrote it; the schema is printed by its --schema",
                Refusal::Invalid { .. } => "measure again as the contract says; a bad measurement is no evidence for anybody",
                Refusal::Drift {
                    code: "claim-unfounded",
                    ..
                } => "cite what stands in the stored document, by its hash and a JSON pointer; or drop the claim",
                Refusal::Drift { .. } => {
                    "the contract does not move: measure with the locked target and workload, or begin a new root with `loop-ledger retarget`"
                }
                Refusal::Gate { .. } => "see what is missing, as commands: `loop-ledger status`",
            }
            .to_owned(),
        )
    }

    fn exit(&self) -> Exit {
        match self {
            Refusal::Unreadable { .. } => Exit::BadInput,
            Refusal::Invalid { .. } => Exit::Undecided,
            Refusal::Drift { .. } => Exit::Drift,
            Refusal::Gate { need, .. } => exit_of(&need.code),
        }
    }

    fn next_actions(&self) -> Vec<NextAction> {
        match self {
            Refusal::Gate { need, .. } => need.command.clone().into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

/// The codes of the gates, so that they are stable names and not whatever a rule says.
fn gate_code(code: &str) -> &'static str {
    const CODES: [&str; 16] = [
        "campaign-ended",
        "stop-asked",
        "budget-exhausted",
        "weak-progress",
        "history-missing",
        "baseline-missing",
        "untuned-competitor",
        "undecided",
        "decision-missing",
        "profile-missing",
        "root-cause-missing",
        "pipeline-missing",
        "kernel-share",
        "attempt-open",
        "research-missing",
        "no-attempt",
    ];
    CODES
        .into_iter()
        .find(|known| *known == code)
        .unwrap_or("gate-not-met")
}
