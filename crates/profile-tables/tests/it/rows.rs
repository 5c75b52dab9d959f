//! `rows`: what kernels are called with, and how much each case counts.

use contracts::Exit;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::generated::Sketch;
use crate::real::traces;
use crate::run::{document, run, warnings};

/// An operator with its inputs, its launch and its kernel of `dur` us.
fn call(sketch: Sketch, id: u32, kernel: &str, dims: &str, dur: u32) -> Sketch {
    let at = id * 100;
    let (launched, runs) = (at + 1, at + 10);
    sketch.event(&format!(
        r#"{{"ph":"X","cat":"cpu_op","name":"aten::mm","pid":1,"tid":1,"ts":{at},"dur":5,"args":{{"External id":{id},
            "Input Dims":{dims},"Input type":["c10::BFloat16","c10::BFloat16"],"Input Strides":[[8,1],[1,8]]}}}},
           {{"ph":"X","cat":"cuda_runtime","name":"cudaLaunchKernel","pid":1,"tid":1,"ts":{launched},"dur":1,
            "args":{{"correlation":{id},"External id":{id}}}}},
           {{"ph":"X","cat":"kernel","name":"{kernel}","pid":0,"tid":7,"ts":{runs},"dur":{dur},
            "args":{{"correlation":{id},"External id":{id},"stream":7}}}}"#
    ))
}

fn workloads(document: &Value) -> &[Value] {
    document["data"]["workloads"].as_array().expect("a list")
}

#[test]
fn calls_of_equal_inputs_are_one_row_with_their_weight() {
    let folder = TempDir::new().expect("a folder");
    let mut sketch = Sketch::new();
    for (id, dims, dur) in [
        (1, "[[4, 8], [8, 2]]", 10),
        (2, "[[16, 8], [8, 2]]", 20),
        (3, "[[4, 8], [8, 2]]", 50),
    ] {
        sketch = call(sketch, id, "nvjet_tst_64x64", dims, dur);
    }
    let path = call(sketch, 4, "silu_kernel", "[[4, 8]]", 7).write(&folder, "a.json");
    let document = document(&["rows", &path, "--kernel", "^nvjet"]);
    let data = &document["data"];
    assert_eq!(
        (&data["calls"], &data["gpu_time_ns"]),
        (&3.into(), &80_000.into())
    );
    assert_eq!(data["with_shapes_pct"], 100.0);
    assert_eq!(
        workloads(&document),
        [
            json!({"kernel": "nvjet_tst_64x64", "family": "gemm", "op": "aten::mm", "input_dims": [[4, 8], [8, 2]],
                "input_types": ["c10::BFloat16", "c10::BFloat16"], "input_strides": [[8, 1], [1, 8]],
                "calls": 2, "in_graph_calls": 0, "weight_pct": 75.0, "gpu_time_ns": 60_000, "shortest_ns": 10_000, "longest_ns": 50_000}),
            json!({"kernel": "nvjet_tst_64x64", "family": "gemm", "op": "aten::mm", "input_dims": [[16, 8], [8, 2]],
                "input_types": ["c10::BFloat16", "c10::BFloat16"], "input_strides": [[8, 1], [1, 8]],
                "calls": 1, "in_graph_calls": 0, "weight_pct": 25.0, "gpu_time_ns": 20_000, "shortest_ns": 20_000, "longest_ns": 20_000}),
        ]
    );
    assert_eq!(warnings(&document), Vec::<&str>::new());
    let view = run(&["rows", &path, "--kernel", "nvjet"]).expect("a report");
    let text = view.view().to_markdown();
    assert!(
        text.contains("16x8 BFloat16, 8x2 BFloat16 (strides 1,8)"),
        "{text}"
    );
}

