//! Traces of 2021: categories Kernel, Operator and Runtime, and lines from the call stacks of operators.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::real::traces;
use crate::run::{document, warnings};

fn table(document: &Value) -> &[Value] {
    let stages = document["data"]["stages"].as_array().expect("stages");
    assert_eq!(stages.len(), 1);
    assert_eq!(stages[0]["stage"], "all");
    stages[0]["kernel_table"].as_array().expect("a table")
}

#[test]
fn old_categories_give_operators_and_lines() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("a.json");
    let text = r#"[
        {"ph":"X","cat":"Operator","name":"aten::mm","pid":1,"tid":"1","ts":0,"dur":90,
         "args":{"External id":5,"Input dims":[[2,3],[3,4]],"Call stack":"model.py(12): forward;main.py(3): <module>"}},
        {"ph":"X","cat":"Runtime","name":"cudaLaunchKernel","pid":1,"tid":"1","ts":10,"dur":5,
         "args":{"correlation":7,"external id":5}},
        {"ph":"X","cat":"Kernel","name":"volta_sgemm_128x64_nn","pid":0,"tid":"stream 7","ts":100,"dur":50,
         "args":{"stream":7,"correlation":7,"external id":5}},
        {"ph":"X","cat":"Memset","name":"Memset (Device)","pid":0,"tid":"stream 7","ts":160,"dur":10,
         "args":{"stream":7,"correlation":8}}]"#;
    std::fs::write(&path, text).expect("the folder is writable");
    let document = document(&[&path.display().to_string()]);
    let gemm = &table(&document)[0];
    assert_eq!(
        (&gemm["family"], &gemm["calls"], &gemm["gpu_time_ns"]),
        (&json!("gemm"), &json!(1), &json!(50_000))
    );
    assert_eq!(gemm["cpu_op"], "aten::mm");
    assert_eq!(gemm["python_location"], "model.py(12): forward");
    assert_eq!(gemm["located_by"], "call-stack");
}

#[test]
fn a_real_trace_of_2021_has_an_operator_for_every_kernel() {
    let Some(folder) = traces() else { return };
    let path = folder.join("legacy_kineto2021_V100_resnet50.pt.trace.json.gz");
    let document = document(&[&path.display().to_string()]);
    assert_eq!(warnings(&document), Vec::<&str>::new());
    let info = &document["data"]["traces"][0];
    assert_eq!(
        (&info["kernels"], &info["completeness"]["grade"]),
        (&json!(8772), &json!("complete"))
    );
    let rows = table(&document);
    assert!(rows.iter().all(|row| row["cpu_op"].is_string()));
    let share = |of: fn(&Value) -> bool| -> f64 {
        let shares = rows
            .iter()
            .filter(|row| of(row))
            .map(|row| row["share_pct"].as_f64());
        shares.sum::<Option<f64>>().expect("shares")
    };
    // The backward pass runs in a thread of its own, below no line.
    let located = share(|row| row["located_by"] == "call-stack");
    assert!((40.0..43.0).contains(&located), "{located}");
    let products = share(|row| row["family"] == "gemm");
    assert!((65.0..65.5).contains(&products), "{products}");
}
