//! `loop-ledger.entry/1`: one line of `ledger.jsonl`, chained to the one before it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::event::Event;
use crate::fields::{canonical, sha256_hex};

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.entry/1";

/// `prev` of the first line.
pub const GENESIS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Entry {
    /// `loop-ledger.entry/1`.
    pub schema: String,
    /// Number of the line, from 0.
    pub seq: u64,
    /// `hash` of the line before; 64 zeros for the first.
    pub prev: String,
    /// When it was written, UTC.
    pub written_at: Timestamp,
    /// Who wrote it.
    pub actor: Actor,
    /// The open attempt, for example `a-0007`; null outside an attempt.
    pub attempt: Option<String>,
    /// What happened.
    pub event: Event,
    /// Stored files that it rests on.
    pub evidence: Vec<Evidence>,
    /// `sha256:` over `prev` and the RFC 8785 canonical JSON of the line without `hash`.
    pub hash: String,
}

impl Entry {
    /// The hash that the line should carry.
    pub fn expected_hash(&self) -> String {
        let value = serde_json::to_value(self).expect("an entry has string keys and finite numbers");
        Entry::hash_of(&self.prev, value)
    }

    /// The hash of a line that is at hand as a value: `sha256` of `prev` and the canonical JSON without `hash`.
    pub fn hash_of(prev: &str, mut line: Value) -> String {
        if let Some(fields) = line.as_object_mut() {
            fields.shift_remove("hash");
        }
        sha256_hex(format!("{prev}{}", canonical(&line)).as_bytes())
    }

    /// Whether nothing in the line was changed since it was written.
    pub fn is_intact(&self) -> bool {
        self.hash == self.expected_hash()
    }
}

/// Who wrote an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Actor {
    /// `claude`, `codex` or `human`, from the environment that the runtime sets.
    pub runtime: String,
    /// Session id of the runtime; null where it tells none.
    pub session: Option<String>,
}

/// A stored file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Evidence {
    /// Where it came from, as typed.
    pub path: String,
    /// `sha256:<hex>` of its bytes.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// Schema of the document; null for a file that is none (a diff, a trace).
    pub schema: Option<String>,
    /// `sha256:<hex>` of the schema it was checked against; null without one.
    pub schema_sha256: Option<String>,
    /// False when the file was too large to be copied: then the path is all there is.
    pub stored: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_under_the_hash() {
        let entry = Entry {
            schema: SCHEMA.to_owned(),
            seq: 3,
            prev: GENESIS.to_owned(),
            written_at: Timestamp::UNIX_EPOCH,
            actor: Actor {
                runtime: "human".to_owned(),
                session: None,
            },
            attempt: None,
            event: Event::Stop(super::super::event::Stop {
                terminal: super::super::Terminal::HumanStop,
                why: "lunch".to_owned(),
            }),
            evidence: Vec::new(),
            hash: String::new(),
        };
        let hash = entry.expected_hash();
        let whole = Entry { hash, ..entry };
        assert!(whole.is_intact());
        for changed in [
            Entry {
                seq: 4,
                ..whole.clone()
            },
            Entry {
                attempt: Some("a-0001".to_owned()),
                ..whole.clone()
            },
            Entry {
                prev: sha256_hex(b"x"),
                ..whole.clone()
            },
        ] {
            assert!(!changed.is_intact(), "{changed:?}");
        }
    }
}
