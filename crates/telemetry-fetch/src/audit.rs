//! Whether telemetry and benchmark tell of the same requests. Each check has its numbers, and says what it cannot decide.

use contracts::Finite;
use contracts::telemetry_fetch::audit::AuditCheck;
use contracts::telemetry_fetch::window::CommandRun;
use jiff::Timestamp;

use crate::benchmark::{Benchmark, ClientRun};
use crate::fold::derived::Rows;

/// Tokens may differ by this: the last ones of a cancelled request are nobody's.
const TOKENS_PCT: f64 = 2.0;
/// Requests in flight and the time they took may differ by this: both ends of the window cut requests.
const LITTLE_PCT: f64 = 15.0;
/// The client may be slower than the server by this share of its own TTFT: what lies between is a gateway.
const GATEWAY_PCT: f64 = 20.0;
/// And by this much whatever the share: a network has its milliseconds.
const GATEWAY_MS: f64 = 20.0;
/// The server cannot be slower than its client, apart from rounding and warm-up requests.
const IMPOSSIBLE_PCT: f64 = 5.0;
/// Seconds around the benchmark in which requests of others would hide.
const MARGIN_S: f64 = 30.0;
/// Requests of ours that no benchmark counts: what asks for the length of a prompt, for example.
const PROBES: f64 = 2.0;
/// Fewest readings for a mean of gauges.
const READINGS: u64 = 5;

/// All checks that can be made; `window` is from the first reading of the engine to the last, `log_says` what a log says of a
/// profiler that was started in it.
pub(crate) fn audit(
    rows: Rows<'_>,
    benchmark: Option<&Benchmark>,
    window: (Timestamp, Timestamp),
    command: Option<&CommandRun>,
    log_says: Option<&str>,
) -> Vec<AuditCheck> {
    let mut checks = Vec::new();
    if let Some(benchmark) = benchmark {
        let inside: Vec<ClientRun> = benchmark
            .runs
            .iter()
            .copied()
            .filter(|run| run.start_at >= window.0 && run.end_at <= window.1)
            .collect();
        checks.push(window_match(benchmark, inside.len(), window));
        checks.push(tokens(rows, &inside));
        checks.push(foreign(rows, &inside));
        checks.push(ttft(rows, &inside));
        checks.push(profiled(command, log_says));
    }
    checks.push(little(rows, seconds(window.0, window.1)));
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

fn window_match(benchmark: &Benchmark, inside: usize, (from, to): (Timestamp, Timestamp)) -> AuditCheck {
    let (before, after) = (seconds(from, benchmark.start_at), seconds(benchmark.end_at, to));
    let all = benchmark.runs.len();
    let passed = inside == all && before <= MARGIN_S && after <= MARGIN_S;
    check(
        "window_match",
        "s",
        Said {
            expected: Some(seconds(benchmark.start_at, benchmark.end_at)),
            observed: Some(seconds(from, to)),
            passed: Some(passed),
            limit_pct: None,
            message: format!(
                "{inside} of {all} runs lie inside the readings; they begin {} the first request and end {} the last token, at \
                 most {MARGIN_S} s around it are for the benchmark",
                beside(before, "before", "after"),
                beside(after, "after", "before"),
            ),
        },
    )
}

/// So many seconds on one side, or on the other when they are negative.
fn beside(seconds: f64, side: &str, other: &str) -> String {
    let side = if seconds < 0.0 { other } else { side };
    format!("{:.1} s {side}", seconds.abs())
}

/// What the client sent to the server in the runs, measured or not.
struct Sent {
    requests: f64,
    uncounted: f64,
    tokens: f64,
}

fn sent(runs: &[ClientRun]) -> Sent {
    let sum = |of: fn(&ClientRun) -> u64| runs.iter().map(of).sum::<u64>() as f64;
    let succeeded = sum(|run| run.succeeded);
    Sent {
        requests: succeeded,
        uncounted: sum(|run| run.warmup) + sum(|run| run.failed),
        tokens: sum(|run| run.output_tokens),
    }
}

/// Why there is no total of a metric.
fn untold<'a>(rows: Rows<'a>, id: &'a str, none: &'static str) -> &'static str {
    if rows.is_of_several_roles(id) {
        "several roles count it, and a request goes through them all"
    } else {
        none
    }
}

