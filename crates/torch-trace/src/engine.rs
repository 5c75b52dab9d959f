//! Which engine wrote a trace: by its own files in the Python stacks, then by the names of its steps.

use crate::collect::Trace;

/// Packages and the engine each stands for; an engine before the libraries that it uses.
const PACKAGES: [(&str, &str); 6] = [
    ("engine_sim/", "engine-sim"),
    ("tensorrt_llm/", "tensorrt-llm"),
    ("tokenspeed/", "tokenspeed"),
    ("sglang/", "sglang"),
    ("vllm/", "vllm"),
    ("transformers/", "transformers"),
];

/// The engine; `None` when nothing says.
#[must_use]
pub fn engine_of(trace: &Trace) -> Option<&'static str> {
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

/// The engine whose way of naming steps a trace follows, whoever wrote it; `None` when no step is named.
#[must_use]
pub fn style_of(trace: &Trace) -> Option<&'static str> {
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
