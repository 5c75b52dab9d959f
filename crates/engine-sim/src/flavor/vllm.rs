//! vLLM's flags, defaults and checks.

use serde_json::json;

use super::flags::{EngineFlags, Flavor};
use super::launch::{Launch, kv_element_bytes};
use super::memory::{self, gib};
use super::value::Values;
use crate::SimError;
use crate::engine::{Cost, Graphs, Hardware, Model, Overhead, Policy, Settings};

/// Version in the answers.
const VERSION: &str = "0.11.0+engine-sim";
/// Not measured: chosen so that with default flags this flavour leads the other one by some percent on a small model.
/// It says nothing about the real engines.
const OVERHEAD: Overhead = Overhead {
    round_ns: 60e3,
    step_ns: 950e3,
    sequence_ns: 166e3,
    layer_ns: 30e3,
};

pub(super) fn plan(
    values: Values,
    flags: &EngineFlags,
    model: Model,
    hardware: Hardware,
) -> Result<Launch, SimError> {
    let large = hardware.memory_bytes > 70 << 30;
    let seqs = values.whole("--max-num-seqs", flags.max_num_seqs.as_ref(), 1)?;
    let seqs = seqs.unwrap_or(if large { 1024 } else { 256 });
    let batched = values.whole(
        "--max-num-batched-tokens",
        flags.max_num_batched_tokens.as_ref(),
        1,
    )?;
    let context = values.whole("--max-model-len", flags.max_model_len.as_ref(), 1)?;
    let context = context.unwrap_or(model.context as i64);
    if context > model.context as i64 {
        let line = format!(
            "ValueError: User-specified max_model_len ({context}) is greater than the derived max_model_len \
             (max_position_embeddings={}). This may lead to incorrect model outputs or CUDA errors.",
            model.context
        );
        return Err(SimError::EngineUsage { line });
    }
    let chunked = !flags.no_enable_chunked_prefill;
    let default = if large { 8192 } else { 2048 };
    let batched = batched.unwrap_or(if chunked { default } else { default.max(context) });
    let conflict = |line: String| {
        Err(SimError::EngineUsage {
            line: format!("ValueError: {line}"),
        })
    };
    if batched < seqs {
        return conflict(format!(
            "max_num_batched_tokens ({batched}) must be greater than or equal to max_num_seqs ({seqs})."
        ));
    }
    if !chunked && batched < context {
        return conflict(format!(
            "max_num_batched_tokens ({batched}) is smaller than max_model_len ({context}). This effectively limits \
             the maximum sequence length to max_num_batched_tokens and makes vLLM reject longer sequences. Please \
             increase max_num_batched_tokens or decrease max_model_len."
        ));
    }
    for (on, off, flag) in [
        (
            flags.enable_prefix_caching,
            flags.no_enable_prefix_caching,
            "--no-enable-prefix-caching",
        ),
        (
            flags.enable_chunked_prefill,
            flags.no_enable_chunked_prefill,
            "--no-enable-chunked-prefill",
        ),
    ] {
        if on && off {
            return Err(values.bad(flag, "not allowed together with its opposite"));
        }
    }
    let block = values
        .whole("--block-size", flags.block_size.as_ref(), 1)?
        .unwrap_or(16);
    if ![1, 8, 16, 32, 64, 128].contains(&block) {
        return Err(values.bad(
            "--block-size",
            format_args!("invalid choice: {block} (choose from 1, 8, 16, 32, 64, 128)"),
        ));
    }
    let utilization = values
        .number("--gpu-memory-utilization", flags.gpu_memory_utilization.as_ref())?
        .unwrap_or(0.9);
    if utilization > 1.0 || utilization <= 0.0 {
        return conflict(format!(
            "GPU memory utilization must be less than or equal to 1.0. Got {utilization}."
        ));
    }
    let element = kv_element_bytes(values, flags)?;
    let graphs = !flags.enforce_eager;
    let memory = memory::vllm(&hardware, &model, utilization, graphs)?;
    let block_bytes = model.kv_bytes(element) * block as u64;
    let blocks = memory.kv / block_bytes;
    let needed = (context as u64).div_ceil(block as u64) * block_bytes;
    if needed > memory.kv {
        let line = format!(
            "ValueError: To serve at least one request with the models's max seq len ({context}), ({:.2} GiB KV cache \
             is needed, which is larger than the available KV cache memory ({:.2} GiB). Based on the available \
             memory, the estimated maximum model length is {}. Try increasing `gpu_memory_utilization` or decreasing \
             `max_model_len` when initializing the engine.",
            gib(needed),
            gib(memory.kv),
            blocks * block as u64,
        );
        return Err(SimError::OutOfMemory { line });
    }
    let settings = Settings {
        step_tokens: batched as u64,
        chunked,
        mixed: true,
        running_first: true,
        max_running: seqs as usize,
        decode_steps: 1,
        policy: Policy::FirstComeFirstServed,
        reserve_ratio: 0.0,
        page: block as u64,
        pages: blocks,
        prefix_cache: !flags.no_enable_prefix_caching,
    };
    let graph_steps = if graphs { Graphs::All } else { Graphs::Off };
    let served_model = flags
        .served_model_name
        .clone()
        .unwrap_or_else(|| model.name.to_owned());
    let server_args = json!({
        "model": model.name, "served_model_name": served_model, "max_model_len": context,
        "gpu_memory_utilization": utilization, "max_num_seqs": seqs, "max_num_batched_tokens": batched,
        "block_size": block, "enable_prefix_caching": settings.prefix_cache, "enable_chunked_prefill": chunked,
        "enforce_eager": flags.enforce_eager, "kv_cache_dtype": flags.kv_cache_dtype.as_deref().unwrap_or("auto"),
        "tensor_parallel_size": 1, "dtype": "bfloat16",
    });
    Ok(Launch {
        flavor: Flavor::Vllm,
        served_model,
        version: VERSION,
        api_key: flags.api_key.clone(),
        context: context as u64,
        settings,
        cost: Cost {
            model,
            hardware,
            overhead: OVERHEAD,
            kv_element_bytes: element,
            graphs: graph_steps,
        },
        memory,
        server_args,
    })
}
