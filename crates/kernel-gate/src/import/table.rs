//! Lines of a ledger to rows of results.

use std::collections::{BTreeMap, BTreeSet};

use contracts::kernel_gate::import::ImportData;
use contracts::kernel_gate::map::{Clock, ColumnMap, Condition, Side, TimeColumns};
use contracts::text::clean;
use serde_json::{Map as Object, Value, json};

use super::Imported;
use super::map::{columns, holds, us};
use crate::ledger::ID_CAP;

/// Most columns of a ledger.
const MOST_COLUMNS: usize = 4096;
/// Most rows of results.
const MOST_ROWS: usize = 100_000;
/// Longest cell that is kept, bytes.
const CELL_CAP: usize = 500;

/// Cells of one line by the name of their column.
type Line<'a> = BTreeMap<&'a str, &'a str>;

/// One row as it is put together.
#[derive(Debug, Default)]
struct Row {
    times: BTreeMap<(Clock, Side), Value>,
    speedup: Option<f64>,
    production: bool,
    is_wrong: bool,
    workload: Object<String, Value>,
}

/// All that is collected.
#[derive(Debug, Default)]
struct Collected {
    rows: BTreeMap<String, Row>,
    /// Values of the provenance's columns.
    seen: BTreeMap<&'static str, BTreeSet<String>>,
    busiest: Option<f64>,
    geomean: Option<f64>,
    kept: u64,
    left_out: u64,
}

/// Reads the ledger.
pub(super) fn results(bytes: &[u8], map: &ColumnMap) -> Result<Imported, String> {
    let mut reader = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .flexible(true)
        .from_reader(bytes);
    let wrong = |error: csv::Error| clean(&error.to_string(), 200);
    let header = reader.byte_headers().map_err(wrong)?.clone();
    let names: Vec<String> = header
        .iter()
        .take(MOST_COLUMNS)
        .map(|name| clean(&String::from_utf8_lossy(name), CELL_CAP))
        .collect();
    check_columns(&names, map)?;
    let mut collected = Collected::default();
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(wrong)? {
        let cells: Vec<String> = record
            .iter()
            .take(MOST_COLUMNS)
            .map(|cell| clean(&String::from_utf8_lossy(cell), CELL_CAP))
            .collect();
        let at = record.position().map_or(0, csv::Position::line);
        if cells.len() != names.len() {
            return Err(format!(
                "line {at} has {} cells, the header {}",
                cells.len(),
                names.len()
            ));
        }
        let line: Line<'_> = names
            .iter()
            .map(String::as_str)
            .zip(cells.iter().map(String::as_str))
            .collect();
        collected
            .take(&line, map)
            .map_err(|what| format!("line {at}: {what}"))?;
        if collected.rows.len() > MOST_ROWS {
            return Err(format!("more than {MOST_ROWS} rows"));
        }
    }
    collected.written()
}

/// Every column of the ledger is mapped or ignored, and every column of the map is there.
fn check_columns(names: &[String], map: &ColumnMap) -> Result<(), String> {
    let there: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mapped = columns(map);
    let listed = |columns: Vec<&&str>| {
        let columns: Vec<String> = columns
            .iter()
            .take(8)
            .map(|column| format!("`{column}`"))
            .collect();
        clean(&columns.join(", "), 300)
    };
    if there.len() < names.len() {
        return Err("two columns have one name".to_owned());
    }
    let absent: Vec<&&str> = mapped.difference(&there).collect();
    if !absent.is_empty() {
        return Err(format!(
            "the map names columns that are not there: {}",
            listed(absent)
        ));
    }
    let unmapped: Vec<&&str> = there.difference(&mapped).collect();
    if !unmapped.is_empty() {
        return Err(format!(
            "columns that the map neither uses nor ignores: {}",
            listed(unmapped)
        ));
    }
    Ok(())
}

