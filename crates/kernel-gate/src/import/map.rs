//! The map of a ledger's columns, TOML: every column is mapped or ignored, nothing is guessed.

use std::collections::BTreeSet;

use contracts::kernel_gate::map::{ColumnMap, Condition, Unit};
use contracts::text::clean;

/// Microseconds of a unit.
pub(super) fn us(unit: Unit) -> f64 {
    match unit {
        Unit::Ns => 1e-3,
        Unit::Us => 1.0,
        Unit::Ms => 1e3,
        Unit::S => 1e6,
    }
}

/// Reads a map.
pub(super) fn read(text: &str) -> Result<ColumnMap, String> {
    let map: ColumnMap = toml::from_str(text).map_err(|error| clean(error.message(), 200))?;
    if map.id.is_empty() || map.times.is_empty() {
        return Err("it names no column for `id`, or no `times`".to_owned());
    }
    if map.valid.is_some() == map.assume_valid {
        return Err("either `valid` names the column with the outputs' check, or `assume_valid = true` says there is none".to_owned());
    }
    Ok(map)
}

/// Every column that the map names.
pub(super) fn columns(map: &ColumnMap) -> BTreeSet<&str> {
    let conditions = map.keep.iter().chain(&map.production).chain(&map.valid);
    let summary = map.summary.iter();
    let of = &map.provenance;
    let provenance = [
        &of.gpu,
        &of.gpu_uuid,
        &of.host,
        &of.command,
        &of.baseline_sha256,
        &of.candidate_sha256,
        &of.idle_utilization_pct,
    ];
    let mut columns: BTreeSet<&str> = map.id.iter().map(String::as_str).collect();
    columns.extend(conditions.map(|condition| condition.column.as_str()));
    columns.extend(map.workload.iter().chain(&map.ignore).map(String::as_str));
    columns.extend(provenance.into_iter().flatten().map(String::as_str));
    columns.extend(map.speedup.as_deref());
    for line in summary {
        columns.insert(&line.geomean);
        columns.extend(line.keep.iter().map(|condition| condition.column.as_str()));
    }
    for times in &map.times {
        columns.insert(&times.median);
        columns.extend(times.when.keys().map(String::as_str));
        columns.extend(
            [&times.mean, &times.std, &times.min]
                .into_iter()
                .flatten()
                .map(String::as_str),
        );
    }
    columns
}

/// Whether a cell is what a condition asks for.
pub(super) fn holds(condition: &Condition, value: &str) -> bool {
    condition.equals.as_deref().is_none_or(|equals| value == equals)
        && condition
            .starts_with
            .as_deref()
            .is_none_or(|start| value.starts_with(start))
        && condition
            .ends_with
            .as_deref()
            .is_none_or(|end| value.ends_with(end))
        && condition
            .not_starts_with
            .as_deref()
            .is_none_or(|start| !value.starts_with(start))
}
