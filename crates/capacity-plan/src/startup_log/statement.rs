//! Which words of a record say something about memory.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// What a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// SGLang's settings.
    Settings,
    /// What vLLM was started with, as far as it is no default.
    Arguments,
    /// All of vLLM's settings.
    EngineConfig,
    /// Requests can come.
    Ready,
    /// A batch of requests was computed: the start is over.
    Serving,
    /// Nothing of it is measured.
    Simulated,
    /// A line of SGLang or TokenSpeed.
    Sglang(Sglang),
    /// A line of vLLM.
    Vllm(Vllm),
    /// Memory ran out.
    Failure(Failed),
}

/// Lines of SGLang and TokenSpeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sglang {
    WeightsBegin,
    WeightsEnd,
    Profiling,
    Calculation,
    States,
    Pool,
    IndexPool,
    MixedPool,
    ResizedPool,
    ResizedDraftPool,
    SwaPool,
    PoolsEnd,
    WindowPools,
    CaptureBegin,
    CaptureEnd,
    Total,
}

/// Lines of vLLM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vllm {
    DeviceShare,
    ProfileV0,
    ProfileV1,
    Blocks,
    BlocksV0,
    Weights,
    ForKv,
    Tokens,
    Concurrency,
    Padding,
    Graphs,
    GraphsEstimated,
    GraphsInShare,
    GraphsOutside,
    Reserved,
    Startup,
    Version,
}

/// Errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failed {
    SglangPool,
    VllmPool,
    Context,
    Foreign,
    Capture,
    Cuda,
}

/// SGLang up to 0.5.23 and vLLM up to 0.33.0, read in their wheels; where it is not in the words, the file stands beside.
const WORDS: [(&str, Kind); 59] = [
    ("a simulated engine, nothing here is measured", Kind::Simulated),
    ("server_args=", Kind::Settings),
    ("non-default args:", Kind::Arguments),
    ("LLM engine (v", Kind::EngineConfig),
    ("The server is fired up", Kind::Ready),
    ("Application startup complete", Kind::Ready),
    ("Prefill batch", Kind::Serving),
    ("Decode batch", Kind::Serving),
    ("GPU KV cache usage: ", Kind::Serving),
    ("Load weight begin", Kind::Sglang(Sglang::WeightsBegin)),
    ("Load weight end", Kind::Sglang(Sglang::WeightsEnd)),
    ("Memory profiling: ", Kind::Sglang(Sglang::Profiling)),
    ("memory calculation: ", Kind::Sglang(Sglang::Calculation)),
    ("Mamba Cache is allocated", Kind::Sglang(Sglang::States)),
    ("KV Cache is allocated", Kind::Sglang(Sglang::Pool)),
    // SGLang 0.5.23: mem_cache/memory_pool.py with the labels of swa_memory_pool.py and minimax_m3_nvfp4_pool.py.
    ("SWA KV Cache is allocated", Kind::Sglang(Sglang::SwaPool)),
    ("index KV Cache is allocated", Kind::Sglang(Sglang::IndexPool)),
    // mem_cache/unified_memory_pool.py; without memory behind it, it is `reserved VA upper bound`.
    ("UnifiedKVPool allocated", Kind::Sglang(Sglang::MixedPool)),
    // model_executor/model_runner_components/kv_pool_runtime.py: pools that get their memory after graphs.
    ("KV sizing: KV cache allocated", Kind::Sglang(Sglang::ResizedPool)),
    (
        "KV sizing: draft KV cache allocated",
        Kind::Sglang(Sglang::ResizedDraftPool),
    ),
    ("Memory pool end", Kind::Sglang(Sglang::PoolsEnd)),
    ("full_layer_tokens=", Kind::Sglang(Sglang::WindowPools)),
    // model_executor/pool_configurator.py.
    ("(all SWA). swa_layer_tokens=", Kind::Sglang(Sglang::WindowPools)),
    // `Capture target decode CUDA graph begin`, `NPU graph`, `XPU graph`, and `cuda graph` until 2026:
    // model_executor/model_runner_components/cuda_graph_setup.py.
    ("graph begin", Kind::Sglang(Sglang::CaptureBegin)),
    ("graph end", Kind::Sglang(Sglang::CaptureEnd)),
    // speculative/multi_layer_eagle_draft_extend_cuda_graph_runner.py.
    ("draft extend begin", Kind::Sglang(Sglang::CaptureBegin)),
    ("draft extend end", Kind::Sglang(Sglang::CaptureEnd)),
    ("max_total_num_tokens=", Kind::Sglang(Sglang::Total)),
    ("total_gpu_memory (", Kind::Vllm(Vllm::DeviceShare)),
    ("model weights take ", Kind::Vllm(Vllm::ProfileV0)),
    ("Total non KV cache memory:", Kind::Vllm(Vllm::ProfileV1)),
    ("num_gpu_blocks is: ", Kind::Vllm(Vllm::Blocks)),
    ("cuda blocks: ", Kind::Vllm(Vllm::BlocksV0)),
    ("GPU blocks: ", Kind::Vllm(Vllm::Blocks)),
    ("Loading model weights took ", Kind::Vllm(Vllm::Weights)),
    ("Model loading took ", Kind::Vllm(Vllm::Weights)),
    ("Available KV cache memory: ", Kind::Vllm(Vllm::ForKv)),
    ("KV cache size: ", Kind::Vllm(Vllm::Tokens)),
    ("Maximum concurrency for ", Kind::Vllm(Vllm::Concurrency)),
    (" padding layers", Kind::Vllm(Vllm::Padding)),
    ("Graph capturing finished in ", Kind::Vllm(Vllm::Graphs)),
    // vLLM 0.33.0: v1/worker/mm_encoder_model_runner.py, which captures nothing else.
    ("Encoder graph capturing finished in ", Kind::Vllm(Vllm::Graphs)),
    ("Estimated CUDA graph memory: ", Kind::Vllm(Vllm::GraphsEstimated)),
    // v1/worker/gpu_worker.py; `will be` is of 0.17 to 0.20.
    (
        "CUDA graph memory profiling is enabled",
        Kind::Vllm(Vllm::GraphsInShare),
    ),
    (
        "CUDA graph memory profiling is disabled",
        Kind::Vllm(Vllm::GraphsOutside),
    ),
    (
        "CUDA graph memory profiling will be enabled",
        Kind::Vllm(Vllm::GraphsOutside),
    ),
    // Where --kv-cache-memory-bytes sets the pool, nothing is measured.
    ("Initial free memory ", Kind::Vllm(Vllm::Reserved)),
    ("on startup. Desired GPU memory", Kind::Vllm(Vllm::Startup)),
    ("API server version ", Kind::Vllm(Vllm::Version)),
    ("Not enough memory", Kind::Failure(Failed::SglangPool)),
    // SGLang 0.5.23: mem_cache/kv_cache_configurator.py and model_executor/pool_configurator.py.
    (
        "leave no GPU memory for the KV cache",
        Kind::Failure(Failed::SglangPool),
    ),
    (
        "Not enough GPU memory for hybrid",
        Kind::Failure(Failed::SglangPool),
    ),
    (
        "state cache is too small to serve any requests",
        Kind::Failure(Failed::SglangPool),
    ),
    (
        "leaves no room for the full KV pool",
        Kind::Failure(Failed::SglangPool),
    ),
    (
        "No available memory for the cache blocks",
        Kind::Failure(Failed::VllmPool),
    ),
    (
        "which is larger than the available KV cache",
        Kind::Failure(Failed::Context),
    ),
    ("is less than desired GPU memory", Kind::Failure(Failed::Foreign)),
    ("Capture cuda graph failed", Kind::Failure(Failed::Capture)),
    ("CUDA out of memory", Kind::Failure(Failed::Cuda)),
];

