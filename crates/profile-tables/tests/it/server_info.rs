//! `--server-info`: what the server says of itself settles what a trace leaves open.

use contracts::Exit;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::generated::Sketch;
use crate::run::{document, run, warnings};

fn write(folder: &TempDir, name: &str, answer: &Value) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, answer.to_string()).expect("the folder is writable");
    path.display().to_string()
}

/// An all-reduce before a norm, a norm before a quantisation, in a trace that says nothing of its ranks.
fn trace(folder: &TempDir) -> String {
    let mut sketch = Sketch::new()
        .head("")
        .range("user_annotation", "step[DECODE bs=4]", 0, 900);
    for layer in 0..4 {
        let at = 1_000 + layer * 100;
        let launched = 2 + layer * 10;
        sketch = sketch
            .kernel(
                "void vllm::cross_device_reduce_1stage<__nv_bfloat16, 8>(int)",
                7,
                launched,
                at,
                20,
            )
            .kernel(
                "void vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8>(int)",
                7,
                launched + 1,
                at + 20,
                10,
            )
            .kernel("nvjet_tst_64x64", 7, launched + 2, at + 30, 20)
            .kernel(
                "void vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8>(int)",
                7,
                launched + 3,
                at + 50,
                10,
            )
            .kernel(
                "void vllm::scaled_fp8_quant_kernel_strided<c10::BFloat16, c10::Float8_e4m3fn>(int)",
                7,
                launched + 4,
                at + 60,
                10,
            );
    }
    sketch.write(folder, "a.json")
}

fn split(document: &Value) -> Vec<&str> {
    let rows = document["data"]["stages"][0]["fuse_table"]
        .as_array()
        .expect("rows");
    rows.iter()
        .filter(|row| row["state"] == "split")
        .filter_map(|row| row["pattern"].as_str())
        .collect()
}

#[test]
fn parallelism_and_quantization_of_the_server_rule_patterns_out() {
    let folder = TempDir::new().expect("a folder");
    let trace = trace(&folder);
    let of = |answer: Value| {
        let info = write(&folder, "info.json", &answer);
        document(&[&trace, "--server-info", &info])
    };
    let one_of = |document: &Value, word: &str| split(document).iter().any(|name| name.contains(word));
    let alone = document(&[&trace]);
    assert!(
        one_of(&alone, "all-reduce") && one_of(&alone, "FP8"),
        "{:?}",
        split(&alone)
    );
    let fp8 = of(json!({"model_path": "m", "tp_size": 8, "quantization": "fp8", "mem_fraction_static": 0.8}));
    assert!(
        one_of(&fp8, "all-reduce") && one_of(&fp8, "FP8"),
        "{:?}",
        split(&fp8)
    );
    let other =
        of(json!({"model_path": "m", "tp_size": 1, "quantization": "awq", "mem_fraction_static": 0.8}));
    assert!(
        !one_of(&other, "all-reduce") && !one_of(&other, "FP8"),
        "{:?}",
        split(&other)
    );
    let server = &fp8["data"]["server"];
    assert_eq!(
        (&server["engine"], &server["tp_size"], &server["quantization"]),
        (&"sglang".into(), &8.into(), &"fp8".into())
    );
    assert_eq!(alone["data"]["server"], Value::Null);
    let inputs = fp8["inputs"].as_array().expect("inputs");
    assert!(inputs.iter().any(|input| {
        input["path"]
            .as_str()
            .is_some_and(|path| path.ends_with("info.json"))
    }));
}

#[test]
fn what_disagrees_with_the_trace_is_a_warning_with_both_values() {
    let folder = TempDir::new().expect("a folder");
    let trace = Sketch::new()
        .range("user_annotation", "step[DECODE bs=4]", 0, 90)
        .kernel("nvjet_a", 7, 1, 10, 5)
        .write(&folder, "a.json");
    let info = write(
        &folder,
        "info.json",
        &json!({"vllm_config": {"model_config": {"model": "m"}, "parallel_config": {"tensor_parallel_size": 4}}}),
    );
    let document = document(&[&trace, "--server-info", &info]);
    let messages: Vec<&str> = document["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .filter(|warning| warning["code"] == "server-info-disagrees")
        .filter_map(|warning| warning["message"].as_str())
        .collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(
        messages[0].contains("vllm by the server, sglang by the trace"),
        "{messages:?}"
    );
    assert!(
        messages[1].contains("4 by the server, 1 by the trace"),
        "{messages:?}"
    );
    let same = write(
        &folder,
        "same.json",
        &json!({"tp_size": 1, "mem_fraction_static": 0.9}),
    );
    let same = crate::run::document(&[&trace, "--server-info", &same]);
    assert!(!warnings(&same).contains(&"server-info-disagrees"));
}

#[test]
fn what_is_no_answer_of_a_server_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let trace = trace(&folder);
    let text = folder.path().join("text.json");
    std::fs::write(&text, "no JSON").expect("writable");
    for path in [
        folder.path().join("absent.json").display().to_string(),
        text.display().to_string(),
        write(&folder, "other.json", &json!({"traceEvents": []})),
    ] {
        let failure = run(&[&trace, "--server-info", &path]).expect_err("no answer");
        assert_eq!(failure.exit, Exit::BadInput);
        assert_eq!(failure.document.code, "server-info-unreadable", "{path}");
        let hint = failure.document.hint.expect("a hint");
        assert!(hint.contains("/get_server_info"), "{hint}");
    }
}

#[test]
fn a_snapshot_of_telemetry_fetch_holds_what_the_server_said() {
    let folder = TempDir::new().expect("a folder");
    let trace = trace(&folder);
    let snapshot = |settings: Value| {
        let fields = json!({"fingerprint": null, "fields": {}});
        json!({
            "schema": "telemetry-fetch.snapshot/1", "tool": {"name": "telemetry-fetch", "version": "0.1.0"},
            "created_at": "2026-11-22T01:00:00Z", "complete": true, "simulated": false, "summary": "read",
            "next_actions": [], "warnings": [], "contract": fields, "environment": fields, "subject": fields, "inputs": [],
            "artifacts": [], "data": {"engine": {"kind": "sglang", "version": "0.5.9", "model": "m",
                "launch_args": settings, "startup_attributes": {}}, "sources": [], "gpu": null},
        })
    };
    let told = write(
        &folder,
        "before.json",
        &snapshot(json!({"tp_size": 1, "model_path": "m", "quantization": "fp8"})),
    );
    let found = document(&[&trace, "--server-info", &told]);
    let server = &found["data"]["server"];
    assert_eq!(
        (&server["engine"], &server["version"], &server["tp_size"]),
        (&"sglang".into(), &"0.5.9".into(), &1.into())
    );
    assert!(!split(&found).iter().any(|name| name.contains("all-reduce")));
    let silent = write(&folder, "silent.json", &snapshot(json!({})));
    let failure = run(&[&trace, "--server-info", &silent]).expect_err("nothing is said");
    assert_eq!(failure.exit, Exit::BadInput);
    assert!(
        failure.document.message.contains("told no settings"),
        "{failure:?}"
    );
}
