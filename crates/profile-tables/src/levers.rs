//! Settings that act on a cause of idle time, by engine. Facts of the engines' own pages, each with its source; whether one
//! helps is for a measurement to say.

use contracts::profile_tables::report::{IdleCause, Lever};

use crate::server::Server;

/// When a change is left to be made, by what the server says of itself.
#[derive(Clone, Copy, Debug)]
enum Open {
    /// While a switch is on.
    On(&'static str),
    /// While a switch is off.
    Off(&'static str),
    /// While a number is smaller, or not named.
    Below(&'static str, u64),
    /// Whatever it says.
    Always,
}

/// What a change sets in motion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Acts {
    /// Graphs: nothing to gain where a graph replays the steps already.
    Graphs,
    /// Anything else.
    Host,
}

/// Cause, engine, change, what it acts on, source, when it is left to be made, what it sets in motion.
type Row = (
    IdleCause,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Open,
    Acts,
);

const LEVERS: [Row; 10] = [
    (
        IdleCause::BetweenSteps,
        "sglang",
        "add --num-continuous-decode-steps 8",
        "several decode steps share one turn of the scheduler",
        "sgl-project/sglang python/sglang/srt/server_args.py; SemiAnalysisAI/InferenceX#1243 measured 4 against 8",
        Open::Below("num_continuous_decode_steps", 8),
        Acts::Host,
    ),
    (
        IdleCause::BetweenSteps,
        "sglang",
        "run without --disable-overlap-schedule",
        "the next batch is prepared while the device works on this one",
        "sgl-project/sglang python/sglang/srt/server_args.py",
        Open::On("disable_overlap_schedule"),
        Acts::Host,
    ),
    (
        IdleCause::BetweenSteps,
        "vllm",
        "run without --no-async-scheduling",
        "the next step is scheduled while the device works on this one; the default since 0.14.0",
        "vllm-project/vllm release notes of v0.14.0",
        Open::Off("async_scheduling"),
        Acts::Host,
    ),
    (
        IdleCause::BetweenSteps,
        "tensorrt-llm",
        "run without disable_overlap_scheduler",
        "step n+1 is launched before the host has looked at step n",
        "nvidia.github.io/TensorRT-LLM/features/overlap-scheduler.html",
        Open::Always,
        Acts::Host,
    ),
    (
        IdleCause::LaunchBound,
        "sglang",
        "run without --disable-cuda-graph",
        "a graph replays a step with one launch",
        "sgl-project/sglang python/sglang/srt/server_args.py",
        Open::On("disable_cuda_graph"),
        Acts::Graphs,
    ),
    (
        IdleCause::LaunchBound,
        "sglang",
        "add --cuda-graph-max-bs BATCH",
        "batches above the largest captured one run without a graph",
        "sgl-project/sglang python/sglang/srt/server_args.py",
        Open::Off("disable_cuda_graph"),
        Acts::Graphs,
    ),
    (
        IdleCause::LaunchBound,
        "vllm",
        "run without --enforce-eager",
        "a graph replays a step with one launch",
        "vllm-project/vllm vllm/config/model.py",
        Open::On("enforce_eager"),
        Acts::Graphs,
    ),
    (
        IdleCause::HostPython,
        "sglang",
        "run without --disable-cuda-graph",
        "a graph replays a step without the Python between its launches",
        "sgl-project/sglang python/sglang/srt/server_args.py",
        Open::On("disable_cuda_graph"),
        Acts::Graphs,
    ),
    (
        IdleCause::HostPython,
        "vllm",
        "run without --enforce-eager",
        "a graph replays a step without the Python between its launches",
        "vllm-project/vllm vllm/config/model.py",
        Open::On("enforce_eager"),
        Acts::Graphs,
    ),
    (
        IdleCause::LaunchBound,
        "tensorrt-llm",
        "add cuda_graph_config",
        "a graph replays a step with one launch",
        "nvidia.github.io/TensorRT-LLM llmapi reference, TorchLlmArgs",
        Open::Always,
        Acts::Graphs,
    ),
];

/// Settings of `engine` that act on `cause`, the first to try first; without those that the server has already, and `in_graphs`
/// without those that make it use graphs.
pub(crate) fn levers(
    cause: IdleCause,
    engine: Option<&str>,
    server: Option<&Server>,
    in_graphs: bool,
) -> Vec<Lever> {
    let is_open = |open: &Open| {
        server.is_none_or(|server| match open {
            Open::On(switch) => server.is_on(switch),
            Open::Off(switch) => !server.is_on(switch),
            Open::Below(name, number) => server.number(name).is_none_or(|found| found < *number),
            Open::Always => true,
        })
    };
    LEVERS
        .iter()
        .filter(|(acts_on, of, ..)| *acts_on == cause && Some(*of) == engine)
        .filter(|(.., open, acts)| is_open(open) && !(in_graphs && *acts == Acts::Graphs))
        .map(|(_, _, change, why, source, ..)| Lever {
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
        let first = |cause, engine| {
            levers(cause, engine, None, false)
                .first()
                .map(|lever| lever.change.clone())
        };
        let sglang = first(IdleCause::BetweenSteps, Some("sglang"));
        assert_eq!(sglang.as_deref(), Some("add --num-continuous-decode-steps 8"));
        let vllm = first(IdleCause::LaunchBound, Some("vllm"));
        assert_eq!(vllm.as_deref(), Some("run without --enforce-eager"));
        assert_eq!(first(IdleCause::BetweenSteps, None), None);
        assert_eq!(first(IdleCause::Device, Some("sglang")), None);
    }

    #[test]
    fn steps_that_a_graph_replays_already_are_told_of_no_graphs() {
        for cause in [IdleCause::LaunchBound, IdleCause::HostPython] {
            for engine in ["sglang", "vllm", "tensorrt-llm"] {
                assert_eq!(levers(cause, Some(engine), None, true), []);
            }
        }
        assert_eq!(
            levers(IdleCause::BetweenSteps, Some("sglang"), None, true).len(),
            2
        );
    }

    #[test]
    fn what_the_server_has_already_is_not_named() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("info.json");
        let changes = |cause, info: &str| {
            std::fs::write(&path, info).expect("writable");
            let server = Server::read(&path).expect("an answer");
            let levers = levers(cause, Some("sglang"), Some(&server), false);
            levers.into_iter().map(|lever| lever.change).collect::<Vec<_>>()
        };
        let plain = r#"{"tp_size": 1, "num_continuous_decode_steps": 8}"#;
        assert!(changes(IdleCause::BetweenSteps, plain).is_empty());
        assert_eq!(
            changes(IdleCause::LaunchBound, plain),
            ["add --cuda-graph-max-bs BATCH"]
        );
        let slow = r#"{"tp_size": 1, "disable_overlap_schedule": true, "disable_cuda_graph": true}"#;
        assert_eq!(changes(IdleCause::BetweenSteps, slow).len(), 2);
        assert_eq!(
            changes(IdleCause::LaunchBound, slow),
            ["run without --disable-cuda-graph"]
        );
    }
}
