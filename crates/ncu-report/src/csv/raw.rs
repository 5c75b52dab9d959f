//! `--page raw --csv`: a column for each metric, a row of units, a row for each kernel.

use std::collections::BTreeSet;

use csv::ByteRecord;

use crate::error::ReadError;
use crate::limits::Budget;
use crate::model::{Form, Report};
use crate::warnings::{NON_FINITE, non_finite};

use super::scale::base;
use super::table::{Row, Table};
use super::{session, warning};

/// Reads the page.
pub(super) fn read(table: &mut Table<'_>, budget: &mut Budget) -> Result<Report, ReadError> {
    let columns: Vec<(usize, String)> = table
        .columns
        .metrics()
        .map(|(place, name)| (place, name.to_owned()))
        .collect();
    let cells = table.columns.len();
    let mut units: Option<Vec<(String, i32)>> = None;
    let mut report = Report {
        form: Form::RawCsv,
        ..Report::default()
    };
    let mut not_finite = BTreeSet::new();
    let mut row = ByteRecord::new();
    while let Some(kind) = table.next(&mut row, cells)? {
        if let Row::Units = kind {
            let unit =
                |place: usize| String::from_utf8_lossy(row.get(place).unwrap_or_default()).into_owned();
            units = Some(
                columns
                    .iter()
                    .map(|(place, _)| base(unit(*place).trim()))
                    .collect(),
            );
            continue;
        }
        // Without it a duration could be of nanoseconds or of milliseconds.
        let Some(units) = &units else {
            return Err(table.corrupt("a row of units is missing before the first kernel"));
        };
        if report.kernels.is_empty() {
            report.session = session(&table.columns, &row);
        }
        let mut kernel = table.columns.kernel(&row, report.kernels.len());
        budget.keep_kernel(&kernel)?;
        for ((place, name), (unit, exponent)) in columns.iter().zip(units) {
            let bytes = row.get(*place).unwrap_or_default();
            let scale = (unit.as_str(), *exponent);
            let read = super::metric(name, bytes, scale, table.row_offset, budget, &mut not_finite)?;
            if let Some(metric) = read {
                kernel.metrics.insert(name.clone(), metric);
            }
        }
        report.kernels.push(kernel);
    }
    if !not_finite.is_empty() {
        report.warnings.push(warning(NON_FINITE, non_finite(&not_finite)));
    }
    Ok(report)
}
