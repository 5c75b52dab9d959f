//! From the series of a store to the history of each of its targets. Pure.
//!
//! All series of one scrape have its time stamp, so the readings of a target are the moments that its series have. `up` is no
//! reading: it stands also where the scrape failed.

use std::collections::BTreeMap;

use contracts::serve_bench::result::EngineKind;
use contracts::text::clean;
use engine_client::metrics::{Kind, Labels as NoLabels, Part, Sample, engine_of};
use jiff::Timestamp;

use super::answer::{Metric, Stored, Value};
use super::selector::{BIRTH, NAME, UP};
use crate::history::{Bound, Column, History, Labels};
use crate::vocabulary::{NameId, find};

/// Labels that say whose samples they are. Targets that differ in one are sources of their own.
const TARGET: [&str; 13] = [
    "__replica__",
    "cluster",
    "container",
    "endpoint",
    "instance",
    "job",
    "namespace",
    "node",
    "pod",
    "prometheus",
    "prometheus_replica",
    "replica",
    "service",
];

/// Longest label value that is kept.
const LABEL_CAP: usize = 200;

/// What the store has of one target.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Target {
    pub(crate) history: History,
    /// When the store could not scrape it.
    pub(crate) failed_at: Vec<Timestamp>,
    pub(crate) engine: Option<EngineKind>,
    pub(crate) model: Option<String>,
}

/// The labels of a series that say whose it is, as the store has them.
pub(super) fn target_of(metric: &Metric) -> Labels {
    let own = metric
        .iter()
        .filter(|(label, _)| TARGET.contains(&label.as_str()));
    own.map(|(label, value)| (label.clone(), value.clone())).collect()
}

/// Which metric of the vocabulary a stored name is, its family, and which part of it.
fn known(name: &str) -> Option<(NameId, &str, Part)> {
    let of = |family, kind, part| {
        let id = find(&Sample {
            name,
            family,
            kind,
            part,
            labels: NoLabels::default(),
            value: 0.0,
            timestamp_ms: None,
        })?;
        Some((id, family, part))
    };
    of(name, Kind::Unknown, Part::Value).or_else(|| {
        [
            ("_bucket", Part::Bucket),
            ("_sum", Part::Sum),
            ("_count", Part::Count),
        ]
        .into_iter()
        .find_map(|(ending, part)| of(name.strip_suffix(ending)?, Kind::Histogram, part))
    })
}

/// Whether a stored name is one of the vocabulary.
pub(super) fn is_known(metric: &Metric) -> bool {
    metric.get(NAME).is_some_and(|name| known(name).is_some())
}

/// The history of one target; `lead_ms` is how far the store's clock is ahead of ours.
pub(super) fn target(all: Vec<Stored>, lead_ms: i64) -> Target {
    let mut out = Target::default();
    let mut births = Vec::new();
    let mut members = Vec::new();
    for mut stored in all {
        // VictoriaMetrics also gives the markers of series that ended; they are no readings.
        stored.values.retain(|value| !value.value.is_nan());
        let name = stored.metric.get(NAME).map_or("", String::as_str);
        if name == BIRTH {
            births.extend(stored.values);
        } else if name == UP {
            let failed = stored.values.iter().filter(|value| value.value == 0.0);
            out.failed_at
                .extend(failed.filter_map(|value| moment(value.at_ms, lead_ms)));
        } else if known(name).is_some() && !stored.values.is_empty() {
            members.push(stored);
        }
    }
    let mut at_ms: Vec<i64> = Vec::new();
    for stored in &members {
        // Most series of a target have the moments of the first one.
        if !stored
            .values
            .iter()
            .map(|value| value.at_ms)
            .eq(at_ms.iter().copied())
        {
            at_ms.extend(stored.values.iter().map(|value| value.at_ms));
            at_ms.sort_unstable();
            at_ms.dedup();
        }
    }
    // A moment outside of all calendars is dropped with its samples.
    at_ms.retain(|at| moment(*at, lead_ms).is_some());
    let at = at_ms.iter().filter_map(|at| moment(*at, lead_ms)).collect();
    births.sort_unstable_by_key(|value| value.at_ms);
    let births = column(&births, &at_ms);
    out.history.samples = births.iter().map(|birth| birth.is_some().into()).collect();
    out.history.begin(at, &births);
    for stored in members {
        add(&mut out, stored, &at_ms);
    }
    out
}

fn moment(at_ms: i64, lead_ms: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(at_ms.checked_sub(lead_ms)?).ok()
}

/// Values by reading.
fn column(values: &[Value], at_ms: &[i64]) -> Column {
    let mut values = values.iter().peekable();
    let value_at = |at: &i64| {
        while values.next_if(|value| value.at_ms < *at).is_some() {}
        values
            .next_if(|value| value.at_ms == *at)
            .map(|value| value.value)
    };
    at_ms.iter().map(value_at).collect()
}

