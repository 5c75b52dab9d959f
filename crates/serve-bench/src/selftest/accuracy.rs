//! Reported timing minus the server's own record of what it did: TTFT 50 ms, ITL 10 ms, 100 tokens.

use std::time::Duration;

use cli_kit::{Failure, OutputArgs};
use contracts::Finite;
use contracts::engine_sim::{Reply, Script};
use contracts::serve_bench::selftest::Accuracy;

use super::scripted::{Ask, Scripted};
use crate::fold::{ClientSamples, FoldContext, SloRules, client_health, fold_run};
use crate::load::closed_loop_info;

/// Limits of the timing errors.
const TTFT_MEAN_MS: f64 = 1.5;
const TTFT_P99_MS: f64 = 6.0;
const ITL_MEAN_PCT: f64 = 0.5;
const ITL_P99_PCT: f64 = 5.0;
/// With a heartbeat later than this the machine, not the client, sets the errors.
const HEARTBEAT_MS: f64 = 1.0;
/// Other work on the machine only ever adds to an error and the heartbeat does not feel all of it, so a level that
/// misses a limit is measured again: what the client itself does wrong is there each time.
pub(super) const ATTEMPTS: u32 = 3;

/// The server of the accuracy checks.
pub(super) fn script() -> Script {
    Script {
        defaults: Reply {
            ttft_ms: Finite::new(50.0),
            itl_ms: Finite::new(10.0),
            ..Reply::default()
        },
        ..Script::default()
    }
}

/// 100 tokens a request.
pub(super) fn ask(concurrency: u32, requests: u64) -> Ask {
    Ask {
        concurrency,
        requests,
        output_len: 100,
        timeout: Duration::from_secs(60),
    }
}

/// Measures one concurrency.
pub(super) fn measure(concurrency: u32, requests: u64, output: &OutputArgs) -> Result<Accuracy, Failure> {
    let bar = cli_kit::spinner(&format!("accuracy at {concurrency} streams"), output);
    let (accuracy, _) = measure_with_samples(concurrency, requests)?;
    bar.finish_and_clear();
    Ok(accuracy)
}

/// The same, with what the client sampled of itself.
pub(super) fn measure_with_samples(
    concurrency: u32,
    requests: u64,
) -> Result<(Accuracy, ClientSamples), Failure> {
    let mut attempt = 1;
    loop {
        let (accuracy, samples) = measure_once(concurrency, requests, attempt)?;
        if accuracy.passed == Some(true) || attempt == ATTEMPTS || cli_kit::interrupted() {
            return Ok((accuracy, samples));
        }
        attempt += 1;
    }
}

fn measure_once(
    concurrency: u32,
    requests: u64,
    attempts: u32,
) -> Result<(Accuracy, ClientSamples), Failure> {
    let server = Scripted::start(&script(), "127.0.0.1")?;
    let finished = server.load(&ask(concurrency, requests))?;
    let truth = server.truth()?;
    let info = closed_loop_info(concurrency, 0);
    let rules = SloRules::default();
    let client = client_health(&finished.samples, &finished.records, &info);
    let heartbeat = client.poll_delay_ms.p99;
    let context = FoldContext {
        run: 0,
        epoch_at: finished.epoch_at,
        load: &info,
        rules: &rules,
        complete: finished.complete,
    };
    let run = fold_run(&finished.records, client, &context);
    let minus = |reported: Option<Finite>, truth: Option<Finite>| {
        reported
            .zip(truth)
            .map(|(reported, truth)| reported.get() - truth.get())
    };
    let percent = |reported: Option<Finite>, truth: Option<Finite>| {
        reported
            .zip(truth)
            .map(|(reported, truth)| 100.0 * (reported.get() / truth.get() - 1.0))
    };
    let ttft_mean = minus(run.latency.ttft_ms.mean, truth.ttft_ms.mean);
    let ttft_p99 = minus(run.latency.ttft_ms.p99, truth.ttft_ms.p99);
    let itl_mean = percent(run.latency.chunk_gap_ms.mean, truth.write_gap_ms.mean);
    let itl_p99 = percent(run.latency.chunk_gap_ms.p99, truth.write_gap_ms.p99);
    let machine_busy = heartbeat.is_none_or(|lag| lag.get() >= HEARTBEAT_MS);
    let within = |value: Option<f64>, limit: f64| value.is_some_and(|value| value.abs() <= limit);
    let holds = run.requests.failed == 0
        && within(ttft_mean, TTFT_MEAN_MS)
        && within(ttft_p99, TTFT_P99_MS)
        && within(itl_mean, ITL_MEAN_PCT)
        && within(itl_p99, ITL_P99_PCT);
    let finite = |value: Option<f64>| value.and_then(Finite::new);
    let accuracy = Accuracy {
        concurrency,
        requests: run.requests.sent,
        attempts,
        ttft_error_mean_ms: finite(ttft_mean),
        ttft_error_p99_ms: finite(ttft_p99),
        itl_error_mean_pct: finite(itl_mean),
        itl_error_p99_pct: finite(itl_p99),
        heartbeat_p99_ms: heartbeat,
        machine_busy,
        // Limits that hold on a busy machine hold; limits that do not say nothing there.
        passed: (holds || !machine_busy).then_some(holds),
    };
    Ok((accuracy, finished.samples))
}
