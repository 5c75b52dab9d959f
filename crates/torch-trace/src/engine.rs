//! Which engine wrote a trace: by its own word, by its files in the Python stacks, then by the names of its steps.

use crate::collect::Trace;

/// The engine of a trace that says it is simulated.
pub const SIMULATED: &str = "engine-sim";

/// Packages and the engine each stands for; an engine before the libraries that it uses.
const PACKAGES: [(&str, &str); 6] = [
    ("engine_sim/", SIMULATED),
    ("tensorrt_llm/", "tensorrt-llm"),
    ("tokenspeed/", "tokenspeed"),
    ("sglang/", "sglang"),
    ("vllm/", "vllm"),
    ("transformers/", "transformers"),
];

/// The engine; `None` when nothing says. What a trace says of itself comes first: frames may not have been read.
#[must_use]
pub fn engine_of(trace: &Trace) -> Option<&'static str> {
    if trace.header.simulated {
        return Some(SIMULATED);
    }
    let mut counts = [0_u64; PACKAGES.len()];
    let mut seen = vec![false; trace.names.len()];
    for frame in &trace.frames {
        if !std::mem::replace(&mut seen[frame.name.index()], true) {
            let text = trace.names.text(frame.name);
            for (count, (package, _)) in counts.iter_mut().zip(PACKAGES) {
                *count += u64::from(text.starts_with(package) || text.contains(&format!("/{package}")));
            }
        }
    }
    // vLLM and SGLang import each other's kernels and transformers' configurations: the most frames decide.
    let most = counts.iter().copied().max().filter(|most| *most > 0);
    if let Some(most) = most {
        let place = counts.iter().position(|count| *count == most)?;
        return Some(PACKAGES[place].1);
    }
    style_of(trace)
}

/// The engine whose settings apply: of a simulated one, the engine that it simulates.
#[must_use]
pub fn settings_of(trace: &Trace, engine: Option<&'static str>) -> Option<&'static str> {
    match engine {
        Some(SIMULATED) => style_of(trace),
        engine => engine,
    }
}

/// The engine whose way of naming steps a trace follows, whoever wrote it; `None` when no step is named.
fn style_of(trace: &Trace) -> Option<&'static str> {
    trace.annotations.iter().find_map(|annotation| {
        let text = trace.names.text(annotation.name);
        if text.starts_with("step[") {
            Some("sglang")
        } else if text.starts_with("execute_context_") {
            Some("vllm")
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Want, read};

    #[test]
    fn a_simulated_trace_says_so_without_its_frames() {
        let step =
            r#"{"ph":"X","cat":"user_annotation","name":"step[DECODE bs=4]","pid":1,"tid":1,"ts":1,"dur":9}"#;
        let engine = |head: &str| {
            let text = format!("{{{head} \"traceEvents\": [{step}]}}");
            let trace = read(text.as_bytes(), Want::DEVICE).expect("a trace");
            (engine_of(&trace), trace.header.simulated)
        };
        assert_eq!(engine(r#""simulated": true,"#), (Some("engine-sim"), true));
        assert_eq!(engine(r#""simulated": false,"#), (Some("sglang"), false));
        assert_eq!(engine(""), (Some("sglang"), false));
    }
}
