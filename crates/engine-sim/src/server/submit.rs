//! Handing a request to the engine.

use contracts::engine_sim::Reply;

use super::connection::Work;
use super::live::Live;
use super::serve::Server;
use crate::api::Ask;
use crate::engine::Job;
use crate::reply::{Framing, Shape, answer_ids, resolve};
use crate::truth::Record;

impl Server {
    /// Queues a request that was admitted, and begins a step if the engine is idle.
    pub(super) fn submit(&mut self, key: usize, framing: Framing, ask: &Ask, mut record: Record) {
        let received_ns = record.received_ns();
        let left = self
            .setup
            .served
            .context_tokens
            .saturating_sub(ask.prompt.len() as u64);
        let mut plan = resolve(&Reply::default(), ask);
        plan.tokens = plan.tokens.min(u32::try_from(left).unwrap_or(u32::MAX)).max(1);
        plan.tool_call_from = plan.tokens;
        let identity = self.setup.served.identity;
        let number = self.recorder.number();
        let shape = Shape::new(
            ask.chat,
            identity,
            &self.setup.served.model,
            number,
            self.clock.unix_s(),
            &plan,
        );
        record.describe(ask.stream, plan.prompt_tokens, plan.meant);
        let tokens = plan.tokens;
        let (Some(core), Some(connection)) = (&mut self.core, self.connections.get_mut(key)) else {
            return;
        };
        let id = core.register(key);
        let live = Live::new(
            id,
            received_ns,
            plan,
            shape,
            framing,
            ask.stream,
            connection.out(),
        );
        connection.work = Work::Live {
            live: Box::new(live),
            record,
        };
        core.counts.requests += 1;
        core.counts.prompt_tokens += ask.prompt.len() as u64;
        // An empty prompt still has the token that begins every text.
        let prompt = if ask.prompt.is_empty() {
            vec![0]
        } else {
            ask.prompt.clone()
        };
        core.scheduler.submit(Job {
            id,
            prompt,
            answer: answer_ids(),
            tokens,
        });
        if !self.flushes(key) {
            self.gone(key);
            return;
        }
        self.begin_step(received_ns);
    }
}