impl Collected {
    fn take(&mut self, line: &Line<'_>, map: &ColumnMap) -> Result<(), String> {
        let cell = |column: &str| line.get(column).copied().unwrap_or_default();
        let all = |conditions: &[Condition]| {
            conditions
                .iter()
                .all(|condition| holds(condition, cell(&condition.column)))
        };
        if let Some(summary) = map.summary.as_ref().filter(|summary| all(&summary.keep)) {
            self.geomean = number(cell(&summary.geomean))?;
        }
        if !all(&map.keep) {
            self.left_out += 1;
            return Ok(());
        }
        self.kept += 1;
        self.provenance(line, map)?;
        let parts: Vec<&str> = map.id.iter().map(|column| cell(column)).collect();
        let id = clean(&parts.join("/"), ID_CAP);
        if id.trim_matches('/').is_empty() {
            return Err("it has no id".to_owned());
        }
        let row = self.rows.entry(id.clone()).or_insert_with(|| Row {
            production: true,
            ..Row::default()
        });
        let is_so = |condition: &Option<Condition>| {
            let condition = condition.as_ref();
            condition.is_none_or(|condition| holds(condition, cell(&condition.column)))
        };
        row.production &= is_so(&map.production);
        row.is_wrong |= !is_so(&map.valid);
        for column in &map.workload {
            row.workload.insert(column.clone(), plain(cell(column)));
        }
        if let Some(column) = &map.speedup {
            row.speedup = number(cell(column))?.or(row.speedup);
        }
        let mut found = false;
        for times in &map.times {
            if !times.when.iter().all(|(column, value)| cell(column) == value) {
                continue;
            }
            found = true;
            let Some(value) = summarised(times, &cell)? else {
                continue;
            };
            if row.times.insert((times.clock, times.side), value).is_some() {
                return Err(format!(
                    "`{id}` has a second time where one is meant: keep the lines of one run"
                ));
            }
        }
        if !found {
            return Err(format!("`{id}`: no `times` of the map is about this line"));
        }
        Ok(())
    }

    fn provenance(&mut self, line: &Line<'_>, map: &ColumnMap) -> Result<(), String> {
        let of = &map.provenance;
        let columns = [
            ("gpu", &of.gpu),
            ("gpu_uuid", &of.gpu_uuid),
            ("host", &of.host),
            ("command", &of.command),
            ("baseline_sha256", &of.baseline_sha256),
            ("candidate_sha256", &of.candidate_sha256),
        ];
        for (name, column) in columns {
            let cell = column.as_deref().and_then(|column| line.get(column).copied());
            if let Some(cell) = cell.filter(|cell| !cell.is_empty()) {
                self.seen.entry(name).or_default().insert(cell.to_owned());
            }
        }
        let busy = of
            .idle_utilization_pct
            .as_deref()
            .and_then(|column| line.get(column));
        if let Some(busy) = busy.map(|cell| number(cell)).transpose()?.flatten() {
            self.busiest = Some(self.busiest.map_or(busy, |most| most.max(busy)));
        }
        Ok(())
    }

