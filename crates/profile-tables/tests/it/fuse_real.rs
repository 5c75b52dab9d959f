//! Fusions in real traces. They lie outside the repository; `SOTA_LOOP_TEST_DATA` says where.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use profile_tables::fuse::{Catalogue, Context, Finding, Node, State, find, gpu_arch};
use serde::Deserialize;
use serde_json::Value;
use torch_trace::family::family_of;

#[derive(Deserialize)]
struct Trace {
    #[serde(rename = "traceEvents")]
    events: Vec<Event>,
    #[serde(rename = "deviceProperties", default)]
    devices: Vec<Device>,
    #[serde(rename = "distributedInfo", default)]
    distributed: Option<Distributed>,
}

#[derive(Deserialize)]
struct Device {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Distributed {
    #[serde(default)]
    world_size: Option<u32>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    cat: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    tid: Value,
    #[serde(default)]
    ts: f64,
    #[serde(default)]
    dur: f64,
}

/// Findings of the busiest stream, and what all its kernels took.
fn findings(path: &Path, engine: &str) -> io::Result<(Vec<Finding>, i64)> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(File::open(path)?).read_to_end(&mut bytes)?;
    let trace: Trace = serde_json::from_slice(&bytes)?;
    let mut streams: BTreeMap<String, Vec<&Event>> = BTreeMap::new();
    for event in &trace.events {
        if ["kernel", "gpu_memcpy", "gpu_memset"].contains(&event.cat.as_str()) {
            streams.entry(event.tid.to_string()).or_default().push(event);
        }
    }
    let mut events = streams.into_values().max_by_key(Vec::len).unwrap_or_default();
    events.sort_by(|a, b| a.ts.total_cmp(&b.ts));
    let nodes: Vec<Node<'_>> = events
        .iter()
        .map(|event| Node {
            name: &event.name,
            family: family_of(&event.name),
            dur_ns: (event.dur * 1e3) as i64,
        })
        .collect();
    let context = Context {
        world_size: trace.distributed.and_then(|distributed| distributed.world_size),
        dtypes: None,
        engine: Some(engine),
        gpu_arch: trace.devices.first().and_then(|device| gpu_arch(&device.name)),
    };
    println!("\n{} {context:?}", path.file_name().unwrap_or_default().display());
    let found = find(Catalogue::builtin(), &nodes, &context);
    let total: i64 = nodes.iter().map(|node| node.dur_ns).sum();
    for finding in found.iter().filter(|finding| finding.state != State::Absent) {
        println!(
            "  {:?} x{} `{}` related {:.2} % saves {:.2} % {:?}",
            finding.state,
            finding.occurrences,
            Catalogue::builtin().patterns[finding.pattern].name,
            100.0 * finding.related_ns as f64 / total as f64,
            100.0 * finding.estimated_saving_ns as f64 / total as f64,
            finding.sequence,
        );
    }
    Ok((found, total))
}

/// A row by its name, its state, its occurrences.
type Expected = (&'static str, State, u64);

/// What is known of the traces by looking at their kernels.
const TRACES: [(&str, &str, &[Expected]); 7] = [
    (
        "vllm_gptoss_B200_tp8_rank0_eager.json.gz",
        "vllm",
        // 36 layers with two norms behind an all-reduce, half of them behind the experts, and one behind the embedding.
        &[
            ("all-reduce + RMSNorm, NVIDIA", State::Split, 37),
            ("MoE finalize + all-reduce + RMSNorm", State::Split, 36),
            ("RoPE + FP8 quantisation + KV-cache write", State::Split, 36),
            ("routing in three kernels (trtllm-gen)", State::Split, 36),
            ("expert product + activation", State::Present, 36),
            ("RMSNorm + FP8 quantisation, static scale", State::Absent, 0),
        ],
    ),
    (
        "vllm_gptoss_MI300X_piecewise_exec.json.gz",
        "vllm",
        &[
            ("RoPE + KV-cache write", State::Split, 24),
            ("RMSNorm + padding before the experts", State::Split, 24),
            ("RMSNorm + FP8 quantisation, static scale", State::Absent, 0),
            ("RMSNorm + FP4 quantisation", State::Absent, 0),
        ],
    ),
    (
        "sglang_qwen3_30b_a3b_B300-TP-0-DECODE.trace.json.gz",
        "sglang",
        &[
            ("QK norm + RoPE with its KV-cache write", State::Split, 48),
            ("RoPE + KV-cache write", State::Present, 48),
            ("expert product + activation", State::Present, 48),
            ("routing in three kernels (trtllm-gen)", State::Present, 48),
        ],
    ),
    (
        "sglang_qwen3_8b_MI300X_bs32_graph.json.gz",
        "sglang",
        &[
            ("QK norm + RoPE + KV-cache write", State::Split, 36),
            ("residual add + RMSNorm", State::Present, 145),
        ],
    ),
    (
        "sglang_r1_distill_MI300X-TP-0-DECODE.trace.json.gz",
        "sglang",
        &[("QK norm + RoPE + KV-cache write", State::Absent, 0)],
    ),
    (
        "hf_qwen1.5_0.5b_H100_fwd.json.gz",
        "hf",
        &[
            ("RMSNorm by single operators", State::Split, 70),
            ("rotary embedding by single operators", State::Split, 68),
            ("SiLU and product of two tensors", State::Split, 35),
            ("attention by products and a softmax", State::Present, 34),
        ],
    ),
    (
        "hf_owlv2_large_H100_stacks.json.gz",
        "hf",
        &[
            ("attention by products and a softmax", State::Split, 180),
            ("residual add + RMSNorm", State::Absent, 0),
        ],
    ),
];

#[test]
fn real_traces_have_the_fusions_that_their_kernels_show() {
    let Some(folder) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        println!("fusions in real traces: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
        return;
    };
    let mut wrong = Vec::new();
    for (file, engine, expected) in TRACES {
        let (found, total) = findings(&Path::new(&folder).join("traces").join(file), engine).unwrap();
        let related: i64 = found.iter().map(|finding| finding.related_ns).sum();
        assert!(related <= total, "{file}: more is removed than there is");
        if file.starts_with("vllm_gptoss_B200") {
            let of_all_reduces = found
                .iter()
                .filter(|finding| finding.sequence.iter().any(|name| name.contains("all_reduce")));
            let share =
                100.0 * of_all_reduces.map(|finding| finding.related_ns).sum::<i64>() as f64 / total as f64;
            // Norms 3.9 %, copies 6.7 %, finalize 2.2 %; the all-reduces themselves are 18.2 % and stay.
            assert!((12.0..13.5).contains(&share), "{share} %");
        }
        for (name, state, occurrences) in expected {
            let at = Catalogue::builtin()
                .patterns
                .iter()
                .position(|pattern| pattern.name == *name);
            let finding = &found[at.unwrap_or_else(|| panic!("no row `{name}`"))];
            if (finding.state, finding.occurrences) != (*state, *occurrences) {
                wrong.push(format!(
                    "{file}, `{name}`: {:?} x{}",
                    finding.state, finding.occurrences
                ));
            }
        }
    }
    println!("\nfusions in real traces: {} traces", TRACES.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
