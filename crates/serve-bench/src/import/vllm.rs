//! `vllm bench serve --save-result`: one JSON object, several in a row with `--append-result`. Keys as in
//! `vllm/benchmarks/serve.py`; `--save-detailed` adds lists by request.

use contracts::serve_bench::result::{EngineInfo, EngineKind};

use super::error::ImportError;
use super::foreign::Foreign;
use super::python_peers::{self, Keys};
use super::{Kind, Part};

/// Configuration keys that are shown as they stand.
const PLAN: [&str; 12] = [
    "date",
    "backend",
    "endpoint_type",
    "label",
    "model_id",
    "tokenizer_id",
    "num_prompts",
    "request_rate",
    "burstiness",
    "max_concurrency",
    "duration",
    "rps_change_events",
];

const KEYS: Keys = Keys {
    tool: Kind::Vllm.name(),
    e2e: "e2el",
    total_tps: "total_token_throughput",
    gaps_are_per_token: false,
};

pub(super) fn is(foreign: &Foreign<'_>) -> bool {
    foreign.get("/completed").is_some() && foreign.get("/total_token_throughput").is_some()
}

pub(super) fn part(run: u32, foreign: &Foreign<'_>) -> Result<Part, ImportError> {
    let run = python_peers::run(run, foreign, &KEYS)?;
    let num_prompts = foreign.count("/num_prompts").unwrap_or(run.requests.sent);
    let backend = foreign
        .text("/endpoint_type")
        .or_else(|| foreign.text("/backend"));
    Ok(Part {
        url: None,
        served_model: foreign.text("/model_id"),
        // The backend names the client's dialect: any server may have answered.
        engine: EngineInfo {
            kind: EngineKind::Other,
            version: None,
        },
        dataset: None,
        endpoint: backend.map(|backend| {
            if backend.contains("chat") {
                "chat"
            } else {
                "completions"
            }
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
