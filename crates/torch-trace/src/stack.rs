//! Which line of Python asked for something: the frames around a moment on its thread, and the one worth naming.

use crate::collect::Trace;
use crate::event::{RuntimeCall, TrackId};
use crate::names::NameId;

/// How much a frame says: the innermost of the highest rank names a location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Built-in functions, module calls, threads: never a location.
    None,
    /// PyTorch itself.
    Torch,
    /// A wrapper that every call passes.
    Wrapper,
    /// Any other Python file.
    Python,
    /// A file of an inference engine or a model library.
    Engine,
}

/// Packages whose own lines are what a reader can change.
const ENGINES: [&str; 7] = [
    "sglang/",
    "vllm/",
    "tensorrt_llm/",
    "tokenspeed/",
    "engine_sim/",
    "transformers/",
    "diffusers/",
];

/// Functions and files that stand between a line and its kernel on every call.
const WRAPPERS: [&str; 11] = [
    ": __call__",
    ": __torch_function__",
    ": _wrapped_call_impl",
    ": _call_impl",
    ": decorate_context",
    ": wrapper",
    "cuda_graph_runner.py",
    "kernel_shape_profiler.py",
    "/_custom_ops.py",
    "/_ops.py",
    "/custom_op.py",
];

fn rank(text: &str) -> Rank {
    let Some(line) = text.find(".py(") else {
        return Rank::None;
    };
    let path = &text[..line];
    let stdlib = [
        "threading",
        "contextlib",
        "asyncio/",
        "multiprocessing/",
        "concurrent/",
        "<frozen",
        "runpy",
        "selectors",
    ];
    if stdlib
        .iter()
        .any(|name| path.rsplit("/lib/python").next().unwrap_or(path).contains(name))
    {
        return Rank::None;
    }
    if path.starts_with("torch/") || path.contains("/torch/") || path.contains("torch/_inductor") {
        return Rank::Torch;
    }
    if WRAPPERS.iter().any(|word| text.contains(word)) {
        return Rank::Wrapper;
    }
    if ENGINES
        .iter()
        .any(|package| path.starts_with(package) || path.contains(&format!("/{package}")))
    {
        return Rank::Engine;
    }
    Rank::Python
}

/// A moment on a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Process and thread.
    pub track: TrackId,
    /// Time, nanoseconds.
    pub at_ns: i64,
}

/// When and where each of [`Trace::calls`] began.
#[must_use]
pub fn launch_moments(trace: &Trace) -> Vec<Moment> {
    let moment = |call: &RuntimeCall| Moment {
        track: call.track,
        at_ns: call.start_ns,
    };
    trace.calls.iter().map(moment).collect()
}

/// For each moment the frame that best says where it comes from; `None` where no frame of the thread is around it.
#[must_use]
pub fn locations(trace: &Trace, moments: &[Moment]) -> Vec<Option<NameId>> {
    let mut frames: Vec<usize> = (0..trace.frames.len()).collect();
    frames.sort_by_key(|index| {
        let frame = &trace.frames[*index];
        (frame.track, frame.start_ns, -frame.dur_ns)
    });
    let mut order: Vec<usize> = (0..moments.len()).collect();
    order.sort_by_key(|index| (moments[*index].track, moments[*index].at_ns));

    let mut ranks: Vec<Option<Rank>> = vec![None; trace.names.len()];
    let mut rank_of =
        |name: NameId| *ranks[name.index()].get_or_insert_with(|| rank(&trace.names.text(name)));
    let mut found = vec![None; moments.len()];
    let mut next = frames.into_iter().peekable();
    // Frames around the current moment, outermost first: when each ends, its text, and the best of all up to it.
    let mut open: Vec<(i64, Option<(Rank, NameId)>)> = Vec::new();
    let mut thread = None;
    for index in order {
        let moment = moments[index];
        if thread != Some(moment.track) {
            thread = Some(moment.track);
            open.clear();
            while next
                .next_if(|frame| trace.frames[*frame].track < moment.track)
                .is_some()
            {}
        }
        while let Some(frame) = next.next_if(|frame| {
            let frame = &trace.frames[*frame];
            frame.track == moment.track && frame.start_ns <= moment.at_ns
        }) {
            let frame = &trace.frames[frame];
            while open.last().is_some_and(|(end, _)| *end <= frame.start_ns) {
                open.pop();
            }
            let outer = open.last().and_then(|(_, best)| *best);
            let own = (rank_of(frame.name), frame.name);
            let best = match outer {
                // Of equal ranks the inner frame says more.
                Some(outer) if outer.0 > own.0 => Some(outer),
                _ => (own.0 > Rank::None).then_some(own).or(outer),
            };
            open.push((frame.start_ns.saturating_add(frame.dur_ns), best));
        }
        while open.last().is_some_and(|(end, _)| *end <= moment.at_ns) {
            open.pop();
        }
        found[index] = open.last().and_then(|(_, best)| best.map(|(_, name)| name));
    }
    found
}

