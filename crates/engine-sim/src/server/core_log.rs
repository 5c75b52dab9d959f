//! The lines that the engines print while they serve.

use super::core::Core;
use crate::engine::Step;

/// Decode steps between two log lines, as SGLang's `decode_log_interval`.
const LOG_STEPS: u64 = 40;
/// Time between two log lines of vLLM.
const LOG_NS: u64 = 10_000_000_000;
impl Core {
    pub(super) fn log_sglang(&mut self, step: &Step, due_ns: u64) {
        let gauges = self.gauges();
        let usage = gauges.kv_used as f64 / gauges.kv_tokens.max(1) as f64;
        let (running, queue) = (gauges.running, gauges.waiting);
        if step.prefill_tokens > 0 {
            self.log.line(&format!(
                "Prefill batch, #new-seq: {}, #new-token: {}, #cached-token: {}, token usage: {usage:.2}, \
                 #running-req: {}, #queue-req: {queue}, ",
                step.admitted.len(),
                step.prefill_tokens,
                step.cached_tokens,
                step.decodes,
            ));
        }
        if step.decodes > 0 {
            self.decode_steps += 1;
            if self.decode_steps.is_multiple_of(LOG_STEPS) {
                self.close_window(due_ns);
                self.log.line(&format!(
                    "Decode batch, #running-req: {running}, #token: {}, token usage: {usage:.2}, cuda graph: True, \
                     gen throughput (token/s): {:.2}, #queue-req: {queue}, ",
                    gauges.kv_used, self.throughput,
                ));
            }
        }
    }

    pub(super) fn log_vllm(&mut self, due_ns: u64) {
        if due_ns.saturating_sub(self.window.from_ns) < LOG_NS {
            return;
        }
        let prompt = self.window.prompt as f64 / (due_ns - self.window.from_ns) as f64 * 1e9;
        self.close_window(due_ns);
        let gauges = self.gauges();
        let usage = 100.0 * gauges.kv_used as f64 / gauges.kv_tokens.max(1) as f64;
        let hits = 100.0 * self.counts.cached_tokens as f64 / self.counts.prompt_tokens.max(1) as f64;
        self.log.line(&format!(
            "[loggers.py:1] Engine 000: Avg prompt throughput: {prompt:.1} tokens/s, Avg generation throughput: \
             {:.1} tokens/s, Running: {} reqs, Waiting: {} reqs, GPU KV cache usage: {usage:.1}%, Prefix cache hit \
             rate: {hits:.1}%",
            self.throughput, gauges.running, gauges.waiting,
        ));
    }
}
