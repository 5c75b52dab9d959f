//! All requests since the start or the last reset.

use std::collections::VecDeque;

use contracts::Distribution;
use contracts::engine_sim::{RequestTruth, TRUTH_SCHEMA, Truth};

use super::record::Record;
use super::spread::Spread;

/// Requests that are kept; older ones only count in the totals.
const KEPT: usize = 50_000;

/// Totals and the most recent requests.
#[derive(Debug)]
pub(crate) struct Recorder {
    requests: u64,
    dropped: u64,
    tokens: u64,
    connections: u64,
    in_flight: u64,
    concurrency_max: u64,
    late: Spread,
    gaps: Spread,
    ttft: Spread,
    ended: VecDeque<RequestTruth>,
}

impl Recorder {
    pub(crate) fn new() -> Recorder {
        Recorder {
            requests: 0,
            dropped: 0,
            tokens: 0,
            connections: 0,
            in_flight: 0,
            concurrency_max: 0,
            late: Spread::new(),
            gaps: Spread::new(),
            ttft: Spread::new(),
            ended: VecDeque::new(),
        }
    }

    /// Forgets everything but the requests in flight.
    pub(crate) fn reset(&mut self) {
        *self = Recorder {
            in_flight: self.in_flight,
            ..Recorder::new()
        };
    }

    /// Counts an accepted connection.
    pub(crate) fn connected(&mut self) {
        self.connections += 1;
    }

    /// Begins the record of the next request, numbered from 1.
    pub(crate) fn received(&mut self, now_ns: u64) -> Record {
        self.requests += 1;
        self.in_flight += 1;
        self.concurrency_max = self.concurrency_max.max(self.in_flight);
        Record::new(self.requests, now_ns, self.in_flight)
    }

    /// Number of the request that was received last.
    pub(crate) fn number(&self) -> u64 {
        self.requests
    }

    /// Requests in flight.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// A write of tokens.
    pub(super) fn wrote(&mut self, tokens: u64, late_ns: u64, gap_ns: Option<u64>) {
        self.tokens += tokens;
        self.late.add(late_ns);
        if let Some(gap_ns) = gap_ns {
            self.gaps.add(gap_ns);
        }
    }

    /// Ends a record.
    pub(crate) fn ended(&mut self, record: Record, now_ns: u64, client_gone: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let truth = record.ended(now_ns, client_gone);
        if let Some(first_ns) = truth.first_token_ns {
            self.ttft.add(first_ns.saturating_sub(truth.received_ns));
        }
        if self.ended.len() == KEPT {
            self.ended.pop_front();
            self.dropped += 1;
        }
        self.ended.push_back(truth);
    }

    /// Everything, with the requests in flight as they stand.
    pub(crate) fn truth<'a>(&self, in_flight: impl Iterator<Item = &'a Record>) -> Truth {
        let mut requests: Vec<RequestTruth> = self.ended.iter().cloned().collect();
        requests.extend(in_flight.map(Record::snapshot));
        requests.sort_by_key(|request| request.number);
        Truth {
            schema: TRUTH_SCHEMA.to_owned(),
            simulated: true,
            requests_total: self.requests,
            requests_dropped: self.dropped,
            tokens_total: self.tokens,
            connections_total: self.connections,
            concurrency_max: self.concurrency_max,
            lateness: self.late.lateness(),
            ttft_ms: if self.ended.is_empty() {
                Distribution::EMPTY
            } else {
                self.ttft.distribution_ms()
            },
            write_gap_ms: self.gaps.distribution_ms(),
            requests,
        }
    }
}
