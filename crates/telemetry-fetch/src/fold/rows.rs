//! Rows of the document, from the history of one source.

use std::collections::{BTreeMap, BTreeSet};

use contracts::Finite;
use contracts::telemetry_fetch::metric::{MetricKind, MetricRow, Semantics};

use super::gauge::Gauge;
use super::histogram::{QUANTILES, quantile};
use super::increase::{Growth, growth, increase, resets};
use super::ranks::{Group, groups};
use crate::history::{History, Labels, Series};
use crate::vocabulary::{Across, NameId, TERMS, Term};

/// A share is one up to here: exporters round.
const MOST_OF_A_RATIO: f64 = 1.05;

/// What one source says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Folded {
    pub(crate) rows: Vec<MetricRow>,
    /// Attributes that are fixed at start.
    pub(crate) attributes: BTreeMap<String, Finite>,
    /// Readings at which something began anew.
    pub(crate) resets: BTreeSet<usize>,
    /// Ratios that are none: name and largest value.
    pub(crate) no_ratios: Vec<(String, f64)>,
}

/// Folds a history.
pub(crate) fn fold(history: &History) -> Folded {
    let mut folded = Folded {
        resets: reset_readings(history),
        ..Folded::default()
    };
    for (index, term) in TERMS.iter().enumerate() {
        // Of names that mean the same, the newest that the payload has.
        let name = (0..term.names.len())
            .map(|name| NameId { term: index, name })
            .find(|name| history.series.contains_key(name));
        let Some(name) = name else {
            continue;
        };
        let series = &history.series[&name];
        if term.is_attribute {
            let all: Vec<(&Labels, &Series)> = series.iter().collect();
            let gauge = Gauge::of(&points(history, term, &all));
            let value = gauge.and_then(|gauge| Finite::new(gauge.min));
            folded
                .attributes
                .extend(value.map(|value| (term.id.to_owned(), value)));
            continue;
        }
        let mut split: BTreeMap<Option<&String>, Vec<(&Labels, &Series)>> = BTreeMap::new();
        for (labels, series) in series {
            let key = term.split.and_then(|label| labels.get(label));
            split.entry(key).or_default().push((labels, series));
        }
        for (value, members) in split {
            let labels = value.into_iter().zip(term.split);
            let labels = labels
                .map(|(value, label)| (label.to_owned(), value.clone()))
                .collect();
            let mut row = empty(history, name, term, labels);
            match term.kind {
                MetricKind::Counter => counter(&mut row, history, term, &members),
                MetricKind::Histogram => histogram(&mut row, history, term, &members),
                MetricKind::Gauge => gauge(&mut row, history, term, &members, &mut folded.no_ratios),
                // Not of an exposition.
                MetricKind::Spans => continue,
            }
            folded.rows.push(row);
        }
    }
    let works = folded.rows.iter().any(|row| {
        row.kind == MetricKind::Counter
            && ["requests", "generation_tokens"].contains(&row.id.as_str())
            && row.value.is_some_and(|value| value.get() > 0.0)
    });
    for row in &mut folded.rows {
        row.stale = row.stale.filter(|still| works || !still);
    }
    folded
}

/// Readings at which the process, or any counter of the source, began anew.
fn reset_readings(history: &History) -> BTreeSet<usize> {
    let mut found: BTreeSet<usize> = (0..history.len())
        .filter(|index| history.born_anew[*index])
        .collect();
    for (name, all) in &history.series {
        let kind = TERMS[name.term].kind;
        for series in all.values() {
            let column = match kind {
                MetricKind::Counter => &series.value,
                MetricKind::Histogram => &series.count,
                MetricKind::Gauge | MetricKind::Spans => continue,
            };
            let resets = resets(column, &history.born_anew);
            found.extend(
                resets
                    .iter()
                    .enumerate()
                    .filter(|(_, reset)| **reset)
                    .map(|(index, _)| index),
            );
        }
    }
    found
}

fn empty(history: &History, name: NameId, term: &Term, labels: Labels) -> MetricRow {
    MetricRow {
        id: term.id.to_owned(),
        raw_names: history
            .raw_names
            .get(&name)
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        kind: term.kind,
        semantics: term.semantics,
        unit: term.unit.to_owned(),
        value: None,
        per_s: None,
        min: None,
        max: None,
        quantiles: Vec::new(),
        count: None,
        stale: None,
        labels,
    }
}

