//! What the rendered files are made from: the state, the head that it stands for, and what the stored documents say.

use std::collections::BTreeMap;

use contracts::loop_ledger::event::Event;
use contracts::loop_ledger::history::{self, History};
use contracts::loop_ledger::root_cause::{self, RootCause};
use contracts::serve_bench;
use serde::de::DeserializeOwned;

use super::measured::{self, Measured};
use crate::ledger::{Ledger, objects};
use crate::state::{Accepted, State};

/// Everything that a rendered file may say.
pub(crate) struct Source<'a> {
    /// What the entries add up to, at the time of the last one: the same ledger gives the same files.
    pub(crate) state: &'a State<'a>,
    /// Hash of the last entry.
    pub(crate) head: &'a str,
    /// What the stored documents say beyond their facts.
    pub(crate) documents: &'a Documents,
}

impl<'a> Source<'a> {
    /// Whether any number comes from a simulated engine.
    pub(crate) fn simulated(&self) -> bool {
        self.state
            .accepted
            .iter()
            .any(|accepted| accepted.facts.simulated)
    }

    /// What a benchmark measured, one a side; empty when its document is gone.
    pub(crate) fn measured(&self, accepted: &Accepted<'_>) -> &'a [Measured] {
        self.documents
            .measured
            .get(&accepted.facts.sha256)
            .map_or(&[], Vec::as_slice)
    }
}

/// The state at the time of the last entry.
pub(crate) fn state(ledger: &Ledger) -> State<'_> {
    let entries = ledger.entries();
    let at = entries
        .last()
        .map_or(ledger.lock.created_at, |last| last.written_at);
    State::at(&ledger.lock, entries, ledger.root.stop_file().exists(), at)
}

/// Stored documents by their hash. What is gone or does not read is not there; `verify` says why.
#[derive(Default)]
pub(crate) struct Documents {
    /// Benchmarks.
    pub(crate) measured: BTreeMap<String, Vec<Measured>>,
    /// History notes.
    pub(crate) histories: BTreeMap<String, History>,
    /// Root causes.
    pub(crate) root_causes: BTreeMap<String, RootCause>,
    /// Diffs.
    pub(crate) diffs: BTreeMap<String, Vec<u8>>,
}

impl Documents {
    /// Reads what the rendered files need.
    pub(crate) fn read(ledger: &Ledger) -> Documents {
        let mut documents = Documents::default();
        for entry in ledger.entries() {
            let (schema, sha256) = match &entry.event {
                Event::Evidence(facts) => (facts.schema.as_str(), &facts.sha256),
                Event::Patch(patch) => ("", &patch.diff_sha256),
                _ => continue,
            };
            if let Ok(Some(bytes)) = objects::get(&ledger.root, sha256) {
                documents.take(schema, sha256, bytes);
            }
        }
        documents
    }

    /// Takes one stored file; an empty schema is a diff.
    pub(crate) fn take(&mut self, schema: &str, sha256: &str, bytes: Vec<u8>) {
        let key = sha256.to_owned();
        match schema {
            "" => {
                self.diffs.insert(key, bytes);
            }
            serve_bench::compare::SCHEMA => {
                let sides = json(&bytes).map(|document| measured::of_compare(&document));
                self.measured.extend(sides.map(|sides| (key, sides)));
            }
            serve_bench::result::SCHEMA => {
                let side = json(&bytes).map(|document| vec![measured::of_result(&document)]);
                self.measured.extend(side.map(|side| (key, side)));
            }
            history::SCHEMA => self.histories.extend(notes(&bytes).map(|notes| (key, notes))),
            root_cause::SCHEMA => self.root_causes.extend(notes(&bytes).map(|notes| (key, notes))),
            _ => {}
        }
    }
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

/// YAML, of which JSON is a part.
fn notes<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_value(cli_kit::yaml_value(bytes).ok()?).ok()
}
