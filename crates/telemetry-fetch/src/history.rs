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

/// A gap between readings is a stall that is so many times as long as those around it, and so many seconds longer; so many gaps
/// tell what is usual.
const STALL: f64 = 3.0;
const STALL_S: f64 = 0.5;
const FEWEST_GAPS: usize = 4;

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
    /// Sample lines, by reading.
    pub(crate) samples: Vec<u64>,
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
        self.samples.push(reading.samples);
        self.unreadable_lines += reading.unreadable_lines;
        self.leads.extend(reading.lead);
        for point in reading.points {
            self.add(index, point);
        }
    }

    /// Takes the moments of all readings at once, and when the process behind each began; its columns are put in as a whole.
    pub(crate) fn begin(&mut self, at: Vec<Timestamp>, births: &[Option<f64>]) {
        let mut last: Option<f64> = None;
        let anew = births.iter().map(|birth| {
            let anew =
                matches!((last, birth), (Some(before), Some(now)) if (now - before).abs() > SAME_BIRTH_S);
            last = birth.or(last);
            anew
        });
        self.born_anew = anew.collect();
        self.last_birth_s = last;
        self.at = at;
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

    /// Keeps the readings from the last one before a window to the first one after it.
    pub(crate) fn narrow(&mut self, start: Timestamp, end: Timestamp) {
        let first = self.at.iter().rposition(|at| *at <= start).unwrap_or(0);
        let last = self
            .at
            .iter()
            .position(|at| *at >= end)
            .map_or(self.len(), |at| at + 1);
        if first >= last {
            return;
        }
        let kept = |column: &mut Column| {
            column.truncate(last);
            column.drain(..first.min(column.len()));
        };
        self.at = self.at[first..last].to_vec();
        self.samples = self.samples[first..last].to_vec();
        self.born_anew = self.born_anew[first..last].to_vec();
        // Nothing is known of what came before the first reading.
        self.born_anew[0] = false;
        for series in self.series.values_mut().flat_map(BTreeMap::values_mut) {
            kept(&mut series.value);
            kept(&mut series.sum);
            kept(&mut series.count);
            series.buckets.values_mut().for_each(kept);
        }
    }

    /// Where no reading came though they came regularly before and after: the index of the reading before each, and by how many
    /// seconds the next one was late. The pace may change: what is usual is the median of the gaps around.
    pub(crate) fn stalls(&self) -> Vec<(usize, f64)> {
        let gaps: Vec<f64> = (1..self.len())
            .map(|index| self.seconds(index) - self.seconds(index - 1))
            .collect();
        let late = |(index, gap): (usize, &f64)| {
            let around = &gaps[index.saturating_sub(4)..gaps.len().min(index + 5)];
            let mut around = around.to_vec();
            stats::percentile::sort(&mut around);
            let usual = stats::percentile::nearest_rank(&around, 50.0)?;
            let is_stall = around.len() >= FEWEST_GAPS && *gap > usual * STALL && gap - usual > STALL_S;
            is_stall.then_some((index, gap - usual))
        };
        gaps.iter().enumerate().filter_map(late).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_stood_still_is_seen_and_a_change_of_pace_is_none() {
        let of = |millis: &[i64]| {
            let at = millis.iter().map(|ms| Timestamp::from_millisecond(*ms).unwrap());
            History {
                at: at.collect(),
                ..History::default()
            }
            .stalls()
        };
        assert_eq!(of(&[0, 200, 400, 600, 6800, 7000, 7200]), [(3, 6.0)]);
        assert_eq!(of(&[0, 1000, 2000, 3000, 5000, 7000, 9000, 13_000, 17_000]), []);
        assert_eq!(of(&[0, 9000]), [], "two snapshots");
        assert_eq!(of(&[0, 100, 9000, 9100]), [], "too few to tell");
    }

    #[test]
    fn a_window_keeps_the_readings_around_it() {
        let name = NameId { term: 0, name: 0 };
        let mut history = History::default();
        for second in 0..10 {
            let point = |raw: &str, value: f64| Point {
                name,
                raw: raw.to_owned(),
                part: Part::Value,
                le: None,
                labels: Labels::from([("of".to_owned(), raw.to_owned())]),
                value,
            };
            let mut points = vec![point("all", f64::from(second))];
            if second < 3 {
                points.push(point("early", 1.0));
            }
            history.push(Reading {
                at: Timestamp::from_second(second.into()).unwrap(),
                samples: 2,
                unreadable_lines: 0,
                birth_s: Some(if second < 2 { 5.0 } else { 50.0 }),
                lead: None,
                points,
            });
        }
        let at = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
        history.narrow(at(2500), at(4500));
        assert_eq!(history.at, [at(2000), at(3000), at(4000), at(5000)]);
        assert_eq!((history.span_s(), history.samples.len()), (3.0, 4));
        assert_eq!(history.born_anew, [false; 4], "the restart was before the window");
        let columns: Vec<&Column> = history.series[&name]
            .values()
            .map(|series| &series.value)
            .collect();
        assert_eq!(*columns[0], [2.0, 3.0, 4.0, 5.0].map(Some));
        assert_eq!(*columns[1], [Some(1.0)]);
        history.narrow(at(0), at(100_000));
        assert_eq!(history.len(), 4);
    }
}
