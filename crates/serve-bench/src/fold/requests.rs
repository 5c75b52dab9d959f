//! Requests by how they ended.

use std::collections::BTreeMap;

use contracts::serve_bench::outcome::{Outcome, OutcomeCounts};
use contracts::serve_bench::record::RequestRecord;
use contracts::serve_bench::run::{ErrorCount, Requests};

/// Distinct error texts that are listed.
const ERRORS_LISTED: usize = 10;

pub(super) fn count(measured: &[&RequestRecord], warmup: u64) -> Requests {
    let mut outcomes = OutcomeCounts::default();
    let mut errors: BTreeMap<&str, u64> = BTreeMap::new();
    for record in measured {
        outcomes.add(record.outcome);
        if record.outcome != Outcome::Ok {
            *errors
                .entry(record.error.as_deref().unwrap_or(record.outcome.name()))
                .or_default() += 1;
        }
    }
    let mut errors: Vec<ErrorCount> = errors
        .into_iter()
        .map(|(error, count)| ErrorCount {
            error: error.to_owned(),
            count,
        })
        .collect();
    errors.sort_by(|left, right| {
        right
            .count
            .cmp(&left.count)
            .then_with(|| left.error.cmp(&right.error))
    });
    errors.truncate(ERRORS_LISTED);
    let sent = measured.len() as u64;
    Requests {
        sent,
        succeeded: outcomes.ok,
        failed: sent - outcomes.ok,
        warmup,
        outcomes,
        errors,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use contracts::Finite;
    use contracts::serve_bench::record::{Phase, TokenSource};

    use super::*;

    /// A successful request of two tokens.
    pub(crate) fn ok_record() -> RequestRecord {
        RequestRecord {
            run: 0,
            index: 0,
            turn: None,
            phase: Phase::Measured,
            outcome: Outcome::Ok,
            http_status: Some(200),
            error: None,
            retry_after_s: None,
            finish_reason: Some("length".into()),
            scheduled_ms: None,
            start_ms: Finite::from(0),
            send_delay_ms: None,
            queue_ms: None,
            connect_ms: None,
            request_sent_ms: None,
            headers_ms: None,
            ttft_ms: Finite::new(50.0),
            ttfo_ms: None,
            tpot_ms: Finite::new(10.0),
            e2e_latency_ms: Finite::new(60.0),
            ended_ms: Finite::from(60),
            chunk_offsets_us: vec![50_000, 60_000],
            chunk_tokens: None,
            same_read_chunks: 0,
            skipped_events: 0,
            input_tokens: Some(10),
            output_tokens: Some(2),
            cached_tokens: None,
            reasoning_tokens: None,
            token_source: TokenSource::Usage,
            requested_output_tokens: Some(2),
            server_timings: None,
        }
    }

    #[test]
    fn failures_are_counted_by_outcome_and_text() {
        let good = ok_record();
        let mut bad = ok_record();
        bad.outcome = Outcome::HttpStatus;
        bad.error = Some("503 Service Unavailable".into());
        let counted = count(&[&good, &bad, &bad], 4);
        assert_eq!(
            (counted.sent, counted.succeeded, counted.failed, counted.warmup),
            (3, 1, 2, 4)
        );
        assert_eq!(counted.outcomes.http_status, 2);
        assert_eq!(counted.outcomes.total(), 3);
        assert_eq!(counted.errors[0].count, 2);
    }
}
