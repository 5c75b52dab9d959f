//! Endpoints that say who serves what: the ones by which a client tells engines apart.

use contracts::engine_sim::Identity;
use serde_json::{Value, json};

use super::ask::word_id;
use super::{ApiError, error_object};
use crate::http::{Answer, Request};

/// What the control endpoints report.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    /// Model name.
    pub(crate) model: String,
    /// Whose endpoints these are.
    pub(crate) identity: Identity,
    /// Version the engine reports.
    pub(crate) version: String,
    /// Longest prompt plus answer.
    pub(crate) context_tokens: u64,
    /// Settings as `/server_info` reports them.
    pub(crate) server_args: Value,
    /// State inside the engine as `/server_info` reports it.
    pub(crate) internal: Value,
}

/// Answers a control endpoint; `None` for a path that no engine of this kind has.
pub(crate) fn control(served: &Served, request: &Request) -> Option<Answer> {
    use Identity::{LlamaCpp, Sglang, TensorrtLlm, Tokenspeed, Vllm};
    let identity = served.identity;
    let path = request.path.as_str();
    let answer = match (path, identity) {
        ("/v1/models", _) => models(served),
        ("/health", LlamaCpp) => ok(json!({"status": "ok"})),
        ("/health", _) | ("/ping", Vllm) | ("/health_generate", Sglang | Tokenspeed) => Answer::text(200, ""),
        ("/version", Vllm | TensorrtLlm) => ok(json!({"version": served.version, "simulated": true})),
        // vLLM has it in its developer mode only.
        ("/server_info", Vllm) => {
            ok(json!({"simulated": true, "version": served.version, "vllm_config": served.server_args}))
        }
        ("/server_info" | "/get_server_info", Sglang | Tokenspeed) => ok(server_info(served)),
        ("/model_info" | "/get_model_info", Sglang) => ok(json!({
            "model_path": served.model, "tokenizer_path": served.model, "is_generation": true, "simulated": true,
        })),
        ("/props", LlamaCpp) => ok(props(served)),
        ("/tokenize", Vllm | Sglang | LlamaCpp) => tokenize(served, &request.body),
        _ => return None,
    };
    if request.method != "GET" && path != "/tokenize" {
        return Some(ApiError::Method.answer(identity));
    }
    Some(answer)
}

fn ok(value: Value) -> Answer {
    Answer::json(200, &value)
}

fn models(served: &Served) -> Answer {
    let owner = match served.identity {
        Identity::Vllm => "vllm",
        Identity::Sglang => "sglang",
        Identity::TensorrtLlm => "tensorrt_llm",
        Identity::Tokenspeed => "tokenspeed",
        Identity::LlamaCpp => "llamacpp",
        Identity::Other => "other",
    };
    let model = &served.model;
    ok(json!({
        "object": "list",
        "simulated": true,
        "data": [{
            "id": model, "object": "model", "created": 1_700_000_000, "owned_by": owner, "root": model,
            "parent": null, "max_model_len": served.context_tokens, "simulated": true,
        }],
    }))
}

fn server_info(served: &Served) -> Value {
    let mut info = json!({"simulated": true, "version": served.version, "model_path": served.model});
    if let (Value::Object(info), Value::Object(args)) = (&mut info, &served.server_args) {
        for (name, value) in args {
            info.insert(name.clone(), value.clone());
        }
        info.insert("internal_states".to_owned(), json!([served.internal]));
    }
    info
}

fn props(served: &Served) -> Value {
    json!({
        "simulated": true,
        "default_generation_settings": {"n_ctx": served.context_tokens},
        "total_slots": 4,
        "model_path": served.model,
        "build_info": served.version,
    })
}

/// One token a word, as everywhere here.
fn tokenize(served: &Served, body: &[u8]) -> Answer {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Answer::json(400, &error_object(served.identity, 400, "the body is not JSON"));
    };
    let field = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let text = field("prompt")
        .or_else(|| field("content"))
        .or_else(|| field("text"))
        .unwrap_or_default();
    let tokens: Vec<u32> = text.split_ascii_whitespace().map(word_id).collect();
    ok(json!({"count": tokens.len(), "max_model_len": served.context_tokens, "tokens": tokens}))
}
