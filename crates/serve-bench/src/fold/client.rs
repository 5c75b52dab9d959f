//! Whether the client, not the server, may have set the numbers.

use contracts::Finite;
use contracts::serve_bench::record::{Phase, RequestRecord};
use contracts::serve_bench::result::{LoadInfo, LoadMode};
use contracts::serve_bench::run::{ClientHealth, Lag};

/// What the load loop sampled of its own process during a run.
#[derive(Clone, Debug, Default)]
pub struct ClientSamples {
    /// From due to start of each request, milliseconds.
    pub dispatch_lag_ms: Vec<f64>,
    /// Lateness of the heartbeat, milliseconds.
    pub poll_delay_ms: Vec<f64>,
    /// CPU time of the process during the run, seconds.
    pub cpu_s: Option<f64>,
    /// Length of the run, seconds.
    pub wall_s: f64,
    /// Cores the process may use.
    pub cores: u32,
    /// Connections opened.
    pub connections_opened: u64,
    /// Peak resident memory, bytes.
    pub peak_rss_bytes: Option<u64>,
}

/// Above this share of its cores the client is taken to be the bottleneck.
const CPU_SHARE_LIMIT: f64 = 0.85;
/// Below this share of the asked concurrency, while requests waited, the load was not what was asked for.
const CONCURRENCY_LIMIT: f64 = 0.95;

/// Judges the client: limited when dispatch lag or poll delay p99 > max(1 ms, 2 % of TTFT p50), or it uses more than
/// 85 % of its cores, or less than 95 % of the asked concurrency was reached while requests waited.
pub fn client_health(samples: &ClientSamples, records: &[RequestRecord], load: &LoadInfo) -> ClientHealth {
    let measured: Vec<&RequestRecord> = records
        .iter()
        .filter(|record| record.phase == Phase::Measured)
        .collect();
    let dispatch = lag(&samples.dispatch_lag_ms);
    let poll = lag(&samples.poll_delay_ms);
    let cpu_share = samples
        .cpu_s
        .map(|cpu| cpu / (samples.wall_s * f64::from(samples.cores)));
    let chunks: usize = measured.iter().map(|record| record.chunk_offsets_us.len()).sum();
    let same_read: f64 = measured
        .iter()
        .map(|record| f64::from(record.same_read_chunks))
        .sum();
    let (achieved, peak) = concurrency(&measured, load);

    let ttft_p50 = super::weighted::distribution(
        measured
            .iter()
            .filter_map(|record| record.ttft_ms)
            .map(Finite::get),
    )
    .p50;
    let lag_limit_ms = ttft_p50.map_or(1.0, |p50| (0.02 * p50.get()).max(1.0));
    let mut reasons = Vec::new();
    for (name, lag) in [("dispatch lag", &dispatch), ("runtime poll delay", &poll)] {
        if let Some(p99) = lag.p99.filter(|p99| p99.get() > lag_limit_ms) {
            reasons.push(format!(
                "{name} p99 {:.2} ms is over {lag_limit_ms:.2} ms: lower the load, raise --threads, or give the client idle cores",
                p99.get()
            ));
        }
    }
    if let Some(share) = cpu_share.filter(|share| *share > CPU_SHARE_LIMIT) {
        reasons.push(format!(
            "the client used {:.0} % of its cores: run it on another machine or lower the load",
            100.0 * share
        ));
    }
    // A user who thinks has no request in flight, and nobody limits that.
    if let (Some(asked), Some(achieved)) = (load.concurrency, achieved)
        && load.mode != LoadMode::Conversations
        && achieved < CONCURRENCY_LIMIT * f64::from(asked)
    {
        reasons.push(format!(
            "{achieved:.1} of {asked} asked requests were in flight while requests waited: raise --num-prompts or lower --concurrency"
        ));
    }
    ClientHealth {
        dispatch_lag_ms: dispatch,
        poll_delay_ms: poll,
        cpu_share_ratio: cpu_share.and_then(Finite::new),
        cpu_s: samples.cpu_s.and_then(Finite::new),
        cores: Some(samples.cores),
        same_read_chunk_ratio: Finite::ratio(same_read, chunks as f64),
        asked_concurrency: load.concurrency.or(load.max_concurrency),
        achieved_concurrency: achieved.and_then(Finite::new),
        peak_concurrency: Some(peak),
        connections_opened: Some(samples.connections_opened),
        peak_rss_bytes: samples.peak_rss_bytes,
        client_limited: !reasons.is_empty(),
        reasons,
    }
}

