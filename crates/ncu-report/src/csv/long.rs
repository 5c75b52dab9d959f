//! `--page details --csv`, and `--csv --metrics` as it runs: a row for each metric of each kernel, and for each rule.
//!
//! Rows are ragged: a metric's row ends behind its value, a rule's row goes on. A metric's row names its section by title, a
//! rule's row by identifier.

use std::collections::{BTreeSet, HashMap};

use csv::ByteRecord;

use crate::error::ReadError;
use crate::limits::Budget;
use crate::model::{Form, Report, Rule, RuleKind, Speedup};
use crate::warnings::{NON_FINITE, non_finite};

use super::columns::Columns;
use super::labels::{metric, section_id};
use super::number::{Cell, cell};
use super::scale::base;
use super::table::{Row, Table};
use super::{session, warning};

/// The section of metrics that were asked for by name; they are printed by name.
const BY_NAME: &str = "Command line profiler metrics";

/// Sections of a kernel that are listed; no set has as many.
const SECTIONS: usize = 64;

/// Reads the page.
pub(super) fn read(table: &mut Table<'_>, budget: &mut Budget) -> Result<Report, ReadError> {
    let mut report = Report {
        form: Form::LiveCsv,
        ..Report::default()
    };
    let mut places: HashMap<(u64, u64), usize> = HashMap::new();
    let mut not_finite = BTreeSet::new();
    let value_place = table.columns.place("Metric Value");
    // Up to the value; what comes behind it is there for rules only.
    let cells = value_place.map_or(0, |place| place + 1);
    let mut row = ByteRecord::new();
    while let Some(kind) = table.next(&mut row, cells)? {
        let Row::Kernel { id, process } = kind else {
            continue;
        };
        let columns = &table.columns;
        let place = match places.get(&(id, process)) {
            Some(place) => *place,
            None => {
                if report.kernels.is_empty() {
                    report.session = session(columns, &row);
                }
                let kernel = columns.kernel(&row, report.kernels.len());
                budget.keep_kernel(&kernel)?;
                places.insert((id, process), kernel.index);
                report.kernels.push(kernel);
                report.kernels.len() - 1
            }
        };
        let kernel = &mut report.kernels[place];
        let title = columns.text(&row, "Section Name");
        let section = section_id(&title).unwrap_or(&title);
        let is_known = kernel.sections.iter().any(|known| known == section);
        if !section.is_empty() && !is_known && kernel.sections.len() < SECTIONS {
            budget.keep::<String>(section.len())?;
            kernel.sections.push(section.to_owned());
        }
        let label = columns.text(&row, "Metric Name");
        if label.is_empty() {
            if let Some(rule) = rule(columns, &row, section) {
                budget.keep_rule(&rule)?;
                kernel.rules.push(rule);
            }
            continue;
        }
        if title != BY_NAME {
            report.form = Form::DetailsCsv;
        }
        let name = name(section, &label);
        let (unit, exponent) = base(columns.text(&row, "Metric Unit").trim());
        let bytes = value_place.and_then(|place| row.get(place)).unwrap_or_default();
        let scale = (unit.as_str(), exponent);
        let read = super::metric(&name, bytes, scale, table.row_offset, budget, &mut not_finite)?;
        if let Some(metric) = read {
            kernel.metrics.insert(name, metric);
        }
    }
    if report.form == Form::DetailsCsv {
        let message = "the details page has two decimals of scaled values, and labels for names; the raw page or the \
                       report itself has more";
        report
            .warnings
            .push(warning("details-rounded", message.to_owned()));
    }
    if !not_finite.is_empty() {
        report.warnings.push(warning(NON_FINITE, non_finite(&not_finite)));
    }
    Ok(report)
}

/// The metric that a label stands for; a label that is not known keeps its section, and is no name of a metric then.
fn name(section: &str, label: &str) -> String {
    if section == BY_NAME || label.contains("__") {
        return label.to_owned();
    }
    match metric(section, label) {
        Some(metric) => metric.to_owned(),
        None => format!("{section}/{label}"),
    }
}

fn rule(columns: &Columns, row: &ByteRecord, section: &str) -> Option<Rule> {
    let id = columns.text(row, "Rule Name");
    if id.is_empty() {
        return None;
    }
    let kind = match columns.text(row, "Rule Type").as_str() {
        "OPT" => RuleKind::Optimization,
        "WRN" => RuleKind::Warning,
        "ERR" => RuleKind::Error,
        _ => RuleKind::Info,
    };
    let is_global = match columns.text(row, "Estimated Speedup Type").as_str() {
        "global" => Some(true),
        "local" => Some(false),
        _ => None,
    };
    let percent = match cell(columns.text(row, "Estimated Speedup").as_bytes(), 0, true) {
        Cell::Value(value) => value.number(),
        _ => None,
    };
    Some(Rule {
        section: section.to_owned(),
        title: id.clone(),
        id,
        text: columns.text(row, "Rule Description"),
        kind,
        speedup: is_global
            .zip(percent)
            .map(|(is_global, percent)| Speedup { is_global, percent }),
        focus: Vec::new(),
    })
}
