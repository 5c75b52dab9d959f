//! The rows that are judged: those of the row set, each with what was measured of it.

use std::collections::BTreeMap;

use contracts::kernel_gate::results::ResultLine;
use contracts::kernel_gate::verdict::TimeKind;
use serde_json::Value;

use crate::ledger::Ledger;
use crate::row_set::RowSet;
use crate::times::{Fault, Pair, device, wall};

/// One row with its times.
#[derive(Clone, Debug)]
pub(crate) struct Measured<'a> {
    pub(crate) id: &'a str,
    pub(crate) production: bool,
    /// `None` for a row of the set that was not measured.
    pub(crate) line: Option<&'a ResultLine>,
    pub(crate) device: Option<Pair>,
    pub(crate) wall: Option<Pair>,
    pub(crate) faults: Vec<Fault>,
}

impl<'a> Measured<'a> {
    pub(crate) fn new(id: &'a str, production: bool, line: Option<&'a ResultLine>) -> Measured<'a> {
        let (device, mut faults) = line.map(device).unwrap_or_default();
        let (wall, more) = line.map(wall).unwrap_or_default();
        faults.extend(more);
        faults.sort_unstable();
        faults.dedup();
        Measured {
            id,
            production,
            line,
            device,
            wall,
            faults,
        }
    }

    /// Both sides by one clock.
    pub(crate) fn pair(&self, kind: TimeKind) -> Option<&Pair> {
        match kind {
            TimeKind::Device => self.device.as_ref(),
            TimeKind::Wall => self.wall.as_ref(),
        }
    }

    /// Status as the harness wrote it; empty for a row that was not measured.
    pub(crate) fn status(&self) -> &str {
        self.line.map_or("", |line| line.status.as_str())
    }

    /// The first value of a field: `num_tokens`, `shapes.x`.
    pub(crate) fn field<'b>(&'b self, set: Option<&'b RowSet>, path: &str) -> Option<&'b Value> {
        let of_set = set.and_then(|set| set.fields.get(self.id));
        let row = of_set.or_else(|| self.line?.workload.as_ref())?;
        path.split('.').try_fold(row, |value, name| value.get(name))
    }

    /// A number of the row: of the frozen set where there is one.
    pub(crate) fn number(&self, set: Option<&RowSet>, name: &str) -> Option<f64> {
        let frozen = set.and_then(|set| set.row(self.id));
        let value = match (frozen, name) {
            (Some(row), "calls") => row.calls.map(f64::from),
            (Some(row), "bytes") => row.bytes.map(f64::from),
            (Some(row), "flops") => row.flops.map(f64::from),
            _ => self.field(set, name).and_then(Value::as_f64),
        };
        value.filter(|value| *value > 0.0 && *value < 1e18)
    }
}

/// Rows of a ledger by id; the first of several.
pub(crate) fn by_id(ledger: &Ledger) -> BTreeMap<&str, &ResultLine> {
    let mut lines = BTreeMap::new();
    for line in &ledger.results {
        lines.entry(line.id.as_str()).or_insert(line);
    }
    lines
}

/// All rows: those of the set, then those of the ledger that the set does not have, which count for nothing but
/// correctness. Without a set the ledger's own rows, by id.
pub(crate) fn rows<'a>(ledger: &'a Ledger, set: Option<&'a RowSet>) -> Vec<Measured<'a>> {
    let lines = by_id(ledger);
    let Some(set) = set else {
        let own = lines.into_iter();
        return own
            .map(|(id, line)| Measured::new(id, line.production.unwrap_or(true), Some(line)))
            .collect();
    };
    let frozen = set.data.rows.iter();
    let mut rows: Vec<Measured<'a>> = frozen
        .map(|row| Measured::new(&row.id, row.production, lines.get(row.id.as_str()).copied()))
        .collect();
    let foreign = lines.into_iter().filter(|(id, _)| set.row(id).is_none());
    rows.extend(foreign.map(|(id, line)| Measured::new(id, false, Some(line))));
    rows
}

/// The rows of a ledger that is put beside the measurement: those that it has, and of them those count that the set says. What a
/// line says of itself would let an A/A or a second measurement leave its proofs out.
pub(crate) fn beside<'a>(ledger: &'a Ledger, set: Option<&RowSet>) -> Vec<Measured<'a>> {
    let mut rows = rows(ledger, None);
    for row in &mut rows {
        row.production |= set
            .and_then(|set| set.row(row.id))
            .is_some_and(|row| row.production);
    }
    rows
}

/// The clock that decides: device times if all production rows that were measured have them, else wall times if all have
/// those, else what most have. `None` where no row has a pair.
pub(crate) fn judged_on(rows: &[Measured<'_>]) -> Option<TimeKind> {
    let counted = rows.iter().filter(|row| row.production && row.line.is_some());
    let (mut all, mut device, mut wall) = (0_usize, 0_usize, 0_usize);
    for row in counted {
        all += 1;
        device += usize::from(row.device.is_some());
        wall += usize::from(row.wall.is_some());
    }
    match (device, wall) {
        (0, 0) => None,
        (device, _) if device == all => Some(TimeKind::Device),
        (_, wall) if wall == all => Some(TimeKind::Wall),
        (device, wall) if wall > device => Some(TimeKind::Wall),
        _ => Some(TimeKind::Device),
    }
}
