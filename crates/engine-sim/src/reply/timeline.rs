//! A scripted answer in time: which bytes are due when.
//!
//! ```text
//! request        ttft          ttft+itl·n      …            last token
//!   |head,role?    |role?,tokens   |tokens                     |tokens,finish,usage,[DONE]
//!   |    :ping  :ping   :ping
//! ```
//! Deadlines count from the request, never from the previous write, so lateness does not add up.

use contracts::engine_sim::{Ending, RoleChunk, Split};

use super::burst::Events;
use super::{Burst, Close, Framing, Plan, Shape};
use crate::http::{Answer, LAST_CHUNK, event_stream_head};

/// The answer to one request.
#[derive(Debug)]
pub(crate) struct Timeline {
    received_ns: u64,
    framing: Framing,
    what: What,
    events: Events,
}

#[derive(Debug)]
enum What {
    /// One write of bytes that are known from the start.
    Whole {
        due_ns: u64,
        bytes: Vec<u8>,
        burst: Burst,
    },
    Events(Box<Paced>),
    Ended,
}

#[derive(Debug)]
struct Paced {
    plan: Plan,
    shape: Shape,
    /// The second part of a torn write.
    half: Option<(Vec<u8>, Burst)>,
    keep_alive_due_ns: Option<u64>,
}

impl Timeline {
    /// An answer in events. What is sent at once goes into `out`.
    pub(crate) fn events(
        received_ns: u64,
        framing: Framing,
        plan: Plan,
        mut shape: Shape,
        out: &mut Vec<u8>,
    ) -> Timeline {
        event_stream_head(out, framing.chunked, framing.keep_alive);
        let mut events = Events::default();
        if plan.role_chunk == RoleChunk::AtOnce {
            shape.role(&plan, &mut events.bytes);
            events.mark();
            events.frame(framing.chunked, out);
        }
        let keep_alive_due_ns = plan.keep_alive.map(|(_, every_ns)| received_ns + every_ns);
        let paced = Paced {
            plan,
            shape,
            half: None,
            keep_alive_due_ns,
        };
        Timeline {
            received_ns,
            framing,
            what: What::Events(Box::new(paced)),
            events,
        }
    }

    /// An answer in one body, complete when its last token would have been.
    pub(crate) fn body(received_ns: u64, framing: Framing, plan: &Plan, mut shape: Shape) -> Timeline {
        let answer = Answer::json(200, &shape.whole(plan));
        let mut bytes = Vec::new();
        answer.write(&mut bytes, framing.keep_alive);
        let close = match plan.ending {
            Ending::Cut | Ending::Reset => {
                bytes.truncate(bytes.len() - answer.body.len() / 2);
                if plan.ending == Ending::Cut {
                    Close::Shut
                } else {
                    Close::Reset
                }
            }
            Ending::Hang => {
                bytes.clear();
                Close::Hang
            }
            _ => Close::Keep,
        };
        let due_ns = received_ns + plan.due_ns(plan.tokens.saturating_sub(1));
        let burst = Burst {
            due_ns,
            tokens: plan.tokens,
            chunks: 1,
            close: Some(close),
        };
        Timeline {
            received_ns,
            framing,
            what: What::Whole { due_ns, bytes, burst },
            events: Events::default(),
        }
    }

    /// An answer without tokens.
    pub(crate) fn refusal(received_ns: u64, framing: Framing, delay_ns: u64, answer: &Answer) -> Timeline {
        let mut bytes = Vec::new();
        answer.write(&mut bytes, framing.keep_alive);
        let due_ns = received_ns + delay_ns;
        let burst = Burst {
            due_ns,
            tokens: 0,
            chunks: 0,
            close: Some(Close::Keep),
        };
        Timeline {
            received_ns,
            framing,
            what: What::Whole { due_ns, bytes, burst },
            events: Events::default(),
        }
    }

    /// When the next write is due; `None` when nothing more comes.
    pub(crate) fn due_ns(&self) -> Option<u64> {
        match &self.what {
            What::Whole { due_ns, .. } => Some(*due_ns),
            What::Ended => None,
            What::Events(paced) => match &paced.half {
                Some((_, burst)) => Some(burst.due_ns),
                None => Some(
                    paced
                        .token_due_ns(self.received_ns)
                        .min(paced.keep_alive_due_ns.unwrap_or(u64::MAX)),
                ),
            },
        }
    }

