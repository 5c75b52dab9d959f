//! `kernel-gate import`: a CSV ledger to results, by a map of its columns.

mod map;
mod table;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report, View, input_of, read_bounded};
use contracts::fields::sha256_hex;
use contracts::kernel_gate::import::{ImportData, SCHEMA};
use contracts::{Artifact, Exit, NextAction};

use crate::cli::{Args, ImportArgs};
use crate::error::GateError;

/// Largest ledger.
const LEDGER_CAP: u64 = 256 << 20;
/// Largest map.
const MAP_CAP: u64 = 1 << 20;

/// What came of a ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The results, JSON lines.
    pub lines: String,
    /// What the document says.
    pub data: ImportData,
}

/// Why there are no results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The map does not read.
    Map(String),
    /// The ledger is not what the map says.
    Ledger(String),
}

/// Makes results of a ledger.
///
/// # Errors
/// A map that does not read; a ledger with a column that the map does not name, with a line that does not read, or with two
/// times where one is meant.
pub fn import(ledger: &[u8], map: &str) -> Result<Imported, Refused> {
    let map = map::read(map).map_err(Refused::Map)?;
    table::results(ledger, &map).map_err(Refused::Ledger)
}

pub(crate) fn run(args: &ImportArgs, _output: &OutputArgs) -> Result<Report, Failure> {
    let name = |path: &std::path::Path| path.display().to_string();
    let ledger = read_bounded(&args.ledger, LEDGER_CAP)?;
    let map = read_bounded(&args.map, MAP_CAP)?;
    let of_map = |what: String| GateError::Map {
        path: name(&args.map),
        what,
    };
    let text = std::str::from_utf8(&map).map_err(|error| of_map(error.to_string()))?;
    let imported = import(&ledger, text).map_err(|refused| match refused {
        Refused::Map(what) => of_map(what),
        Refused::Ledger(what) => GateError::Csv {
            path: name(&args.ledger),
            what,
        },
    })?;
    let bytes = imported.lines.as_bytes();
    cli_kit::write_atomically(&args.out, bytes).map_err(|source| GateError::Write {
        path: name(&args.out),
        source,
    })?;
    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs = vec![input_of(&args.ledger, &ledger), input_of(&args.map, &map)];
    parts.artifacts = vec![Artifact {
        kind: "kernel_results".to_owned(),
        path: name(&args.out),
        sha256: Some(sha256_hex(bytes)),
        bytes: bytes.len() as u64,
    }];
    let data = imported.data;
    parts.summary = format!(
        "{} rows of {} lines, {} lines left out; times: {}. The ledger has no proof of: {}.",
        data.rows,
        data.lines_kept,
        data.lines_left_out,
        if data.times.is_empty() {
            "none of all rows".to_owned()
        } else {
            data.times.join(", ")
        },
        data.missing.join(", "),
    );
    parts.next_actions = vec![NextAction::new(
        "judge what was imported",
        &["kernel-gate", "judge", &name(&args.out), "--format", "markdown"],
    )];
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = View::new().heading("Import").head(&document).next(&document);
    Ok(Report::new(&document, view, Exit::Ok))
}
