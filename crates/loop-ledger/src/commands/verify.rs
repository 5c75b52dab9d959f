//! `verify` and `recover`: is everything as it was written, down to the last byte of evidence.

use std::collections::BTreeSet;

use cli_kit::{DocumentParts, Failure, Report, ToolError as _};
use contracts::Exit;
use contracts::loop_ledger::entry::Evidence;
use contracts::loop_ledger::event::Event;
use contracts::loop_ledger::verify::{self, Anchor, Fault, VerifyData};

use super::receipt;
use crate::error::LedgerError;
use crate::ledger::{self, Ledger, Root, Writer, objects};
use crate::state::State;
use crate::{TOOL, accept, view};

pub(crate) fn verify(root: &Root, anchor: Option<&str>) -> Result<Report, Failure> {
    let data = match read_at_rest(root) {
        Ok(ledger) => check(&ledger, anchor),
        Err(LedgerError::Tampered { code, path, what }) => VerifyData {
            root: root.path().display().to_string(),
            intact: false,
            entries: 0,
            objects: 0,
            head: None,
            anchor: anchor.map(|hash| Anchor {
                hash: contracts::text::clean(hash, 100),
                seq: None,
            }),
            faults: vec![Fault {
                code: code.to_owned(),
                place: path.display().to_string(),
                message: what,
            }],
        },
        Err(other) => return Err(other.into()),
    };
    if let Some(first) = data.faults.first() {
        // Exit 7 has no document of the tool's own: the faults are the message.
        let others = data.faults.len() - 1;
        let more = if others > 0 {
            format!(" (and {others} more)")
        } else {
            String::new()
        };
        let mut failure = Failure::new(
            Exit::Drift,
            &first.code,
            format!("failed to verify {}: {}{more}", first.place, first.message),
        );
        for fault in data.faults.iter().skip(1).take(9) {
            failure
                .document
                .message
                .push_str(&format!("; {}: {}", fault.place, fault.message));
        }
        let hint = LedgerError::tampered("chain-broken", root.path(), "").hint();
        return Err(failure.hint(hint.unwrap_or_default()));
    }
    let parts = DocumentParts {
        summary: format!(
            "Intact: {} entries and {} stored files are as they were written. Head {}.",
            data.entries,
            data.objects,
            data.head.as_deref().unwrap_or_default()
        ),
        ..DocumentParts::new(verify::SCHEMA)
    };
    let document = cli_kit::document(&TOOL, parts, data);
    let shown = view::verify(&document);
    Ok(Report::new(&document, shown, Exit::Ok))
}

/// The campaign with no writer in the middle of a line: half a line is torn only when nobody is writing it.
fn read_at_rest(root: &Root) -> Result<Ledger, LedgerError> {
    let ledger = Ledger::read(root)?;
    if ledger.chain.torn.is_empty() {
        return Ok(ledger);
    }
    ledger::wait_for_writer(root)?;
    Ledger::read(root)
}

/// Every stored file, the facts that were read from it, the locked workloads, and the anchor.
pub(crate) fn check(ledger: &Ledger, anchor: Option<&str>) -> VerifyData {
    let mut faults = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let state = State::now(ledger);
    if !ledger.chain.torn.is_empty() {
        faults.push(Fault {
            code: "torn-line".to_owned(),
            place: ledger.root.ledger().display().to_string(),
            message: format!(
                "ends in {} bytes of a line that was cut off; `loop-ledger recover` sets them aside",
                ledger.chain.torn.len()
            ),
        });
    }
    for entry in ledger.entries() {
        for evidence in entry.evidence.iter().filter(|evidence| evidence.stored) {
            let facts = match &entry.event {
                Event::Evidence(facts) => Some(facts),
                _ => None,
            };
            if !seen.insert(&evidence.sha256) && facts.is_none() {
                continue;
            }
            match (object(ledger, evidence), facts) {
                (Ok(bytes), Some(facts)) => match accept::again(ledger, &state, evidence, &bytes) {
                    Ok(again) if same_facts(facts, &again) => {}
                    Ok(_) => faults.push(fault(
                        "facts-differ",
                        entry.seq,
                        evidence,
                        "does not say what the entry says".to_owned(),
                    )),
                    Err(refusal) => {
                        faults.push(fault(refusal.code(), entry.seq, evidence, refusal.to_string()));
                    }
                },
                (Ok(_), None) => {}
                (Err(message), _) => faults.push(fault("evidence-replaced", entry.seq, evidence, message)),
            }
        }
        if matches!(entry.event, Event::Evidence(_)) && !entry.evidence.iter().any(|evidence| evidence.stored)
        {
            faults.push(Fault {
                code: "evidence-missing".to_owned(),
                place: format!("{}, entry {}", ledger.root.ledger().display(), entry.seq),
                message: "speaks of a document and stores none".to_owned(),
            });
        }
    }
    for workload in &ledger.lock.workloads {
        // The frozen copy is what counts; an edited original is what the next measurement would use.
        let path = ledger.root.path().join(&workload.path);
        if path.is_file() && objects::hash_file(&path).is_ok_and(|(sha256, _)| sha256 != workload.sha256) {
            faults.push(Fault {
                code: "workload-edited".to_owned(),
                place: workload.path.clone(),
                message: "is not the file that was locked".to_owned(),
            });
        }
    }
    let anchor = anchor.map(|hash| Anchor {
        hash: contracts::text::clean(hash, 100),
        seq: ledger
            .entries()
            .iter()
            .find(|entry| entry.hash == hash)
            .map(|entry| entry.seq),
    });
    if let Some(missing) = anchor.as_ref().filter(|anchor| anchor.seq.is_none()) {
        faults.push(Fault {
            code: "anchor-not-found".to_owned(),
            place: ledger.root.ledger().display().to_string(),
            message: format!(
                "no entry has the hash {}: the chain was written anew",
                missing.hash
            ),
        });
    }
    VerifyData {
        root: ledger.root.path().display().to_string(),
        intact: faults.is_empty(),
        entries: ledger.entries().len() as u64,
        objects: seen.len() as u64,
        head: Some(ledger.chain.head().to_owned()),
        anchor,
        faults,
    }
}

/// Phase and time are those of the moment; everything else has to come out again.
fn same_facts(
    stored: &contracts::loop_ledger::facts::Facts,
    again: &contracts::loop_ledger::facts::Facts,
) -> bool {
    let again = contracts::loop_ledger::facts::Facts {
        phase: stored.phase,
        ..again.clone()
    };
    *stored == again
}

fn object(ledger: &Ledger, evidence: &Evidence) -> Result<Vec<u8>, String> {
    match objects::get(&ledger.root, &evidence.sha256) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err("the stored file was replaced".to_owned()),
        Err(error) => Err(format!("the stored file cannot be read: {error}")),
    }
}

fn fault(code: &str, seq: u64, evidence: &Evidence, message: String) -> Fault {
    Fault {
        code: code.to_owned(),
        place: format!(
            "entry {seq}, {} ({})",
            evidence.path,
            crate::ledger::short(&evidence.sha256)
        ),
        message,
    }
}

pub(crate) fn recover(root: &Root) -> Result<Report, Failure> {
    let before = Ledger::read(root)?.entries().len();
    let writer = Writer::open(root)?;
    let added = writer.ledger.entries()[before..].to_vec();
    Ok(receipt(&writer.ledger, added, false, Vec::new()))
}
