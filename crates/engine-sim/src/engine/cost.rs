//! How long one step takes: `max(bytes / bandwidth, FLOPs / peak)` of the forward pass plus the overhead around it.

use super::{Hardware, Model};

/// What one sequence contributes to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// Tokens whose keys and values are computed.
    pub(crate) tokens: u64,
    /// Tokens in the cache after the step.
    pub(crate) context: u64,
}

/// Time on the processor around a forward pass. Fitted, never derived.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Overhead {
    /// Once a scheduler round: choosing the batch.
    pub(crate) round_ns: f64,
    /// Once a step: launching, sampling, handing over the result.
    pub(crate) step_ns: f64,
    /// For every sequence in a step: detokenizing and sending.
    pub(crate) sequence_ns: f64,
    /// For every layer when kernels are launched one by one instead of as a graph.
    pub(crate) layer_ns: f64,
}

/// When kernels are launched as one graph instead of layer by layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Graphs {
    /// Never.
    Off,
    /// In steps that only decode: SGLang.
    Decode,
    /// In all steps: vLLM, whose graphs of mixed steps are piecewise.
    All,
}

/// The step times of one model on one accelerator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) model: Model,
    pub(crate) hardware: Hardware,
    pub(crate) overhead: Overhead,
    /// Bytes of one element of the KV cache.
    pub(crate) kv_element_bytes: u64,
    /// When kernels are launched as a graph.
    pub(crate) graphs: Graphs,
}

impl Cost {
    /// The forward pass alone, in nanoseconds.
    pub(crate) fn forward_ns(&self, parts: &[Part]) -> f64 {
        let active = self.model.active_parameters() as f64;
        let kv = self.model.kv_bytes(self.kv_element_bytes) as f64;
        let heads = (self.model.layers * self.model.heads * self.model.head_size) as f64;
        let (mut bytes, mut operations) = (active * 2.0, 0.0);
        for part in parts {
            let (tokens, context) = (part.tokens as f64, part.context as f64);
            // Every token sees on average the context in the middle of its chunk.
            let seen = context - (tokens - 1.0) / 2.0;
            bytes += kv * context;
            operations += tokens * (2.0 * active + 4.0 * heads * seen);
        }
        1e9 * (bytes / self.hardware.bandwidth).max(operations / self.hardware.peak)
    }

    /// The whole step, in nanoseconds; `begins_round` when the scheduler chose a batch for it.
    pub(crate) fn step_ns(&self, parts: &[Part], begins_round: bool) -> f64 {
        let graph = match self.graphs {
            Graphs::Off => false,
            Graphs::Decode => parts.iter().all(|part| part.tokens == 1),
            Graphs::All => true,
        };
        let launches = if graph { 0.0 } else { self.model.layers as f64 };
        let Overhead {
            round_ns,
            step_ns,
            sequence_ns,
            layer_ns,
        } = self.overhead;
        let round_ns = if begins_round { round_ns } else { 0.0 };
        self.forward_ns(parts) + round_ns + step_ns + sequence_ns * parts.len() as f64 + layer_ns * launches
    }
}