fn counter(row: &mut MetricRow, history: &History, term: &Term, members: &[(&Labels, &Series)]) {
    let grown = groups(members.iter().copied(), false)
        .into_values()
        .filter_map(|group| {
            let column = &group.first()?.value;
            increase(column, &resets(column, &history.born_anew))
        });
    let total = grown
        .map(|increase| increase.delta * term.scale)
        .reduce(|a, b| a + b);
    row.value = total.and_then(Finite::new);
    row.per_s = total.and_then(|total| Finite::ratio(total, history.span_s()));
}

fn histogram(row: &mut MetricRow, history: &History, term: &Term, members: &[(&Labels, &Series)]) {
    let grown = groups(members.iter().copied(), false)
        .into_values()
        .filter_map(|group| growth(group.first()?, &history.born_anew));
    let Some(total) = grown.reduce(add) else {
        return;
    };
    row.value = total
        .sum
        .and_then(|sum| Finite::ratio(sum * term.scale, total.count));
    row.per_s = Finite::ratio(total.count, history.span_s());
    row.count = Some(total.count as u64);
    let quantile = |q: f64| quantile(&total.buckets, q, term.scale);
    row.quantiles = QUANTILES.into_iter().filter_map(quantile).collect();
}

/// Two series as one. Bounds that only one has are left out: what the other has there is not known.
fn add(a: Growth, b: Growth) -> Growth {
    let of_b: BTreeMap<crate::history::Bound, f64> = b
        .buckets
        .iter()
        .map(|(bound, count)| (crate::history::Bound(*bound), *count))
        .collect();
    Growth {
        sum: a.sum.zip(b.sum).map(|(a, b)| a + b),
        count: a.count + b.count,
        buckets: a
            .buckets
            .into_iter()
            .filter_map(|(bound, count)| Some((bound, count + of_b.get(&crate::history::Bound(bound))?)))
            .collect(),
    }
}

fn gauge(
    row: &mut MetricRow,
    history: &History,
    term: &Term,
    members: &[(&Labels, &Series)],
    no_ratios: &mut Vec<(String, f64)>,
) {
    let Some(gauge) = Gauge::of(&points(history, term, members)) else {
        return;
    };
    row.count = Some(gauge.readings as u64);
    if term.unit == "ratio" && (gauge.max > MOST_OF_A_RATIO || gauge.min < 0.0) {
        let names = row.raw_names.join(", ");
        no_ratios.push((names, if gauge.min < 0.0 { gauge.min } else { gauge.max }));
        return;
    }
    row.value = Finite::new(gauge.mean);
    row.min = Finite::new(gauge.min);
    row.max = Finite::new(gauge.max);
    row.quantiles = gauge.quantiles();
    // A closed loop keeps as many requests running as it has; nothing keeps a share of a cache to the last digit.
    if (term.unit == "ratio" || term.semantics == Semantics::LastBatch) && gauge.max != 0.0 {
        row.stale = gauge.is_still();
    }
}

/// One value a reading: of ranks that share their work the largest, of what is fixed at start the smallest; then what the
/// term says across the others.
fn points(history: &History, term: &Term, members: &[(&Labels, &Series)]) -> Vec<(f64, f64)> {
    let groups: Vec<Group<'_>> = groups(members.iter().copied(), true).into_values().collect();
    let of_group = |group: &Group<'_>, index: usize| {
        let values = group
            .iter()
            .filter_map(|series| series.value.get(index).copied().flatten())
            .filter(|value| value.is_finite());
        match term.across {
            Across::Min => values.min_by(f64::total_cmp),
            Across::Sum | Across::Max => values.max_by(f64::total_cmp),
        }
    };
    (0..history.len())
        .filter_map(|index| {
            let values = groups.iter().filter_map(|group| of_group(group, index));
            let value = match term.across {
                Across::Sum => values.reduce(|a, b| a + b),
                Across::Max => values.max_by(f64::total_cmp),
                Across::Min => values.min_by(f64::total_cmp),
            };
            Some((history.seconds(index), value? * term.scale))
        })
        .collect()
}
