//! What the engines print while they start, with the numbers of this launch.

use super::flags::Flavor;
use super::launch::Launch;
use super::memory::gib;
use crate::engine::Graphs;

/// The lines, without their time stamps and prefixes.
pub(crate) fn startup_lines(launch: &Launch) -> Vec<String> {
    let mut lines = match launch.flavor {
        Flavor::Sglang => sglang(launch),
        Flavor::Vllm => vllm(launch),
    };
    // Who reads the log later shall know.
    let version = env!("CARGO_PKG_VERSION");
    lines.insert(
        0,
        format!("engine-sim {version}: a simulated engine, nothing here is measured"),
    );
    lines
}

fn sglang(launch: &Launch) -> Vec<String> {
    let memory = &launch.memory;
    let settings = &launch.settings;
    let before = gib(memory.before);
    let loaded = gib(memory.before - memory.weights);
    let pooled = gib(memory.before - memory.weights - memory.kv);
    let half = gib(memory.kv / 2);
    let tokens = settings.pages * settings.page;
    let mut lines = vec![
        format!("server_args={}", launch.server_args),
        "Init torch distributed begin.".to_owned(),
        "Init torch distributed ends. mem usage=0.00 GB".to_owned(),
        format!("Load weight begin. avail mem={before:.2} GB"),
        format!(
            "Load weight end. elapsed=0.00 s, type={}, dtype=torch.bfloat16, avail mem={loaded:.2} GB, mem usage={:.2} GB.",
            launch.cost.model.architecture,
            gib(memory.weights)
        ),
        format!("KV Cache is allocated. #tokens: {tokens}, K size: {half:.2} GB, V size: {half:.2} GB"),
        format!("Memory pool end. avail mem={pooled:.2} GB"),
    ];
    if launch.cost.graphs != Graphs::Off {
        lines.push(format!(
            "Capture cuda graph begin. This can take up to several minutes. avail mem={pooled:.2} GB"
        ));
        lines.push(format!(
            "Capture cuda graph end. Time elapsed: 0.00 s. mem usage={:.2} GB. avail mem={:.2} GB.",
            gib(memory.graphs),
            gib(memory.after())
        ));
    }
    lines.push(format!(
        "max_total_num_tokens={tokens}, chunked_prefill_size={}, max_prefill_tokens={}, max_running_requests={}, \
         context_len={}, available_gpu_mem={:.2} GB",
        launch.server_args["chunked_prefill_size"],
        launch.server_args["max_prefill_tokens"],
        settings.max_running,
        launch.context,
        gib(memory.after())
    ));
    lines.push("The server is fired up and ready to roll!".to_owned());
    lines
}

fn vllm(launch: &Launch) -> Vec<String> {
    let memory = &launch.memory;
    let settings = &launch.settings;
    let tokens = settings.pages * settings.page;
    let context = launch.context;
    let mut lines = vec![
        format!("[api_server.py:1] vLLM API server version {}", launch.version),
        format!("[utils.py:1] non-default args: {}", launch.server_args),
        format!(
            "[gpu_model_runner.py:1] Model loading took {:.4} GiB and 0.000000 seconds",
            gib(memory.weights)
        ),
        format!(
            "[gpu_worker.py:1] Available KV cache memory: {:.2} GiB",
            gib(memory.kv)
        ),
        format!(
            "[kv_cache_utils.py:1] GPU KV cache size: {} tokens",
            grouped(tokens)
        ),
        format!(
            "[kv_cache_utils.py:1] Maximum concurrency for {} tokens per request: {:.2}x",
            grouped(context),
            tokens as f64 / context as f64
        ),
    ];
    if launch.cost.graphs != Graphs::Off {
        lines.push(format!(
            "[gpu_model_runner.py:1] Graph capturing finished in 0 secs, took {:.2} GiB",
            gib(memory.graphs)
        ));
    }
    lines.push(
        "[core.py:1] init engine (profile, create kv cache, warmup model) took 0.00 seconds".to_owned(),
    );
    lines.push("Application startup complete.".to_owned());
    lines
}

/// Thousands as vLLM groups them: `1,823,372`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_thousands() {
        assert_eq!(
            [grouped(7), grouped(1000), grouped(1_823_372)],
            ["7", "1,000", "1,823,372"]
        );
    }
}
