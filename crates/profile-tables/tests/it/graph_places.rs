//! Kernels of graphs without the trace of the capture: places and lines by the layers, against what is known.

use std::collections::BTreeMap;

use serde_json::Value;
use tempfile::TempDir;

use crate::generated::Sketch;
use crate::real::traces;
use crate::run::{document, warnings};

const LAYERS: u32 = 6;

/// The kernels of a layer as an eager step has them, with their lines; a step behind a graph has other tiles.
const EAGER: [(&str, Option<&str>); 6] = [
    ("rms_norm_kernel", Some("layernorm.py(10): forward")),
    ("nvjet_tst_128x256", Some("qkv.py(20): forward")),
    (
        "flash_fwd_prefill_kernel",
        Some("attention.py(30): forward_extend"),
    ),
    ("nvjet_tst_128x128", Some("out.py(40): forward")),
    ("act_and_mul_kernel", Some("activation.py(50): forward")),
    ("nvjet_tst_256x128", Some("down.py(60): forward")),
];
const GRAPH: [&str; 6] = [
    "rms_norm_kernel",
    "nvjet_tst_16x64",
    "flash_fwd_splitkv_decode_kernel",
    "nvjet_tst_32x64",
    "act_and_mul_kernel",
    "nvjet_tst_8x64",
];

fn eager_step(mut sketch: Sketch, from: u32) -> Sketch {
    let mut at = from + 1;
    sketch = sketch.range("user_annotation", "step[EXTEND bs=1 toks=512]", from, 1_000);
    sketch = sketch.kernel("embedding_kernel", 7, at, at + 2_000, 5);
    for (name, line) in (0..LAYERS).flat_map(|_| EAGER) {
        at += 10;
        if let Some(line) = line {
            sketch = sketch.range("python_function", &format!("/x/sglang/srt/{line}"), at - 1, 8);
        }
        sketch = sketch.kernel(name, 7, at, at + 2_000, 8);
    }
    sketch.kernel("argmax_kernel", 7, at + 10, at + 2_010, 5)
}

fn graph_step(sketch: Sketch, from: u32, layer: &[&'static str]) -> Sketch {
    let mut kernels = vec![("embedding_kernel", from + 20, 5)];
    for place in 0..LAYERS * layer.len() as u32 {
        kernels.push((layer[place as usize % layer.len()], from + 30 + place * 10, 8));
    }
    let last = from + 40 + LAYERS * layer.len() as u32 * 10;
    kernels.push(("argmax_kernel", last, 5));
    sketch
        .range("user_annotation", "step[DECODE bs=4]", from, 15)
        .graph(from + 5, &kernels)
}

fn rows<'d>(document: &'d Value, stage: &str) -> &'d [Value] {
    let stages = document["data"]["stages"].as_array().expect("stages");
    let found = stages.iter().find(|found| found["stage"] == stage).expect(stage);
    found["kernel_table"].as_array().expect("rows")
}

fn row<'d>(document: &'d Value, stage: &str, kernel: &str) -> &'d Value {
    let found = rows(document, stage).iter().find(|row| row["kernel"] == kernel);
    found.expect(kernel)
}

#[test]
fn a_graph_takes_over_the_lines_of_an_eager_step_and_says_so() {
    let folder = TempDir::new().expect("a folder");
    let path = graph_step(eager_step(Sketch::new(), 0), 10_000, &GRAPH).write(&folder, "a.json");
    let document = document(&[&path]);
    let gemm = row(&document, "decode", "nvjet_tst_32x64");
    assert_eq!(gemm["python_location"], "/x/sglang/srt/out.py(40): forward");
    assert_eq!(gemm["located_by"], "graph-position");
    let site = &gemm["sites"][0];
    assert_eq!(site["located_by"], "graph-position");
    assert_eq!(site["place"]["part"], "layer");
    assert_eq!(site["place"]["layers"], "0-5");
    assert_eq!(
        (&site["place"]["index"], &site["place"]["of"]),
        (&3.into(), &6.into())
    );
    // Attention of tokens is another kernel, and another line, than that of prompts.
    let attention = row(&document, "decode", "flash_fwd_splitkv_decode_kernel");
    assert_eq!(attention["python_location"], Value::Null);
    assert_eq!(attention["located_by"], Value::Null);
    assert_eq!(attention["sites"][0]["place"]["index"], 2);
    assert_eq!(
        row(&document, "decode", "embedding_kernel")["sites"][0]["place"]["part"],
        "before"
    );
    // What was recorded stays recorded, and has no place.
    let recorded = row(&document, "prefill", "nvjet_tst_128x128");
    assert_eq!(recorded["located_by"], "stack");
    assert_eq!(recorded["sites"][0]["place"], Value::Null);
    let graph = &document["data"]["graph"];
    assert_eq!(
        (&graph["graph_kernels"], &graph["placed"]),
        (&38.into(), &38.into())
    );
    assert_eq!(graph["inferred"], 30);
    assert!(warnings(&document).contains(&"trace-graph-lines-unknown"));
    // A line that was inferred is no scope of a launch.
    let stages = document["data"]["stages"].as_array().expect("stages");
    let decode = stages
        .iter()
        .find(|stage| stage["stage"] == "decode")
        .expect("decode");
    let overlap = decode["overlap_table"].as_array().expect("rows");
    assert!(
        overlap.iter().all(|row| row["launch_scope"].is_null()),
        "{overlap:?}"
    );
}