/// The words.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    WORDS.iter().map(|(word, _)| *word)
}

static ANY: LazyLock<Regex> = LazyLock::new(|| {
    let words: Vec<String> = WORDS.iter().map(|(word, _)| regex::escape(word)).collect();
    Regex::new(&format!("(?-u){}", words.join("|"))).expect("literals are a regular expression")
});

/// The statements of a record, each with the place of its words. Words before them may belong to it, so the text of a
/// statement that needs them begins with the record.
pub(super) fn statements(record: &[u8]) -> impl Iterator<Item = (Kind, usize)> + '_ {
    ANY.find_iter(record).filter_map(|found| {
        let (_, kind) = WORDS
            .iter()
            .find(|(word, _)| word.as_bytes() == found.as_bytes())?;
        let whole = matches!(kind, Kind::Vllm(Vllm::Padding | Vllm::Startup) | Kind::Failure(_));
        Some((*kind, if whole { 0 } else { found.start() }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_as_its_kind() {
        for (word, kind) in WORDS {
            let text = format!("[2025-01-01 00:00:00] xx {word}1");
            let seen: Vec<Kind> = statements(text.as_bytes()).map(|(kind, _)| kind).collect();
            assert!(seen.contains(&kind), "{word}: {seen:?}");
        }
    }

    #[test]
    fn two_statements_of_one_record_are_two() {
        let text = b"GPU KV cache size: 10 tokens, Maximum concurrency for 5 tokens per request: 2.00x";
        let seen: Vec<Kind> = statements(text).map(|(kind, _)| kind).collect();
        assert_eq!(seen, [Kind::Vllm(Vllm::Tokens), Kind::Vllm(Vllm::Concurrency)]);
    }
}
