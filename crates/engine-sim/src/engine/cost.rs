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

/// Where the time of one step goes, in nanoseconds; nothing overlaps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StepTime {
    /// The accelerator computes.
    pub(crate) forward_ns: f64,
    /// Share of attention in it, 0 to 1.
    pub(crate) attention: f64,
    /// Choosing a batch.
    pub(crate) round_ns: f64,
    /// Preparing the step and handing over its result.
    pub(crate) step_ns: f64,
    /// Detokenizing and sending.
    pub(crate) sequences_ns: f64,
    /// Launching kernels one by one.
    pub(crate) launches_ns: f64,
}

impl StepTime {
    /// The whole step.
    pub(crate) fn total_ns(&self) -> f64 {
        self.forward_ns + self.round_ns + self.step_ns + self.sequences_ns + self.launches_ns
    }
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
    /// The forward pass in nanoseconds, and the share of attention in what bounds it.
    fn forward(&self, parts: &[Part]) -> (f64, f64) {
        let active = self.model.active_parameters() as f64;
        let kv = self.model.kv_bytes(self.kv_element_bytes) as f64;
        let heads = (self.model.layers * self.model.heads * self.model.head_size) as f64;
        let (mut bytes, mut operations) = (active * 2.0, 0.0);
        let (mut cache_bytes, mut attention_operations) = (0.0, 0.0);
        for part in parts {
            let (tokens, context) = (part.tokens as f64, part.context as f64);
            // Every token sees on average the context in the middle of its chunk.
            let seen = context - (tokens - 1.0) / 2.0;
            bytes += kv * context;
            operations += tokens * (2.0 * active + 4.0 * heads * seen);
            cache_bytes += kv * context;
            attention_operations += tokens * 4.0 * heads * seen;
        }
        let (memory, arithmetic) = (bytes / self.hardware.bandwidth, operations / self.hardware.peak);
        let attention = if memory >= arithmetic {
            cache_bytes / bytes
        } else {
            attention_operations / operations
        };
        (1e9 * memory.max(arithmetic), attention)
    }

    /// Whether the kernels of a step are launched as a graph.
    pub(crate) fn is_graph(&self, parts: &[Part]) -> bool {
        match self.graphs {
            Graphs::Off => false,
            Graphs::Decode => parts.iter().all(|part| part.tokens == 1),
            Graphs::All => true,
        }
    }

    /// Where the time of a whole step goes; `begins_round` when the scheduler chose a batch for it.
    pub(crate) fn step_time(&self, parts: &[Part], begins_round: bool) -> StepTime {
        let launches = if self.is_graph(parts) {
            0.0
        } else {
            self.model.layers as f64
        };
        let Overhead {
            round_ns,
            step_ns,
            sequence_ns,
            layer_ns,
        } = self.overhead;
        let (forward_ns, attention) = self.forward(parts);
        StepTime {
            forward_ns,
            attention,
            round_ns: if begins_round { round_ns } else { 0.0 },
            step_ns,
            sequences_ns: sequence_ns * parts.len() as f64,
            launches_ns: layer_ns * launches,
        }
    }
}
