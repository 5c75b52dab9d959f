//! Layers of the real traces, with and without their number.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use trace_layers::{Detection, DetectionWarning, Expected, Kernel, Method, detect};

/// An event, as far as kernels need it.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow, default)]
    ph: Cow<'a, str>,
    #[serde(borrow, default)]
    cat: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(default)]
    ts: f64,
    #[serde(default)]
    dur: f64,
    #[serde(borrow)]
    pid: Option<&'a RawValue>,
    #[serde(borrow)]
    tid: Option<&'a RawValue>,
    #[serde(borrow)]
    args: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Trace<'a> {
    #[serde(borrow, rename = "traceEvents")]
    events: Vec<Raw<'a>>,
}

/// Arguments of a launch while a graph is captured: the kernel that does not run yet.
#[derive(Deserialize)]
struct Launch {
    kernel: Option<String>,
}

/// Name, start and duration.
type Event = (String, i64, i64);

/// Kernels of the busiest stream, or those that launches name, in start order.
fn kernels(path: &Path, launched: bool) -> Vec<Event> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path).expect("the trace can be read");
    flate2::read::MultiGzDecoder::new(file)
        .read_to_end(&mut text)
        .expect("the trace can be inflated");
    let trace: Trace<'_> = serde_json::from_slice(&text).expect("the trace is JSON");
    let mut streams: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for event in trace.events {
        // Nanoseconds are enough for the order; the reader of traces keeps them exactly.
        let (start, dur) = ((event.ts * 1e3) as i64, (event.dur * 1e3) as i64);
        // Traces of 2021 write `Kernel`.
        let kernel = event.ph == "X" && event.cat.eq_ignore_ascii_case("kernel");
        let name = if launched {
            let args = event.args.filter(|args| args.get().contains("\"kernel\""));
            args.and_then(|args| serde_json::from_str::<Launch>(args.get()).ok()?.kernel)
        } else {
            kernel.then(|| event.name.into_owned())
        };
        if let Some(name) = name {
            let stream = format!(
                "{:?}/{:?}",
                event.pid.map(RawValue::get),
                event.tid.map(RawValue::get)
            );
            streams.entry(stream).or_default().push((name, start, dur));
        }
    }
    let mut events = streams.into_values().max_by_key(Vec::len).unwrap_or_default();
    events.sort_by_key(|event| event.1);
    events
}

fn detected(events: &[Event], layers: Option<usize>) -> Detection {
    let kernels: Vec<Kernel<'_>> = events
        .iter()
        .map(|(name, start_ns, dur_ns)| Kernel {
            name,
            start_ns: *start_ns,
            dur_ns: *dur_ns,
        })
        .collect();
    detect(
        &kernels,
        &Expected {
            num_hidden_layers: layers,
            layer_types: &[],
        },
    )
}

/// Start of the file name, layers of the model, kernels of a repeat, and first kernel of the first whole pass.
const TRACES: [(&str, usize, usize, usize); 8] = [
    ("hf_qwen1.5_0.5b_H100_fwd", 24, 42, 449),
    ("sglang_qwen3_30b_a3b_B300-TP-0-DECODE", 48, 14, 12),
    ("sglang_qwen3_8b_MI300X_bs32_graph", 36, 15, 9),
    ("sglang_qwen3_8b_MI300X_capture_bs32_rank0", 36, 15, 3),
    ("sglang_qwen3_8b_MI300X_ctx15360", 36, 14, 12),
    ("sglang_r1_distill_MI300X-TP-0-DECODE", 32, 11, 9),
    ("vllm_gptoss_B200_tp8_rank0_eager", 36, 21, 6),
    ("vllm_gptoss_MI300X_piecewise_exec", 24, 17, 2),
];

#[test]
fn real_traces() {
    let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        println!("layers of real traces: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
        return;
    };
    let folder = Path::new(&data).join("traces");
    let files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of traces can be read")
        .map(|entry| entry.expect("the folder of traces can be read").path())
        .collect();
    for (name, layers, period, first) in TRACES {
        let path = files
            .iter()
            .find(|path| {
                path.file_name()
                    .is_some_and(|file| file.to_string_lossy().starts_with(name))
            })
            .unwrap_or_else(|| panic!("{} has no {name}", folder.display()));
        let events = kernels(path, name.contains("capture"));
        for config in [None, Some(layers)] {
            let found = detected(&events, config);
            println!(
                "{name}: {} kernels, configured {config:?}: {:?} layers, {} {:?} x {:.2}, confidence {:.3}, {} passes",
                events.len(),
                found.layers,
                found.method.name(),
                found.period,
                found.repeats.unwrap_or(0.0),
                found.confidence,
                found.passes.len(),
            );
            assert_eq!(
                (found.layers, found.period),
                (Some(layers), Some(period)),
                "{name}, {config:?}"
            );
            let complete: Vec<_> = found.passes.iter().filter(|pass| pass.complete).collect();
            assert_eq!(complete.len(), 1, "{name}");
            assert_eq!(
                (complete[0].layers.len(), complete[0].preamble.end),
                (layers, first),
                "{name}"
            );
            assert!(found.confidence > 0.95, "{name}");
            // Names of one layer are strewn over this trace, and its times are in order.
            let strewn = name.contains("r1_distill");
            assert_eq!(found.method == Method::Slots, strewn, "{name}");
            let out_of_order =
                |warning: &DetectionWarning| matches!(warning, DetectionWarning::OutOfOrder { .. });
            assert_eq!(
                found
                    .warnings
                    .iter()
                    .filter(|warning| out_of_order(warning))
                    .count(),
                usize::from(strewn)
            );
            assert_eq!(found.warnings.len(), usize::from(strewn), "{:?}", found.warnings);
        }
    }
    println!("layers of real traces: {} traces", TRACES.len());
}
