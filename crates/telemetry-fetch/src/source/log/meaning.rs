//! What a message means for a measurement.
//!
//! Formats are those of SGLang 0.5.9, vLLM V0 and V1 (loggers.py at 005a810) and TensorRT-LLM, as read in their sources; a
//! message that none of the rules knows is no incident unless its level says that it is an error.

use contracts::telemetry_fetch::incident::IncidentKind;

use super::head::{Level, Line};
use super::profilers;

/// Bytes that stand in every message that has a meaning here; only lines with one of them are looked at.
pub(crate) const NEEDLES: [&str; 25] = [
    "rror",
    "RROR",
    "xception",
    "raceback",
    "RITICAL",
    "ATAL",
    "atal",
    "[E]",
    "emory",
    "OOM",
    "etract",
    "reempt",
    "> pause",
    "alling back",
    "allback to",
    "diffusers",
    "raph",
    "batch",
    "throughput",
    "eval time",
    "draft acc",
    "/start_profile",
    "rofil",
    "ault (core",
    "Started server",
];

/// What a message means, when it means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) kind: IncidentKind,
    /// Whether numbers measured after it are not of what was asked for.
    pub(crate) invalidates: bool,
}

/// The meaning of a message that is no traceback and no line of numbers.
pub(crate) fn meaning(line: &Line<'_>, text: &str) -> Option<Meaning> {
    let plain = |kind| {
        Some(Meaning {
            kind,
            invalidates: false,
        })
    };
    if repeats_a_request(text) {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    // SGLang up to 0.4 called it `Decode out of memory happened`: requests lost their cache, nothing ran out.
    if has(&["retract requests", "decode out of memory happened"]) {
        return plain(IncidentKind::Retraction);
    }
    if has(&["is preempted by", "preempting request", "requests preempted"])
        || (lower.contains("request id") && lower.ends_with("-> pause"))
    {
        return plain(IncidentKind::Preemption);
    }
    if has(&["outofmemory", "killed by the oom", "oom-kill", "oom killer"])
        || (lower.contains("out of memory") && !lower.contains("if you see"))
    {
        // Requests died of it, or the process; a warning that it may happen is none.
        return Some(Meaning {
            kind: IncidentKind::OutOfMemory,
            invalidates: !matches!(line.level, Some(Level::Info | Level::Warning)),
        });
    }
    if has(&["cuda graph", "cudagraph", "cuda_graph"]) && !lower.contains("--disable-cuda-graph") {
        let is_off = has(&[
            "graph is disabled",
            "graphs are disabled",
            "disabling cuda graph",
            "disable cuda graph",
            "graph is not supported",
        ]);
        let is_less = lower.contains("cudagraphmode") && lower.contains("not supported");
        if is_off || is_less {
            return Some(Meaning {
                kind: IncidentKind::CudaGraphDisabled,
                invalidates: true,
            });
        }
    }
    if has(&[
        "falling back to",
        "fall back to",
        "fallback to",
        "using diffusers backend",
        "loaded diffusers pipeline",
    ]) {
        let invalidates = has(&["backend", "attention", "sdpa", "diffusers", "kernel", "eager"]);
        return Some(Meaning {
            kind: IncidentKind::Fallback,
            invalidates,
        });
    }
    // The end of one says that it ran, too.
    if profilers::is_told(text) {
        return Some(Meaning {
            kind: IncidentKind::Profiled,
            invalidates: true,
        });
    }
    let is_error = match line.level {
        Some(Level::Error) => true,
        // An access log's level is INFO whatever the answer was.
        Some(Level::Info) => lower.contains("500 internal server error"),
        Some(Level::Warning) => false,
        None => says_error(text),
    };
    if is_error {
        plain(IncidentKind::Error)
    } else {
        None
    }
}

/// Logs of requests repeat what users wrote: that is nothing the engine says.
pub(super) fn repeats_a_request(text: &str) -> bool {
    [
        "Receive: ",
        "Finish: ",
        "Received request",
        "Generated response",
        "Receive OpenAI",
        "Finish OpenAI",
    ]
    .iter()
    .any(|start| text.trim_start().starts_with(start))
}

/// Whether a message of a format without levels is one of an error: `ValueError: x`, `Fatal Python error`, `hit an exception`.
fn says_error(text: &str) -> bool {
    let is_part = |c: char| !(c.is_alphanumeric() || c == '_');
    // Names like `error_rate=0.1` are none: the word has to stand alone, or end a class name.
    text.split(is_part).any(|word| {
        matches!(
            word,
            "ERROR" | "CRITICAL" | "FATAL" | "Fatal" | "exception" | "Segmentation"
        ) || (word.ends_with("Error") && word.len() >= 5)
            || (word.ends_with("Exception") && word.len() >= 9)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::log::head::take_apart;

    fn of(line: &str) -> Option<(IncidentKind, bool)> {
        let taken = take_apart(line.as_bytes());
        let found = meaning(&taken, std::str::from_utf8(taken.body).unwrap());
        if found.is_some() {
            assert!(
                NEEDLES.iter().any(|needle| line.contains(needle)),
                "no needle in {line}"
            );
        }
        found.map(|meaning| (meaning.kind, meaning.invalidates))
    }

    #[test]
    fn messages_of_engines_are_known() {
        use IncidentKind::{
            CudaGraphDisabled, Error, Fallback, OutOfMemory, Preemption, Profiled, Retraction,
        };
        for (line, expected) in [
            (
                "[2026-01-02 10:00:00 TP0] KV cache pool is full. Retract requests. #retracted_reqs: 1, #new_token_ratio: 0.5 -> 0.6",
                (Retraction, false),
            ),
            (
                "[2026-01-02 10:00:00 TP0] Decode out of memory happened. #retracted_reqs: 1",
                (Retraction, false),
            ),
            (
                "WARNING 05-09 00:49:33 scheduler.py:1057] Sequence group 0 is preempted by PreemptionMode.RECOMPUTE mode because there is not enough KV cache space.",
                (Preemption, false),
            ),
            (
                "[12/28/2025-10:40:09] [TRT-LLM] [I] MaxUtilizationScheduler: request ID 72 -> pause",
                (Preemption, false),
            ),
            (
                "[2026-01-02 10:00:00] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
                (OutOfMemory, true),
            ),
            (
                "vllm.service: A process of this unit has been killed by the OOM killer.",
                (OutOfMemory, true),
            ),
            (
                "[2026-01-02 10:00:00] Could not resolve native configuration. Falling back to diffusers backend.",
                (Fallback, true),
            ),
            ("[2026-01-02 10:00:00] Using diffusers backend", (Fallback, true)),
            (
                "WARNING 01-02 10:00:00 [cuda.py:9] FlashAttention is not installed. Falling back to XFormers backend.",
                (Fallback, true),
            ),
            (
                "[2026-01-02 10:00:00] No IB devices specified, falling back to auto discovery.",
                (Fallback, false),
            ),
            (
                "[2026-01-02 10:00:00] Cuda graph is disabled because of using torch native attention backend",
                (CudaGraphDisabled, true),
            ),
            (
                "(Worker_TP0 pid=1) WARNING 11-06 10:51:48 [g.py:4199] CUDAGraphMode.FULL_AND_PIECEWISE is not supported with TritonMLABackend backend; setting cudagraph_mode=PIECEWISE",
                (CudaGraphDisabled, true),
            ),
            ("ERROR 01-02 10:00:00 [core.py:1] EngineCore died", (Error, false)),
            (
                "INFO:     1.2.3.4:5 - \"POST /v1/chat/completions HTTP/1.1\" 500 Internal Server Error",
                (Error, false),
            ),
            (
                "[2026-01-02 10:00:00] INFO:     1.2.3.4:5 - \"POST /start_profile HTTP/1.1\" 200 OK",
                (Profiled, true),
            ),
            (
                "[2026-01-02 10:00:00 TP0] Profiling starts. Traces will be saved to: /tmp",
                (Profiled, true),
            ),
            (
                "INFO 01-02 10:00:00 [api_server.py:1] Starting profiler...",
                (Profiled, true),
            ),
            (
                "[2026-01-02 10:00:00 TP0] Profiling done. Traces are saved to: /tmp",
                (Profiled, true),
            ),
            (
                "[2026-01-02 10:00:00 TP0] Stop profiling-DECODE...",
                (Profiled, true),
            ),
            (
                "INFO 01-02 10:00:00 [wrapper.py:1] Max profiling iterations reached. Stopping profiler...",
                (Profiled, true),
            ),
            ("ValueError: bad", (Error, false)),
            (
                "[2026-01-02 10:00:00 TP0] Scheduler hit an exception: x",
                (Error, false),
            ),
        ] {
            assert_eq!(of(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn other_messages_are_none() {
        for line in [
            "INFO 01-02 10:00:00 [x.py:1] error_count=0 Error budget fine",
            "[2026-01-02 10:00:00 TP0] Capture cuda graph begin. This can take up to several minutes.",
            "[2026-01-02 10:00:00] 4. disable CUDA graph by --disable-cuda-graph. (Not recommended.)",
            "[2026-01-02 10:00:00] Receive: obj=GenerateReqInto(text='Falling back to diffusers backend ValueError')",
            "INFO 01-02 10:00:00 [logger.py:1] Received request c-1: prompt: 'CUDA out of memory, is preempted by me'",
            "[2026-01-02 10:00:00] error_rate=0.0 num_errors: 3",
            "[2026-01-02 10:00:00] INFO:     1.2.3.4:5 - \"POST /start_profile HTTP/1.1\" 404 Not Found",
            "[2026-01-02 10:00:00] INFO:     Started server process [77]",
            "INFO 01-02 10:00:00 [api_server.py:1] Route: /start_profile, Methods: POST",
        ] {
            assert_eq!(of(line), None, "{line}");
        }
    }
}
