//! One request while it is answered.

use contracts::Finite;
use contracts::engine_sim::{Lateness, Meant, RequestTruth};

use super::recorder::Recorder;
use crate::reply::Burst;

/// Writes whose lateness is kept for the percentile of one request; mean and maximum cover all of them.
const KEPT: usize = 8192;

/// What is known of a request from the moment it was read.
#[derive(Debug)]
pub(crate) struct Record {
    truth: RequestTruth,
    late_ns: Vec<u64>,
    writes: u64,
    late_sum_ns: u64,
    late_max_ns: u64,
}

impl Record {
    /// A request that was just read.
    pub(crate) fn new(number: u64, received_ns: u64, concurrency: u64) -> Record {
        let truth = RequestTruth {
            number,
            received_ns,
            concurrency,
            stream: false,
            prompt_tokens: 0,
            meant: Meant::HttpStatus,
            first_token_due_ns: None,
            first_token_ns: None,
            last_token_ns: None,
            end_ns: None,
            tokens: 0,
            token_chunks: 0,
            tpot_ms: None,
            lateness: Lateness {
                count: 0,
                mean_ms: None,
                p99_ms: None,
                max_ms: None,
            },
            client_gone: false,
        };
        Record {
            truth,
            late_ns: Vec::new(),
            writes: 0,
            late_sum_ns: 0,
            late_max_ns: 0,
        }
    }

    /// What was asked for and what is meant.
    pub(crate) fn describe(&mut self, stream: bool, prompt_tokens: u64, meant: Meant) {
        self.truth.stream = stream;
        self.truth.prompt_tokens = prompt_tokens;
        self.truth.meant = meant;
    }

    /// When it was received.
    pub(crate) fn received_ns(&self) -> u64 {
        self.truth.received_ns
    }

    /// A write that has just returned.
    pub(crate) fn written(&mut self, burst: &Burst, now_ns: u64, all: &mut Recorder) {
        if burst.tokens == 0 {
            return;
        }
        let late_ns = now_ns.saturating_sub(burst.due_ns);
        self.writes += 1;
        self.late_sum_ns += late_ns;
        self.late_max_ns = self.late_max_ns.max(late_ns);
        if self.late_ns.len() < KEPT {
            self.late_ns.push(late_ns);
        }
        let truth = &mut self.truth;
        let gap_ns = truth.last_token_ns.map(|last| now_ns.saturating_sub(last));
        if truth.first_token_ns.is_none() {
            truth.first_token_due_ns = Some(burst.due_ns);
            truth.first_token_ns = Some(now_ns);
        }
        truth.last_token_ns = Some(now_ns);
        truth.tokens += u64::from(burst.tokens);
        truth.token_chunks += u64::from(burst.chunks);
        all.wrote(u64::from(burst.tokens), late_ns, gap_ns);
    }

    /// The request as it stands.
    pub(super) fn snapshot(&self) -> RequestTruth {
        let mut truth = self.truth.clone();
        let mut late_ns = self.late_ns.clone();
        late_ns.sort_unstable();
        let rank = (late_ns.len() * 99).div_ceil(100).max(1) - 1;
        let ms = |ns: f64| Finite::new(ns / 1e6);
        truth.lateness = Lateness {
            count: self.writes,
            mean_ms: Finite::ratio(self.late_sum_ns as f64 / 1e6, self.writes as f64),
            p99_ms: late_ns.get(rank).and_then(|&ns| ms(ns as f64)),
            max_ms: if self.writes == 0 {
                None
            } else {
                ms(self.late_max_ns as f64)
            },
        };
        truth.tpot_ms = match (truth.first_token_ns, truth.last_token_ns, truth.tokens) {
            (Some(first), Some(last), 2..) if truth.stream => {
                Finite::ratio((last - first) as f64 / 1e6, (truth.tokens - 1) as f64)
            }
            _ => None,
        };
        truth
    }

    /// The request has ended.
    pub(super) fn ended(mut self, now_ns: u64, client_gone: bool) -> RequestTruth {
        self.truth.end_ns = Some(now_ns);
        self.truth.client_gone = client_gone;
        self.snapshot()
    }
}
