//! Requests in flight, by the gauges and by the time that requests took.

use std::time::Duration;

use contracts::telemetry_fetch::audit::AuditCheck;

use super::{Said, check, undecided};
use crate::fold::derived::Rows;

/// Requests in flight and the time they took may differ by this: both ends of the window cut requests.
const LITTLE_PCT: f64 = 15.0;
/// Fewest readings for a mean of gauges that can be held against anything: lines between readings cut the corners where the
/// load begins and ends, two intervals' worth of it.
const READINGS: u64 = 12;

pub(super) fn little(rows: Rows<'_>, interval: Option<Duration>) -> AuditCheck {
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
        let how = match interval {
            Some(interval) => {
                // As many more as are lacking, and half as many again; it is given in tenths.
                let shorter = interval.as_secs_f64() * readings as f64 / (1.5 * READINGS as f64);
                format!(
                    "with `--interval {:.1}s`",
                    (shorter * 10.0).floor().max(1.0) / 10.0
                )
            }
            None => "as `-- COMMAND…` inside the window".to_owned(),
        };
        let why = format!(
            "{readings} readings of the gauges make no mean for this check, {READINGS} do: measure again {how}"
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
    use contracts::Finite;
    use contracts::telemetry_fetch::metric::{MetricKind, MetricRow};

    use super::super::tests::row;
    use super::*;

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
            row("running_requests", MetricKind::Gauge, 20.0, Some(12)),
        ];
        let found = little(Rows(&rows), None);
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
            assert_eq!(little(Rows(&rows), None).passed, None);
        }
        let one = [of_role("decode", running), of_role("decode", times)];
        assert_eq!(little(Rows(&one), None).passed, Some(false));
    }
}
