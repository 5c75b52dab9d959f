//! What can go wrong with a campaign, what to do about it, and how the process ends. Fragments complete "failed to …".

use std::io;
use std::path::{Path, PathBuf};

use cli_kit::ToolError;
use contracts::{Exit, NextAction};

/// A campaign that cannot be read or written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LedgerError {
    /// There is none.
    #[error("find a campaign in {}", .0.display())]
    NoCampaign(PathBuf),
    /// There is one already.
    #[error("begin a campaign in {}: one is there already", .0.display())]
    CampaignExists(PathBuf),
    /// Something is not as it was written.
    #[error("trust {}: {what}", path.display())]
    Tampered {
        /// Stable name.
        code: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The system refuses.
    #[error("{action} {}: {reason}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Another writer holds the lock.
    #[error("lock {}: another writer has held it for 30 s", .0.display())]
    Busy(PathBuf),
    /// A lock of one machine says nothing to another.
    #[error("keep a ledger in {}: {kind} is a network file system, where locks do not hold", path.display())]
    NetworkFileSystem {
        /// The root.
        path: PathBuf,
        /// Its file system.
        kind: &'static str,
    },
}

impl LedgerError {
    /// From a fault.
    pub fn tampered(code: &'static str, path: &Path, what: &str) -> LedgerError {
        LedgerError::Tampered {
            code,
            path: path.to_owned(),
            what: contracts::text::clean(what, contracts::text::FOREIGN_TEXT_CAP),
        }
    }

    /// From a refusal of the system.
    pub fn io(action: &'static str, path: &Path, error: &io::Error) -> LedgerError {
        LedgerError::Io {
            action,
            path: path.to_owned(),
            reason: error.to_string(),
        }
    }
}

impl ToolError for LedgerError {
    fn code(&self) -> &'static str {
        match self {
            LedgerError::NoCampaign(_) => "no-campaign",
            LedgerError::CampaignExists(_) => "campaign-exists",
            LedgerError::Tampered { code, .. } => code,
            LedgerError::Io { .. } => "ledger-io",
            LedgerError::Busy(_) => "ledger-busy",
            LedgerError::NetworkFileSystem { .. } => "network-file-system",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            LedgerError::NoCampaign(_) => "name its folder with --root, or begin one with `loop-ledger init`".to_owned(),
            LedgerError::CampaignExists(_) => {
                "go on with `loop-ledger status`; another target is another root: `loop-ledger retarget`".to_owned()
            }
            LedgerError::Tampered { .. } => {
                "restore the file from a copy whose head you know (`loop-ledger verify --anchor HASH`), or begin a new root with `loop-ledger retarget`; nothing that was changed can be evidence".to_owned()
            }
            LedgerError::Io { .. } => "free space or permission is missing; then the same command again".to_owned(),
            LedgerError::Busy(_) => "wait for the other command, or end it by its pid".to_owned(),
            LedgerError::NetworkFileSystem { .. } => {
                "put the root on a local disk; --allow-nfs if only one machine ever writes to it".to_owned()
            }
        })
    }

    fn exit(&self) -> Exit {
        match self {
            LedgerError::NoCampaign(_)
            | LedgerError::Io { .. }
            | LedgerError::Busy(_)
            | LedgerError::NetworkFileSystem { .. } => Exit::Unavailable,
            LedgerError::CampaignExists(_) => Exit::BadInput,
            LedgerError::Tampered { .. } => Exit::Drift,
        }
    }

    fn retryable(&self) -> bool {
        matches!(self, LedgerError::Busy(_))
    }

    fn next_actions(&self) -> Vec<NextAction> {
        match self {
            LedgerError::Tampered { .. } => vec![NextAction::new(
                "what else was changed",
                &["loop-ledger", "verify"],
            )],
            _ => Vec::new(),
        }
    }
}
