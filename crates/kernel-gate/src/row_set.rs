//! The rows that count: `workloads.json`, or what was frozen of it.

use std::collections::BTreeMap;
use std::path::Path;

use cli_kit::{Failure, input_of, read_bounded};
use contracts::fields::{canonical, sha256_hex};
use contracts::kernel_gate::rows::{FrozenRow, RowsData, SCHEMA};
use contracts::text::clean;
use contracts::{Document, Finite, Input};
use serde_json::{Value, json};

use crate::error::GateError;
use crate::ledger::ID_CAP;

/// Largest file of rows.
const FILE_CAP: u64 = 64 << 20;
/// Largest number of calls, bytes or operations that is believed.
const MOST: f64 = 1e18;
/// Most rows.
const MOST_ROWS: usize = 100_000;

/// The rows with their hashes.
#[derive(Clone, Debug)]
pub struct RowSet {
    /// What a document says of them.
    pub data: RowsData,
    /// The rows as they stand in `workloads.json`, by id; empty where only the frozen document is there.
    pub fields: BTreeMap<String, Value>,
}

impl RowSet {
    /// Freezes a baseline's file with the rows.
    pub(crate) fn with_baseline(mut self, sha256: String) -> RowSet {
        self.data.workloads_sha256 = hash(&self.data.rows, Some(&sha256));
        self.data.baseline_sha256 = Some(sha256);
        self
    }

    /// A row by its id.
    pub(crate) fn row(&self, id: &str) -> Option<&FrozenRow> {
        let at = self.data.rows.binary_search_by(|row| row.id.as_str().cmp(id));
        at.ok().map(|at| &self.data.rows[at])
    }
}

/// Reads `workloads.json` or a frozen row set.
pub(crate) fn load(path: &Path) -> Result<(RowSet, Input), Failure> {
    let bytes = read_bounded(path, FILE_CAP)?;
    let input = input_of(path, &bytes);
    let set = read(&bytes).map_err(|what| GateError::Rows {
        path: path.display().to_string(),
        what,
    })?;
    Ok((set, input))
}

/// Reads `workloads.json` or a frozen row set.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read(bytes: &[u8]) -> Result<RowSet, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| clean(&error.to_string(), 200))?;
    if value.get("schema").is_some_and(|schema| schema == SCHEMA) {
        let document: Document<RowsData> =
            serde_json::from_value(value).map_err(|error| clean(&error.to_string(), 200))?;
        return frozen(document.data);
    }
    let rows = match value {
        Value::Array(rows) => rows,
        Value::Object(mut object) => match object.remove("workloads") {
            Some(Value::Array(rows)) => rows,
            _ => return Err("neither a list of rows nor an object with `workloads`".to_owned()),
        },
        _ => return Err("neither a list of rows nor an object with `workloads`".to_owned()),
    };
    from_rows(rows)
}

/// A frozen set is believed when its rows have the hash that it names.
fn frozen(data: RowsData) -> Result<RowSet, String> {
    if !data.rows.is_sorted_by(|a, b| a.id < b.id)
        || data.rows.is_empty()
        || data.workloads_sha256 != hash(&data.rows, data.baseline_sha256.as_deref())
    {
        return Err("its rows are not those that were frozen".to_owned());
    }
    Ok(RowSet {
        data,
        fields: BTreeMap::new(),
    })
}

fn from_rows(rows: Vec<Value>) -> Result<RowSet, String> {
    if rows.is_empty() || rows.len() > MOST_ROWS {
        return Err(format!("{} rows; 1 to {MOST_ROWS} can be taken", rows.len()));
    }
    let mut fields = BTreeMap::new();
    for row in rows {
        let id = row.get("id").and_then(Value::as_str).map(|id| clean(id, ID_CAP));
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return Err("a row has no `id`".to_owned());
        };
        if let Some(what) = fault(&row) {
            return Err(format!("the row `{id}` {what}"));
        }
        if fields.insert(id.clone(), row).is_some() {
            return Err(format!("two rows are named `{id}`"));
        }
    }
    let rows: Vec<FrozenRow> = fields
        .iter()
        .map(|(id, row)| {
            let number = |name: &str| row.get(name).and_then(Value::as_f64).and_then(Finite::new);
            FrozenRow {
                id: id.clone(),
                production: is_production(row),
                sha256: sha256_hex(canonical(row).as_bytes()),
                atol: number("atol"),
                rtol: number("rtol"),
                calls: number("calls"),
                bytes: number("bytes"),
                flops: number("flops"),
            }
        })
        .collect();
    if rows.iter().all(|row| !row.production) {
        return Err("no row is a production row: there is nothing to judge".to_owned());
    }
    let data = RowsData {
        workloads_sha256: hash(&rows, None),
        baseline_sha256: None,
        total: rows.len() as u64,
        production: rows.iter().filter(|row| row.production).count() as u64,
        rows,
    };
    Ok(RowSet { data, fields })
}

/// What is wrong with the fields that are read; others are the row's own.
fn fault(row: &Value) -> Option<String> {
    let number = |name: &str| row.get(name).and_then(Value::as_f64);
    let is_switch = |name: &&str| {
        let value = row.get(*name);
        value.is_none_or(|value| value.is_boolean() || value.is_null())
    };
    if let Some(name) = ["production", "equal_nan"].iter().find(|name| !is_switch(name)) {
        return Some(format!("has a `{name}` that is neither true nor false"));
    }
    let negative = ["atol", "rtol"]
        .into_iter()
        .find(|name| number(name).is_some_and(|value| value < 0.0));
    let empty = ["calls", "bytes", "flops"]
        .into_iter()
        .find(|name| number(name).is_some_and(|value| !(value > 0.0 && value < MOST)));
    match (negative, empty) {
        (Some(name), _) => Some(format!("has a negative `{name}`")),
        (_, Some(name)) => Some(format!("has a `{name}` that is not above 0, or beyond all sense")),
        _ => None,
    }
}

/// Over what is frozen: the rows, each with the hash of all its fields, and the baseline.
fn hash(rows: &[FrozenRow], baseline: Option<&str>) -> String {
    let rows = serde_json::to_value(rows).expect("rows have string keys and finite numbers");
    let value = match baseline {
        Some(baseline) => json!({"rows": rows, "baseline_sha256": baseline}),
        None => rows,
    };
    sha256_hex(canonical(&value).as_bytes())
}

/// A row that does not say is a production row: nothing leaves the headline silently.
fn is_production(row: &Value) -> bool {
    row.get("production").and_then(Value::as_bool).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_spaces_do_not_change_the_hash() {
        let one = read(br#"[{"id":"b","atol":0},{"id":"a","production":false}]"#).unwrap();
        let two =
            read(br#"{"workloads": [{"production": false, "id": "a"}, {"atol": 0, "id": "b"}]}"#).unwrap();
        assert_eq!(one.data, two.data);
        assert_eq!((one.data.total, one.data.production), (2, 1));
        let other = read(br#"[{"id":"b","atol":0.001},{"id":"a","production":false}]"#).unwrap();
        assert_ne!(one.data.workloads_sha256, other.data.workloads_sha256);
        assert_ne!(one.row("b"), other.row("b"));
        assert_eq!(one.row("a"), other.row("a"));
    }

    #[test]
    fn what_is_no_row_set_is_refused() {
        for text in ["[]", "3", "{}", r#"[{"name":"a"}]"#, r#"[{"id":"a"},{"id":"a"}]"#] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
