//! An answer whose tokens come from the engine, step by step.

use contracts::engine_sim::Ending;

use crate::http::{Answer, LAST_CHUNK, event_stream_head};
use crate::reply::{Burst, Close, Events, Framing, Plan, Shape};

/// One request of the engine.
#[derive(Debug)]
pub(crate) struct Live {
    /// Number of the job.
    pub(super) id: u64,
    pub(super) received_ns: u64,
    pub(super) admitted_ns: Option<u64>,
    pub(super) first_ns: Option<u64>,
    pub(super) last_ns: u64,
    plan: Plan,
    shape: Shape,
    framing: Framing,
    stream: bool,
}

impl Live {
    /// A request that was just submitted; the head of a stream goes into `out`.
    pub(super) fn new(
        id: u64,
        received_ns: u64,
        plan: Plan,
        shape: Shape,
        framing: Framing,
        stream: bool,
        out: &mut Vec<u8>,
    ) -> Live {
        debug_assert_eq!(plan.ending, Ending::Complete);
        if stream {
            event_stream_head(out, framing.chunked, framing.keep_alive);
        }
        Live {
            id,
            received_ns,
            admitted_ns: None,
            first_ns: None,
            last_ns: received_ns,
            plan,
            shape,
            framing,
            stream,
        }
    }

    /// Tokens of prompt and answer.
    pub(super) fn tokens(&self) -> (u64, u64) {
        (self.plan.prompt_tokens, u64::from(self.plan.tokens))
    }

    /// Reports this many prompt tokens as cached.
    pub(super) fn cached(&mut self, tokens: u64) {
        self.plan.cached_tokens = Some(u32::try_from(tokens).unwrap_or(u32::MAX));
    }

    /// Appends the next token, or nothing before the last one where the answer is one body.
    pub(super) fn token(&mut self, due_ns: u64, last: bool, events: &mut Events, out: &mut Vec<u8>) -> Burst {
        let mut burst = Burst {
            due_ns,
            tokens: 1,
            chunks: 1,
            close: last.then_some(Close::Keep),
        };
        if !self.stream {
            burst.tokens = 0;
            if last {
                burst.tokens = self.plan.tokens;
                Answer::json(200, &self.shape.whole(&self.plan)).write(out, self.framing.keep_alive);
            }
            return burst;
        }
        events.clear();
        self.shape.role(&self.plan, &mut events.bytes);
        events.mark();
        self.shape.tokens(&self.plan, 1, &mut events.bytes);
        events.mark();
        if last {
            self.shape.ending(&self.plan, &mut events.bytes);
            events.mark();
        }
        events.frame(self.framing.chunked, out);
        if last && self.framing.chunked {
            out.extend_from_slice(LAST_CHUNK);
        } else if last {
            burst.close = Some(Close::Shut);
        }
        burst
    }
}
