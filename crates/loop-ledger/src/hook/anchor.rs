//! The head of a ledger, kept where an agent in a sandbox cannot write: the plugin's data folder. A chain that was written
//! anew as a whole is intact in itself and lacks that entry.

use std::path::{Path, PathBuf};

use contracts::fields::sha256_hex;
use serde::{Deserialize, Serialize};

use crate::ledger::{Ledger, Root, short};

/// Largest file that is read.
const CAP: u64 = 1 << 16;

/// What is kept of a campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Where it lies.
    root: String,
    /// Entries it had.
    entries: u64,
    /// Hash of the last one.
    head: String,
}

/// The file that keeps it.
pub(super) struct Anchor {
    path: PathBuf,
    root: String,
    kept: Option<Kept>,
}

impl Anchor {
    /// Of the campaign at `root`, in the data folder of the plugin.
    pub(super) fn of(root: &Root, data: &Path) -> Anchor {
        // A root that is gone has no real path; the one it had was absolute and without links most of the time.
        let place = std::fs::canonicalize(root.path())
            .or_else(|_| std::path::absolute(root.path()))
            .unwrap_or_else(|_| root.path().to_owned());
        let name = sha256_hex(place.as_os_str().as_encoded_bytes());
        let name = name.trim_start_matches("sha256:");
        let path = data.join("anchors").join(format!("{name}.json"));
        let kept = cli_kit::read_bounded(&path, CAP)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Anchor {
            path,
            root: place.display().to_string(),
            kept,
        }
    }

    /// What is wrong with the chain of a ledger, compared with what was kept.
    pub(super) fn fault(&self, ledger: &Ledger) -> Option<String> {
        let kept = self.kept.as_ref()?;
        let is_there = ledger.entries().iter().any(|entry| entry.hash == kept.head);
        (!is_there).then(|| {
            format!(
                "`loop-ledger verify --anchor {}` fails: entry {} was kept outside the root, and the chain does not have it. The ledger was written anew",
                kept.head,
                kept.entries.saturating_sub(1)
            )
        })
    }

    /// What was kept of a campaign that is not there any more.
    pub(super) fn gone(&self) -> Option<String> {
        let kept = self.kept.as_ref()?;
        Some(format!(
            "a campaign of {} entries (head {}) lay here, and its ledger is gone",
            kept.entries,
            short(&kept.head)
        ))
    }

    /// Where blocks are counted when the root itself is gone.
    pub(super) fn memory(&self) -> PathBuf {
        self.path.with_extension("blocks.json")
    }

    /// Keeps the head of a ledger.
    pub(super) fn keep(&self, ledger: &Ledger) {
        let kept = Kept {
            root: self.root.clone(),
            entries: ledger.entries().len() as u64,
            head: ledger.chain.head().to_owned(),
        };
        if self.kept.as_ref() == Some(&kept) {
            return;
        }
        let bytes = serde_json::to_vec_pretty(&kept).expect("an anchor is JSON");
        // A data folder that cannot be written to keeps what it had: an older entry of the same chain.
        let _ = self
            .path
            .parent()
            .map(std::fs::create_dir_all)
            .transpose()
            .and_then(|_| cli_kit::write_atomically(&self.path, &bytes));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_file_is_an_anchor_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200), entries in any::<u64>(), head in ".{0,80}") {
            let data = tempfile::tempdir().unwrap();
            let root = Root::new(data.path().join("root"));
            let anchor = Anchor::of(&root, data.path());
            prop_assert!(anchor.gone().is_none(), "nothing was kept");
            std::fs::create_dir_all(anchor.path.parent().unwrap()).unwrap();
            std::fs::write(&anchor.path, &bytes).unwrap();
            let _ = Anchor::of(&root, data.path()).gone();
            let kept = Kept { root: "r".to_owned(), entries, head };
            std::fs::write(&anchor.path, serde_json::to_vec(&kept).unwrap()).unwrap();
            let again = Anchor::of(&root, data.path());
            prop_assert_eq!(again.kept.as_ref(), Some(&kept));
            prop_assert!(again.gone().is_some());
        }
    }
}
