//! Real traces, where they are: layers, passes and steps, given the number of layers and without.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{document, number, rows, run, warnings, write};

/// The folder of traces; `None` is said aloud, never passed over in silence.
fn traces() -> Option<PathBuf> {
    let folder = std::env::var_os("SOTA_LOOP_TEST_DATA").map(|data| PathBuf::from(data).join("traces"));
    if folder.is_none() {
        println!("real-data suite: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
    }
    folder
}

/// What is known of a trace.
struct Known {
    file: &'static str,
    layers: i64,
    method: &'static str,
    kind: Option<&'static str>,
    batch: Option<i64>,
    tokens: Option<i64>,
    /// Kinds of layers by their kernels.
    clusters: &'static [&'static str],
}

const TRACES: [Known; 8] = [
    Known {
        file: "sglang_qwen3_30b_a3b_B300-TP-0-DECODE.trace.json.gz",
        layers: 48,
        method: "period",
        kind: Some("decode"),
        batch: Some(16),
        tokens: Some(16),
        clusters: &["attention+moe"],
    },
    Known {
        file: "sglang_qwen3_8b_MI300X_bs32_graph.json.gz",
        layers: 36,
        method: "period",
        kind: Some("decode"),
        batch: Some(32),
        tokens: Some(32),
        clusters: &["attention+dense"],
    },
    Known {
        file: "sglang_qwen3_8b_MI300X_ctx15360.json.gz",
        layers: 36,
        method: "period",
        kind: Some("prefill"),
        batch: Some(15),
        tokens: Some(15360),
        clusters: &["attention+dense"],
    },
    Known {
        file: "sglang_qwen3_8b_MI300X_capture_bs32_rank0.json.gz",
        layers: 36,
        method: "period",
        kind: Some("decode"),
        batch: Some(32),
        tokens: Some(32),
        clusters: &["attention+dense"],
    },
    Known {
        file: "vllm_gptoss_B200_tp8_rank0_eager.json.gz",
        layers: 36,
        method: "period",
        kind: Some("prefill"),
        batch: Some(1),
        tokens: Some(888),
        clusters: &["sliding+moe", "full+moe"],
    },
    Known {
        file: "vllm_gptoss_MI300X_piecewise_exec.json.gz",
        layers: 24,
        method: "period",
        kind: Some("mixed"),
        batch: Some(46),
        tokens: Some(8192),
        clusters: &["attention+moe"],
    },
    Known {
        file: "hf_qwen1.5_0.5b_H100_fwd.json.gz",
        layers: 24,
        method: "period",
        kind: None,
        batch: None,
        tokens: None,
        clusters: &["attention+dense"],
    },
    Known {
        file: "sglang_r1_distill_MI300X-TP-0-DECODE.trace.json.gz",
        layers: 32,
        method: "slots",
        kind: Some("decode"),
        batch: Some(16),
        tokens: Some(16),
        clusters: &["attention+dense"],
    },
];

