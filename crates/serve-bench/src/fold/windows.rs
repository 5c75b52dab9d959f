//! Which part of a run the numbers cover.

use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::RequestRecord;
use contracts::serve_bench::result::{LoadInfo, LoadMode};
use contracts::serve_bench::run::{Window, Windows};
use jiff::{SignedDuration, Timestamp};

/// A part of a run, milliseconds from its epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) start_ms: f64,
    pub(super) end_ms: f64,
}

impl Span {
    pub(super) fn seconds(self) -> f64 {
        (self.end_ms - self.start_ms) / 1000.0
    }

    pub(super) fn contains(self, at_ms: f64) -> bool {
        (self.start_ms..=self.end_ms).contains(&at_ms)
    }
}

/// Arrival of the last token of a request, milliseconds from the epoch of the run; for a request without tokens the
/// moment its outcome was known.
pub(super) fn last_token_ms(record: &RequestRecord) -> f64 {
    let offset = record
        .chunk_offsets_us
        .last()
        .map_or(record.ended_ms.get(), |offset| f64::from(*offset) / 1000.0);
    record.start_ms.get() + offset
}

/// First send to last token of the measured requests. One that failed without a token did no work: how long the client
/// waited for it does not make the others slower. Where no request did any, all count.
pub(super) fn span(measured: &[&RequestRecord]) -> Option<Span> {
    let start_ms = measured
        .iter()
        .map(|record| record.start_ms.get())
        .reduce(f64::min)?;
    let did_work =
        |record: &&&RequestRecord| record.outcome == Outcome::Ok || !record.chunk_offsets_us.is_empty();
    let ends = measured
        .iter()
        .filter(did_work)
        .map(|record| last_token_ms(record));
    let all = || {
        measured
            .iter()
            .map(|record| last_token_ms(record))
            .reduce(f64::max)
    };
    let end_ms = ends.reduce(f64::max).or_else(all)?;
    (end_ms > start_ms).then_some(Span { start_ms, end_ms })
}

/// Longest contiguous time in which at least 95 % of the asked concurrency (open loop: of the peak) was in flight.
pub(super) fn steady(measured: &[&RequestRecord], load: &LoadInfo) -> Option<Span> {
    let mut changes: Vec<(f64, i64)> = measured
        .iter()
        .flat_map(|record| {
            let start = record.start_ms.get();
            [(start, 1), (start + record.ended_ms.get(), -1)]
        })
        .collect();
    // At the same instant starts come first: handing a slot over is no dip.
    changes.sort_by(|left, right| left.0.total_cmp(&right.0).then(right.1.cmp(&left.1)));
    let peak = changes
        .iter()
        .scan(0, |in_flight, (_, change)| {
            *in_flight += change;
            Some(*in_flight)
        })
        .max()?;
    // Conversations are not requests in flight: their users think.
    let asked = load.concurrency.filter(|_| load.mode != LoadMode::Conversations);
    let asked = asked.map_or(peak, i64::from);
    let needed = (0.95 * asked as f64).ceil() as i64;
    let mut best: Option<Span> = None;
    let mut open: Option<f64> = None;
    let mut in_flight = 0;
    for (position, (at, change)) in changes.iter().enumerate() {
        in_flight += change;
        if in_flight >= needed && open.is_none() {
            open = Some(*at);
        }
        // A slot that is refilled within this gap has only been handed over.
        let refilled = changes[position + 1..]
            .iter()
            .take_while(|(next, _)| next - at <= HANDOVER_MS)
            .scan(in_flight, |flying, (_, change)| {
                *flying += change;
                Some(*flying)
            })
            .any(|flying| flying >= needed);
        if in_flight < needed
            && !refilled
            && let Some(start_ms) = open.take()
        {
            let candidate = Span {
                start_ms,
                end_ms: *at,
            };
            if best.is_none_or(|best| candidate.seconds() > best.seconds()) {
                best = Some(candidate);
            }
        }
    }
    best.filter(|span| span.end_ms > span.start_ms)
}

/// Between the end of one request and the start of the next in the same slot.
const HANDOVER_MS: f64 = 5.0;

pub(super) fn windows(full: Option<Span>, steady: Option<Span>, epoch_at: Timestamp) -> Windows {
    let at = |offset_ms: f64| {
        epoch_at
            .checked_add(SignedDuration::from_nanos((offset_ms * 1e6) as i64))
            .unwrap_or(epoch_at)
    };
    let window = |span: Span| Window {
        start_at: at(span.start_ms),
        end_at: at(span.end_ms),
    };
    Windows {
        full: full.map(window),
        steady: steady.map(window),
    }
}

#[cfg(test)]
mod tests {
    use contracts::Finite;

    use super::super::requests::tests::ok_record;
    use super::*;
    use crate::load::closed_loop_info;

    fn request(start_ms: f64, length_ms: f64) -> RequestRecord {
        let mut record = ok_record();
        record.start_ms = Finite::new(start_ms).unwrap();
        record.ended_ms = Finite::new(length_ms).unwrap();
        record.chunk_offsets_us = vec![(length_ms * 1000.0) as u32];
        record
    }

    #[test]
    fn steady_is_between_ramp_and_drain() {
        let records = [
            request(0.0, 100.0),
            request(10.0, 190.0),
            request(100.5, 200.0),
            request(200.5, 300.0),
        ];
        let measured: Vec<&RequestRecord> = records.iter().collect();
        let steady = steady(&measured, &closed_loop_info(2, 0)).unwrap();
        assert_eq!((steady.start_ms, steady.end_ms), (10.0, 300.5));
        let full = span(&measured).unwrap();
        assert_eq!((full.start_ms, full.end_ms), (0.0, 500.5));
    }

    #[test]
    fn a_request_that_timed_out_without_a_token_does_not_lengthen_the_window() {
        let mut hung = request(0.0, 60_000.0);
        hung.outcome = Outcome::Timeout;
        hung.chunk_offsets_us.clear();
        let worked = request(10.0, 100.0);
        assert_eq!(span(&[&hung, &worked]).unwrap().end_ms, 110.0);
        assert_eq!(
            span(&[&hung]).unwrap().end_ms,
            60_000.0,
            "nothing but waiting was done"
        );
        hung.chunk_offsets_us.push(500_000);
        assert_eq!(span(&[&hung, &worked]).unwrap().end_ms, 500.0, "it had a token");
    }

    #[test]
    fn a_concurrency_that_was_never_reached_has_no_steady_window() {
        let record = request(0.0, 100.0);
        assert_eq!(steady(&[&record], &closed_loop_info(4, 0)), None);
    }
}
