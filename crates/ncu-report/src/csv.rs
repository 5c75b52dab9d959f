//! CSV as `ncu --csv` prints it, in four dialects: the raw page, the details page, metrics by name as it runs, and the session
//! page, which alone says nothing about a kernel. A table that somebody made by hand is refused: its columns could mean anything.

mod columns;
mod labels;
mod long;
mod number;
mod raw;
mod record;
mod scale;
mod table;

use std::collections::BTreeSet;

use csv::ByteRecord;

use crate::error::ReadError;
use crate::facts::describe_gpu;
use crate::limits::{Budget, Limits};
use crate::model::{Metric, Private, Report, Session, Value, Warning};
use crate::text::bounded;

use columns::Columns;
use number::Cell;
use table::Table;

/// Longest line that an error shows, in bytes.
const SHOWN: usize = 120;

/// What some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The first line of a session page, and its first tables.
const SESSION_PAGE: [&[u8]; 4] = [
    b"Launch Settings",
    b"\"Launch Attribute\"",
    b"Session Info",
    b"\"Session Attribute\"",
];

/// Reads a CSV; `None` where the bytes are no text with commas.
pub(crate) fn read(bytes: &[u8], limits: Limits) -> Option<Result<Report, ReadError>> {
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let skipped = bytes.len() - text.len();
    let Some(table) = Table::find(text, skipped as u64) else {
        return refusal(text).map(Err);
    };
    Some(report(table, bytes.len() as u64, limits))
}

fn report(mut table: Table<'_>, end: u64, limits: Limits) -> Result<Report, ReadError> {
    let mut budget = Budget::new(limits);
    table.columns.keep(&mut budget)?;
    let has = |name: &str| table.columns.place(name).is_some();
    let mut report = if has("Metric Name") && has("Metric Value") {
        long::read(&mut table, &mut budget)?
    } else {
        raw::read(&mut table, &mut budget)?
    };
    if report.kernels.is_empty() && table.ends_inside_a_line() {
        return Err(table.cut());
    }
    let Some(first) = report.kernels.first() else {
        return Err(ReadError::NoKernels { offset: end });
    };
    let attributes = first.metrics.iter().filter_map(|(name, metric)| {
        let value = metric
            .value
            .clone()
            .filter(|_| name.starts_with("device__attribute_"));
        Some((name.clone(), value?))
    });
    report.session.attributes = attributes.collect();
    describe_gpu(&mut report.session, Some(first));
    if table.foreign_lines > 0 {
        let message = format!(
            "{} lines are no rows of `ncu` and were skipped",
            table.foreign_lines
        );
        report.warnings.push(warning("foreign-lines", message));
    }
    Ok(report)
}

/// Why there is no table of `ncu` in a text.
fn refusal(bytes: &[u8]) -> Option<ReadError> {
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty() && !line.starts_with(b"=="));
    let first = lines.next()?;
    if SESSION_PAGE.iter().any(|start| first.starts_with(start)) {
        return Some(ReadError::SessionPage);
    }
    // The header itself is cut.
    let is_cut = !bytes.ends_with(b"\n") && lines.next().is_none();
    if is_cut && (first.starts_with(b"\"ID\",") || first.starts_with(b"ID,")) {
        let at = bytes.len() - first.len();
        return Some(ReadError::CsvCut { offset: at as u64 });
    }
    let is_text = std::str::from_utf8(first).is_ok_and(|line| !line.chars().any(char::is_control));
    (is_text && first.contains(&b',')).then(|| ReadError::UnknownCsv {
        header: bounded(first, SHOWN),
    })
}

/// What a row of a kernel says about the session.
fn session(columns: &Columns, row: &ByteRecord) -> Session {
    let text = |name: &str| Some(columns.text(row, name)).filter(|text| !text.is_empty());
    Session {
        cc: text("CC"),
        private: Private {
            host: text("Host Name"),
            program: text("Process Name"),
            ..Private::default()
        },
        ..Session::default()
    }
}

fn warning(code: &'static str, message: String) -> Warning {
    Warning { code, message }
}

/// A cell as the metric `name`, whose printed number has a unit and a power of ten; `None` for an empty one.
///
/// # Errors
/// A decimal comma, and more than may be kept.
fn metric(
    name: &str,
    cell: &[u8],
    (unit, exponent): (&str, i32),
    offset: u64,
    budget: &mut Budget,
    not_finite: &mut BTreeSet<String>,
) -> Result<Option<Metric>, ReadError> {
    let value = match number::cell(cell, exponent, !unit.is_empty()) {
        Cell::Nothing => return Ok(None),
        Cell::Value(value) => Some(value),
        Cell::NotFinite => {
            if !not_finite.contains(name) {
                budget.keep::<String>(name.len())?;
                not_finite.insert(name.to_owned());
            }
            None
        }
        Cell::DecimalComma => return Err(ReadError::DecimalComma { offset }),
    };
    let text = match &value {
        Some(Value::Text(text)) => text.len(),
        _ => 0,
    };
    budget.keep::<(String, Metric)>(name.len() + unit.len() + text)?;
    Ok(Some(Metric {
        value,
        unit: (!unit.is_empty()).then(|| unit.to_owned()),
        ..Metric::default()
    }))
}
