//! What can go wrong with a campaign, what to do about it, and how the process ends.

use std::io;
use std::path::{Path, PathBuf};

use cli_kit::ToolError;
use contracts::{Exit, NextAction};

/// A campaign that cannot be read or written.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LedgerError {
    /// There is none.
    #[error("no campaign in {}", .0.display())]
    NoCampaign(PathBuf),
    /// There is one already.
    #[error("{} has a campaign already", .0.display())]
    CampaignExists(PathBuf),
    /// The root is no folder.
    #[error("{} is a file, and an artifact root is a folder", .0.display())]
    RootIsFile(PathBuf),
    /// Something is not as it was written.
    #[error("{}: {what}", path.display())]
    Tampered {
        /// Stable name.
        code: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The system refuses.
    #[error("cannot {action} {}: {reason}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// Another writer holds the lock.
    #[error("{} is locked: another writer has held it for 30 s", .0.display())]
    Busy(PathBuf),
    /// A lock of one machine says nothing to another.
    #[error("{} lies on {kind}, a network file system, where locks do not hold", path.display())]
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
            LedgerError::RootIsFile(_) => "root-is-file",
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
            LedgerError::RootIsFile(_) => {
                "name the folder of the campaign with --root; target and workloads are given to `loop-ledger init --target FILE --workload FILE`".to_owned()
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
            LedgerError::CampaignExists(_) | LedgerError::RootIsFile(_) => Exit::BadInput,
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
