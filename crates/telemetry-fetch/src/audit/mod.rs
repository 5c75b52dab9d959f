//! Whether telemetry and benchmark tell of the same requests. Each check has its numbers, and says what it cannot decide.

mod counts;
mod little;
mod profiled;
mod reach;
mod same;

use contracts::Finite;
use contracts::serve_bench::result::EngineKind;
use contracts::telemetry_fetch::audit::AuditCheck;
use contracts::telemetry_fetch::window::CommandRun;
use jiff::Timestamp;
use std::time::Duration;

use crate::benchmark::{Benchmark, ClientRun};
use crate::fold::derived::Rows;
use counts::{foreign, tokens, ttft};
use little::little;
use profiled::profiled;
pub(crate) use reach::Reach;
use reach::window_match;
use same::{log_engine, sound};

use crate::source::log::LogRead;

/// What is known beside the numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known<'a> {
    pub(crate) command: Option<&'a CommandRun>,
    /// What a log says of a profiler that ran meanwhile.
    pub(crate) profiler: Option<&'a str>,
    /// The engine, as its server says it.
    pub(crate) engine: Option<EngineKind>,
    pub(crate) logs: &'a [LogRead],
    /// Between readings, as asked for.
    pub(crate) interval: Option<Duration>,
}

/// All checks that can be made; `reaches` are of every source that `rows` are of.
pub(crate) fn audit(
    rows: Rows<'_>,
    benchmark: Option<&Benchmark>,
    reaches: &[Reach<'_>],
    known: &Known<'_>,
) -> Vec<AuditCheck> {
    let mut checks = Vec::new();
    if let Some(benchmark) = benchmark {
        // A total is that of all sources: what one of them missed is in no total.
        let inside: Vec<ClientRun> = benchmark
            .runs
            .iter()
            .copied()
            .filter(|run| reaches.iter().all(|reach| reach.holds(run)))
            .collect();
        checks.push(window_match(benchmark, reaches));
        checks.push(tokens(rows, &inside));
        checks.push(foreign(rows, &inside));
        checks.push(ttft(rows, &inside));
        checks.push(profiled(known.command, known.profiler));
        checks.push(sound(benchmark));
    }
    let engine = known.engine.or(benchmark.and_then(|benchmark| benchmark.engine));
    checks.extend(engine.and_then(|engine| log_engine(engine, known.logs)));
    checks.push(little(rows, known.interval));
    checks
}

/// What a check says.
struct Said {
    expected: Option<f64>,
    observed: Option<f64>,
    passed: Option<bool>,
    limit_pct: Option<f64>,
    message: String,
}

fn check(id: &str, unit: &str, said: Said) -> AuditCheck {
    let difference = said.expected.zip(said.observed);
    let difference =
        difference.and_then(|(expected, observed)| Finite::ratio((observed - expected) * 100.0, expected));
    AuditCheck {
        id: id.to_owned(),
        passed: said.passed,
        expected: said.expected.and_then(Finite::new),
        observed: said.observed.and_then(Finite::new),
        difference_pct: difference,
        limit_pct: said.limit_pct.and_then(Finite::new),
        unit: unit.to_owned(),
        message: said.message,
    }
}

fn undecided(id: &str, unit: &str, why: &str) -> AuditCheck {
    check(
        id,
        unit,
        Said {
            expected: None,
            observed: None,
            passed: None,
            limit_pct: None,
            message: why.to_owned(),
        },
    )
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contracts::telemetry_fetch::metric::{MetricKind, MetricRow, Semantics};

    use super::*;

    pub(super) fn row(id: &str, kind: MetricKind, value: f64, count: Option<u64>) -> MetricRow {
        MetricRow {
            id: id.to_owned(),
            raw_names: Vec::new(),
            kind,
            semantics: Semantics::Cumulative,
            unit: String::new(),
            value: Finite::new(value),
            per_s: count.and_then(|count| Finite::ratio(count as f64, 11.0)),
            min: None,
            max: None,
            quantiles: Vec::new(),
            count,
            stale: None,
            labels: BTreeMap::new(),
        }
    }

    pub(super) fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    pub(super) fn benchmark() -> Benchmark {
        Benchmark {
            path: "r.json".to_owned(),
            start_at: at(100),
            end_at: at(110),
            runs: vec![ClientRun {
                start_at: at(100),
                end_at: at(110),
                succeeded: 100,
                failed: 0,
                warmup: 10,
                output_tokens: 10_000,
                ttft_count: 100,
                ttft_mean_ms: Some(150.0),
            }],
            engine: Some(EngineKind::Sglang),
            unsound: Vec::new(),
        }
    }

    pub(super) fn reach(source: &str, from: i64, to: i64) -> Reach<'_> {
        Reach {
            source,
            span: Some((at(from), at(to))),
        }
    }

    fn passed(tokens: f64, requests: f64, ttft_ms: f64, running: f64) -> BTreeMap<String, Option<bool>> {
        let rows = [
            row("generation_tokens", MetricKind::Counter, tokens, None),
            row("requests", MetricKind::Counter, requests, None),
            row("ttft_ms", MetricKind::Histogram, ttft_ms, Some(110)),
            row("e2e_latency_ms", MetricKind::Histogram, 1000.0, Some(110)),
            row("running_requests", MetricKind::Gauge, running, Some(12)),
        ];
        audit(
            Rows(&rows),
            Some(&benchmark()),
            &[reach("a", 99, 110)],
            &Known::default(),
        )
        .into_iter()
        .map(|check| (check.id, check.passed))
        .collect()
    }

    #[test]
    fn what_agrees_passes() {
        let all = passed(11_000.0, 110.0, 140.0, 10.0);
        assert_eq!(all.len(), 7);
        let undecided: Vec<&String> = all
            .iter()
            .filter(|(_, passed)| passed.is_none())
            .map(|(id, _)| id)
            .collect();
        assert_eq!(undecided, ["profiled"]);
        assert!(all.values().flatten().all(|passed| *passed), "{all:?}");
    }

    #[test]
    fn each_disagreement_fails_its_own_check() {
        for (check, all) in [
            ("token_conservation", passed(9_000.0, 110.0, 140.0, 10.0)),
            ("token_conservation", passed(14_000.0, 110.0, 140.0, 10.0)),
            ("foreign_traffic", passed(11_000.0, 130.0, 140.0, 10.0)),
            ("ttft_client_server", passed(11_000.0, 110.0, 110.0, 10.0)),
            ("ttft_client_server", passed(11_000.0, 110.0, 170.0, 10.0)),
            ("littles_law", passed(11_000.0, 110.0, 140.0, 20.0)),
        ] {
            let failed: Vec<&str> = all
                .iter()
                .filter(|(_, passed)| **passed == Some(false))
                .map(|(id, _)| id.as_str())
                .collect();
            assert_eq!(failed, [check]);
        }
    }

    #[test]
    fn a_window_that_cuts_the_run_decides_nothing_about_it() {
        let rows = [row("generation_tokens", MetricKind::Counter, 5.0, None)];
        let checks = audit(
            Rows(&rows),
            Some(&benchmark()),
            &[reach("a", 105, 120)],
            &Known::default(),
        );
        let of = |id: &str| checks.iter().find(|check| check.id == id).unwrap();
        assert_eq!(of("window_match").passed, Some(false));
        assert_eq!(of("token_conservation").passed, None);
        assert!(of("littles_law").message.contains("not there"));
    }
}
