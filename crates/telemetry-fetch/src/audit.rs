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

/// When one source of the engine was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach<'a> {
    /// Which source.
    pub(crate) source: &'a str,
    /// Its first reading and its last; none when it never answered.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
}

impl Reach<'_> {
    fn holds(&self, run: &ClientRun) -> bool {
        let holds = |(from, to)| run.start_at >= from && run.end_at <= to;
        self.span.is_some_and(holds)
    }
}

/// All checks that can be made; `reaches` are of every source that `rows` are of, `log_says` what a log says of a profiler that
/// ran meanwhile.
pub(crate) fn audit(
    rows: Rows<'_>,
    benchmark: Option<&Benchmark>,
    reaches: &[Reach<'_>],
    command: Option<&CommandRun>,
    log_says: Option<&str>,
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
        checks.push(profiled(command, log_says));
    }
    checks.push(little(rows));
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

/// Whether the readings of every source lie around the benchmark; the worst source decides.
fn window_match(benchmark: &Benchmark, reaches: &[Reach<'_>]) -> AuditCheck {
    const ID: &str = "window_match";
    let all = reaches
        .iter()
        .map(|reach| (reach.source, matched(benchmark, reach)));
    let worst = all.reduce(|worst, next| if next.1.1 < worst.1.1 { next } else { worst });
    let Some((source, (mut said, _))) = worst else {
        return undecided(ID, "s", "no source of an engine was read");
    };
    if reaches.len() > 1 {
        said.message = format!(
            "of {} engines {source} matches least: {}",
            reaches.len(),
            said.message
        );
    }
    check(ID, "s", said)
}

/// How the readings of one source lie, and how well: whether they pass, how many runs they hold, and how near their further end is.
fn matched(benchmark: &Benchmark, reach: &Reach<'_>) -> (Said, (bool, usize, f64)) {
    let expected = Some(seconds(benchmark.start_at, benchmark.end_at));
    let Some((from, to)) = reach.span else {
        let said = Said {
            expected,
            observed: None,
            passed: Some(false),
            limit_pct: None,
            message: "it never answered".to_owned(),
        };
        return (said, (false, 0, f64::NEG_INFINITY));
    };
    let (before, after) = (seconds(from, benchmark.start_at), seconds(benchmark.end_at, to));
    let all = benchmark.runs.len();
    let inside = benchmark.runs.iter().filter(|run| reach.holds(run)).count();
    let passed = inside == all && before <= MARGIN_S && after <= MARGIN_S;
    let said = Said {
        expected,
        observed: Some(seconds(from, to)),
        passed: Some(passed),
        limit_pct: None,
        message: format!(
            "{inside} of {all} runs lie inside the readings; they begin {} the first request and end {} the last token, at \
             most {MARGIN_S} s around it are for the benchmark",
            beside(before, "before", "after"),
            beside(after, "after", "before"),
        ),
    };
    (said, (passed, inside, -f64::max(before.abs(), after.abs())))
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

fn little(rows: Rows<'_>) -> AuditCheck {
    const ID: &str = "littles_law";
    let in_flight = rows.total("running_requests");
    let waiting = rows.total("waiting_requests");
    let by_time = rows
        .observed("e2e_latency_ms")
        .zip(rows.in_flight("e2e_latency_ms"));
    if !rows.is_of_one_role(&["running_requests", "waiting_requests", "e2e_latency_ms"]) {
        return undecided(
            ID,
            "requests",
            "several roles have the requests, and each its own",
        );
    }
    let Some((in_flight, ((count, _), expected))) = in_flight.zip(by_time) else {
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
    if count < 1.0 {
        return undecided(ID, "requests", "no request ended in the window");
    }
    let in_flight = in_flight + waiting.unwrap_or(0.0);
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
            per_s: count.and_then(|count| Finite::ratio(count as f64, 11.0)),
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

    fn reach(source: &str, from: i64, to: i64) -> Reach<'_> {
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
            None,
            None,
        )
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
        let checks = audit(
            Rows(&rows),
            Some(&benchmark()),
            &[reach("a", 105, 120)],
            None,
            None,
        );
        let of = |id: &str| checks.iter().find(|check| check.id == id).unwrap();
        assert_eq!(of("window_match").passed, Some(false));
        assert_eq!(of("token_conservation").passed, None);
        assert!(of("littles_law").message.contains("not there"));
    }

    #[test]
    fn the_engine_that_matches_least_decides() {
        let whole = reach("http://a", 99, 111);
        let never = Reach {
            source: "http://never",
            span: None,
        };
        for (other, name, says, passes) in [
            (reach("http://b", 99, 105), "http://b", "0 of 1 runs", false),
            (reach("http://b", 99, 150), "http://b", "1 of 1 runs", false),
            (reach("http://b", 95, 111), "http://b", "1 of 1 runs", true),
            (reach("http://b", 100, 110), "http://a", "1 of 1 runs", true),
            (never, "http://never", "it never answered", false),
        ] {
            for reaches in [[whole, other], [other, whole]] {
                let found = window_match(&benchmark(), &reaches);
                assert_eq!(found.passed, Some(passes), "{}", found.message);
                assert!(
                    found.message.contains(&format!("of 2 engines {name} ")),
                    "{}",
                    found.message
                );
                assert!(found.message.contains(says), "{}", found.message);
            }
        }
        assert!(!window_match(&benchmark(), &[whole]).message.contains("http"));
        // What one of them missed is in no total.
        let rows = [row("generation_tokens", MetricKind::Counter, 10_000.0, None)];
        let checks = audit(
            Rows(&rows),
            Some(&benchmark()),
            &[whole, reach("b", 99, 105)],
            None,
            None,
        );
        let tokens = checks
            .iter()
            .find(|check| check.id == "token_conservation")
            .unwrap();
        assert_eq!(tokens.passed, None, "{}", tokens.message);
    }

    #[test]
    fn engines_that_were_read_for_different_times_are_each_their_own_law() {
        let of = |id: &str, kind, value, count: Option<u64>, per_s: f64| {
            let mut row = row(id, kind, value, count);
            row.per_s = Finite::new(per_s);
            row
        };
        let rows = [
            // Read for 11 s, and for 5 s until it went away.
            of("e2e_latency_ms", MetricKind::Histogram, 1000.0, Some(110), 10.0),
            of("e2e_latency_ms", MetricKind::Histogram, 1000.0, Some(100), 20.0),
            row("running_requests", MetricKind::Gauge, 10.0, Some(12)),
            row("running_requests", MetricKind::Gauge, 20.0, Some(6)),
        ];
        let found = little(Rows(&rows));
        assert_eq!(
            (found.passed, found.expected.map(Finite::get)),
            (Some(true), Some(30.0))
        );
    }

    #[test]
    fn requests_of_one_role_are_not_held_against_the_times_of_another() {
        let of_role = |role: &str, mut row: MetricRow| {
            row.labels.insert("role".to_owned(), role.to_owned());
            row
        };
        let times = row("e2e_latency_ms", MetricKind::Histogram, 1000.0, Some(110));
        let running = row("running_requests", MetricKind::Gauge, 3.0, Some(12));
        let waiting = row("waiting_requests", MetricKind::Gauge, 7.0, Some(12));
        for rows in [
            vec![
                of_role("decode", running.clone()),
                of_role("router", times.clone()),
            ],
            // Two tell who waits, so that nobody knows how many do: that is not none.
            vec![
                of_role("decode", running.clone()),
                of_role("decode", times.clone()),
                of_role("decode", waiting.clone()),
                of_role("router", waiting),
            ],
        ] {
            assert_eq!(little(Rows(&rows)).passed, None);
        }
        let one = [of_role("decode", running), of_role("decode", times)];
        assert_eq!(little(Rows(&one)).passed, Some(false));
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
