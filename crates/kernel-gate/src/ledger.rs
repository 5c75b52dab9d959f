//! `results.jsonl`: one provenance line, one line a row, one summary. A foreign format: read leniently, bounded, and what is
//! missing stays missing.

use contracts::kernel_gate::results::{Provenance, ResultLine, Summary};
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use serde::Deserialize;

/// Longest id of a row that is kept, in bytes.
pub(crate) const ID_CAP: usize = 200;
/// Most rows of a ledger.
const MOST_ROWS: usize = 100_000;

/// All lines of one measurement.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// How it was measured, one for each run that wrote into the file.
    pub provenance: Vec<Provenance>,
    /// The rows, as written.
    pub results: Vec<ResultLine>,
    /// The measurement's own summaries.
    pub summaries: Vec<Summary>,
    /// Lines with an event that is not known.
    pub other_events: u64,
}

/// Why a file is no ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A line does not read.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong, cleaned.
        what: String,
    },
    /// No line is a result.
    #[error("no line has the event `result`")]
    NoResults,
    /// Too many rows.
    #[error("more than {MOST_ROWS} rows")]
    TooManyRows,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    event: String,
}

/// Reads a ledger.
///
/// # Errors
/// A line that does not read, no result at all, or too many.
pub fn read(bytes: &[u8]) -> Result<Ledger, LedgerError> {
    let mut ledger = Ledger::default();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let wrong = |error: serde_json::Error| LedgerError::Line {
            line: at + 1,
            what: clean(&error.to_string(), FOREIGN_TEXT_CAP),
        };
        let event: Event = serde_json::from_slice(line).map_err(wrong)?;
        match event.event.as_str() {
            "provenance" => ledger
                .provenance
                .push(serde_json::from_slice(line).map_err(wrong)?),
            "result" => {
                let mut result: ResultLine = serde_json::from_slice(line).map_err(wrong)?;
                result.id = clean(&result.id, ID_CAP);
                ledger.results.push(result);
            }
            "summary" => ledger
                .summaries
                .push(serde_json::from_slice(line).map_err(wrong)?),
            _ => ledger.other_events += 1,
        }
        if ledger.results.len() > MOST_ROWS {
            return Err(LedgerError::TooManyRows);
        }
    }
    if ledger.results.is_empty() {
        return Err(LedgerError::NoResults);
    }
    Ok(ledger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_stays_missing() {
        let ledger =
            read(b"{\"event\":\"result\",\"id\":\"a\\u001b[31mb\"}\n\n{\"event\":\"later\"}").unwrap();
        assert_eq!((ledger.results[0].id.as_str(), ledger.other_events), ("ab", 1));
        assert!(ledger.results[0].baseline.is_none() && ledger.provenance.is_empty());
    }

    #[test]
    fn a_broken_line_is_named() {
        let error = read(b"{\"event\":\"result\",\"id\":\"a\"}\n{\"event\":").unwrap_err();
        assert!(matches!(error, LedgerError::Line { line: 2, .. }), "{error}");
        assert_eq!(read(b"{}\n").unwrap_err(), LedgerError::NoResults);
    }
}
