//! How often the hook has blocked since the ledger last grew, by session. It is no part of the campaign: it lies beside
//! the ledger, and losing it costs a few more blocks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Sessions that are remembered for one head.
const SESSIONS: usize = 32;
/// Largest file that is read.
const CAP: u64 = 1 << 16;

/// `hook.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Head of the ledger that the counts are for.
    head: String,
    /// Blocks by session.
    blocks: BTreeMap<String, u32>,
}

/// The counts of one head.
pub(super) struct Memory {
    path: PathBuf,
    kept: Kept,
}

impl Memory {
    /// What is remembered for `head` in the file `path`; nothing for another head.
    pub(super) fn at(path: &Path, head: &str) -> Memory {
        let kept = cli_kit::read_bounded(path, CAP)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok())
            .filter(|kept| kept.head == head)
            .unwrap_or_else(|| Kept {
                head: head.to_owned(),
                blocks: BTreeMap::new(),
            });
        Memory {
            path: path.to_owned(),
            kept,
        }
    }

    /// Blocks of a session so far.
    pub(super) fn blocks(&self, session: &str) -> u32 {
        self.kept.blocks.get(session).copied().unwrap_or(0)
    }

    /// Counts one block.
    ///
    /// # Errors
    /// When it cannot be written; then nothing may be blocked, or nothing would ever end it.
    pub(super) fn count(&mut self, session: &str) -> std::io::Result<()> {
        if self.kept.blocks.len() >= SESSIONS && !self.kept.blocks.contains_key(session) {
            self.kept.blocks.pop_first();
        }
        let blocks = self.kept.blocks.entry(session.to_owned()).or_default();
        *blocks = blocks.saturating_add(1);
        let bytes = serde_json::to_vec(&self.kept).expect("counts are JSON");
        cli_kit::write_atomically(&self.path, &bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_are_of_one_head_and_session() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hook.json");
        for expected in 0..3 {
            let mut memory = Memory::at(&path, "a");
            assert_eq!(memory.blocks("s"), expected);
            memory.count("s").unwrap();
        }
        assert_eq!(Memory::at(&path, "a").blocks("other"), 0);
        assert_eq!(Memory::at(&path, "b").blocks("s"), 0, "the ledger has grown");
        for session in 0..100 {
            Memory::at(&path, "a").count(&session.to_string()).unwrap();
        }
        assert!(Memory::at(&path, "a").kept.blocks.len() <= SESSIONS);
    }

    proptest! {
        #[test]
        fn any_file_is_read_as_something(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("hook.json");
            std::fs::write(&path, bytes).unwrap();
            prop_assert_eq!(Memory::at(&path, "a").blocks("s"), 0);
        }
    }
}
