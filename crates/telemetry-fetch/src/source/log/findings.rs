//! What was found in a log, counted: messages by their shape, numbers by their name. Both are bounded, whatever the log holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use contracts::Finite;
use contracts::telemetry_fetch::incident::{Incident, IncidentKind};
use contracts::telemetry_fetch::log::{LogPoint, LogSeries};
use jiff::Timestamp;

use super::meaning::Meaning;
use super::numbers::{Family, Id, Numbers};
use super::profilers::Profilers;
use super::sample::sample;
use super::shape::shape;

/// Most groups of messages that are kept apart.
const MOST_GROUPS: usize = 200;
/// Most series: the numbers of eight ranks.
const MOST_SERIES: usize = 64;
/// Parts of the window that a series is drawn with.
const PARTS: i64 = 60;

/// What was found.
#[derive(Clone, Debug)]
pub(crate) struct Findings {
    start_ms: i64,
    end_ms: i64,
    groups: HashMap<(IncidentKind, String), Group>,
    series: BTreeMap<(Id, Option<String>), Series>,
    /// Who profiled before the window.
    profilers: Profilers,
    /// Messages of groups beyond the bound.
    pub(crate) ungrouped: u64,
    /// Numbers of series beyond the bound.
    pub(crate) unseried: u64,
    /// Lines with a number.
    pub(crate) number_lines: u64,
    /// Whose lines they are.
    pub(crate) families: BTreeSet<Family>,
}

#[derive(Clone, Debug)]
struct Group {
    count: u64,
    first_ms: i64,
    last_ms: i64,
    invalidates: bool,
    sample: String,
}

#[derive(Clone, Debug)]
struct Series {
    lines: u64,
    first_ms: i64,
    last_ms: i64,
    sum: f64,
    min: f64,
    max: f64,
    /// By part of the window: lines, sum, largest.
    parts: BTreeMap<i64, (u64, f64, f64)>,
}

impl Findings {
    /// Nothing yet, of a window.
    pub(crate) fn new(start_ms: i64, end_ms: i64) -> Findings {
        Findings {
            start_ms,
            end_ms,
            groups: HashMap::new(),
            series: BTreeMap::new(),
            profilers: Profilers::default(),
            ungrouped: 0,
            unseried: 0,
            number_lines: 0,
            families: BTreeSet::new(),
        }
    }

    /// Counts a message.
    pub(crate) fn message(&mut self, meaning: Meaning, at_ms: i64, text: &str) {
        let key = (meaning.kind, shape(text));
        if let Some(group) = self.groups.get_mut(&key) {
            group.count += 1;
            group.first_ms = group.first_ms.min(at_ms);
            group.last_ms = group.last_ms.max(at_ms);
            return;
        }
        if self.groups.len() >= MOST_GROUPS {
            self.ungrouped += 1;
            return;
        }
        let group = Group {
            count: 1,
            first_ms: at_ms,
            last_ms: at_ms,
            invalidates: meaning.invalidates,
            sample: sample(text),
        };
        self.groups.insert(key, group);
    }

    /// Takes in a message from before the window: what holds since is of the window, too.
    pub(crate) fn earlier(&mut self, meaning: Option<Meaning>, rank: Option<&str>, at_ms: i64, text: &str) {
        self.profilers.hear(rank, at_ms, text);
        if let Some(meaning) = meaning
            && meaning.invalidates
            && !matches!(meaning.kind, IncidentKind::Profiled | IncidentKind::OutOfMemory)
        {
            self.message(meaning, at_ms, text);
        }
    }

    /// Counts the profiler that ran when the window began, when everything before it is known.
    pub(crate) fn settle(&mut self) {
        if let Some((at_ms, text)) = std::mem::take(&mut self.profilers).began() {
            let meaning = Meaning {
                kind: IncidentKind::Profiled,
                invalidates: true,
            };
            self.message(meaning, at_ms, &text);
        }
    }