#[test]
fn a_model_with_other_layers_gives_no_line() {
    let folder = TempDir::new().expect("a folder");
    // Nothing but the graph.
    let alone = graph_step(Sketch::new(), 0, &GRAPH).write(&folder, "alone.json");
    let alone = document(&[&alone]);
    assert_eq!(alone["data"]["graph"]["placed"], 38);
    assert_eq!(alone["data"]["graph"]["inferred"], 0);
    // One product more in each layer than the eager step has: which one is new, nobody knows.
    let layer = [
        "rms_norm_kernel",
        "nvjet_tst_16x64",
        "nvjet_tst_24x64",
        "flash_fwd_splitkv_decode_kernel",
        "nvjet_tst_32x64",
        "act_and_mul_kernel",
        "nvjet_tst_8x64",
    ];
    let path = graph_step(eager_step(Sketch::new(), 0), 10_000, &layer).write(&folder, "other.json");
    let document = document(&[&path]);
    for (kernel, line) in [
        ("nvjet_tst_16x64", Value::Null),
        ("nvjet_tst_24x64", Value::Null),
        ("nvjet_tst_32x64", "/x/sglang/srt/out.py(40): forward".into()),
    ] {
        assert_eq!(
            row(&document, "decode", kernel)["python_location"],
            line,
            "{kernel}"
        );
    }
}

#[test]
fn without_a_graph_there_is_nothing_to_place() {
    let folder = TempDir::new().expect("a folder");
    let path = eager_step(Sketch::new(), 0).write(&folder, "a.json");
    assert_eq!(document(&[&path])["data"]["graph"], Value::Null);
}

/// Kernel -> line -> launches, of the sites that have a line.
fn lines(rows: &[Value]) -> BTreeMap<&str, BTreeMap<&str, u64>> {
    let mut lines: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for row in rows {
        let kernel = row["kernel"].as_str().expect("a name");
        for site in row["sites"].as_array().expect("sites") {
            if let Some(line) = site["python_location"].as_str() {
                let calls = site["calls"].as_u64().expect("a count");
                *lines.entry(kernel).or_default().entry(line).or_default() += calls;
            }
        }
    }
    lines
}

#[test]
fn inferred_lines_of_a_real_graph_are_those_of_its_capture() {
    let Some(folder) = traces() else { return };
    let path = |name: &str| folder.join(name).display().to_string();
    let graph = path("sglang_qwen3_8b_MI300X_bs32_graph.json.gz");
    let truth = document(&[
        &graph,
        "--mapping",
        &path("sglang_qwen3_8b_MI300X_capture_bs32_rank0.json.gz"),
    ]);
    let inferred = document(&[&graph, &path("sglang_qwen3_8b_MI300X_ctx15360.json.gz")]);
    let counts = &inferred["data"]["graph"];
    assert_eq!(
        (&counts["graph_kernels"], &counts["placed"]),
        (&544.into(), &544.into())
    );
    // 13 of the 15 kernels of 36 layers; the two of attention are other kernels in a prompt.
    assert_eq!(counts["inferred"], 468);
    let truth = lines(rows(&truth, "decode"));
    let mut compared = 0;
    for (kernel, lines) in lines(rows(&inferred, "decode")) {
        for (line, calls) in lines {
            if let Some(true_lines) = truth.get(kernel) {
                let right = true_lines.get(line).copied().unwrap_or(0);
                assert!(calls <= right, "{kernel}: {calls} at {line}, {right} in truth");
                compared += calls;
            }
        }
    }
    assert!(compared >= 468, "{compared}");
}

#[test]
fn a_real_graph_alone_has_its_places() {
    let Some(folder) = traces() else { return };
    let path = folder.join("sglang_qwen3_30b_a3b_B300-TP-0-DECODE.trace.json.gz");
    let document = document(&[&path.display().to_string()]);
    let graph = &document["data"]["graph"];
    assert_eq!(graph["graph_kernels"], 676);
    assert_eq!(graph["placed"], 676);
    assert_eq!(graph["inferred"], 0);
    let in_all = rows(&document, "decode").iter().filter(|row| {
        let sites = row["sites"].as_array().expect("sites");
        sites.iter().any(|site| site["place"]["layers"] == "0-47")
    });
    assert!(in_all.count() >= 10);
}
