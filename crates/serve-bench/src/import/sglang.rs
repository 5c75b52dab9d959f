//! `sglang.bench_serving --output-file`: JSONL to which every invocation adds one line. Keys as in
//! `python/sglang/bench_serving.py`; `--output-details` adds lists by request.

use contracts::serve_bench::result::{EngineInfo, EngineKind};

use super::error::ImportError;
use super::foreign::Foreign;
use super::python_peers::{self, Keys};
use super::{Kind, Part};

/// Configuration keys that are shown as they stand.
const PLAN: [&str; 12] = [
    "tag",
    "backend",
    "dataset_name",
    "request_rate",
    "max_concurrency",
    "sharegpt_output_len",
    "random_input_len",
    "random_output_len",
    "random_range_ratio",
    "duration",
    "concurrency",
    "accept_length",
];

pub(super) fn is(foreign: &Foreign<'_>) -> bool {
    let has = |key: &str| foreign.get(key).is_some();
    has("/completed") && (has("/total_throughput") || has("/total_output_tokens_retokenized"))
}

pub(super) fn part(run: u32, foreign: &Foreign<'_>) -> Result<Part, ImportError> {
    let backend = foreign.text("/backend");
    // The native endpoint reports a running token count, and only there each gap is divided by its new tokens.
    let is_native = matches!(backend.as_deref(), Some("sglang" | "sglang-native"));
    let keys = Keys {
        tool: Kind::Sglang.name(),
        e2e: "e2e_latency",
        total_tps: "total_throughput",
        gaps_are_per_token: is_native,
    };
    let mut run = python_peers::run(run, foreign, &keys)?;
    run.client.achieved_concurrency = foreign.finite("/concurrency");
    let version = foreign.text("/server_info/version");
    let served_model = foreign
        .text("/server_info/served_model_name")
        .or_else(|| foreign.text("/server_info/model_path"))
        .or_else(|| foreign.text("/server_info/vllm_config/served_model_name"));
    let num_prompts = run.requests.sent;
    Ok(Part {
        url: None,
        served_model,
        engine: EngineInfo {
            // The tool stores whatever `/server_info` answered, and measures other engines too: vLLM's is its configuration.
            kind: match (foreign.get("/server_info/vllm_config"), &version) {
                (Some(_), _) => EngineKind::Vllm,
                (None, Some(_)) => EngineKind::Sglang,
                (None, None) => EngineKind::Other,
            },
            version,
        },
        dataset: foreign.text("/dataset_name"),
        endpoint: backend.as_deref().and_then(|backend| match backend {
            chat if chat.contains("chat") => Some("chat"),
            "sglang" | "sglang-native" => None,
            _ => Some("completions"),
        }),
        input_len: python_peers::range(foreign, "/input_lens"),
        output_len: None,
        load: python_peers::load(foreign, num_prompts),
        num_prompts,
        seed: None,
        plan: foreign.plan(&PLAN),
        run,
    })
}
