//! What spans told so far: times of whole requests, and time of requests in each stage.

use std::collections::{HashMap, HashSet};

use super::protobuf::Malformed;
use super::span::{QUANTITIES, Span, each};

/// Most spans that are kept; more are counted only. SGLang writes one for every step of every request at its finest level.
const MOST_SPANS: usize = 2_000_000;
/// Most names of stages.
const MOST_STAGES: usize = 64;
/// Longest name of a stage.
const LONGEST_STAGE: usize = 40;

/// Times of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) end_ns: u64,
    /// In the order of [`QUANTITIES`].
    pub(super) values: [Option<f64>; QUANTITIES.len()],
}

/// Time of one request in one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Stage {
    pub(super) total_ns: u64,
    /// End of its last span.
    pub(super) end_ns: u64,
}

/// Everything that was received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(super) requests: Vec<Request>,
    /// Names of stages as first seen; `stages` has their places.
    pub(super) names: Vec<String>,
    pub(super) stages: HashMap<(u128, usize), Stage>,
    /// Exporters send again what was not answered in time.
    seen: HashSet<u64>,
    /// Spans, of whatever kind.
    pub(crate) spans: u64,
    /// Spans that found no room.
    pub(crate) dropped: u64,
    /// Requests of the exporter that were no OTLP.
    pub(crate) malformed: u64,
}

impl Ledger {
    /// Takes one trace request, whole or not at all.
    ///
    /// # Errors
    /// When the bytes are no such request.
    pub(crate) fn take(&mut self, request: &[u8]) -> Result<(), Malformed> {
        if each(request, |_| {}).is_err() {
            self.malformed += 1;
            return Err(Malformed);
        }
        each(request, |span| self.add(&span))
    }

    fn add(&mut self, span: &Span<'_>) {
        let is_request = span.is_request();
        let stage = if is_request { None } else { stage_name(span.name) };
        let id = span.span_id.try_into().map(u64::from_le_bytes);
        if let Ok(id) = id
            && self.seen.contains(&id)
        {
            return;
        }
        self.spans += 1;
        if !is_request && stage.is_none() {
            return;
        }
        if self.seen.len() >= MOST_SPANS
            || self.requests.len() >= MOST_SPANS
            || self.stages.len() >= MOST_SPANS
        {
            self.dropped += 1;
            return;
        }
        self.seen.extend(id);
        if is_request {
            self.requests.push(Request {
                end_ns: span.end_ns,
                values: span.values,
            });
        } else if let Some(name) = stage {
            self.add_stage(name, span);
        }
    }

    fn add_stage(&mut self, name: &str, span: &Span<'_>) {
        let trace = span.trace_id.try_into().map_or(0, u128::from_le_bytes);
        let known = self.names.iter().position(|known| known == name);
        let place = match known {
            Some(place) => place,
            None if self.names.len() < MOST_STAGES => {
                self.names.push(name.to_owned());
                self.names.len() - 1
            }
            None => {
                self.dropped += 1;
                return;
            }
        };
        let stage = self.stages.entry((trace, place)).or_default();
        let took = span.end_ns.saturating_sub(span.start_ns);
        stage.total_ns = stage.total_ns.saturating_add(took);
        stage.end_ns = stage.end_ns.max(span.end_ns);
    }
}

/// The name of a stage. SGLang's are in snake case; its requests and threads (`Req 1a2b`, `Scheduler [TP 0]`) and the spans
/// of web frameworks (`GET /health`) are not.
fn stage_name(name: &[u8]) -> Option<&str> {
    let is_word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    let is_stage =
        (1..=LONGEST_STAGE).contains(&name.len()) && name[0].is_ascii_lowercase() && name.iter().all(is_word);
    is_stage.then(|| std::str::from_utf8(name).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::span::tests::request;
    use super::*;

    #[test]
    fn a_span_that_is_sent_again_counts_once() {
        let mut ledger = Ledger::default();
        let bytes = request(1, 2, "llm_request", (5, 9), &[("gen_ai.latency.e2e", 0.5)]);
        ledger.take(&bytes).unwrap();
        ledger.take(&bytes).unwrap();
        assert_eq!((ledger.spans, ledger.requests.len()), (1, 1));
    }

    #[test]
    fn time_in_a_stage_adds_up_by_request() {
        let mut ledger = Ledger::default();
        for (trace, id, name, span) in [
            (1, 1, "decode_loop", (0, 10)),
            (1, 2, "decode_loop", (10, 15)),
            (2, 3, "decode_loop", (0, 7)),
            (2, 4, "Req 1a2b", (0, 7)),
            (2, 5, "GET /health", (0, 7)),
            // A clock that was set back.
            (2, 6, "tokenize", (9, 7)),
        ] {
            ledger.take(&request(trace, id, name, span, &[])).unwrap();
        }
        assert_eq!(ledger.names, ["decode_loop", "tokenize"]);
        let one = ledger.stages[&(u128::from_le_bytes([1; 16]), 0)];
        assert_eq!((one.total_ns, one.end_ns), (15, 15));
        assert_eq!(ledger.stages[&(u128::from_le_bytes([2; 16]), 1)].total_ns, 0);
        assert_eq!(ledger.spans, 6);
    }

    #[test]
    fn damage_takes_nothing() {
        let mut ledger = Ledger::default();
        let mut bytes = request(1, 2, "llm_request", (5, 9), &[("gen_ai.latency.e2e", 0.5)]);
        bytes.extend([0x0a, 9, 1]);
        assert_eq!(ledger.take(&bytes), Err(Malformed));
        assert_eq!((ledger.requests.len(), ledger.malformed), (0, 1));
    }

    #[test]
    fn names_of_stages_are_bounded() {
        let mut ledger = Ledger::default();
        for id in 0..70_u8 {
            ledger
                .take(&request(1, id + 1, &format!("stage_{id}"), (0, 1), &[]))
                .unwrap();
        }
        assert_eq!((ledger.names.len(), ledger.dropped), (MOST_STAGES, 6));
    }
}
