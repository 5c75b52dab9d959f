//! The bytes of a ledger as chained entries. Pure.

use contracts::loop_ledger::entry::{Entry, GENESIS, SCHEMA};

/// Longest line that is read; ours have a few kilobytes.
const LINE_CAP: usize = 4 << 20;

/// A ledger as it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain {
    /// The entries, each with its hash checked and linked to the one before.
    pub entries: Vec<Entry>,
    /// Bytes after the last line end: a write that was cut off.
    pub torn: Vec<u8>,
}

impl Chain {
    /// Hash of the last entry; zeros for an empty ledger.
    pub fn head(&self) -> &str {
        self.entries.last().map_or(GENESIS, |entry| &entry.hash)
    }
}

/// A line that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct BrokenLine {
    /// Number, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// Reads the chain and checks every link.
///
/// # Errors
/// The first line that does not read, is out of order, or does not carry its own hash.
pub fn read(bytes: &[u8]) -> Result<Chain, BrokenLine> {
    let mut chain = Chain::default();
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, tail) = rest.split_at(end);
        rest = &tail[1..];
        let number = chain.entries.len() + 1;
        let broken = |what: String| BrokenLine { line: number, what };
        if line.len() > LINE_CAP {
            return Err(broken(format!("{} bytes long", line.len())));
        }
        let entry: Entry = serde_json::from_slice(line)
            .map_err(|error| broken(format!("does not read as an entry: {error}")))?;
        if entry.schema != SCHEMA {
            return Err(broken(format!("is not `{SCHEMA}`")));
        }
        if entry.seq != chain.entries.len() as u64 {
            return Err(broken(format!(
                "has the number {}, expected {}",
                entry.seq,
                chain.entries.len()
            )));
        }
        if entry.prev != chain.head() {
            return Err(broken("does not follow the line before it".to_owned()));
        }
        let value = serde_json::to_value(&entry).map_err(|error| broken(error.to_string()))?;
        // What a lenient reader ignores would not be under the hash.
        if serde_json::to_vec(&value).ok().as_deref() != Some(line) {
            return Err(broken("has bytes that its hash does not cover".to_owned()));
        }
        if entry.hash != Entry::hash_of(&entry.prev, value) {
            return Err(broken("was changed after it was written".to_owned()));
        }
        chain.entries.push(entry);
    }
    chain.torn = rest.to_vec();
    Ok(chain)
}

/// The line of an entry, line end included.
pub fn line(entry: &Entry) -> Vec<u8> {
    let mut line = serde_json::to_vec(entry).expect("an entry has string keys and finite numbers");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use contracts::loop_ledger::entry::Actor;
    use contracts::loop_ledger::event::{Event, Idea};
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn ledger(ideas: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut prev = GENESIS.to_owned();
        for (seq, idea) in ideas.iter().enumerate() {
            let mut entry = Entry {
                schema: SCHEMA.to_owned(),
                seq: seq as u64,
                prev: prev.clone(),
                written_at: Timestamp::UNIX_EPOCH,
                actor: Actor {
                    runtime: "human".to_owned(),
                    session: None,
                },
                attempt: None,
                event: Event::Idea(Idea {
                    idea: (*idea).to_owned(),
                    source: None,
                    license: None,
                    rows: Vec::new(),
                }),
                evidence: Vec::new(),
                hash: String::new(),
            };
            entry.hash = entry.expected_hash();
            prev = entry.hash.clone();
            bytes.extend(line(&entry));
        }
        bytes
    }

    #[test]
    fn what_was_written_reads_back() {
        let chain = read(&ledger(&["a", "b", "ü\n"])).unwrap();
        assert_eq!(chain.entries.len(), 3);
        assert!(chain.torn.is_empty());
        assert_eq!(read(b"").unwrap().head(), GENESIS);
    }

    #[test]
    fn a_line_taken_out_or_moved_is_found() {
        let bytes = ledger(&["a", "b", "c"]);
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        let without_b = [lines[0], lines[2]].concat();
        assert_eq!(read(&without_b).unwrap_err().line, 2);
        let swapped = [lines[0], lines[2], lines[1]].concat();
        assert_eq!(read(&swapped).unwrap_err().line, 2);
    }

    #[test]
    fn a_cut_at_any_byte_leaves_the_finished_entries() {
        let bytes = ledger(&["a", "b", "c"]);
        let whole = read(&bytes).unwrap();
        for cut in 0..bytes.len() {
            let chain = read(&bytes[..cut]).unwrap();
            let finished = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(chain.entries, whole.entries[..finished]);
            assert_eq!(chain.torn.is_empty(), cut == 0 || bytes[cut - 1] == b'\n');
        }
    }

    proptest! {
        #[test]
        fn a_changed_byte_anywhere_is_found(place in 0_usize..10_000, change in 1_u8..=255) {
            let mut bytes = ledger(&["first", "second", "third"]);
            let place = place % bytes.len();
            bytes[place] ^= change;
            // Broken, or (a line end that was changed or made) no longer the same number of whole lines.
            let same = read(&bytes).is_ok_and(|chain| chain.torn.is_empty() && chain.entries.len() == 3);
            prop_assert!(!same, "byte {place} changed by {change:#x} went unnoticed");
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
        }
    }
}
