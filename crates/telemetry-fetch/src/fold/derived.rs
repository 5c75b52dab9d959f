//! Ratios and means of a window, from its rows. Only counters are divided: a gauge that every batch overwrites says nothing
//! about the batches before.

use std::collections::BTreeSet;

use contracts::Finite;
use contracts::telemetry_fetch::metric::{MetricKind, MetricRow};
use contracts::telemetry_fetch::window::Derived;

use super::gauge::is_often;

/// Label of rows whose server has a role.
pub(crate) const ROLE: &str = "role";

/// Rows of all sources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a>(pub(crate) &'a [MetricRow]);

impl<'a> Rows<'a> {
    fn of(self, id: &'a str) -> impl Iterator<Item = &'a MetricRow> {
        self.0.iter().filter(move |row| row.id == id)
    }

    /// Rows that may be added: a request goes through servers of several roles, which all count it.
    fn addable(self, id: &'a str) -> impl Iterator<Item = &'a MetricRow> {
        let roles: BTreeSet<Option<&String>> = self.of(id).map(|row| row.labels.get(ROLE)).collect();
        self.of(id).filter(move |_| roles.len() < 2)
    }

    /// Whether several roles tell of it, so that it has no total.
    pub(crate) fn is_of_several_roles(self, id: &'a str) -> bool {
        self.of(id).next().is_some() && self.addable(id).next().is_none()
    }

    /// Whether all rows of these are of servers of one role: a ratio of two roles is none.
    pub(crate) fn is_of_one_role(self, ids: &[&str]) -> bool {
        let of_these = self.0.iter().filter(|row| ids.contains(&row.id.as_str()));
        let roles: BTreeSet<Option<&String>> = of_these.map(|row| row.labels.get(ROLE)).collect();
        roles.len() < 2
    }

    /// Requests in flight on average by the time that each took: of each source its rate times its mean.
    pub(crate) fn in_flight(self, id: &'a str) -> Option<f64> {
        self.addable(id)
            .filter(|row| row.kind == MetricKind::Histogram)
            .filter_map(|row| Some(row.per_s?.get() * row.value?.get() / 1e3))
            .reduce(|a, b| a + b)
    }

    /// Increase of a counter, or sum of the means of a gauge, over all its rows; none over several roles.
    pub(crate) fn total(self, id: &'a str) -> Option<f64> {
        self.addable(id)
            .filter_map(|row| row.value)
            .map(Finite::get)
            .reduce(|a, b| a + b)
    }

    /// Increase of a counter per second.
    pub(crate) fn per_s(self, id: &'a str) -> Option<f64> {
        self.addable(id)
            .filter_map(|row| row.per_s)
            .map(Finite::get)
            .reduce(|a, b| a + b)
    }

    /// Observations of a histogram, and their sum; without one those of spans.
    pub(crate) fn observed(self, id: &'a str) -> Option<(f64, f64)> {
        let of_kind = |kind| {
            let rows = self.addable(id).filter(move |row| row.kind == kind);
            rows.filter_map(|row| {
                let count = row.count? as f64;
                Some((count, count * row.value?.get()))
            })
            .reduce(|a, b| (a.0 + b.0, a.1 + b.1))
        };
        of_kind(MetricKind::Histogram).or_else(|| of_kind(MetricKind::Spans))
    }

    /// Mean of a histogram.
    pub(crate) fn mean(self, id: &'a str) -> Option<f64> {
        self.observed(id)
            .filter(|(count, _)| *count > 0.0)
            .map(|(count, sum)| sum / count)
    }

    /// Readings of a gauge.
    pub(crate) fn readings(self, id: &'a str) -> u64 {
        self.of(id).filter_map(|row| row.count).min().unwrap_or(0)
    }

    /// Sum of the means of a gauge; none where it was read too rarely for one.
    fn gauge(self, id: &'a str) -> Option<f64> {
        self.total(id).filter(|_| self.is_often(id))
    }

    fn is_often(self, id: &'a str) -> bool {
        self.of(id).all(|row| is_often(row.count))
    }

    fn max(self, id: &'a str) -> Option<f64> {
        self.of(id)
            .filter(|_| self.is_often(id))
            .filter_map(|row| row.max)
            .map(Finite::get)
            .max_by(f64::total_cmp)
    }
}

/// What follows from the rows.
pub(crate) fn derived(rows: Rows<'_>) -> Derived {
    let finite = |value: Option<f64>| value.and_then(Finite::new);
    // llama.cpp counts the prompt tokens that it computed, and the cached ones in newer builds; the others count all of them.
    let prompt = |of: &dyn Fn(&'static str) -> Option<f64>| {
        let computed = ["computed_prompt_tokens", "cached_tokens"];
        of("prompt_tokens").or_else(|| {
            let [computed, cached] = rows.is_of_one_role(&computed).then_some(computed)?;
            Some(of(computed)? + of(cached)?)
        })
    };
    let ratio = |ids: &[&str], part: Option<f64>, whole: Option<f64>| {
        let whole = whole.filter(|whole| *whole > 0.0 && rows.is_of_one_role(ids))?;
        Finite::ratio(part?, whole)
    };
    let (share, idle) = scheduler(rows);
    Derived {
        prefix_hit_ratio: ratio(
            &["cached_tokens", "prompt_tokens"],
            rows.total("cached_tokens"),
            prompt(&|id| rows.total(id)),
        ),
        spec_accept_ratio: ratio(
            &["spec_accepted_tokens", "spec_draft_tokens"],
            rows.total("spec_accepted_tokens"),
            rows.total("spec_draft_tokens"),
        ),
        mean_running: finite(rows.gauge("running_requests")),
        running_max: finite(rows.max("running_requests")),
        mean_waiting: finite(rows.gauge("waiting_requests")),
        kv_usage_max: finite(rows.max("kv_usage_ratio")),
        preemptions: finite(rows.total("preemptions")),
        scheduler_share_ratio: share,
        scheduler_idle_ratio: idle,
        output_tps: finite(rows.per_s("generation_tokens")),
        input_tps: finite(prompt(&|id| rows.per_s(id))),
        request_rps: finite(rows.per_s("requests").or_else(|| rows.per_s("e2e_latency_ms"))),
        server_tpot_ms: finite(tpot(rows)),
        queue_share_ratio: ratio(
            &["queue_time_ms", "e2e_latency_ms"],
            rows.mean("queue_time_ms"),
            rows.mean("e2e_latency_ms"),
        ),
    }
}

/// Shares of the scheduler's own work and of its idling, by the stages that SGLang counts.
fn scheduler(rows: Rows<'_>) -> (Option<Finite>, Option<Finite>) {
    let seconds = |is: &dyn Fn(&str) -> bool| -> f64 {
        rows.addable("scheduler_stage_s")
            .filter(|row| row.labels.get("category").is_some_and(|category| is(category)))
            .filter_map(|row| row.value)
            .map(Finite::get)
            .sum()
    };
    let all = seconds(&|_| true);
    if all <= 0.0 {
        return (None, None);
    }
    let own = seconds(&|category| !matches!(category, "run_batch" | "idle"));
    let idle = seconds(&|category| category == "idle");
    (Finite::ratio(own, all), Finite::ratio(idle, all))
}

/// The first token of a request comes out of its prefill, so it is none of the decoded ones.
fn tpot(rows: Rows<'_>) -> Option<f64> {
    const TOKENS: &str = "generation_tokens";
    let tokens = rows.total(TOKENS)?;
    let timed = || {
        rows.observed("decode_time_ms")
            .filter(|_| rows.is_of_one_role(&[TOKENS, "decode_time_ms"]))
    };
    let summed = || {
        let is_one = rows.is_of_one_role(&[TOKENS, "requests", "generation_s"]);
        let found = rows.total("requests").zip(rows.total("generation_s"));
        found
            .filter(|_| is_one)
            .map(|(requests, seconds)| (requests, seconds * 1e3))
    };
    let (requests, decode_ms) = timed().or_else(summed)?;
    let decoded = tokens - requests;
    (decoded > 0.0).then(|| decode_ms / decoded)
}

#[cfg(test)]
mod tests {
    use contracts::telemetry_fetch::metric::Semantics;

    use super::*;

    fn row(id: &str, kind: MetricKind, value: f64, count: Option<u64>) -> MetricRow {
        MetricRow {
            id: id.to_owned(),
            raw_names: Vec::new(),
            kind,
            semantics: Semantics::Cumulative,
            unit: String::new(),
            value: Finite::new(value),
            per_s: Finite::new(value / 10.0),
            min: None,
            max: Finite::new(value),
            quantiles: Vec::new(),
            count,
            stale: None,
            labels: std::collections::BTreeMap::new(),
        }
    }

    #[test]
    fn ratios_come_from_counters() {
        let counter = |id, value| row(id, MetricKind::Counter, value, None);
        let rows = [
            counter("cached_tokens", 30.0),
            counter("prompt_tokens", 31.0),
            row("last_batch_hit_ratio", MetricKind::Gauge, 0.0, Some(9)),
            counter("generation_tokens", 100.0),
            row("decode_time_ms", MetricKind::Histogram, 450.0, Some(10)),
            row("kv_usage_ratio", MetricKind::Gauge, 0.5, Some(9)),
        ];
        let derived = derived(Rows(&rows));
        assert_eq!(derived.prefix_hit_ratio.map(Finite::get), Some(0.967_742));
        assert_eq!(derived.server_tpot_ms.map(Finite::get), Some(50.0));
        assert_eq!(derived.kv_usage_max.map(Finite::get), Some(0.5));
        assert_eq!((derived.spec_accept_ratio, derived.preemptions), (None, None));
    }

    #[test]
    fn decoding_without_a_count_of_requests_is_no_time_per_token() {
        let counter = |id, value| row(id, MetricKind::Counter, value, None);
        let rows = [counter("generation_tokens", 100.0), counter("generation_s", 4.5)];
        assert_eq!(derived(Rows(&rows)).server_tpot_ms, None);
        let rows = [&rows[..], &[counter("requests", 10.0)]].concat();
        assert_eq!(derived(Rows(&rows)).server_tpot_ms.map(Finite::get), Some(50.0));
    }

    #[test]
    fn roles_are_not_added() {
        let of_role = |role: &str, id, value| {
            let mut row = row(id, MetricKind::Counter, value, None);
            row.labels.insert(ROLE.to_owned(), role.to_owned());
            row
        };
        let rows = [
            of_role("decode", "generation_tokens", 90.0),
            of_role("decode", "generation_tokens", 10.0),
            of_role("prefill", "prompt_tokens", 50.0),
            of_role("router", "prompt_tokens", 50.0),
        ];
        let derived = derived(Rows(&rows));
        assert_eq!(
            derived.output_tps.map(Finite::get),
            Some(10.0),
            "two servers of one role"
        );
        assert_eq!(derived.input_tps, None, "two roles tell of the same tokens");
        assert!(Rows(&rows).is_of_several_roles("prompt_tokens"));
        assert!(!Rows(&rows).is_of_several_roles("generation_tokens"));
    }

    #[test]
    fn ratios_are_of_one_role() {
        let of_role = |role: &str, mut row: MetricRow| {
            row.labels.insert(ROLE.to_owned(), role.to_owned());
            row
        };
        let counter = |id, value| row(id, MetricKind::Counter, value, None);
        let times = |id| row(id, MetricKind::Histogram, 100.0, Some(10));
        // Each tells of something else, and a request goes through both.
        let apart = [
            of_role("prefill", counter("cached_tokens", 30.0)),
            of_role("decode", counter("prompt_tokens", 60.0)),
            of_role("prefill", counter("spec_accepted_tokens", 1.0)),
            of_role("decode", counter("spec_draft_tokens", 2.0)),
            of_role("prefill", times("queue_time_ms")),
            of_role("decode", times("e2e_latency_ms")),
            of_role("decode", counter("generation_tokens", 100.0)),
            of_role("router", times("decode_time_ms")),
        ];
        let none = derived(Rows(&apart));
        assert_eq!(
            (
                none.prefix_hit_ratio,
                none.spec_accept_ratio,
                none.queue_share_ratio,
                none.server_tpot_ms
            ),
            (None, None, None, None)
        );
        let together = apart.map(|row| of_role("decode", row));
        let all = derived(Rows(&together));
        assert_eq!(all.prefix_hit_ratio.map(Finite::get), Some(0.5));
        assert!(
            all.spec_accept_ratio.is_some()
                && all.queue_share_ratio.is_some()
                && all.server_tpot_ms.is_some()
        );
    }

    #[test]
    fn cached_tokens_that_nobody_counts_are_not_none() {
        let computed = row("computed_prompt_tokens", MetricKind::Counter, 50.0, None);
        let cached = row("cached_tokens", MetricKind::Counter, 50.0, None);
        assert_eq!(derived(Rows(std::slice::from_ref(&computed))).input_tps, None);
        let both = derived(Rows(&[computed, cached]));
        assert_eq!(both.input_tps.map(Finite::get), Some(10.0));
        assert_eq!(both.prefix_hit_ratio.map(Finite::get), Some(0.5));
    }

    #[test]
    fn nothing_sent_has_no_ratio() {
        let rows = [
            row("cached_tokens", MetricKind::Counter, 0.0, None),
            row("prompt_tokens", MetricKind::Counter, 0.0, None),
        ];
        assert_eq!(derived(Rows(&rows)).prefix_hit_ratio, None);
    }

    #[test]
    fn the_scheduler_s_share_is_without_the_forward_pass_and_idling() {
        let stage = |category: &str, value| {
            let mut of = row("scheduler_stage_s", MetricKind::Counter, value, None);
            of.labels.insert("category".to_owned(), category.to_owned());
            of
        };
        let rows = [
            stage("run_batch", 6.0),
            stage("idle", 2.0),
            stage("recv_requests", 1.5),
            stage("other", 0.5),
        ];
        let derived = derived(Rows(&rows));
        assert_eq!(derived.scheduler_share_ratio.map(Finite::get), Some(0.2));
        assert_eq!(derived.scheduler_idle_ratio.map(Finite::get), Some(0.2));
    }
}
