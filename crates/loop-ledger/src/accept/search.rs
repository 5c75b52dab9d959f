//! Rows of a search (`candidates.jsonl`): what was tried, what failed and why. The measurements stand in documents of their
//! own, and all of them have to be stored: a search is taken whole.

use std::collections::BTreeMap;

use contracts::config_search::candidate::{self, Candidate, Status};
use contracts::loop_ledger::facts::Facts;
use contracts::loop_ledger::phase::Phase;

use super::{Context, Refusal};

/// Most rows of a search.
const ROWS_CAP: usize = 100_000;

/// The rows of a search.
///
/// # Errors
/// The number of the line that is none, and why.
pub(crate) fn rows(bytes: &[u8]) -> Result<Vec<Candidate>, String> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut rows: Vec<Candidate> = Vec::new();
    for (index, line) in lines.enumerate() {
        let row: Candidate =
            serde_json::from_slice(line).map_err(|error| format!("line {}: {error}", index + 1))?;
        if row.schema != candidate::SCHEMA {
            return Err(format!("line {}: its schema is another one", index + 1));
        }
        if index >= ROWS_CAP {
            return Err(format!("it has more than {ROWS_CAP} rows"));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Documents of candidates that were measured in full: path relative to the rows, and hash.
pub(crate) fn measured(rows: &[Candidate]) -> impl Iterator<Item = (&str, &str)> {
    rows.iter()
        .filter(|row| row.status == Status::Ok && row.effort.fidelity_ratio.get() >= 1.0)
        .flat_map(|row| &row.results)
        .map(|result| (result.document.as_str(), result.sha256.as_str()))
}

pub(crate) fn search(context: &Context<'_>, bytes: &[u8]) -> Result<Facts, Refusal> {
    let rows = rows(bytes).map_err(|what| context.unreadable("input-malformed", what))?;
    let Some(first) = rows.first() else {
        return Err(context.unreadable("input-empty", "it has no row".to_owned()));
    };
    if rows.iter().any(|row| row.plan_sha256 != first.plan_sha256) {
        return Err(context.drift("search-mixed", "its rows belong to several plans".to_owned()));
    }
    let is_stored = |sha256: &str| {
        let known = context.state.by_hash(sha256);
        known.is_some_and(|accepted| accepted.facts.measured_at.is_some())
    };
    if let Some((document, _)) = measured(&rows).find(|(_, sha256)| !is_stored(sha256)) {
        return Err(context.drift(
            "search-not-whole",
            format!(
                "its measurement {} is not stored",
                contracts::text::clean(document, 120)
            ),
        ));
    }
    let mut counts: BTreeMap<&str, [u64; 3]> = BTreeMap::new();
    for row in &rows {
        let [measured, screened, failed] = counts.entry(&row.framework).or_default();
        match (row.status, row.effort.fidelity_ratio.get() >= 1.0) {
            (Status::Ok, true) => *measured += 1,
            (Status::Ok, false) => *screened += 1,
            _ => *failed += 1,
        }
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(framework, [measured, screened, failed])| {
            format!("{framework} {measured} measured, {screened} screened, {failed} without a result")
        })
        .collect();
    let mut facts = context.blank(
        Phase::Baseline,
        candidate::SCHEMA,
        &format!("a search over launch flags: {}", parts.join("; ")),
    );
    facts.simulated = rows.iter().any(|row| row.simulated == Some(true));
    facts.inputs = measured(&rows).map(|(_, sha256)| sha256.to_owned()).collect();
    Ok(facts)
}
