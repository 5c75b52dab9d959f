//! Layers of the real traces.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use pipeline_analysis::{Detection, Expected, Kernel, detect};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Name, start and duration.
type Event = (String, i64, i64);

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
}

#[derive(Deserialize)]
struct Trace<'a> {
    #[serde(borrow, rename = "traceEvents")]
    events: Vec<Raw<'a>>,
}

/// Kernels of the busiest stream, in start order.
fn busiest_stream(path: &Path) -> Vec<Event> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::MultiGzDecoder::new(file)
        .read_to_end(&mut text)
        .unwrap();
    let trace: Trace<'_> = serde_json::from_slice(&text).unwrap();
    let mut streams: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for event in trace.events {
        // Traces of 2021 write `Kernel`.
        if event.ph == "X" && event.cat.eq_ignore_ascii_case("kernel") {
            let stream = format!("{:?}/{:?}", event.pid, event.tid);
            // Nanoseconds are enough for the order; the reader of traces keeps them exactly.
            let (start, dur) = ((event.ts * 1e3) as i64, (event.dur * 1e3) as i64);
            streams
                .entry(stream)
                .or_default()
                .push((event.name.into_owned(), start, dur));
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

#[test]
fn real_traces() {
    let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        println!("layers of real traces: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
        return;
    };
    let folder = Path::new(&data).join("traces");
    let truth = [
        ("sglang_qwen3_30b", 48),
        ("sglang_qwen3_8b_MI300X_bs32_graph", 36),
        ("sglang_qwen3_8b_MI300X_ctx", 36),
        ("vllm_gptoss_B200", 36),
        ("vllm_gptoss_MI300X_piecewise_exec", 24),
        ("hf_qwen1.5", 24),
        ("sglang_r1", 32),
    ];
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".json.gz") {
            continue;
        }
        let events = busiest_stream(&path);
        let n = truth
            .iter()
            .find(|(part, _)| name.starts_with(part))
            .map(|(_, n)| *n);
        for config in [None, n] {
            let t = std::time::Instant::now();
            let d = detected(&events, config);
            println!(
                "{name} kernels {} config {config:?}: {} period {:?} x {:?} conf {:.3} layers {:?} clusters {} {:?} {:?}",
                events.len(),
                d.method.name(),
                d.period,
                d.repeats,
                d.confidence,
                d.layers,
                d.clusters,
                d.warnings,
                t.elapsed()
            );
            for p in d.passes.iter().take(4) {
                println!(
                    "     {:?} pre {:?} layers {} x {:?}.. tail {:?} complete {}",
                    p.role,
                    p.preamble,
                    p.layers.len(),
                    p.layers[0].kernels,
                    p.tail,
                    p.complete
                );
            }
            if n.is_none() {
                break;
            }
        }
    }
}
