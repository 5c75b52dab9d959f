//! Settings that act on a cause of idle time, by engine. Facts of the engines' own pages, each with its source; whether one
//! helps is for a measurement to say.

use contracts::profile_tables::report::{IdleCause, Lever};

/// Cause, engine, change, what it acts on, source.
const LEVERS: [(IdleCause, &str, &str, &str, &str); 10] = [
    (
        IdleCause::BetweenSteps,
        "sglang",
        "add --num-continuous-decode-steps 8",
        "several decode steps share one turn of the scheduler",
        "sgl-project/sglang python/sglang/srt/server_args.py; SemiAnalysisAI/InferenceX#1243 measured 4 against 8",
    ),
    (
        IdleCause::BetweenSteps,
        "sglang",
        "run without --disable-overlap-schedule",
        "the next batch is prepared while the device works on this one",
        "sgl-project/sglang python/sglang/srt/server_args.py",
    ),
    (
        IdleCause::BetweenSteps,
        "vllm",
        "run without --no-async-scheduling",
        "the next step is scheduled while the device works on this one; the default since 0.14.0",
        "vllm-project/vllm release notes of v0.14.0",
    ),
    (
        IdleCause::BetweenSteps,
        "tensorrt-llm",
        "run without disable_overlap_scheduler",
        "step n+1 is launched before the host has looked at step n",
        "nvidia.github.io/TensorRT-LLM/features/overlap-scheduler.html",
    ),
    (
        IdleCause::LaunchBound,
        "sglang",
        "run without --disable-cuda-graph",
        "a graph replays a step with one launch",
        "sgl-project/sglang python/sglang/srt/server_args.py",
    ),
    (
        IdleCause::LaunchBound,
        "sglang",
        "add --cuda-graph-max-bs BATCH",
        "batches above the largest captured one run without a graph",
        "sgl-project/sglang python/sglang/srt/server_args.py",
    ),
    (
        IdleCause::LaunchBound,
        "vllm",
        "run without --enforce-eager",
        "a graph replays a step with one launch",
        "vllm-project/vllm vllm/config/model.py",
    ),
    (
        IdleCause::HostPython,
        "sglang",
        "run without --disable-cuda-graph",
        "a graph replays a step without the Python between its launches",
        "sgl-project/sglang python/sglang/srt/server_args.py",
    ),
    (
        IdleCause::HostPython,
        "vllm",
        "run without --enforce-eager",
        "a graph replays a step without the Python between its launches",
        "vllm-project/vllm vllm/config/model.py",
    ),
    (
        IdleCause::LaunchBound,
        "tensorrt-llm",
        "add cuda_graph_config",
        "a graph replays a step with one launch",
        "nvidia.github.io/TensorRT-LLM llmapi reference, TorchLlmArgs",
    ),
];

/// Settings of `engine` that act on `cause`, the first to try first.
pub(crate) fn levers(cause: IdleCause, engine: Option<&str>) -> Vec<Lever> {
    LEVERS
        .iter()
        .filter(|(acts_on, of, ..)| *acts_on == cause && Some(*of) == engine)
        .map(|(_, _, change, why, source)| Lever {
            change: (*change).to_owned(),
            why: (*why).to_owned(),
            source: (*source).to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_names_the_settings_of_its_engine_only() {
        let first = |cause, engine| levers(cause, engine).first().map(|lever| lever.change.clone());
        let sglang = first(IdleCause::BetweenSteps, Some("sglang"));
        assert_eq!(sglang.as_deref(), Some("add --num-continuous-decode-steps 8"));
        let vllm = first(IdleCause::LaunchBound, Some("vllm"));
        assert_eq!(vllm.as_deref(), Some("run without --enforce-eager"));
        assert_eq!(first(IdleCause::BetweenSteps, None), None);
        assert_eq!(first(IdleCause::Device, Some("sglang")), None);
    }
}
