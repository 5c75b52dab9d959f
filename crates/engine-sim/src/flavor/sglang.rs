//! SGLang's flags, defaults and checks.

use serde_json::json;

use super::flags::{EngineFlags, Flavor};
use super::launch::{Launch, kv_element_bytes};
use super::memory;
use super::value::Values;
use crate::SimError;
use crate::engine::{Cost, Graphs, Hardware, Model, Overhead, Policy, Settings};

/// Version in the answers.
const VERSION: &str = "0.5.0+engine-sim";
/// Fitted to a published run of Qwen1.5-0.5B-Chat on an H100, 31 prompt and 150 completion tokens: 664 tok/s with
/// default flags (1.506 ms a token, of which the model's weights take 0.28 ms), 9 % more with eight decode steps a
/// round (0.142 ms of each step belong to the round), and 0.145 ms more per concurrent request (1.50 ms a token alone,
/// 2.08 ms with five). `layer_ns` is a typical cost of launching a layer's kernels one by one, not fitted.
const OVERHEAD: Overhead = Overhead {
    round_ns: 142e3,
    step_ns: 939e3,
    sequence_ns: 145e3,
    layer_ns: 30e3,
};
/// Share of the tokens still to come that is reserved at admission: the initial `new_token_ratio`.
const NEW_TOKEN_RATIO: f64 = 0.7;

pub(super) fn plan(
    values: Values,
    flags: &EngineFlags,
    model: Model,
    hardware: Hardware,
) -> Result<Launch, SimError> {
    let page = values
        .whole("--page-size", flags.page_size.as_ref(), 1)?
        .unwrap_or(1) as u64;
    let chunk = values.whole("--chunked-prefill-size", flags.chunked_prefill_size.as_ref(), -1)?;
    if chunk == Some(0) {
        return Err(values.bad("--chunked-prefill-size", "expected -1 or at least 1, got 0"));
    }
    let large = hardware.memory_bytes > 60 << 30;
    let chunk = chunk.unwrap_or(if large { 8192 } else { 4096 });
    let max_prefill = values
        .whole("--max-prefill-tokens", flags.max_prefill_tokens.as_ref(), 1)?
        .unwrap_or(16_384);
    if chunk > 0 && !(chunk as u64).is_multiple_of(page) {
        return Err(values.wrong("chunked_prefill_size must be divisible by page_size"));
    }
    if flags.enable_mixed_chunk && chunk < 0 {
        return Err(values.wrong("enable_mixed_chunk is required chunked prefill to be on"));
    }
    let steps = values.whole(
        "--num-continuous-decode-steps",
        flags.num_continuous_decode_steps.as_ref(),
        1,
    )?;
    let steps = steps.unwrap_or(1);
    if steps > 1024 {
        return Err(values.bad(
            "--num-continuous-decode-steps",
            format_args!("expected at most 1024, got {steps}"),
        ));
    }
    let policy = values.choice(
        "--schedule-policy",
        flags.schedule_policy.as_ref(),
        &["lpm", "fcfs"],
    )?;
    let policy = policy.unwrap_or("fcfs");
    let conservativeness = values
        .number(
            "--schedule-conservativeness",
            flags.schedule_conservativeness.as_ref(),
        )?
        .unwrap_or(1.0);
    if conservativeness < 0.0 {
        return Err(values.wrong("schedule_conservativeness must be non-negative"));
    }
    let fraction = values
        .number("--mem-fraction-static", flags.mem_fraction_static.as_ref())?
        .unwrap_or(0.88);
    if !(fraction > 0.0 && fraction < 1.0) {
        return Err(values.bad(
            "--mem-fraction-static",
            format_args!("expected a number between 0 and 1, got {fraction}"),
        ));
    }
    let context = values.whole("--context-length", flags.context_length.as_ref(), 1)?;
    let context = context.map_or(model.context, |tokens| tokens as u64);
    if context > model.context {
        let line = format!(
            "ValueError: User-specified context_length ({context}) is greater than the derived context_length ({}). \
             This may lead to incorrect model outputs or CUDA errors.",
            model.context
        );
        return Err(SimError::EngineUsage { line });
    }
    let element = kv_element_bytes(values, flags)?;
    let graphs = !flags.disable_cuda_graph;
    let mut memory = memory::sglang(&hardware, &model, fraction, graphs)?;
    let room = memory.kv / model.kv_bytes(element);
    let asked = values.whole("--max-total-tokens", flags.max_total_tokens.as_ref(), 1)?;
    let tokens = asked.map_or(room, |tokens| room.min(tokens as u64)) / page * page;
    if tokens == 0 {
        let line =
            "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.".to_owned();
        return Err(SimError::OutOfMemory { line });
    }
    if tokens < room / page * page {
        // A pool that is capped takes no more than it holds.
        memory.kv = tokens * model.kv_bytes(element);
    }
    let running = values.whole("--max-running-requests", flags.max_running_requests.as_ref(), 1)?;
    // SGLang's own rule: one request for every half context of cache, between 2048 and 4096.
    let running = running.map_or((tokens / context * 512).clamp(2048, 4096), |running| {
        running as u64
    });
    let settings = Settings {
        step_tokens: if chunk > 0 { chunk } else { max_prefill } as u64,
        chunked: chunk > 0,
        mixed: flags.enable_mixed_chunk,
        running_first: false,
        max_running: running as usize,
        decode_steps: steps as u32,
        policy: if policy == "lpm" {
            Policy::LongestPrefixMatch
        } else {
            Policy::FirstComeFirstServed
        },
        reserve_ratio: (NEW_TOKEN_RATIO * conservativeness).min(1.0),
        page,
        pages: tokens / page,
        prefix_cache: !flags.disable_radix_cache,
    };
    let graph_steps = if graphs { Graphs::Decode } else { Graphs::Off };
    let served_model = flags
        .served_model_name
        .clone()
        .unwrap_or_else(|| model.name.to_owned());
    let server_args = json!({
        "model_path": model.name, "served_model_name": served_model, "context_length": context,
        "mem_fraction_static": fraction, "max_running_requests": running, "max_total_tokens": asked,
        "chunked_prefill_size": chunk, "max_prefill_tokens": max_prefill, "schedule_policy": policy,
        "schedule_conservativeness": conservativeness, "page_size": page, "num_continuous_decode_steps": steps,
        "enable_mixed_chunk": flags.enable_mixed_chunk, "disable_radix_cache": flags.disable_radix_cache,
        "disable_cuda_graph": flags.disable_cuda_graph, "enable_metrics": flags.enable_metrics,
        "kv_cache_dtype": flags.kv_cache_dtype.as_deref().unwrap_or("auto"), "tp_size": 1, "dtype": "bfloat16",
        "attention_backend": "fa3",
    });
    Ok(Launch {
        flavor: Flavor::Sglang,
        served_model,
        version: VERSION,
        api_key: flags.api_key.clone(),
        context,
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