/// The frame worth naming of a `Call stack` as traces of 2021 hold it: frames from the innermost, separated by `;`.
#[must_use]
pub fn location_in_call_stack(text: &str) -> Option<&str> {
    let frames = text.split(';').map(str::trim);
    // The first of the highest rank is the innermost.
    frames
        .rev()
        .max_by_key(|frame| rank(frame))
        .filter(|frame| rank(frame) > Rank::None)
}

/// A location as people read it: from the package on, without the folders that hold it.
#[must_use]
pub fn short_location(text: &str) -> &str {
    let path_end = text.find(".py(").unwrap_or(text.len());
    let from = [
        "/site-packages/",
        "/dist-packages/",
        "/python/sglang/",
        "/lib/python3",
    ]
    .iter()
    .filter_map(|mark| {
        let at = text[..path_end].rfind(mark)?;
        // The package's own name stays.
        Some(if *mark == "/python/sglang/" {
            at + "/python/".len()
        } else {
            at + mark.len()
        })
    })
    .max()
    .unwrap_or(0);
    &text[from..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_trace::trace;

    fn frame(name: &str, tid: u32, ts: u32, dur: u32) -> String {
        format!(
            r#"{{"ph":"X","cat":"python_function","name":"{name}","pid":1,"tid":{tid},"ts":{ts},"dur":{dur}}}"#
        )
    }

    #[test]
    fn the_innermost_line_of_the_engine_is_named() {
        let trace = trace(
            &[
                frame("threading.py(1): run", 1, 0, 100),
                frame("/opt/sglang/srt/models/qwen3.py(20): forward", 1, 10, 50),
                frame("nn.Module: RMSNorm_3", 1, 20, 20),
                frame("/opt/sglang/srt/layers/layernorm.py(7): forward", 1, 21, 10),
                frame("torch/_ops.py(3): __call__", 1, 22, 5),
                frame("/opt/app/main.py(1): loop", 2, 0, 100),
            ]
            .join(","),
        );
        let track = |index: usize| trace.frames[index].track;
        let moment = |thread: usize, at: i64| Moment {
            track: track(thread),
            at_ns: at * 1000,
        };
        let found: Vec<Option<String>> = locations(
            &trace,
            &[
                moment(0, 23),
                moment(0, 45),
                moment(5, 50),
                moment(0, 5),
                moment(0, 200),
                moment(0, 31),
            ],
        )
        .into_iter()
        .map(|name| name.map(|name| trace.names.text(name).into_owned()))
        .collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [
                text("/opt/sglang/srt/layers/layernorm.py(7): forward"),
                text("/opt/sglang/srt/models/qwen3.py(20): forward"),
                text("/opt/app/main.py(1): loop"),
                None,
                None,
                text("/opt/sglang/srt/models/qwen3.py(20): forward"),
            ]
        );
    }

    #[test]
    fn an_old_call_stack_names_its_innermost_useful_frame() {
        assert_eq!(
            location_in_call_stack(
                "/x/torch/nn/functional.py(9): relu;/x/torchvision/models/resnet.py(3): forward;train.py(1): main"
            ),
            Some("/x/torchvision/models/resnet.py(3): forward")
        );
        assert_eq!(location_in_call_stack("<built-in method>"), None);
    }

    #[test]
    fn locations_lose_the_folders_that_hold_the_package() {
        assert_eq!(
            short_location("/usr/lib/python3.12/site-packages/vllm/a.py(3): f"),
            "vllm/a.py(3): f"
        );
        assert_eq!(
            short_location("/sgl-workspace/sglang/python/sglang/srt/a.py(3): f"),
            "sglang/srt/a.py(3): f"
        );
        assert_eq!(short_location("vllm/a.py(3): f"), "vllm/a.py(3): f");
    }
}
