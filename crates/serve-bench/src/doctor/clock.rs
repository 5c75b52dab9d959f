//! The clock that stamps bytes, and the timers that pace requests.

use std::time::{Duration, Instant};

use contracts::serve_bench::doctor::{Check, CheckStatus};

use super::check;

/// Coarser than this and chunk gaps lose digits.
const COARSE_NS: u128 = 10_000;
/// Slower than this and reading the clock costs more than reading an event.
const SLOW_READ_NS: u128 = 500;
/// Later than this and arrivals of an open loop are visibly off.
const LATE_MS: f64 = 2.0;

const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

/// The smallest step of the monotonic clock, and what a reading costs.
pub(super) fn resolution() -> Check {
    const READS: u32 = 20_000;
    let start = Instant::now();
    let mut last = start;
    let mut smallest = Duration::MAX;
    for _ in 0..READS {
        let now = Instant::now();
        let step = now - last;
        if !step.is_zero() {
            smallest = smallest.min(step);
        }
        last = now;
    }
    let read_ns = (last - start).as_nanos() / u128::from(READS);
    let source = std::fs::read_to_string(SOURCE).ok();
    judge_clock(
        smallest.as_nanos(),
        read_ns,
        source
            .as_deref()
            .map(str::trim)
            .map(|text| contracts::text::clean(text, 40)),
    )
}

fn judge_clock(step_ns: u128, read_ns: u128, source: Option<String>) -> Check {
    let detail = format!(
        "monotonic, smallest step {step_ns} ns, {read_ns} ns a reading{}",
        source.map_or_else(String::new, |source| format!(", source {source}"))
    );
    if step_ns > COARSE_NS || read_ns > SLOW_READ_NS {
        return check(
            "clock",
            CheckStatus::Warn,
            detail,
            Some("use a fast clock source: `tsc` in /sys/devices/system/clocksource/clocksource0"),
        );
    }
    check("clock", CheckStatus::Ok, detail, None)
}

/// How late sleeps of a millisecond end.
pub(super) fn timers(sleeps: u32) -> Check {
    let asked = Duration::from_millis(1);
    let mut late_ms: Vec<f64> = (0..sleeps)
        .map(|_| {
            let start = Instant::now();
            std::thread::sleep(asked);
            start.elapsed().saturating_sub(asked).as_secs_f64() * 1e3
        })
        .collect();
    stats::percentile::sort(&mut late_ms);
    judge_timers(&late_ms)
}

fn judge_timers(sorted_ms: &[f64]) -> Check {
    let rank = |percent| stats::percentile::nearest_rank(sorted_ms, percent);
    let (Some(p50), Some(p99), Some(max)) = (rank(50.0), rank(99.0), sorted_ms.last()) else {
        return check("timers", CheckStatus::NotChecked, "no sleep was timed", None);
    };
    let detail = format!(
        "{} sleeps of 1 ms end p50 {p50:.3}, p99 {p99:.3}, max {max:.3} ms late",
        sorted_ms.len()
    );
    if p99 > LATE_MS {
        return check(
            "timers",
            CheckStatus::Warn,
            detail,
            Some("the machine is busy or throttled: end other work, or give the client cores of its own"),
        );
    }
    check("timers", CheckStatus::Ok, detail, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_clock_and_late_timers_warn() {
        assert_eq!(judge_clock(20, 25, Some("tsc".into())).status, CheckStatus::Ok);
        assert_eq!(
            judge_clock(20, 900, Some("hpet".into())).status,
            CheckStatus::Warn
        );
        assert_eq!(judge_clock(1_000_000, 25, None).status, CheckStatus::Warn);
        assert_eq!(judge_timers(&[0.1; 100]).status, CheckStatus::Ok);
        assert_eq!(judge_timers(&[5.0; 100]).status, CheckStatus::Warn);
        assert_eq!(judge_timers(&[]).status, CheckStatus::NotChecked);
    }

    #[test]
    fn the_clock_of_this_machine_moves() {
        let seen = resolution();
        assert!(seen.detail.contains("smallest step"), "{}", seen.detail);
    }
}
