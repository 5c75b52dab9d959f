//! Where the memory of the accelerator goes, by the rules of either engine.

use crate::SimError;
use crate::engine::{Hardware, Model};

/// What driver, runtime and communicator take before a model is loaded.
const CONTEXT_BYTES: u64 = 600 << 20;
/// What SGLang needs beside its static memory to capture graphs and to run: fitted to nothing, a round number.
const SGLANG_DYNAMIC_BYTES: u64 = 1536 << 20;
/// What vLLM's profile run finds as its peak of activations: a round number as well.
const VLLM_ACTIVATION_BYTES: u64 = 1536 << 20;

/// Who gets how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Memory {
    /// Free before the model is loaded.
    pub(crate) before: u64,
    /// Weights.
    pub(crate) weights: u64,
    /// KV cache.
    pub(crate) kv: u64,
    /// Graphs.
    pub(crate) graphs: u64,
}

impl Memory {
    /// Free after everything.
    pub(crate) fn after(&self) -> u64 {
        self.before.saturating_sub(self.weights + self.kv + self.graphs)
    }
}

/// Bytes as the GiB that engines print.
pub(crate) fn gib(bytes: u64) -> f64 {
    bytes as f64 / (1u64 << 30) as f64
}

fn out_of_memory(hardware: &Hardware, wanted: u64, free: u64) -> SimError {
    let line = format!(
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {:.2} GiB. GPU 0 has a total capacity of \
         {:.2} GiB of which {:.2} GiB is free.",
        gib(wanted),
        gib(hardware.memory_bytes),
        gib(free),
    );
    SimError::OutOfMemory { line }
}

fn load(hardware: &Hardware, model: &Model) -> Result<Memory, SimError> {
    let before = hardware.memory_bytes - CONTEXT_BYTES;
    let weights = model.weight_bytes();
    if weights > before {
        return Err(out_of_memory(hardware, weights, before));
    }
    Ok(Memory {
        before,
        weights,
        kv: 0,
        graphs: 0,
    })
}

/// SGLang: `fraction` of what was free before loading is for weights and KV cache.
pub(super) fn sglang(
    hardware: &Hardware,
    model: &Model,
    fraction: f64,
    graphs: bool,
) -> Result<Memory, SimError> {
    let mut memory = load(hardware, model)?;
    let rest = memory.before as f64 * fraction - memory.weights as f64;
    if rest <= 0.0 {
        let line =
            "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.".to_owned();
        return Err(SimError::OutOfMemory { line });
    }
    memory.kv = rest as u64;
    memory.graphs = if graphs { 800 << 20 } else { 0 };
    let free = memory.before - memory.weights - memory.kv;
    let dynamic = SGLANG_DYNAMIC_BYTES + memory.graphs;
    if free < dynamic {
        return Err(out_of_memory(hardware, dynamic, free));
    }
    Ok(memory)
}

/// vLLM: `utilization` of the whole memory is for weights, activations and KV cache.
pub(super) fn vllm(
    hardware: &Hardware,
    model: &Model,
    utilization: f64,
    graphs: bool,
) -> Result<Memory, SimError> {
    let mut memory = load(hardware, model)?;
    let total = hardware.memory_bytes;
    let asked = total as f64 * utilization;
    if asked > memory.before as f64 {
        let line = format!(
            "ValueError: Free memory on device ({:.2}/{:.2} GiB) on startup is less than desired GPU memory \
             utilization ({utilization}, {:.2} GiB). Decrease GPU memory utilization or reduce GPU memory used by \
             other processes.",
            gib(memory.before),
            gib(total),
            gib(asked as u64),
        );
        return Err(SimError::OutOfMemory { line });
    }
    memory.graphs = if graphs { 600 << 20 } else { 0 };
    let used = memory.weights + VLLM_ACTIVATION_BYTES + CONTEXT_BYTES + memory.graphs;
    let rest = asked - used as f64;
    if rest <= 0.0 {
        let line =
            "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` \
                    when initializing the engine."
                .to_owned();
        return Err(SimError::OutOfMemory { line });
    }
    memory.kv = rest as u64;
    Ok(memory)
}