#[test]
fn what_a_graph_replays_is_listed_without_shapes() {
    let folder = TempDir::new().expect("a folder");
    let path = call(Sketch::new(), 40, "nvjet_a", "[[4, 8], [8, 2]]", 10)
        .graph(1, &[("nvjet_a", 5, 15), ("nvjet_a", 25, 15)])
        .write(&folder, "a.json");
    let found = document(&["rows", &path, "--kernel", "nvjet"]);
    let rows = workloads(&found);
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[0]["input_dims"], &rows[0]["op"], &rows[0]["calls"]),
        (&Value::Null, &Value::Null, &2.into())
    );
    assert_eq!(found["data"]["with_shapes_pct"], 25.0);
    assert_eq!(rows[0]["in_graph_calls"], 2);
    // 10 of 40 us have shapes: what is heaviest is said of those that do.
    let summary = found["summary"].as_str().expect("a summary");
    assert!(
        summary.contains("the heaviest is 25.0 %") && summary.contains("Of 75.0 % of the time no shapes"),
        "{summary}"
    );
    let view = run(&["rows", &path, "--kernel", "nvjet"]).expect("a report");
    let text = view.view().to_markdown();
    assert!(
        text.contains("replayed by a graph") && !text.contains("not recorded"),
        "{text}"
    );
    let replayed = Sketch::new()
        .graph(1, &[("nvjet_a", 5, 15), ("nvjet_a", 25, 15)])
        .write(&folder, "replayed.json");
    let all = document(&["rows", &replayed, "--kernel", "nvjet"]);
    let summary = all["summary"].as_str().expect("a summary");
    assert!(
        summary.contains("a graph replays them all") && !summary.contains("heaviest"),
        "{summary}"
    );
    let message = found["warnings"][0]["message"].as_str().expect("a message");
    assert!(
        message.contains("--disable-cuda-graph") && message.starts_with("2 of 3"),
        "{message}"
    );

    let bare = Sketch::new()
        .kernel("nvjet_a", 7, 1, 5, 5)
        .write(&folder, "bare.json");
    let found = document(&["rows", &bare, "--kernel", "nvjet"]);
    assert_eq!(warnings(&found), ["rows-without-shapes"]);
    let message = found["warnings"][0]["message"].as_str().expect("a message");
    assert!(message.contains("record_shapes"), "{message}");
}

#[test]
fn inputs_that_are_none_are_unknown_and_not_believed() {
    let folder = TempDir::new().expect("a folder");
    for dims in [r#"[["4; rm"]]"#, "[[[[1]]]]", r#""text""#, "[[1.5]]"] {
        let path = call(Sketch::new(), 1, "nvjet_a", dims, 10).write(&folder, "a.json");
        let found = document(&["rows", &path, "--kernel", "nvjet"]);
        assert_eq!(workloads(&found)[0]["input_dims"], Value::Null, "{dims}");
        assert!(warnings(&found).contains(&"rows-without-shapes"), "{dims}");
    }
}

#[test]
fn a_pattern_that_finds_nothing_or_is_none_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = call(Sketch::new(), 1, "nvjet_a", "[[4, 8]]", 10).write(&folder, "a.json");
    let fails = |words: &[&str]| {
        let failure = run(&[&["rows", path.as_str(), "--kernel"], words].concat()).expect_err("no rows");
        assert!(failure.document.hint.is_some(), "{failure:?}");
        (failure.exit, failure.document.code, failure.document.message)
    };
    let (exit, code, message) = fails(&["flash"]);
    assert_eq!((exit, code.as_str()), (Exit::BadInput, "trace-no-such-kernel"));
    assert!(message.contains("nvjet_a"), "{message}");
    for pattern in ["fused_moe(", &"(a{1000}){1000}".repeat(2)] {
        let (exit, code, _) = fails(&[pattern]);
        assert_eq!(
            (exit, code.as_str()),
            (Exit::Usage, "kernel-pattern-unreadable"),
            "{pattern}"
        );
    }
    let (exit, code, _) = fails(&["nvjet", "--stage", "decode"]);
    assert_eq!((exit, code.as_str()), (Exit::BadInput, "trace-no-such-stage"));
}

#[test]
fn real_traces_have_the_shapes_that_were_recorded() {
    let Some(folder) = traces() else { return };
    let rows = |name: &str, pattern: &str| {
        document(&[
            "rows",
            &folder.join(name).display().to_string(),
            "--kernel",
            pattern,
        ])
    };
    // 36 layers; the second norm of each reads the padded output of the experts.
    let norms = rows("vllm_gptoss_B200_tp8_rank0_eager.json.gz", "fused_add_rms_norm");
    let found: Vec<(&Value, &Value)> = workloads(&norms)
        .iter()
        .map(|row| (&row["calls"], &row["input_strides"][0]))
        .collect();
    assert_eq!(
        found,
        [(&36.into(), &json!([3072, 1])), (&36.into(), &json!([2880, 1]))]
    );
    let all: f64 = workloads(&norms)
        .iter()
        .filter_map(|row| row["weight_pct"].as_f64())
        .sum();
    assert!((all - 100.0).abs() < 1e-3, "{all}");
    let graph = rows("sglang_qwen3_30b_a3b_B300-TP-0-DECODE.trace.json.gz", "nvjet");
    assert_eq!(warnings(&graph), ["rows-without-shapes"]);
    for old in [
        "legacy_kineto2021_V100_resnet50.pt.trace.json.gz",
        "hf_owlv2_large_H100_stacks.json.gz",
    ] {
        let rows = rows(old, ".");
        assert!(
            rows["data"]["with_shapes_pct"]
                .as_f64()
                .is_some_and(|pct| pct > 50.0),
            "{old}"
        );
    }
}
