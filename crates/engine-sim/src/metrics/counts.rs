//! Counters and histograms of one engine since it started.

use super::histogram::Histogram;
use crate::flavor::Flavor;

// Bounds in seconds as the engines' own code declares them (SGLang 0.5.23, vLLM 0.33.0).
const SGLANG_TTFT: &[f64] = &[
    0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 200.0, 400.0,
];
const SGLANG_ITL: &[f64] = &[
    0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.06, 0.08, 0.1, 0.2, 0.4, 0.6,
    0.8, 1.0, 2.0, 4.0, 6.0, 8.0,
];
const SGLANG_E2E: &[f64] = &[
    0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0, 200.0, 400.0,
    600.0, 1200.0, 1800.0, 2400.0,
];
const SGLANG_QUEUE: &[f64] = &[
    0.0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0,
    50.0, 60.0, 70.0, 80.0, 90.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 900.0, 1000.0,
    1200.0, 1400.0, 1600.0, 1800.0, 2000.0, 2500.0, 3000.0,
];
const VLLM_TTFT: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0,
    80.0, 160.0, 640.0, 2560.0,
];
const VLLM_ITL: &[f64] = &[
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
];
const VLLM_REQUEST: &[f64] = &[
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0,
    960.0, 1920.0, 7680.0,
];
const TOKENS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0, 20000.0, 50000.0,
    100000.0,
];
const ITERATION: &[f64] = &[
    1.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0,
];

/// Everything that only grows.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) prompt_tokens: u64,
    pub(crate) cached_tokens: u64,
    pub(crate) generation_tokens: u64,
    pub(crate) finished: u64,
    pub(crate) aborted: u64,
    pub(crate) preempted: u64,
    pub(crate) ttft: Histogram,
    pub(crate) itl: Histogram,
    pub(crate) per_token: Histogram,
    pub(crate) e2e: Histogram,
    pub(crate) queue: Histogram,
    pub(crate) prefill: Histogram,
    pub(crate) decode: Histogram,
    pub(crate) prompt_lengths: Histogram,
    pub(crate) answer_lengths: Histogram,
    pub(crate) step_tokens: Histogram,
}

/// What is true at this moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gauges {
    pub(crate) running: u64,
    pub(crate) waiting: u64,
    pub(crate) kv_used: u64,
    pub(crate) kv_tokens: u64,
    /// Tokens per second over the last interval in which there were any.
    pub(crate) throughput: f64,
    /// Share of cached tokens in the last step that admitted prompts.
    pub(crate) hit_rate: f64,
}

/// One request that has got its last token; times in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Finished {
    pub(crate) prompt: u64,
    pub(crate) answer: u64,
    pub(crate) queue: f64,
    pub(crate) first: f64,
    pub(crate) whole: f64,
}

impl Counts {
    pub(crate) fn new(flavor: Flavor) -> Counts {
        let sglang = flavor == Flavor::Sglang;
        let of = |ours, theirs| Histogram::new(if sglang { ours } else { theirs });
        Counts {
            requests: 0,
            prompt_tokens: 0,
            cached_tokens: 0,
            generation_tokens: 0,
            finished: 0,
            aborted: 0,
            preempted: 0,
            ttft: of(SGLANG_TTFT, VLLM_TTFT),
            itl: of(SGLANG_ITL, VLLM_ITL),
            per_token: of(SGLANG_ITL, VLLM_ITL),
            e2e: of(SGLANG_E2E, VLLM_REQUEST),
            queue: of(SGLANG_QUEUE, VLLM_REQUEST),
            prefill: Histogram::new(VLLM_REQUEST),
            decode: Histogram::new(VLLM_REQUEST),
            prompt_lengths: Histogram::new(TOKENS),
            answer_lengths: Histogram::new(TOKENS),
            step_tokens: Histogram::new(ITERATION),
        }
    }

    /// A request has got its last token.
    pub(crate) fn finish(&mut self, request: Finished) {
        let Finished {
            prompt,
            answer,
            queue,
            first,
            whole,
        } = request;
        self.finished += 1;
        self.e2e.observe(whole);
        self.queue.observe(queue);
        self.prefill.observe((first - queue).max(0.0));
        self.decode.observe((whole - first).max(0.0));
        self.prompt_lengths.observe(prompt as f64);
        self.answer_lengths.observe(answer as f64);
        if answer > 1 {
            self.per_token.observe((whole - first) / (answer - 1) as f64);
        }
    }
}
