//! When the sources of an engine were read, against when its benchmark ran.

use contracts::telemetry_fetch::audit::AuditCheck;
use jiff::Timestamp;

use super::{Said, check, seconds, undecided};
use crate::benchmark::{Benchmark, ClientRun};

/// Seconds around the benchmark in which requests of others would hide.
const MARGIN_S: f64 = 30.0;
/// A benchmark that fills less of the readings has rates and means that say little of it.
const LEAST_SHARE: f64 = 0.5;

/// When one source of the engine was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach<'a> {
    /// Which source.
    pub(crate) source: &'a str,
    /// Its first reading and its last; none when it never answered.
    pub(crate) span: Option<(Timestamp, Timestamp)>,
}

impl Reach<'_> {
    pub(super) fn holds(&self, run: &ClientRun) -> bool {
        let holds = |(from, to)| run.start_at >= from && run.end_at <= to;
        self.span.is_some_and(holds)
    }
}

/// Whether the readings of every source lie around the benchmark; the worst source decides.
pub(super) fn window_match(benchmark: &Benchmark, reaches: &[Reach<'_>]) -> AuditCheck {
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
    let read = seconds(from, to);
    let fills = expected.is_some_and(|expected| expected >= LEAST_SHARE * read);
    let passed = inside == all && before <= MARGIN_S && after <= MARGIN_S && fills;
    let said = Said {
        expected,
        observed: Some(read),
        passed: Some(passed),
        limit_pct: None,
        message: format!(
            "{inside} of {all} runs lie inside the readings; they begin {} the first request and end {} the last token, at \
             most {MARGIN_S} s around it, and half of the readings' time, are for the benchmark",
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

#[cfg(test)]
mod tests {
    use contracts::telemetry_fetch::metric::MetricKind;

    use super::super::tests::{benchmark, reach, row};
    use super::super::{Known, audit};
    use super::*;
    use crate::fold::derived::Rows;

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
            &Known::default(),
        );
        let tokens = checks
            .iter()
            .find(|check| check.id == "token_conservation")
            .unwrap();
        assert_eq!(tokens.passed, None, "{}", tokens.message);
    }
}
