//! How late the runtime polls a task that is due: a heartbeat beside the measured streams.

use std::time::{Duration, Instant};

use super::stop::Stop;
use super::timer::PreciseTimer;

/// Often enough for a p99 within a second; a beat costs the measured thread a wake-up.
const PERIOD: Duration = Duration::from_millis(4);

/// Beats until `stop`, and returns the lateness of every beat in milliseconds. It also carries Ctrl-C to the run.
pub(super) async fn heartbeat(stop: Stop) -> Vec<f64> {
    let mut lateness = Vec::new();
    let Ok(mut timer) = PreciseTimer::new() else {
        return lateness;
    };
    let mut due = Instant::now() + PERIOD;
    while !stop.finished() {
        if timer.sleep_until(due).await.is_err() {
            break;
        }
        let now = Instant::now();
        lateness.push(now.saturating_duration_since(due).as_secs_f64() * 1e3);
        if cli_kit::interrupted() {
            stop.cancel.cancel();
        }
        // A beat that was missed is one late beat, not many.
        due = (due + PERIOD).max(now);
    }
    lateness
}
