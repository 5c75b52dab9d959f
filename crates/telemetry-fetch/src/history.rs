//! Readings of one source in the order of time, turned on their side: one column of values a series.

use std::collections::{BTreeMap, BTreeSet};

use engine_client::metrics::Part;
use jiff::Timestamp;

use crate::clock::Lead;
use crate::source::{Point, Reading};
use crate::vocabulary::NameId;

/// Labels of a series, without `le`.
pub(crate) type Labels = BTreeMap<String, String>;

/// Values of one series, by reading; none where the reading had none.
pub(crate) type Column = Vec<Option<f64>>;

/// Two births that differ by less are one: exporters round.
const SAME_BIRTH_S: f64 = 1.0;

/// An upper bound, ordered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bound(pub(crate) f64);

impl Eq for Bound {}

impl PartialOrd for Bound {
    fn partial_cmp(&self, other: &Bound) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bound {
    fn cmp(&self, other: &Bound) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// One series of a metric.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Series {
    pub(crate) value: Column,
    pub(crate) sum: Column,
    pub(crate) count: Column,
    pub(crate) buckets: BTreeMap<Bound, Column>,
}

/// All readings of one source.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History {
    /// When each was taken.
    pub(crate) at: Vec<Timestamp>,
    /// Whether the process behind it was another one than at the reading before.
    pub(crate) born_anew: Vec<bool>,
    pub(crate) samples: u64,
    pub(crate) unreadable_lines: u64,
    pub(crate) leads: Vec<Lead>,
    pub(crate) series: BTreeMap<NameId, BTreeMap<Labels, Series>>,
    /// Names as they stood in the payloads.
    pub(crate) raw_names: BTreeMap<NameId, BTreeSet<String>>,
    last_birth_s: Option<f64>,
}

impl History {
    /// Adds the next reading; one that is not later than the last is passed over.
    pub(crate) fn push(&mut self, reading: Reading) {
        if self.at.last().is_some_and(|last| *last >= reading.at) {
            return;
        }
        let index = self.at.len();
        self.at.push(reading.at);
        let anew = matches!(
            (self.last_birth_s, reading.birth_s),
            (Some(before), Some(now)) if (now - before).abs() > SAME_BIRTH_S
        );
        self.born_anew.push(anew);
        self.last_birth_s = reading.birth_s.or(self.last_birth_s);
        self.samples += reading.samples;
        self.unreadable_lines += reading.unreadable_lines;
        self.leads.extend(reading.lead);
        for point in reading.points {
            self.add(index, point);
        }
    }

    fn add(&mut self, index: usize, point: Point) {
        let raw_names = self.raw_names.entry(point.name).or_default();
        if !raw_names.contains(&point.raw) {
            raw_names.insert(point.raw);
        }
        let series = self
            .series
            .entry(point.name)
            .or_default()
            .entry(point.labels)
            .or_default();
        let column = match (point.part, point.le) {
            (Part::Bucket, Some(le)) => series.buckets.entry(Bound(le)).or_default(),
            (Part::Sum, _) => &mut series.sum,
            (Part::Count, _) => &mut series.count,
            _ => &mut series.value,
        };
        column.resize(index, None);
        column.push(Some(point.value));
    }

    /// Readings.
    pub(crate) fn len(&self) -> usize {
        self.at.len()
    }

    /// Seconds from the first reading to one of them.
    pub(crate) fn seconds(&self, index: usize) -> f64 {
        let since = self.at[index].duration_since(self.at[0]);
        since.as_secs_f64()
    }

    /// Seconds from the first reading to the last.
    pub(crate) fn span_s(&self) -> f64 {
        self.len().checked_sub(1).map_or(0.0, |last| self.seconds(last))
    }
}