fn tokens(rows: Rows<'_>, runs: &[ClientRun]) -> AuditCheck {
    const ID: &str = "token_conservation";
    let Some(observed) = rows.total("generation_tokens") else {
        return undecided(
            ID,
            "tokens",
            untold(rows, "generation_tokens", "the engine counts no generated tokens"),
        );
    };
    if runs.is_empty() {
        return undecided(
            ID,
            "tokens",
            "no run of the benchmark lies wholly inside the window",
        );
    }
    let Sent {
        requests,
        uncounted,
        tokens,
    } = sent(runs);
    // Warm-up requests are like the measured ones, and their tokens are in no document; failed ones may have got any number.
    let extra = if requests > 0.0 {
        uncounted * tokens / requests
    } else {
        0.0
    };
    let slack = TOKENS_PCT / 100.0 * (tokens + extra)
        + if requests > 0.0 {
            PROBES * tokens / requests
        } else {
            0.0
        };
    let passed = observed >= tokens - slack && observed <= tokens + extra + slack;
    check(
        ID,
        "tokens",
        Said {
            expected: Some(tokens),
            observed: Some(observed),
            passed: Some(passed),
            limit_pct: None,
            message: format!(
                "the engine generated {observed:.0} tokens, the client received {tokens:.0} in measured requests and up to \
                 {extra:.0} in {uncounted:.0} warm-up or failed ones; {slack:.0} more or fewer pass"
            ),
        },
    )
}

fn foreign(rows: Rows<'_>, runs: &[ClientRun]) -> AuditCheck {
    const ID: &str = "foreign_traffic";
    let counted = rows
        .total("requests")
        .or_else(|| rows.observed("e2e_latency_ms").map(|(count, _)| count));
    let Some(observed) = counted else {
        return undecided(
            ID,
            "requests",
            untold(rows, "requests", "the engine counts no requests"),
        );
    };
    if runs.is_empty() {
        return undecided(
            ID,
            "requests",
            "no run of the benchmark lies wholly inside the window",
        );
    }
    let of = sent(runs);
    let ours = of.requests + of.uncounted;
    let most = ours + f64::max(PROBES, ours * 0.01);
    check(
        ID,
        "requests",
        Said {
            expected: Some(ours),
            observed: Some(observed),
            passed: Some(observed <= most),
            limit_pct: None,
            message: format!(
                "{observed:.0} requests ended, the benchmark sent {ours:.0}; up to {most:.0} are its own and its probes"
            ),
        },
    )
}

fn ttft(rows: Rows<'_>, runs: &[ClientRun]) -> AuditCheck {
    const ID: &str = "ttft_client_server";
    let timed = runs
        .iter()
        .filter_map(|run| Some((run.ttft_count as f64, run.ttft_mean_ms?)));
    let (count, sum) = timed.fold((0.0, 0.0), |(count, sum), (n, mean)| (count + n, sum + n * mean));
    let Some(server) = rows.mean("ttft_ms") else {
        return undecided(
            ID,
            "ms",
            untold(rows, "ttft_ms", "the engine observed no time to first token"),
        );
    };
    if count <= 0.0 {
        return undecided(
            ID,
            "ms",
            "no run with a time to first token lies wholly inside the window",
        );
    }
    let client = sum / count;
    let between = client - server;
    let most = f64::max(client * GATEWAY_PCT / 100.0, GATEWAY_MS);
    let passed = between <= most && between >= -client * IMPOSSIBLE_PCT / 100.0;
    check(
        ID,
        "ms",
        Said {
            expected: Some(client),
            observed: Some(server),
            passed: Some(passed),
            limit_pct: None,
            message: format!(
                "mean TTFT is {client:.1} ms at the client and {server:.1} ms at the server: {between:.1} ms lie between them \
                 (network, gateway, queues in front of the engine), and up to {most:.1} pass; warm-up requests are in the \
                 server's mean only"
            ),
        },
    )
}

/// Programs that slow down what they look at.
const PROFILERS: [&str; 4] = ["nsys", "ncu", "rocprof", "rocprofv3"];