fn add(out: &mut Target, stored: Stored, at_ms: &[i64]) {
    let Stored { mut metric, values } = stored;
    let Some(name) = metric.remove(NAME) else {
        return;
    };
    let Some((id, family, part)) = known(&name) else {
        return;
    };
    let le = metric.remove("le");
    metric.retain(|label, _| !TARGET.contains(&label.as_str()));
    let labels: BTreeMap<String, String> = metric
        .iter()
        .map(|(label, value)| (clean(label, LABEL_CAP), clean(value, LABEL_CAP)))
        .collect();
    out.engine = out.engine.or_else(|| engine_of(&name));
    if out.model.is_none() {
        out.model = labels.get("model_name").cloned();
    }
    out.history
        .raw_names
        .entry(id)
        .or_default()
        .insert(clean(family, LABEL_CAP));
    let series = out
        .history
        .series
        .entry(id)
        .or_default()
        .entry(labels)
        .or_default();
    let column = column(&values, at_ms);
    for (samples, value) in out.history.samples.iter_mut().zip(&column) {
        *samples += u64::from(value.is_some());
    }
    match part {
        Part::Bucket => {
            let Some(bound) = le
                .and_then(|le| le.parse().ok())
                .filter(|bound: &f64| !bound.is_nan())
            else {
                return;
            };
            series.buckets.insert(Bound(bound), column);
        }
        Part::Sum => series.sum = column,
        Part::Count => series.count = column,
        _ => series.value = column,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::rows::fold;

    fn stored(labels: &[(&str, &str)], values: &[(i64, f64)]) -> Stored {
        Stored {
            metric: labels
                .iter()
                .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()))
                .collect(),
            values: values
                .iter()
                .map(|(at_ms, value)| Value {
                    at_ms: *at_ms,
                    value: *value,
                })
                .collect(),
        }
    }

    #[test]
    fn names_of_stores_are_known_in_both_styles() {
        for (name, part) in [
            ("vllm:generation_tokens_total", Part::Value),
            ("vllm_generation_tokens_total", Part::Value),
            ("vllm:iteration_tokens_total_count", Part::Count),
            ("sglang_time_to_first_token_seconds_bucket", Part::Bucket),
            ("DCGM_FI_DEV_GPU_UTIL", Part::Value),
        ] {
            assert_eq!(known(name).map(|known| known.2), Some(part), "{name}");
        }
        assert!(known("vllm:iteration_tokens_total").is_none());
        assert!(known("node_cpu_seconds_total").is_none());
    }

    #[test]
    fn a_target_restarts_inside_the_window() {
        let all = vec![
            stored(
                &[(NAME, BIRTH), ("job", "v")],
                &[(1000, 50.0), (2000, 50.0), (4000, 99.0)],
            ),
            stored(
                &[(NAME, UP), ("job", "v")],
                &[(1000, 1.0), (2000, 1.0), (3000, 0.0), (4000, 1.0)],
            ),
            stored(
                &[
                    (NAME, "vllm_generation_tokens_total"),
                    ("job", "v"),
                    ("engine", "0"),
                ],
                &[(1000, 10.0), (2000, 30.0), (4000, 35.0)],
            ),
        ];
        let target = target(all, 0);
        assert_eq!(target.history.len(), 3, "a failed scrape is no reading");
        assert_eq!(target.history.born_anew, [false, false, true]);
        assert_eq!(target.failed_at, [Timestamp::from_millisecond(3000).unwrap()]);
        assert_eq!(
            (target.engine, target.history.samples.clone()),
            (Some(EngineKind::Vllm), vec![2, 2, 2])
        );
        let folded = fold(&target.history);
        assert_eq!(folded.rows.len(), 1);
        // 20 before the restart, and all 35 of the process that began after it.
        assert_eq!(folded.rows[0].value.map(contracts::Finite::get), Some(55.0));
        assert_eq!(folded.resets.len(), 1);
    }

    #[test]
    fn moments_are_shifted_to_our_clock() {
        let all = vec![stored(
            &[(NAME, "sglang:num_running_reqs")],
            &[(5000, 1.0), (6000, 1.0), (7000, f64::NAN), (i64::MAX, 2.0)],
        )];
        let target = target(all, 400);
        assert_eq!(
            target.history.at.first(),
            Some(&Timestamp::from_millisecond(4600).unwrap())
        );
        assert_eq!(target.history.len(), 2);
    }

    #[test]
    fn replicas_of_a_store_are_targets_of_their_own() {
        let of = |replica: &str| {
            let labels = [
                ("job", "v"),
                ("instance", "a"),
                ("prometheus_replica", replica),
                ("model_name", "m"),
            ];
            target_of(&stored(&labels, &[]).metric)
        };
        assert_ne!(of("0"), of("1"));
        assert!(!of("0").contains_key("model_name"));
    }
}
