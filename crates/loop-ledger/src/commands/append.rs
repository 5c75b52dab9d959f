//! `append`: documents become evidence, or are refused with the reason.

use std::path::{Component, Path, PathBuf};

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
        for path in with_measurements(path)? {
            let (entry, added) = one(&mut writer, &path)?;
            is_new |= added;
            entries.push(entry);
        }
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

/// A document, or the rows of a search after the measurements that they name.
fn with_measurements(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let bytes = cli_kit::read_bounded(path, DOCUMENT_CAP)?;
    let mut paths = Vec::new();
    if accept::is_search(&bytes) {
        // Rows that do not read are refused with the rest.
        let rows = accept::search::rows(&bytes).unwrap_or_default();
        let folder = path.parent().unwrap_or(Path::new(""));
        for (document, sha256) in accept::search::measured(&rows) {
            paths.push(measurement(folder, document, sha256)?);
        }
    }
    paths.push(path.to_path_buf());
    Ok(paths)
}

/// A measurement beside the rows, as it was when its row was written.
fn measurement(folder: &Path, document: &str, sha256: &str) -> Result<PathBuf, Failure> {
    let shown = contracts::text::clean(document, 200);
    let is_beside = Path::new(document)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if !is_beside {
        return Err(Failure::new(
            contracts::Exit::BadInput,
            "search-path",
            format!("a row names {shown}, which is not in the folder of the search"),
        )
        .hint("give the candidates.jsonl as config-search wrote it"));
    }
    let path = folder.join(document);
    if sha256_hex(&cli_kit::read_bounded(&path, DOCUMENT_CAP)?) != sha256 {
        return Err(Failure::new(
            contracts::Exit::Drift,
            "search-altered",
            format!("{shown} is not the measurement that its row names"),
        )
        .hint("search anew: `config-search run PLAN --dir NEW`"));
    }
    Ok(path)
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
