//! `append`: documents become evidence, or are refused with the reason.

use std::path::Path;

use cli_kit::{Failure, Report};
use contracts::Warning;
use contracts::fields::sha256_hex;
use contracts::loop_ledger::entry::Entry;
use contracts::loop_ledger::event::Event;

use super::receipt;
use crate::accept;
use crate::cli::AppendArgs;
use crate::error::LedgerError;
use crate::ledger::{Root, Writer, objects};
use crate::rules;
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
    let warnings = undeclared(&State::now(&writer.ledger), &entries);
    Ok(receipt(&writer.ledger, entries, !is_new, warnings))
}

/// Comparisons of the open attempt whose launch of ours is not its declared change.
pub(crate) fn undeclared(state: &State<'_>, entries: &[Entry]) -> Vec<Warning> {
    let (Some(open), Some(before)) = (state.open_attempt(), state.best_argv()) else {
        return Vec::new();
    };
    let mut warnings: Vec<Warning> = Vec::new();
    for entry in entries {
        let Event::Evidence(facts) = &entry.event else {
            continue;
        };
        let launch = facts.sides.first().filter(|_| facts.sides.len() == 2);
        let now = launch.and_then(|side| side.launch_argv.as_deref());
        let warning = now.and_then(|now| rules::change_differs(&open.begin.change, before, now));
        // One launch serves all scenarios.
        warnings.extend(warning.filter(|warning| !warnings.contains(warning)));
    }
    warnings
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