    /// Appends the next write.
    pub(crate) fn emit(&mut self, out: &mut Vec<u8>) -> Option<Burst> {
        let burst = match &mut self.what {
            What::Ended => return None,
            What::Whole { bytes, burst, .. } => {
                out.append(bytes);
                *burst
            }
            What::Events(paced) => paced.emit(self.received_ns, self.framing, &mut self.events, out),
        };
        if burst.close.is_some() {
            self.what = What::Ended;
        }
        Some(burst)
    }
}

impl Paced {
    fn token_due_ns(&self, received_ns: u64) -> u64 {
        received_ns.saturating_add(self.plan.due_ns(self.shape.sent()))
    }

    fn emit(&mut self, received_ns: u64, framing: Framing, events: &mut Events, out: &mut Vec<u8>) -> Burst {
        if let Some((mut bytes, burst)) = self.half.take() {
            out.append(&mut bytes);
            return burst;
        }
        events.clear();
        let token_due_ns = self.token_due_ns(received_ns);
        if let (Some(due_ns), Some((kind, every_ns))) = (self.keep_alive_due_ns, self.plan.keep_alive)
            && due_ns < token_due_ns
        {
            self.shape.keep_alive(&self.plan, kind, &mut events.bytes);
            events.mark();
            events.frame(framing.chunked, out);
            self.keep_alive_due_ns = Some(due_ns + every_ns);
            return Burst {
                due_ns,
                tokens: 0,
                chunks: 0,
                close: None,
            };
        }
        self.write(token_due_ns, framing, events, out)
    }

    /// One write of tokens, with whatever follows the last one.
    fn write(&mut self, due_ns: u64, framing: Framing, events: &mut Events, out: &mut Vec<u8>) -> Burst {
        let mut burst = Burst {
            due_ns,
            tokens: 0,
            chunks: 0,
            close: None,
        };
        if self.shape.sent() < self.plan.tokens {
            self.shape.role(&self.plan, &mut events.bytes);
            events.mark();
        }
        let tokens_from = events.bytes.len();
        let mut first_event_end = tokens_from;
        while burst.chunks < self.plan.events_per_write && self.shape.sent() < self.plan.tokens {
            let count = self
                .plan
                .tokens_per_chunk
                .min(self.plan.tokens - self.shape.sent());
            self.shape.tokens(&self.plan, count, &mut events.bytes);
            events.mark();
            burst.tokens += count;
            burst.chunks += 1;
            if burst.chunks == 1 {
                first_event_end = events.bytes.len();
            }
        }
        let last = self.shape.sent() >= self.plan.tokens;
        let mut tail = Vec::new();
        if last {
            burst.close = Some(self.end(framing, events, &mut tail));
        }
        let torn_at = match self.plan.split {
            Some((Split::EventEnd, _)) if burst.chunks > 0 => Some(first_event_end - 1),
            Some((Split::Utf8, _)) if burst.chunks > 0 => {
                let text = &events.bytes[tokens_from..first_event_end];
                text.iter()
                    .position(|byte| !byte.is_ascii())
                    .map(|at| tokens_from + at + 1)
            }
            _ => None,
        };
        let (Some(at), Some((_, gap_ns))) = (torn_at, self.plan.split) else {
            events.frame(framing.chunked, out);
            out.append(&mut tail);
            return burst;
        };
        let mut second = Vec::new();
        events.frame_torn(framing.chunked, at, out, &mut second);
        second.append(&mut tail);
        self.half = Some((
            second,
            Burst {
                due_ns: due_ns + gap_ns,
                ..burst
            },
        ));
        Burst {
            due_ns,
            tokens: 0,
            chunks: 0,
            close: None,
        }
    }

    /// What comes after the last token: events, bytes outside of any event, and the fate of the connection.
    fn end(&mut self, framing: Framing, events: &mut Events, tail: &mut Vec<u8>) -> Close {
        match self.plan.ending {
            Ending::Hang => return Close::Hang,
            Ending::Cut | Ending::Reset => {
                let mut event = Vec::new();
                let mut framed = Vec::new();
                self.shape.tokens(&self.plan, 1, &mut event);
                crate::http::push_chunk(&mut framed, framing.chunked, &event);
                tail.extend_from_slice(&framed[..framed.len() / 2]);
                return if self.plan.ending == Ending::Cut {
                    Close::Shut
                } else {
                    Close::Reset
                };
            }
            _ => {}
        }
        let from = events.bytes.len();
        self.shape.ending(&self.plan, &mut events.bytes);
        if events.bytes.len() > from {
            events.mark();
        }
        if framing.chunked {
            tail.extend_from_slice(LAST_CHUNK);
            return Close::Keep;
        }
        Close::Shut
    }
}