    fn written(self) -> Result<Imported, String> {
        if self.rows.is_empty() {
            return Err("the map keeps no line of it".to_owned());
        }
        let one = |name: &str| -> Option<String> {
            let seen = self.seen.get(name)?;
            (seen.len() == 1).then(|| seen.first().cloned()).flatten()
        };
        let conflicts: Vec<String> = self
            .seen
            .iter()
            // Rows may each have a command of their own.
            .filter(|(name, seen)| **name != "command" && seen.len() > 1)
            .map(|(name, seen)| {
                let values: Vec<&str> = seen.iter().take(3).map(String::as_str).collect();
                clean(&format!("{name} has several values: {}", values.join(", ")), 200)
            })
            .collect();
        let side = |hash: Option<String>| json!({"source_sha256": hash});
        let provenance = json!({
            "event": "provenance",
            "gpu": one("gpu"),
            "gpu_uuid": one("gpu_uuid"),
            "host": one("host"),
            "command": one("command"),
            "idle_before": self.busiest.map(|busy| json!({"utilization_pct": busy})),
            "sides": {
                "baseline": side(one("baseline_sha256")),
                "candidate": side(one("candidate_sha256")),
            },
            "conflicts": conflicts,
        });
        let mut lines = vec![provenance.to_string()];
        let has = |clock: Clock| {
            let both = |row: &Row| {
                row.times.contains_key(&(clock, Side::Baseline))
                    && row.times.contains_key(&(clock, Side::Candidate))
            };
            self.rows.values().all(both)
        };
        let mut times = Vec::new();
        times.extend(has(Clock::Device).then(|| "device".to_owned()));
        times.extend(has(Clock::Wall).then(|| "wall".to_owned()));
        let mut missing = vec!["samples".to_owned(), "output checks".to_owned()];
        for (name, words) in [("gpu_uuid", "device"), ("candidate_sha256", "candidate's hash")] {
            if !self.seen.contains_key(name) {
                missing.push(words.to_owned());
            }
        }
        if self.busiest.is_none() {
            missing.push("idle device".to_owned());
        }
        let rows = self.rows.len() as u64;
        lines.extend(self.rows.iter().map(|(id, row)| row.written(id)));
        if let Some(mean) = self.geomean {
            lines.push(
                json!({"event": "summary", "headline": {"geomean_speedup": mean}, "total": rows}).to_string(),
            );
        }
        lines.push(String::new());
        Ok(Imported {
            lines: lines.join("\n"),
            data: ImportData {
                rows,
                lines_kept: self.kept,
                lines_left_out: self.left_out,
                times,
                missing,
            },
        })
    }
}

impl Row {
    fn written(&self, id: &str) -> String {
        let time = |clock: Clock, side: Side| self.times.get(&(clock, side));
        json!({
            "event": "result",
            "id": id,
            "status": if self.is_wrong { "INCORRECT" } else { "PASSED" },
            "production": self.production,
            "workload": self.workload,
            "baseline": time(Clock::Device, Side::Baseline),
            "candidate": time(Clock::Device, Side::Candidate),
            "baseline_wall": time(Clock::Wall, Side::Baseline),
            "candidate_wall": time(Clock::Wall, Side::Candidate),
            "speedup": self.speedup,
        })
        .to_string()
    }
}

/// Median, mean, standard deviation and minimum in microseconds; `None` for a line without a median.
fn summarised<'a>(times: &TimeColumns, cell: &impl Fn(&str) -> &'a str) -> Result<Option<Value>, String> {
    let scale = us(times.unit);
    let in_us = |column: &Option<String>| -> Result<Option<f64>, String> {
        let value = column
            .as_deref()
            .map(|column| number(cell(column)))
            .transpose()?
            .flatten();
        Ok(value.map(|value| value * scale))
    };
    let Some(median) = number(cell(&times.median))? else {
        return Ok(None);
    };
    Ok(Some(json!({
        "median_us": median * scale,
        "mean_us": in_us(&times.mean)?,
        "std_us": in_us(&times.std)?,
        "min_us": in_us(&times.min)?,
    })))
}

/// `1.1667x`, `12`; `None` for an empty cell.
fn number(cell: &str) -> Result<Option<f64>, String> {
    let digits = cell.trim().trim_end_matches(['x', '%']).trim();
    if digits.is_empty() {
        return Ok(None);
    }
    let value: f64 = digits
        .parse()
        .map_err(|_| format!("`{}` is no number", clean(cell, 80)))?;
    if value.is_finite() {
        Ok(Some(value))
    } else {
        Err(format!("`{}` is not finite", clean(cell, 80)))
    }
}

/// A number where it is one, else the text.
fn plain(cell: &str) -> Value {
    match cell.parse::<f64>() {
        Ok(number) if number.is_finite() => json!(number),
        _ => json!(cell),
    }
}
