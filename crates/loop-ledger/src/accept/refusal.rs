//! Why a document is no evidence.

use cli_kit::ToolError;
use contracts::loop_ledger::status::Need;
use contracts::serve_bench::{record, workload};
use contracts::subject::Subject;
use contracts::target::Target;
use contracts::{Exit, NextAction};

use crate::rules;
use crate::state::exit_of;

/// A document that was not accepted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It does not read, or says nothing of what it is bound to.
    #[error("{path} is no evidence: {what}")]
    Unreadable {
        /// Stable name.
        code: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// It is whole, and of a kind that proves nothing.
    #[error("{path} is a `{schema}`, which is no evidence of any phase")]
    NotEvidence {
        /// The file.
        path: String,
        /// What it is.
        schema: String,
    },
    /// It measures badly: repeat.
    #[error("{path} is not accepted: {what}")]
    Invalid {
        /// Stable name.
        code: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// It belongs to something else, or was changed.
    #[error("{path} is not accepted: {what}")]
    Drift {
        /// Stable name.
        code: &'static str,
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// Something has to come first.
    #[error("cannot {action}: {}", need.what)]
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
            Refusal::NotEvidence { .. } => "input-schema",
            Refusal::Gate { need, .. } => rules::gate(&need.code),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Refusal::Unreadable { .. } => "give the document as the tool wrote it; the schema is printed by its --schema",
                Refusal::NotEvidence { schema, .. } => instead_of(schema),
                Refusal::Invalid { .. } => "measure again as the contract says; a bad measurement is no evidence for anybody",
                Refusal::Drift {
                    code: "claim-unfounded",
                    ..
                } => "cite what stands in the stored document, by its hash and a JSON pointer; or drop the claim",
                Refusal::Drift {
                    code: "newer-comparison" | "comparison-left-out",
                    ..
                } => "decide on all that was measured of the same launches: `loop-ledger status` has the command",
                Refusal::Drift {
                    code: "evidence-copied",
                    ..
                } => "evidence is measured inside its campaign and its attempt: run the same command again now, and append what it writes",
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
            Refusal::Unreadable { .. } | Refusal::NotEvidence { .. } => Exit::BadInput,
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

/// Where a file that is no evidence belongs.
fn instead_of(schema: &str) -> &'static str {
    match schema {
        Target::SCHEMA => {
            "a target is locked by `loop-ledger init --target FILE`; append what was measured under it, for example a comparison of `serve-bench compare --target FILE`"
        }
        Subject::SCHEMA => {
            "a subject file belongs to an attempt: `loop-ledger begin --subject FILE`; append what was measured with it"
        }
        workload::SCHEMA => {
            "a workload is locked by `loop-ledger init --workload FILE`; append a comparison on it, as `serve-bench compare --workload FILE` writes it with -o"
        }
        record::SCHEMA => {
            "append the document that the same command wrote with -o, or fold the records first: `serve-bench summarize`"
        }
        _ => {
            "evidence are comparisons and results of serve-bench, decisions of gap-decide, profiles, and notes on history and root cause"
        }
    }
}
