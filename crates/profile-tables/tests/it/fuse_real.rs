//! Fusions in real traces. They lie outside the repository; `SOTA_LOOP_TEST_DATA` says where.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

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

fn traces() -> Option<PathBuf> {
    let folder = std::env::var_os("SOTA_LOOP_TEST_DATA");
    if folder.is_none() {
        println!("fusions in real traces: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
    }
    Some(Path::new(&folder?).join("traces"))
}

fn of<'a>(findings: &'a [Finding], name: &str) -> &'a Finding {
    let at = Catalogue::builtin().patterns.iter().position(|pattern| pattern.name == name);
    &findings[at.unwrap_or_else(|| panic!("no row `{name}`"))]
}

#[test]
fn tensor_parallel_b200_has_its_all_reduces_split_from_the_norms() {
    let Some(folder) = traces() else { return };
    let (found, total) = findings(&folder.join("vllm_gptoss_B200_tp8_rank0_eager.json.gz"), "vllm").unwrap();
    let row = of(&found, "all-reduce + RMSNorm, NVIDIA");
    let finalize = of(&found, "MoE finalize + all-reduce + RMSNorm");
    assert_eq!((row.state, finalize.state), (State::Split, State::Split));
    // 36 layers with two norms behind an all-reduce, and the first norm behind that of the embedding.
    assert_eq!(row.occurrences + finalize.occurrences, 73);
    let related = 100.0 * (row.related_ns + finalize.related_ns) as f64 / total as f64;
    assert!((8.0..16.0).contains(&related), "norms, copies and finalize, not the all-reduces: {related} %");
}

#[test]
fn gpt_oss_on_mi300x_has_no_norm_with_quantisation() {
    let Some(folder) = traces() else { return };
    let (found, _) = findings(&folder.join("vllm_gptoss_MI300X_piecewise_exec.json.gz"), "vllm").unwrap();
    for (finding, pattern) in found.iter().zip(&Catalogue::builtin().patterns) {
        if pattern.name.contains("quantisation") {
            assert_ne!(finding.state, State::Split, "{}", pattern.name);
        }
    }
    let row = of(&found, "RoPE + KV-cache write");
    assert_eq!((row.state, row.occurrences), (State::Split, 24));
}

#[test]
fn qwen3_on_b300_and_mi300x() {
    let Some(folder) = traces() else { return };
    let (found, _) = findings(&folder.join("sglang_qwen3_30b_a3b_B300-TP-0-DECODE.trace.json.gz"), "sglang").unwrap();
    let row = of(&found, "QK norm + RoPE with its KV-cache write");
    assert_eq!((row.state, row.occurrences), (State::Split, 48));
    assert_eq!(of(&found, "expert product + activation").state, State::Present);
    let (found, _) = findings(&folder.join("sglang_qwen3_8b_MI300X_bs32_graph.json.gz"), "sglang").unwrap();
    let row = of(&found, "QK norm + RoPE + KV-cache write");
    assert_eq!((row.state, row.occurrences), (State::Split, 36));
}

#[test]
fn eager_hugging_face_has_its_norms_and_rotations_in_pieces() {
    let Some(folder) = traces() else { return };
    let (found, _) = findings(&folder.join("hf_qwen1.5_0.5b_H100_fwd.json.gz"), "hf").unwrap();
    assert_eq!(of(&found, "RMSNorm by single operators").state, State::Split);
    assert_eq!(of(&found, "rotary embedding by single operators").state, State::Split);
    assert_eq!(of(&found, "SiLU and product of two tensors").state, State::Split);
}
