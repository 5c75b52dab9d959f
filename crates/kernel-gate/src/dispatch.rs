//! A dispatch: which rows take the candidate, and which stay with the baseline.

use contracts::Finite;
use contracts::kernel_gate::dispatch::{BucketRule, DispatchTable, Entry};
use contracts::kernel_gate::verdict::{Bucket, TimeKind};
use contracts::text::clean;

use crate::headline::geomean;
use crate::measured::Measured;
use crate::row_set::RowSet;

/// Most buckets: a dispatch that names each row is a lookup, not a rule.
const MOST_BUCKETS: usize = 64;

/// Reads a dispatch.
///
/// # Errors
/// What is wrong with it, in words.
pub fn read(bytes: &[u8]) -> Result<DispatchTable, String> {
    let table: DispatchTable =
        serde_json::from_slice(bytes).map_err(|error| clean(&error.to_string(), 200))?;
    if table.buckets.is_empty() || table.buckets.len() > MOST_BUCKETS {
        return Err(format!(
            "{} buckets; 1 to {MOST_BUCKETS} can be taken",
            table.buckets.len()
        ));
    }
    for bucket in &table.buckets {
        if bucket.field.as_deref() == Some("id") {
            return Err(format!(
                "the bucket `{}` names rows by their id: a dispatch is a rule about a field that new rows have, too",
                clean(&bucket.name, 80)
            ));
        }
        let has_condition = bucket.equals.is_some() || bucket.at_least.is_some() || bucket.below.is_some();
        if bucket.field.is_some() != has_condition {
            return Err(format!(
                "the bucket `{}` has a field without a condition, or a condition without a field",
                clean(&bucket.name, 80)
            ));
        }
    }
    Ok(table)
}

/// Whether a row is of a bucket.
fn holds(rule: &BucketRule, row: &Measured<'_>, set: Option<&RowSet>) -> bool {
    let Some(path) = &rule.field else {
        return true;
    };
    let Some(value) = row.field(set, path) else {
        return false;
    };
    let number = value.as_f64();
    rule.equals.as_ref().is_none_or(|equals| equals == value)
        && rule
            .at_least
            .is_none_or(|least| number.is_some_and(|number| number >= least))
        && rule
            .below
            .is_none_or(|below| number.is_some_and(|number| number < below))
}

/// The condition of a bucket in words.
fn condition(rule: &BucketRule) -> String {
    let Some(field) = &rule.field else {
        return "all others".to_owned();
    };
    let field = clean(field, 80);
    let parts = [
        rule.equals.as_ref().map(|value| format!("{field} = {value}")),
        rule.at_least.map(|least| format!("{field} >= {least}")),
        rule.below.map(|below| format!("{field} < {below}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    clean(&parts.join(" and "), 120)
}

/// Bucket of each row; `None` for what no bucket takes.
pub(crate) fn assign(
    table: &DispatchTable,
    rows: &[Measured<'_>],
    set: Option<&RowSet>,
) -> Vec<Option<usize>> {
    rows.iter()
        .map(|row| table.buckets.iter().position(|bucket| holds(bucket, row, set)))
        .collect()
}

/// The buckets with what the candidate does in them.
pub(crate) fn buckets(
    table: &DispatchTable,
    rows: &[Measured<'_>],
    assigned: &[Option<usize>],
    kind: TimeKind,
) -> Vec<Bucket> {
    let describe = |(at, rule): (usize, &BucketRule)| {
        let inside = rows.iter().zip(assigned);
        let inside: Vec<&Measured<'_>> = inside
            .filter(|(row, of)| row.production && **of == Some(at))
            .map(|(row, _)| row)
            .collect();
        let speedups = || inside.iter().filter_map(|row| Some(row.pair(kind)?.speedup()));
        Bucket {
            name: clean(&rule.name, 80),
            condition: condition(rule),
            entry: match rule.entry {
                Entry::Candidate => "candidate",
                Entry::Baseline => "baseline",
            }
            .to_owned(),
            rows: inside.len() as u64,
            geomean: geomean(speedups()).and_then(Finite::new),
            min: speedups().min_by(f64::total_cmp).and_then(Finite::new),
        }
    };
    table.buckets.iter().enumerate().map(describe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_of_fields() {
        let table = read(
            br#"{"buckets": [{"name": "large", "field": "shape.m", "at_least": 1024, "entry": "candidate"},
                {"name": "rest", "entry": "baseline"}]}"#,
        )
        .unwrap();
        let set = crate::row_set::read(
            br#"[{"id": "a", "shape": {"m": 4096}}, {"id": "b", "shape": {"m": 8}}, {"id": "c"}]"#,
        )
        .unwrap();
        let rows: Vec<Measured<'_>> = ["a", "b", "c"]
            .iter()
            .map(|id| Measured::new(id, true, None))
            .collect();
        assert_eq!(assign(&table, &rows, Some(&set)), [Some(0), Some(1), Some(1)]);
        assert_eq!(condition(&table.buckets[0]), "shape.m >= 1024");
    }

    #[test]
    fn what_is_no_dispatch_is_refused() {
        for text in [
            r#"{"buckets": []}"#,
            r#"{"buckets": [{"name": "a", "entry": "other"}]}"#,
            r#"{"buckets": [{"name": "a", "entry": "candidate", "at_least": 3}]}"#,
            r#"{"buckets": [{"name": "a", "entry": "candidate", "field": "m"}]}"#,
            r#"{"buckets": [{"name": "a", "entry": "candidate", "rows": ["x"]}]}"#,
        ] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
