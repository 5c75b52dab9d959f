//! What can go wrong before there is a document. Fragments complete "failed to …".

use cli_kit::ToolError;
use contracts::Exit;
use contracts::text::{FOREIGN_TEXT_CAP, clean};

use crate::ledger::LedgerError;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GateError {
    /// A file of results does not read.
    #[error("read {path}: {source}")]
    Ledger {
        /// File.
        path: String,
        /// Why.
        source: LedgerError,
    },
    /// A row set does not read.
    #[error("take {path} as a row set: {what}")]
    Rows {
        /// File.
        path: String,
        /// Why.
        what: String,
    },
    /// A dispatch does not read.
    #[error("take {path} as a dispatch: {what}")]
    Dispatch {
        /// File.
        path: String,
        /// Why.
        what: String,
    },
    /// A map does not read.
    #[error("take {path} as a map of columns: {what}")]
    Map {
        /// File.
        path: String,
        /// Why.
        what: String,
    },
    /// A ledger is not what its map says.
    #[error("import {path}: {what}")]
    Csv {
        /// File.
        path: String,
        /// Why.
        what: String,
    },
    /// The results cannot be written.
    #[error("write {path}: {source}")]
    Write {
        /// File.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A row that `--only` names is not there.
    #[error("find the row `{}` in the row set", clean(.0, FOREIGN_TEXT_CAP))]
    NoSuchRow(String),
    /// A number that is out of range.
    #[error("take {flag} {value}: {range}")]
    OutOfRange {
        /// Flag.
        flag: &'static str,
        /// As typed.
        value: f64,
        /// What can be taken.
        range: &'static str,
    },
}

impl ToolError for GateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Ledger { .. } => "results-malformed",
            Self::Rows { .. } => "row-set-malformed",
            Self::Dispatch { .. } => "dispatch-malformed",
            Self::Map { .. } => "column-map-malformed",
            Self::Csv { .. } => "csv-ledger-refused",
            Self::Write { .. } => "results-not-written",
            Self::NoSuchRow(_) => "row-unknown",
            Self::OutOfRange { .. } => "gate-number-out-of-range",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Ledger { .. } => "one JSON object a line with `event`: provenance, result or summary; a CSV ledger goes through `kernel-gate import`; NaN is no JSON, write null".to_owned(),
            Self::Rows { .. } => "a JSON list of objects with an `id` each, or what `kernel-gate freeze` printed of it".to_owned(),
            Self::Dispatch { .. } => r#"{"buckets": [{"name": "large", "field": "tokens", "at_least": 1024, "entry": "candidate"}, {"name": "rest", "entry": "baseline"}]}"#.to_owned(),
            Self::Map { .. } => "see examples/kernel-gate/maps: id, keep, times, ignore".to_owned(),
            Self::Csv { .. } => "map or ignore every column, and keep the lines of one run".to_owned(),
            Self::Write { .. } => "name another place with --out".to_owned(),
            Self::NoSuchRow(_) => "ids stand in `data.rows[].id` of `kernel-gate freeze`".to_owned(),
            Self::OutOfRange { flag, .. } => format!("give another number to {flag}"),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Ledger { .. }
            | Self::Rows { .. }
            | Self::Dispatch { .. }
            | Self::Map { .. }
            | Self::Csv { .. } => Exit::BadInput,
            Self::Write { .. } => Exit::Unavailable,
            Self::NoSuchRow(_) | Self::OutOfRange { .. } => Exit::Usage,
        }
    }
}
