//! The trace of a graph's capture: launches name their kernels, and nothing runs.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::model::{Trace, of, pass};
use crate::run::{data, number, rows, run};

fn capture(folder: &TempDir) -> String {
    capture_named(folder, &[])
}

/// With ranges of these names around it.
fn capture_named(folder: &TempDir, names: &[&str]) -> String {
    let mut trace = Trace::new();
    for name in names {
        trace.range("user_annotation", name, 0, 600);
    }
    trace.range("python_function", "/x/sglang/srt/models/m.py(7): forward", 0, 500);
    for (place, name) in pass(&of("full+moe", 12)).iter().enumerate() {
        let id = place + 1;
        trace.event(&format!(
            r#"{{"ph":"X","cat":"cpu_op","name":"aten::mm","pid":1,"tid":1,"ts":{id},"dur":1,"args":{{"External id":{id},"Input Dims":[[{id},64]]}}}}"#
        ));
        trace.event(&format!(
            r#"{{"ph":"X","cat":"cuda_runtime","name":"hipModuleLaunchKernel","pid":1,"tid":1,"ts":{id},"dur":1,"args":{{"External id":{id},"correlation":{id},"kernel":"{name}"}}}}"#
        ));
    }
    // What runs while a graph is captured is something else.
    trace.ran("fill_kernel", 3, 700, 5, 9001);
    trace.write(folder, "a.json")
}

#[test]
fn launches_are_cut_into_layers_without_times() {
    let folder = TempDir::new().expect("a folder");
    let data = data(&[&capture(&folder)]);
    assert_eq!(data["detection"]["captured"], true);
    assert_eq!(data["detection"]["layers"], 12);
    let pass = &data["passes"][0];
    for time in ["start_ns", "end_ns", "wall_ns", "busy_ns", "idle_ns", "sum_ns"] {
        assert_eq!(pass[time], Value::Null, "{time}");
    }
    assert_eq!(pass["steady"], false);
    let layer = &data["layers"][11];
    assert_eq!(
        (&layer["wall_ns"], &layer["families"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(number(&layer["kernels"]), 12);
    let cluster = &data["clusters"][0];
    assert_eq!(
        (&cluster["wall_mean_ns"], &cluster["bottleneck"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(data["perfetto"], json!([]));
    let flow = rows(&data["flow"]);
    assert_eq!(flow.len(), 12);
    // The third launch: two belong to the preamble.
    assert_eq!(flow[0]["input_dims"], "[[3,64]]");
    assert_eq!(
        flow[0]["python_location"],
        "/x/sglang/srt/models/m.py(7): forward"
    );
    assert_eq!(
        (&flow[0]["dur_ns"], &flow[0]["hot"]),
        (&json!(null), &json!(false))
    );
}

#[test]
fn its_view_has_no_columns_of_times() {
    let folder = TempDir::new().expect("a folder");
    let report = run(&[&capture(&folder), "--flow"]).expect("a document");
    let text = report.view().to_markdown();
    assert!(text.contains("| # | family | kernel |\n"), "{text}");
    assert!(text.contains("nothing ran"), "{text}");
}

#[test]
fn the_range_of_a_capture_names_the_steps_that_replay_it() {
    let folder = TempDir::new().expect("a folder");
    for (name, kind, batch, tokens) in [
        ("capture_32_DECODE", json!("decode"), json!(32), json!(32)),
        ("capture_4_TARGET_VERIFY", json!("draft"), json!(4), json!(null)),
        ("capture_8192_PIECEWISE", json!(null), json!(null), json!(8192)),
        ("ProfilerStep#3", json!(null), json!(null), json!(null)),
    ] {
        let data = data(&[&capture_named(&folder, &["warm_up", name])]);
        let pass = &data["passes"][0];
        assert_eq!(
            (&pass["kind"], &pass["batch"], &pass["tokens"]),
            (&kind, &batch, &tokens),
            "{name}"
        );
        let note = pass["note"].as_str().expect("a note");
        assert_eq!(
            note.contains("does not name the kind"),
            kind.is_null(),
            "{name}: {note}"
        );
    }
}
