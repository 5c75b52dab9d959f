//! `append`: documents become evidence, or are refused with the reason.

use std::path::Path;

use cli_kit::{Failure, Report};
use contracts::fields::sha256_hex;
use contracts::loop_ledger::entry::Entry;
use contracts::loop_ledger::event::Event;

use super::receipt;
use crate::accept;
use crate::cli::AppendArgs;
use crate::error::LedgerError;
use crate::ledger::{Root, Writer, objects};
use crate::state::State;

/// Largest document that is read: what is evidence is stored.
const DOCUMENT_CAP: u64 = objects::COPY_CAP;

pub(crate) fn append(root: &Root, args: &AppendArgs) -> Result<Report, Failure> {
    let mut writer = Writer::open(root)?;
    let mut entries = Vec::new();
    let mut is_new = false;
    for path in &args.documents {
        let (entry, added) = one(&mut writer, path)?;
        is_new |= added;
        entries.push(entry);
    }
    Ok(receipt(&writer.ledger, entries, !is_new, Vec::new()))
}

/// Adds one document; the same bytes in the same attempt are the same entry.
fn one(writer: &mut Writer, path: &Path) -> Result<(Entry, bool), Failure> {
    let bytes = cli_kit::read_bounded(path, DOCUMENT_CAP)?;
    let sha256 = sha256_hex(&bytes);
    let state = State::now(&writer.ledger);
    let attempt = state.open_attempt().map(|open| open.id.to_owned());
    if let Some(known) = state.by_hash(&sha256) {
        let seq = known.seq;
        if known.attempt.map(str::to_owned) == attempt {
            let entry = writer.ledger.entries().iter().find(|entry| entry.seq == seq);
            return Ok((entry.expect("an accepted document has an entry").clone(), false));
        }
        return Err(Failure::new(
            contracts::Exit::Drift,
            "evidence-copied",
            format!(
                "failed to accept {}: the same bytes are entry {seq}, of another attempt",
                path.display()
            ),
        )
        .hint("measure again: a result proves the attempt in which it was measured, and no other"));
    }
    let accepted = accept::judge(&writer.ledger, &state, path, &bytes)?;
    objects::put(&writer.ledger.root, &bytes).map_err(|error| LedgerError::io("store", path, &error))?;
    let entry = writer.append(attempt, Event::Evidence(accepted.facts), vec![accepted.evidence])?;
    Ok((entry, true))
}
