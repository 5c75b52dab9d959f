//! Profiles that count on: what they grew by in the window, by function.

use std::collections::BTreeMap;

use contracts::Finite;
use contracts::telemetry_fetch::profile::ProfileRow;
use contracts::text::clean;

use super::signals::{PROFILE, Signals};

/// Longest name of a function that is kept; names of kernels are long.
const NAME_CAP: usize = 400;
/// Most rows of a document, over all profiles.
const MOST_ROWS: usize = 1000;

/// Time and calls.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    ns: f64,
    calls: f64,
}

type Frames<'a> = BTreeMap<(&'a str, &'a str), Spent>;

/// Rows of what was spent between the first payload and the last, the most first. A profile that began anew between two
/// payloads keeps what it had grown by before.
pub(crate) fn rows<'a>(payloads: impl IntoIterator<Item = &'a Signals>) -> Vec<ProfileRow> {
    let mut grown = Frames::new();
    let mut last: Option<(Option<i64>, Frames<'a>)> = None;
    for signals in payloads {
        let now = frames(signals);
        if now.is_empty() {
            continue;
        }
        if let Some((base, before)) = &last {
            let anew = *base != signals.start_ns;
            for (key, spent) in &now {
                let before = before
                    .get(key)
                    .copied()
                    .filter(|before| !anew && before.ns <= spent.ns && before.calls <= spent.calls);
                let before = before.unwrap_or_default();
                let sum = grown.entry(*key).or_default();
                sum.ns += spent.ns - before.ns;
                sum.calls += spent.calls - before.calls;
            }
        }
        last = Some((signals.start_ns, now));
    }
    let mut totals: BTreeMap<&str, f64> = BTreeMap::new();
    for ((profile, _), spent) in &grown {
        *totals.entry(profile).or_default() += spent.ns;
    }
    let spent = grown
        .into_iter()
        .filter(|(_, spent)| spent.ns >= 1.0 && spent.ns.is_finite());
    let mut rows: Vec<ProfileRow> = spent
        .map(|((profile, function), spent)| ProfileRow {
            profile: clean(profile, NAME_CAP),
            function: clean(function, NAME_CAP),
            // 0 is what the profiler writes for a profile without counts.
            calls: (spent.calls >= 1.0).then_some(spent.calls as u64),
            total_ns: spent.ns as u64,
            mean_ns: Finite::ratio(spent.ns, spent.calls),
            share: Finite::ratio(spent.ns, totals[profile]),
        })
        .collect();
    rows.sort_by(|a, b| (&a.profile, b.total_ns, &a.function).cmp(&(&b.profile, a.total_ns, &b.function)));
    rows.truncate(MOST_ROWS);
    rows
}

fn frames(signals: &Signals) -> Frames<'_> {
    let mut all = Frames::new();
    for signal in signals.metrics.iter().filter(|signal| signal.kind == PROFILE) {
        // Series of one profile differ in tags (processes, devices): their times add up.
        for frame in &signal.stats.frames {
            if frame.value.is_finite() && frame.value >= 0.0 && frame.samples.is_finite() {
                let sum = all
                    .entry((signal.name.as_str(), frame.name.as_str()))
                    .or_default();
                sum.ns += frame.value;
                sum.calls += frame.samples.max(0.0);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::signals::parse;
    use super::*;

    fn payload(start: i64, frames: &serde_json::Value) -> Signals {
        let metric = json!({"name": "cuda_kernels_nanoseconds", "type": "profile", "tags": {}, "stats": {"frames": frames}});
        parse(&json!({"payload_ns": 1, "start_ns": start, "metrics": [metric]}).to_string()).unwrap()
    }

    fn frame(name: &str, ns: u64, calls: u64) -> serde_json::Value {
        json!({"name": name, "value": ns, "samples": calls})
    }

    #[test]
    fn a_window_has_what_was_added_in_it() {
        let before = payload(7, &json!([frame("gemm", 900, 9), frame("idle", 50, 5)]));
        let after = payload(
            7,
            &json!([
                frame("gemm", 1200, 12),
                frame("idle", 50, 5),
                frame("attn\u{1b}[2J", 100, 4)
            ]),
        );
        let found = rows([&before, &after]);
        let told: Vec<_> = found
            .iter()
            .map(|row| {
                (
                    row.function.as_str(),
                    row.calls,
                    row.total_ns,
                    row.mean_ns.map(Finite::get),
                    row.share.map(Finite::get),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("gemm", Some(3), 300, Some(100.0), Some(0.75)),
                ("attn", Some(4), 100, Some(25.0), Some(0.25))
            ]
        );
        assert!(rows([&before]).is_empty());
    }

    #[test]
    fn a_profiler_that_restarts_loses_nothing_that_was_read() {
        let all = [
            payload(7, &json!([frame("gemm", 900, 9)])),
            payload(7, &json!([frame("gemm", 1000, 10)])),
            payload(8, &json!([frame("gemm", 2000, 20)])),
        ];
        let found = rows(&all);
        assert_eq!((found[0].total_ns, found[0].calls), (2100, Some(21)));
    }
}