#[test]
fn layers_and_passes_of_real_traces() {
    let Some(folder) = traces() else { return };
    let scratch = TempDir::new().expect("a folder");
    for known in &TRACES {
        let path = folder.join(known.file).display().to_string();
        let count = format!(r#"{{"num_hidden_layers": {}}}"#, known.layers);
        let config = write(&scratch, "config.json", &count);
        for words in [&[&path[..]][..], &[&path, "--config", &config]] {
            let document = document(words);
            check(known, &document);
        }
    }
    println!("real-data suite: {} traces", TRACES.len());
}

fn check(known: &Known, document: &Value) {
    let (data, file) = (&document["data"], known.file);
    let detection = &data["detection"];
    assert_eq!(detection["layers"], known.layers, "{file}");
    assert_eq!(detection["method"], known.method, "{file}");
    assert!(
        detection["confidence"].as_f64() > Some(0.95),
        "{file}: {detection}"
    );
    let shown = &data["passes"][number(&data["shown_pass"]) as usize];
    assert_eq!(shown["layers"], known.layers, "{file}");
    assert_eq!(
        (
            shown["kind"].as_str(),
            shown["batch"].as_i64(),
            shown["tokens"].as_i64()
        ),
        (known.kind, known.batch, known.tokens),
        "{file}"
    );
    let whole = rows(&data["passes"])
        .iter()
        .filter(|pass| pass["layers"] == known.layers);
    assert_eq!(whole.count(), 1, "{file}: one step is one pass");
    let types: Vec<&str> = rows(&data["clusters"])
        .iter()
        .filter_map(|row| row["type"].as_str())
        .collect();
    assert_eq!(types, known.clusters, "{file}");
    let layers = rows(&data["layers"]);
    assert_eq!(layers.len() as i64, known.layers, "{file}");
    let captured = detection["captured"] == true;
    assert_eq!(captured, file.contains("capture"), "{file}");
    for layer in layers {
        if captured {
            assert_eq!(layer["wall_ns"], Value::Null);
            continue;
        }
        let (wall, busy) = (number(&layer["wall_ns"]), number(&layer["busy_ns"]));
        assert!(
            0 < busy && busy <= wall && busy <= number(&layer["sum_ns"]),
            "{file}: {layer}"
        );
        let families = layer["families"].as_object().expect("families");
        let sum: i64 = families.values().map(number).sum();
        assert!(
            (sum - busy).abs() <= families.len() as i64,
            "{file}: {sum} of {busy}"
        );
    }
    let strewn = warnings(document).contains(&"kernels-out-of-order");
    assert_eq!(strewn, known.method == "slots", "{file}");
}

#[test]
fn a_cold_layer_of_a_real_trace_is_named_and_moves_the_mean_alone() {
    let Some(folder) = traces() else { return };
    let path = folder.join("vllm_gptoss_B200_tp8_rank0_eager.json.gz");
    let document = document(&[&path.display().to_string()]);
    let data = &document["data"];
    let outliers: Vec<i64> = rows(&data["layers"])
        .iter()
        .filter(|layer| layer["outlier"] == true)
        .map(|layer| number(&layer["index"]))
        .collect();
    assert_eq!(outliers, [0]);
    let note = data["layers"][0]["note"].as_str().expect("a note");
    assert!(
        note.contains("cold start, the first layer of the first pass"),
        "{note}"
    );
    let sliding = &data["clusters"][0];
    let (mean, median) = (
        number(&sliding["wall_mean_ns"]),
        number(&sliding["wall_median_ns"]),
    );
    assert!(mean > 2_300_000 && median < 1_900_000, "{mean} and {median}");
    assert_eq!(sliding["outliers"], serde_json::json!([0]));
    let summary = document["summary"].as_str().expect("a summary");
    assert!(
        summary.contains("Layer 0 takes 10.131 ms, 5.5 × the median of its kind: cold start"),
        "{summary}"
    );
}

#[test]
fn a_real_capture_of_parts_of_a_model_names_its_tokens_and_no_kind() {
    let Some(folder) = traces() else { return };
    let path = folder.join("vllm_gptoss_MI300X_piecewise_capture.json.gz");
    let data = crate::run::data(&[&path.display().to_string()]);
    let pass = &data["passes"][0];
    assert_eq!(
        (&pass["kind"], &pass["batch"], &pass["tokens"]),
        (&Value::Null, &Value::Null, &8192.into())
    );
    let note = pass["note"].as_str().expect("a note");
    assert!(note.contains("does not name the kind of step"), "{note}");
    // Its attention is launched outside of the graph.
    assert_eq!(data["clusters"][0]["type"], "moe+gemm");
}

#[test]
fn traces_of_2021_are_cut_as_far_as_anything_repeats() {
    let Some(folder) = traces() else { return };
    // Categories Kernel, Operator and Runtime; six steps of training.
    let path = folder.join("legacy_kineto2021_V100_resnet50.pt.trace.json.gz");
    let document = document(&[&path.display().to_string()]);
    let data = &document["data"];
    assert_eq!(warnings(&document), ["layers-without-attention"]);
    assert_eq!(data["detection"]["stream"], "7");
    assert_eq!(data["detection"]["stream_kernels"], 8772);
    let passes = rows(&data["passes"]);
    assert_eq!(passes.len(), 6);
    for pass in passes {
        assert_eq!(pass["kind"], Value::Null);
        let wall = number(&pass["wall_ns"]);
        assert!((115_000_000..118_000_000).contains(&wall), "{wall}");
    }
    assert_eq!(data["clusters"][0]["type"], "elementwise");
    // Lines come from the call stacks that operators have there, shapes from the operators.
    let flow = rows(&data["flow"]);
    assert_eq!(flow.len(), 3);
    for row in flow {
        assert_eq!(row["python_location"], "resnet50_profiler_api.py(51): <module>");
        assert!(row["input_dims"].is_string(), "{row}");
    }
}

#[test]
fn two_real_ranks_stand_beside_each_other_though_nothing_repeats() {
    let Some(folder) = traces() else { return };
    let path = folder.join("multirank_dlrm").display().to_string();
    let report = run(&[&path]).expect("a document");
    assert_eq!(report.exit(), contracts::Exit::Undecided);
    let document = document(&[&path]);
    let ranks: Vec<(i64, &Value)> = rows(&document["data"]["ranks"])
        .iter()
        .map(|row| (number(&row["rank"]), &row["shown"]))
        .collect();
    assert_eq!(ranks, [(0, &true.into()), (1, &false.into())]);
    assert_eq!(warnings(&document), ["trace-ranks-missing", "layers-not-found"]);
}

#[test]
fn the_kernels_of_a_real_layer_are_known() {
    let Some(folder) = traces() else { return };
    let path = |name: &str| folder.join(name).display().to_string();
    // The layer of gpt-oss-120b has two all-reduces, as many as the anchors that mislead.
    let document = document(&[&path("vllm_gptoss_B200_tp8_rank0_eager.json.gz"), "--layer", "4"]);
    let flow = rows(&document["data"]["flow"]);
    let families = |family: &str| flow.iter().filter(|row| row["family"] == family).count();
    assert_eq!(
        (families("comm"), families("attention"), families("norm")),
        (2, 1, 2)
    );
    assert!(
        flow.iter()
            .all(|row| row["input_dims"].is_string() && row["python_location"].is_string())
    );
    // The capture knows the lines of the kernels that the graph replays.
    let capture = crate::run::data(&[&path("sglang_qwen3_8b_MI300X_capture_bs32_rank0.json.gz")]);
    let replay = crate::run::data(&[&path("sglang_qwen3_8b_MI300X_bs32_graph.json.gz"), "--layer", "0"]);
    let names = |data: &Value| -> Vec<String> {
        let rows = rows(&data["flow"]).iter();
        rows.filter_map(|row| Some(row["family"].as_str()?.to_owned()))
            .collect()
    };
    assert_eq!(names(&capture), names(&replay));
    assert!(
        rows(&capture["flow"])
            .iter()
            .all(|row| row["python_location"].is_string())
    );
    assert!(
        rows(&replay["flow"])
            .iter()
            .all(|row| row["python_location"].is_null())
    );
}

#[test]
fn a_configuration_of_another_model_disagrees_with_a_real_trace() {
    let Some(folder) = traces() else { return };
    let scratch = TempDir::new().expect("a folder");
    let path = folder.join("sglang_qwen3_30b_a3b_B300-TP-0-DECODE.trace.json.gz");
    let path = path.display().to_string();
    let dense = r#"{"model_type": "llama", "num_hidden_layers": 48, "num_attention_heads": 32}"#;
    let dense = write(&scratch, "dense.json", dense);
    let seen = document(&[&path, "--config", &dense]);
    assert_eq!(warnings(&seen), ["layer-types-disagree"]);
    let other = write(&scratch, "other.json", r#"{"num_hidden_layers": 36}"#);
    let seen = document(&[&path, "--config", &other]);
    assert_eq!(warnings(&seen), ["layers-disagree"]);
}

#[test]
fn damaged_files_are_cut_as_far_as_they_go() {
    let Some(folder) = traces() else { return };
    let mut documents = 0;
    for entry in std::fs::read_dir(folder.join("defects")).expect("the damaged files") {
        let path = entry.expect("the damaged files").path().display().to_string();
        match run(&[&path]) {
            Ok(report) => {
                documents += 1;
                assert!(!report.view().to_markdown().is_empty());
            }
            Err(failure) => {
                assert!(path.ends_with("cut.trace.json.gz"), "{path}: {failure:?}");
                assert_eq!(failure.document.code, "trace-no-kernels");
                assert!(failure.document.message.contains("594839 bytes"), "{failure:?}");
            }
        }
    }
    assert_eq!(documents, 10);
}
