//! The two definitions of each metric on streams whose numbers are known.

use contracts::serve_bench::record::TokenSource;

use super::*;

fn finite(value: f64) -> Option<Finite> {
    Finite::new(value)
}

/// 25 chunks of 4 tokens, 40 ms apart, the first after 50 ms; the stream ends 5 ms after the last.
fn record(outcome: Outcome) -> RequestRecord {
    RequestRecord {
        run: 0,
        index: 0,
        turn: None,
        phase: Phase::Measured,
        outcome,
        http_status: Some(200),
        error: None,
        retry_after_s: None,
        finish_reason: None,
        scheduled_ms: None,
        start_ms: Finite::from(0),
        send_delay_ms: None,
        queue_ms: None,
        connect_ms: None,
        request_sent_ms: None,
        headers_ms: finite(1.0),
        ttft_ms: finite(50.0),
        ttfo_ms: None,
        tpot_ms: finite(960.0 / 99.0),
        e2e_latency_ms: (outcome == Outcome::Ok).then(|| Finite::from(1010)),
        ended_ms: Finite::from(1015),
        chunk_offsets_us: (0..25).map(|chunk| 50_000 + chunk * 40_000).collect(),
        chunk_tokens: None,
        same_read_chunks: 0,
        skipped_events: 0,
        input_tokens: None,
        output_tokens: Some(100),
        cached_tokens: None,
        reasoning_tokens: None,
        token_source: TokenSource::Usage,
        requested_output_tokens: Some(100),
        server_timings: None,
    }
}

fn pair(records: &[RequestRecord], peer: Peer, metric: &str) -> (f64, f64) {
    let rows = rows(records, peer);
    let row = rows.iter().find(|row| row.metric == metric).unwrap();
    (row.ours.unwrap().get(), row.theirs.unwrap().get())
}

#[test]
fn their_itl_is_the_gap_between_events() {
    let records = [record(Outcome::Ok)];
    assert_eq!(pair(&records, Peer::Vllm, "mean_itl_ms"), (10.0, 40.0));
    assert_eq!(pair(&records, Peer::Sglang, "mean_itl_ms"), (10.0, 40.0));
    let (ours, theirs) = pair(&records, Peer::Vllm, "mean_tpot_ms");
    assert!((ours - 9.697).abs() < 0.001 && (theirs - ours).abs() < 1e-5);
}

#[test]
fn sglang_counts_to_the_end_of_the_stream() {
    let records = [record(Outcome::Ok)];
    assert_eq!(
        pair(&records, Peer::Sglang, "mean_e2e_latency_ms"),
        (1010.0, 1015.0)
    );
    let (ours, theirs) = pair(&records, Peer::Sglang, "mean_tpot_ms");
    assert!((theirs - ours - 5.0 / 99.0).abs() < 1e-5, "{ours} {theirs}");
}

#[test]
fn peers_count_what_fails_here() {
    let mut ended = record(Outcome::Truncated);
    ended.error = Some("the stream ended without a finish_reason".into());
    let mut cut = record(Outcome::Truncated);
    cut.error = Some("connection reset".into());
    let mut warm = record(Outcome::Ok);
    warm.phase = Phase::Warmup;
    let records = [
        record(Outcome::Ok),
        ended,
        cut,
        record(Outcome::InBandError),
        record(Outcome::HttpStatus),
        warm,
    ];
    assert_eq!(pair(&records, Peer::Vllm, "requests.succeeded"), (1.0, 3.0));
    let (ours, theirs) = pair(&records, Peer::Vllm, "output_tps");
    assert!((ours - 100.0 / 1.010).abs() < 1e-3, "{ours}");
    assert!((theirs - 300.0 / 1.015).abs() < 1e-3, "{theirs}");
}

#[test]
fn the_wording_of_a_clean_end_is_the_one_of_engine_client() {
    use engine_client::outcome::{Ending, Facts, decide};
    let (outcome, error) = decide(&Facts {
        ending: Ending::Clean,
        http_status: Some(200),
        status_text: None,
        in_band_error: None,
        finish_reason: None,
        has_token: true,
        has_usage: true,
        is_done: true,
        output_tokens: Some(5),
        requested_output_tokens: Some(10),
        ignore_eos: true,
    });
    let mut ended = record(outcome);
    ended.error = error;
    assert_eq!(outcome, Outcome::Truncated);
    assert!(passes_elsewhere(&ended));
}

#[test]
fn percentiles_interpolate_as_numpy_does() {
    let values: Vec<f64> = (1..=10).map(f64::from).collect();
    assert_eq!(interpolated(&values, 50.0), Some(5.5));
    assert_eq!(nearest_rank(&values, 50.0), Some(5.0));
    assert_eq!(interpolated(&[], 50.0), None);
}

#[test]
fn nothing_measured_gives_no_values() {
    for peer in [Peer::Vllm, Peer::Sglang] {
        let rows = rows(&[], peer);
        assert!(
            rows.iter()
                .skip(1)
                .all(|row| row.ours.is_none() && row.theirs.is_none()),
            "{rows:?}"
        );
        assert_eq!(table(&[], peer).rows.len(), rows.len() + 1);
    }
}