/// Median, 99th percentile and largest of a delay.
fn lag(samples: &[f64]) -> Lag {
    let distribution = super::weighted::distribution(samples.iter().copied());
    Lag {
        p50: distribution.p50,
        p99: distribution.p99,
        max: distribution.max,
    }
}

/// Mean requests in flight while requests waited (from the moment every slot had its first request to the last
/// start), and the peak.
fn concurrency(measured: &[&RequestRecord], load: &LoadInfo) -> (Option<f64>, u32) {
    let mut changes: Vec<(f64, i32)> = measured
        .iter()
        .flat_map(|record| {
            let start = record.start_ms.get();
            [(start, 1), (start + record.ended_ms.get(), -1)]
        })
        .collect();
    // Ends first: a slot that is handed over at the same instant holds one request, not two.
    changes.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
    let mut starts: Vec<f64> = measured.iter().map(|record| record.start_ms.get()).collect();
    starts.sort_by(f64::total_cmp);
    let ramp = load
        .concurrency
        .map_or(0, |asked| asked as usize)
        .clamp(1, starts.len().max(1))
        - 1;
    let (Some(from), Some(until)) = (starts.get(ramp), starts.last()) else {
        return (None, 0);
    };
    let mut in_flight = 0_i32;
    let mut peak = 0_i32;
    let mut area = 0.0;
    let mut previous = *from;
    for (at, change) in changes {
        let (low, high) = (previous.clamp(*from, *until), at.clamp(*from, *until));
        area += f64::from(in_flight) * (high - low);
        previous = at;
        in_flight += change;
        peak = peak.max(in_flight);
    }
    // All requests started at once: the peak is what was reached.
    let achieved = if until > from {
        area / (until - from)
    } else {
        f64::from(peak)
    };
    (Some(achieved), peak.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::super::requests::tests::ok_record;
    use super::*;
    use crate::load::closed_loop_info;

    fn samples() -> ClientSamples {
        ClientSamples {
            wall_s: 1.0,
            cores: 2,
            cpu_s: Some(0.2),
            ..ClientSamples::default()
        }
    }

    fn records(count: u32) -> Vec<RequestRecord> {
        (0..count)
            .map(|index| {
                let mut record = ok_record();
                record.start_ms = Finite::from(index / 2 * 60);
                record
            })
            .collect()
    }

    #[test]
    fn a_quiet_client_is_not_limited() {
        let health = client_health(&samples(), &records(8), &closed_loop_info(2, 0));
        assert!(!health.client_limited, "{:?}", health.reasons);
        assert_eq!(health.peak_concurrency, Some(2));
    }

    #[test]
    fn late_polls_limit_and_say_what_to_change() {
        let samples = ClientSamples {
            poll_delay_ms: vec![0.1, 3.0],
            ..samples()
        };
        let health = client_health(&samples, &records(8), &closed_loop_info(2, 0));
        assert!(
            health.client_limited && health.reasons[0].contains("--threads"),
            "{:?}",
            health.reasons
        );
    }

    #[test]
    fn a_busy_client_is_limited() {
        let samples = ClientSamples {
            cpu_s: Some(1.9),
            ..samples()
        };
        assert!(client_health(&samples, &records(8), &closed_loop_info(2, 0)).client_limited);
    }

    #[test]
    fn a_concurrency_that_was_not_reached_limits() {
        let health = client_health(&samples(), &records(8), &closed_loop_info(4, 0));
        assert!(
            health.reasons.iter().any(|reason| reason.contains("of 4 asked")),
            "{:?}",
            health.reasons
        );
    }

    #[test]
    fn a_slow_server_allows_more_lag() {
        let mut slow = records(8);
        for record in &mut slow {
            record.ttft_ms = Finite::new(1000.0);
        }
        let samples = ClientSamples {
            dispatch_lag_ms: vec![5.0],
            ..samples()
        };
        assert!(!client_health(&samples, &slow, &closed_loop_info(2, 0)).client_limited);
    }
}