fn profiled(command: Option<&CommandRun>, log_says: Option<&str>) -> AuditCheck {
    const ID: &str = "profiled";
    let words = || {
        let argv = command.into_iter().flat_map(|command| &command.argv);
        let words = argv.flat_map(|word| word.split_ascii_whitespace());
        words.map(|word| word.rsplit('/').next().unwrap_or(word))
    };
    let captures = words().any(|word| word == "profile-tables") && words().any(|word| word == "capture");
    let name = words().find(|word| PROFILERS.contains(word) || word.starts_with("start_profile"));
    let name = name.or(captures.then_some("profile-tables capture"));
    let found = name.map(|name| format!("the command runs `{name}`"));
    match found.or_else(|| log_says.map(|said| format!("the log says `{said}`"))) {
        Some(found) => check(
            ID,
            "profilers",
            Said {
                expected: Some(0.0),
                observed: Some(1.0),
                passed: Some(false),
                limit_pct: None,
                message: format!("{found}: a profiled window is contaminated and is no benchmark"),
            },
        ),
        None => undecided(
            ID,
            "profilers",
            "metrics do not say whether a profiler ran; a log does where the engine writes one down",
        ),
    }
}

fn little(rows: Rows<'_>, span_s: f64) -> AuditCheck {
    const ID: &str = "littles_law";
    let in_flight = rows.total("running_requests");
    let Some((in_flight, (count, sum_ms))) = in_flight.zip(rows.observed("e2e_latency_ms")) else {
        return undecided(
            ID,
            "requests",
            "running requests or end-to-end times are not there",
        );
    };
    let readings = rows.readings("running_requests");
    if readings < READINGS {
        let why = format!(
            "{readings} readings of the gauges make no mean; read during the load, {READINGS} times or more"
        );
        return undecided(ID, "requests", &why);
    }
    if count < 1.0 || span_s <= 0.0 {
        return undecided(ID, "requests", "no request ended in the window");
    }
    let in_flight = in_flight + rows.total("waiting_requests").unwrap_or(0.0);
    let expected = sum_ms / 1e3 / span_s;
    let passed = (in_flight - expected).abs() <= expected * LITTLE_PCT / 100.0;
    check(
        ID,
        "requests",
        Said {
            expected: Some(expected),
            observed: Some(in_flight),
            passed: Some(passed),
            limit_pct: Some(LITTLE_PCT),
            message: format!(
                "{in_flight:.2} requests were in the engine on average by {readings} readings of its gauges, {expected:.2} by \
                 the time that {count:.0} requests took; a larger difference means stale gauges, double counting, or requests \
                 that the window cuts"
            ),
        },
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contracts::telemetry_fetch::metric::{MetricKind, MetricRow, Semantics};

    use super::*;

    fn row(id: &str, kind: MetricKind, value: f64, count: Option<u64>) -> MetricRow {
        MetricRow {
            id: id.to_owned(),
            raw_names: Vec::new(),
            kind,
            semantics: Semantics::Cumulative,
            unit: String::new(),
            value: Finite::new(value),
            per_s: None,
            min: None,
            max: None,
            quantiles: Vec::new(),
            count,
            stale: None,
            labels: BTreeMap::new(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn benchmark() -> Benchmark {
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
        audit(Rows(&rows), Some(&benchmark()), (at(99), at(110)), None, None)
            .into_iter()
            .map(|check| (check.id, check.passed))
            .collect()
    }

    #[test]
    fn what_agrees_passes() {
        let all = passed(11_000.0, 110.0, 140.0, 10.0);
        assert_eq!(all.len(), 6);
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
        let checks = audit(Rows(&rows), Some(&benchmark()), (at(105), at(120)), None, None);
        let of = |id: &str| checks.iter().find(|check| check.id == id).unwrap();
        assert_eq!(of("window_match").passed, Some(false));
        assert_eq!(of("token_conservation").passed, None);
        assert!(of("littles_law").message.contains("not there"));
    }

    #[test]
    fn a_profiler_in_the_command_contaminates() {
        let passed = |line: &[&str]| {
            let argv = line.iter().map(|word| (*word).to_owned()).collect();
            let command = CommandRun {
                argv,
                exit_code: Some(0),
            };
            profiled(Some(&command), None).passed
        };
        assert_eq!(passed(&["sh", "-c", "/usr/bin/nsys profile x"]), Some(false));
        assert_eq!(
            passed(&[
                "sh",
                "-c",
                "serve-bench run & profile-tables capture --stage decode"
            ]),
            Some(false)
        );
        assert_eq!(passed(&["curl", "http://h/start_profile"]), Some(false));
        assert_eq!(passed(&["serve-bench", "run"]), None);
        let said = profiled(None, Some("Profiling starts"));
        assert_eq!(said.passed, Some(false));
        assert!(said.message.contains("`Profiling starts`"), "{}", said.message);
    }
}
