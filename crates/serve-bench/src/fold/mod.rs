//! Records and a window become a run: pure arithmetic, no clock, no file, no print.

mod aggregate;
mod client;
mod drift;
mod latency;
mod requests;
mod slo;
mod throughput;
mod turns;
mod weighted;
mod windows;

use contracts::serve_bench::record::{Phase, RequestRecord};
use contracts::serve_bench::result::LoadInfo;
use contracts::serve_bench::run::{ClientHealth, Run};
use jiff::Timestamp;

pub use aggregate::aggregate;
pub use client::{ClientSamples, client_health};
pub use slo::{Limit, RuleError, SloRules};
pub(crate) use weighted::distribution;

#[cfg(test)]
pub(crate) use requests::tests::ok_record;

/// What a run is folded with, besides its records.
pub struct FoldContext<'a> {
    /// Number of the run.
    pub run: u32,
    /// The wall-clock time from which `start_ms` counts.
    pub epoch_at: Timestamp,
    /// The load that was asked for.
    pub load: &'a LoadInfo,
    /// SLO rules and goodput limits.
    pub rules: &'a SloRules,
    /// False when the run was interrupted.
    pub complete: bool,
}

/// Seconds that the throughput of a run is counted over; `None` where nothing took any time.
pub(crate) fn window_s(measured: &[&RequestRecord]) -> Option<f64> {
    windows::span(measured).map(windows::Span::seconds)
}

/// Folds the records of one run.
pub fn fold_run(records: &[RequestRecord], client: ClientHealth, context: &FoldContext<'_>) -> Run {
    let measured: Vec<&RequestRecord> = records
        .iter()
        .filter(|record| record.phase == Phase::Measured)
        .collect();
    let span = windows::span(&measured);
    let steady = windows::steady(&measured, context.load);
    let mut run = Run {
        run: context.run,
        valid: true,
        invalid_reasons: Vec::new(),
        requests: requests::count(&measured, (records.len() - measured.len()) as u64),
        tokens: throughput::tokens(&measured),
        throughput: throughput::throughput(&measured, span, context.rules),
        prefill_tps: throughput::prefill_tps(&measured),
        decode_tps: throughput::decode_tps(&measured),
        latency: latency::latency(&measured),
        turns: turns::turns(&measured),
        windows: windows::windows(span, steady, context.epoch_at),
        drift: drift::drift(&measured, steady.or(span)),
        client,
        slo: None,
    };
    run.slo = context.rules.judge(&run, &measured);
    run.invalid_reasons = invalid_reasons(&run, context.complete);
    run.valid = run.invalid_reasons.is_empty();
    run
}

fn invalid_reasons(run: &Run, complete: bool) -> Vec<String> {
    let mut reasons = Vec::new();
    if !complete {
        reasons.push("interrupted before all requests were made".to_owned());
    }
    if run.requests.succeeded == 0 {
        let first = run
            .requests
            .errors
            .first()
            .map_or("no request was made", |error| error.error.as_str());
        reasons.push(format!("no request succeeded: {first}"));
    }
    if run.client.client_limited {
        reasons.extend(
            run.client
                .reasons
                .iter()
                .map(|reason| format!("client limited: {reason}")),
        );
    }
    reasons
}