    /// Takes in the numbers of a line.
    pub(crate) fn numbers(&mut self, numbers: &Numbers<'_>, rank: Option<&str>, at_ms: i64) {
        self.number_lines += 1;
        self.families.insert(numbers.family);
        let rank = numbers.engine.or(rank);
        let part =
            at_ms.saturating_sub(self.start_ms).saturating_mul(PARTS) / (self.end_ms - self.start_ms).max(1);
        for number in &numbers.numbers {
            let key = (number.id, rank.map(|rank| contracts::text::clean(rank, 40)));
            if !self.series.contains_key(&key) && self.series.len() >= MOST_SERIES {
                self.unseried += 1;
                continue;
            }
            let series = self.series.entry(key).or_insert(Series {
                lines: 0,
                first_ms: at_ms,
                last_ms: at_ms,
                sum: 0.0,
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
                parts: BTreeMap::new(),
            });
            series.lines += 1;
            series.first_ms = series.first_ms.min(at_ms);
            series.last_ms = series.last_ms.max(at_ms);
            series.sum += number.value;
            series.min = series.min.min(number.value);
            series.max = series.max.max(number.value);
            let entry = series
                .parts
                .entry(part.clamp(0, PARTS - 1))
                .or_insert((0, 0.0, f64::NEG_INFINITY));
            *entry = (entry.0 + 1, entry.1 + number.value, entry.2.max(number.value));
        }
    }

    /// The messages, those that invalidate first, then by when they began.
    pub(crate) fn incidents(&self, log: &str) -> Vec<Incident> {
        let mut found: Vec<Incident> = self
            .groups
            .iter()
            .filter_map(|((kind, shape), group)| {
                Some(Incident {
                    kind: *kind,
                    at: Timestamp::from_millisecond(group.first_ms).ok()?,
                    last_at: Timestamp::from_millisecond(group.last_ms).ok()?,
                    count: group.count,
                    invalidates: group.invalidates,
                    message: sample(shape),
                    source: Some(log.to_owned()),
                    sample: Some(group.sample.clone()),
                })
            })
            .collect();
        found.sort_by(|a, b| {
            let key = |incident: &Incident| {
                (
                    !incident.invalidates,
                    incident.at,
                    incident.kind,
                    incident.message.clone(),
                )
            };
            key(a).cmp(&key(b))
        });
        found
    }

    /// The series, by name and rank.
    pub(crate) fn series(&self, log: &str) -> Vec<LogSeries> {
        let point = |part: &i64, (lines, sum, max): &(u64, f64, f64)| {
            let at = self.start_ms + (self.end_ms - self.start_ms) * part / PARTS;
            Some(LogPoint {
                at: Timestamp::from_millisecond(at).ok()?,
                mean: Finite::new(sum / *lines as f64)?,
                max: Finite::new(*max)?,
            })
        };
        let one = |((id, rank), series): (&(Id, Option<String>), &Series)| {
            let (name, unit) = id.name_and_unit();
            Some(LogSeries {
                id: name.to_owned(),
                log: log.to_owned(),
                rank: rank.clone(),
                unit: unit.to_owned(),
                lines: series.lines,
                first_at: Timestamp::from_millisecond(series.first_ms).ok()?,
                last_at: Timestamp::from_millisecond(series.last_ms).ok()?,
                mean: Finite::new(series.sum / series.lines as f64)?,
                min: Finite::new(series.min)?,
                max: Finite::new(series.max)?,
                points: series
                    .parts
                    .iter()
                    .filter_map(|(part, sums)| point(part, sums))
                    .collect(),
            })
        };
        self.series.iter().filter_map(one).collect()
    }

    /// Begins with what an earlier part of the log says and what holds since.
    pub(crate) fn begin_with(&mut self, mut earlier: Findings) {
        let holds_on = |kind: IncidentKind| kind != IncidentKind::OutOfMemory;
        earlier
            .groups
            .retain(|(kind, _), group| group.invalidates && holds_on(*kind));
        self.groups = earlier.groups;
        self.profilers = earlier.profilers;
    }
}
