//! The arithmetic from an observation to a record: the definitions of ttft, tpot and their kin stand here once.

use std::time::{Duration, Instant};

use contracts::Finite;
use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::{Phase, RequestRecord};
use contracts::serve_bench::workload::Turn;

use crate::observation::Observation;

/// What the sender knows of a request and the socket does not.
#[derive(Clone, Copy, Debug)]
pub struct RecordContext {
    /// Number of the run.
    pub run: u32,
    /// Number of the request in the workload.
    pub index: u64,
    /// Its place in a conversation.
    pub turn: Option<Turn>,
    /// Whether it counts.
    pub phase: Phase,
    /// Start of the run.
    pub epoch: Instant,
    /// When it should have been sent; `None` in a closed loop.
    pub scheduled: Option<Instant>,
    /// How long it waited for a free slot; `None` without a cap.
    pub queued: Option<Duration>,
    /// Tokens asked for.
    pub requested_output_tokens: Option<u64>,
}

impl Observation {
    /// The record of this request.
    pub fn into_record(self, context: RecordContext) -> RequestRecord {
        let is_ok = self.outcome == Outcome::Ok;
        RequestRecord {
            run: context.run,
            index: context.index,
            turn: context.turn,
            phase: context.phase,
            outcome: self.outcome,
            tpot_ms: tpot_ms(&self),
            error: self.error,
            http_status: self.http_status,
            retry_after_s: self.retry_after_s,
            finish_reason: self.finish_reason,
            scheduled_ms: context
                .scheduled
                .map(|scheduled| difference_ms(scheduled, context.epoch)),
            start_ms: difference_ms(self.start, context.epoch),
            send_delay_ms: context
                .scheduled
                .map(|scheduled| difference_ms(self.start, scheduled)),
            queue_ms: context.queued.map(|queued| finite(queued.as_secs_f64() * 1e3)),
            connect_ms: self.connect_ns.map(ms),
            request_sent_ms: self.request_sent_ns.map(ms),
            headers_ms: self.headers_ns.map(ms),
            ttft_ms: self.first_token_ns.map(ms),
            ttfo_ms: self.first_answer_ns.map(ms),
            e2e_latency_ms: self.last_token_ns.filter(|_| is_ok).map(ms),
            ended_ms: ms(self.ended_ns),
            chunk_offsets_us: self.chunk_offsets_us,
            chunk_tokens: self.chunk_tokens,
            same_read_chunks: self.same_read_chunks,
            skipped_events: self.skipped_events,
            input_tokens: self.input_tokens,
            output_tokens: self.output_tokens,
            cached_tokens: self.cached_tokens,
            reasoning_tokens: self.reasoning_tokens,
            token_source: self.token_source,
            requested_output_tokens: context.requested_output_tokens,
            server_timings: self.server_timings,
        }
    }
}

/// (last token chunk - first token chunk) / (output tokens - 1).
fn tpot_ms(observation: &Observation) -> Option<Finite> {
    let tokens = observation.output_tokens.filter(|tokens| *tokens >= 2)?;
    let span_ns = observation
        .last_token_ns?
        .checked_sub(observation.first_token_ns?)?;
    #[expect(clippy::cast_precision_loss, reason = "spans and counts lie far below 2^53")]
    Finite::ratio(span_ns as f64 / 1e6, (tokens - 1) as f64)
}

fn ms(ns: u64) -> Finite {
    #[expect(clippy::cast_precision_loss, reason = "2^53 ns are 104 days")]
    finite(ns as f64 / 1e6)
}

fn difference_ms(later: Instant, earlier: Instant) -> Finite {
    let seconds = match later.checked_duration_since(earlier) {
        Some(after) => after.as_secs_f64(),
        None => -earlier.duration_since(later).as_secs_f64(),
    };
    finite(seconds * 1e3)
}

fn finite(value: f64) -> Finite {
    Finite::new(value).expect("a duration is finite")
}

#[cfg(test)]
mod tests {
    use contracts::serve_bench::record::TokenSource;

    use super::*;

    fn observation(start: Instant) -> Observation {
        Observation {
            first_token_ns: Some(50_000_000),
            last_token_ns: Some(1_010_000_000),
            ended_ns: 1_011_000_000,
            output_tokens: Some(100),
            token_source: TokenSource::Usage,
            outcome: Outcome::Ok,
            ..Observation::new(start)
        }
    }

    fn context(epoch: Instant) -> RecordContext {
        RecordContext {
            run: 0,
            index: 3,
            turn: None,
            phase: Phase::Measured,
            epoch,
            scheduled: None,
            queued: None,
            requested_output_tokens: Some(100),
        }
    }

    fn value(field: Option<Finite>) -> f64 {
        field.unwrap().get()
    }

    #[test]
    fn four_tokens_a_chunk_forty_ms_apart() {
        // 25 chunks of 4 tokens: 24 gaps of 40 ms, divided over 99 tokens.
        let start = Instant::now();
        let record = observation(start).into_record(context(start));
        assert_eq!(value(record.ttft_ms), 50.0);
        assert!((value(record.tpot_ms) - 960.0 / 99.0).abs() < 1e-6);
        assert_eq!(value(record.e2e_latency_ms), 1010.0);
        assert_eq!(record.ended_ms.get(), 1011.0);
    }

    #[test]
    fn tpot_needs_two_tokens_and_e2e_needs_success() {
        let start = Instant::now();
        let one = Observation {
            output_tokens: Some(1),
            ..observation(start)
        };
        assert_eq!(one.into_record(context(start)).tpot_ms, None);
        let failed = Observation {
            outcome: Outcome::Truncated,
            ..observation(start)
        };
        assert_eq!(failed.into_record(context(start)).e2e_latency_ms, None);
    }

    #[test]
    fn an_open_loop_knows_its_delay() {
        let epoch = Instant::now();
        let scheduled = epoch + Duration::from_millis(20);
        let start = epoch + Duration::from_millis(25);
        let context = RecordContext {
            scheduled: Some(scheduled),
            queued: Some(Duration::from_millis(4)),
            ..context(epoch)
        };
        let record = observation(start).into_record(context);
        assert_eq!(value(record.scheduled_ms), 20.0);
        assert_eq!(record.start_ms.get(), 25.0);
        assert_eq!(value(record.send_delay_ms), 5.0);
        assert_eq!(value(record.queue_ms), 4.0);
        let early = observation(epoch).into_record(RecordContext {
            scheduled: Some(scheduled),
            ..context
        });
        assert_eq!(value(early.send_delay_ms), -20.0);
    }
}
