//! Names of metrics: `:` and `_` are one, and the prefix says whose they are.

use std::borrow::Cow;

use contracts::serve_bench::result::EngineKind;

use super::Exposition;

/// A name with each `:` written as `_`; `_total` stays, because only the type says whether it is a counter's.
pub fn canonical(name: &str) -> Cow<'_, str> {
    if name.contains(':') {
        Cow::Owned(name.replace(':', "_"))
    } else {
        Cow::Borrowed(name)
    }
}

/// Whether two names are one, `:` being `_`.
pub fn same_name(left: &str, right: &str) -> bool {
    let fold = |byte: u8| if byte == b':' { b'_' } else { byte };
    left.len() == right.len() && left.bytes().map(fold).eq(right.bytes().map(fold))
}

/// The engine that a metric's name belongs to, by its prefix.
pub fn engine_of(name: &str) -> Option<EngineKind> {
    [
        ("sglang", EngineKind::Sglang),
        ("vllm", EngineKind::Vllm),
        ("tokenspeed", EngineKind::Tokenspeed),
        ("llamacpp", EngineKind::LlamaCpp),
        ("trtllm", EngineKind::TensorrtLlm),
        // Before its names were settled (TensorRT-LLM's first pull requests for metrics).
        ("pytrtllm", EngineKind::TensorrtLlm),
    ]
    .into_iter()
    .find(|(prefix, _)| {
        name.strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with([':', '_']))
    })
    .map(|(_, engine)| engine)
}

/// Sample that an engine which is only simulated has beside those of the engine that it plays.
const SIMULATED: &str = "engine_sim_info";

/// Whether a payload says that its engine is simulated.
pub fn is_simulated(exposition: &Exposition<'_>) -> bool {
    exposition.family(SIMULATED).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colon_and_underscore_are_one() {
        assert_eq!(canonical("sglang:token_usage"), "sglang_token_usage");
        assert!(same_name("vllm:prompt_tokens_total", "vllm_prompt_tokens_total"));
        assert!(!same_name("vllm:prompt_tokens", "vllm:prompt_tokens_total"));
    }

    #[test]
    fn a_prefix_names_the_engine() {
        assert_eq!(engine_of("tokenspeed:x"), Some(EngineKind::Tokenspeed));
        assert_eq!(engine_of("trtllm_x"), Some(EngineKind::TensorrtLlm));
        assert_eq!(engine_of("vllmish"), None);
        assert_eq!(engine_of("python_info"), None);
    }
}
