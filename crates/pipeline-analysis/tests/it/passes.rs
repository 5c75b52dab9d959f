//! Passes: where they begin and end, what they are, which are steady.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::model::{PREAMBLE, TAIL, Trace, of, pass};
use crate::run::{data, number, rows};

/// A column of the passes.
fn column<'v>(data: &'v Value, name: &str) -> Vec<&'v Value> {
    rows(&data["passes"]).iter().map(|row| &row[name]).collect()
}

#[test]
fn steps_of_several_kinds_are_passes() {
    let folder = TempDir::new().expect("a folder");
    let names = pass(&of("full+dense", 12));
    let mut trace = Trace::new();
    trace.step("step[EXTEND bs=2 toks=512]", &names);
    for _ in 0..3 {
        trace.step("step[DECODE bs=8]", &names);
    }
    trace.step("execute_context_1(64)_generation_3(3)", &names);
    let data = data(&[&trace.write(&folder, "a.json")]);
    assert_eq!(
        column(&data, "kind"),
        ["prefill", "decode", "decode", "decode", "mixed"]
    );
    assert_eq!(json!(column(&data, "batch")), json!([2, 8, 8, 8, 4]));
    assert_eq!(json!(column(&data, "tokens")), json!([512, 8, 8, 8, 67]));
    assert_eq!(column(&data, "layers"), [12; 5]);
    // No kernel pauses: only the steps say where one pass ends. Preamble and tail belong to their own.
    let wall = 10_000 * names.len() as i64;
    for (index, row) in rows(&data["passes"]).iter().enumerate() {
        assert_eq!(number(&row["wall_ns"]), wall, "pass {index}");
        assert_eq!(number(&row["busy_ns"]), wall);
        assert_eq!(number(&row["sum_ns"]), wall);
        assert_eq!(number(&row["idle_ns"]), 0);
        // The trace begins with the first range, at one microsecond.
        assert_eq!(number(&row["start_ns"]), 999_000 + wall * index as i64);
    }
    // The most frequent kind is looked at.
    assert_eq!(
        data["passes"][number(&data["steady_pass"]) as usize]["kind"],
        "decode"
    );
}

#[test]
fn one_step_with_exactly_its_layers_is_one_pass_and_the_last_layer_is_there() {
    let folder = TempDir::new().expect("a folder");
    let mut trace = Trace::new();
    // Nothing stands around the layers.
    let names: Vec<&str> = of("full+moe", 9)
        .into_iter()
        .flat_map(crate::model::layer)
        .collect();
    trace.step("step[DECODE bs=1]", &names);
    let data = data(&[&trace.write(&folder, "a.json")]);
    assert_eq!(column(&data, "layers"), [9]);
    let layers = rows(&data["layers"]);
    assert_eq!(layers.len(), 9);
    let per_layer = names.len() / 9;
    for layer in layers {
        assert_eq!(number(&layer["kernels"]), per_layer as i64);
        assert_eq!(number(&layer["wall_ns"]), 10_000 * per_layer as i64);
    }
    assert_eq!(number(&data["passes"][0]["wall_ns"]), 10_000 * names.len() as i64);
}

#[test]
fn graphs_divide_passes_where_nothing_pauses_and_no_step_is_named() {
    let folder = TempDir::new().expect("a folder");
    let names = pass(&of("full+dense", 10));
    let mut trace = Trace::new();
    trace.graph(&names, 1);
    trace.graph(&names, 2);
    let data = data(&[&trace.write(&folder, "a.json")]);
    let wall = 10_000 * names.len() as i64;
    let walls: Vec<i64> = column(&data, "wall_ns").into_iter().map(number).collect();
    assert_eq!(walls, [wall, wall]);
    assert_eq!(json!(column(&data, "kind")), json!([null, null]));
}

#[test]
fn a_cold_start_is_not_steady() {
    let folder = TempDir::new().expect("a folder");
    let names = pass(&of("full+dense", 10));
    let mut trace = Trace::new();
    for (step, dur) in [90, 30, 10, 10, 10, 10, 10, 10].into_iter().enumerate() {
        trace.dur = dur;
        trace.step(&format!("step[DECODE bs={}]", step + 1), &names);
    }
    let data = data(&[&trace.write(&folder, "a.json")]);
    let steady: Vec<bool> = column(&data, "steady")
        .into_iter()
        .filter_map(Value::as_bool)
        .collect();
    assert_eq!(steady, [false, false, true, true, true, true, true, true]);
    assert_eq!(data["steady_pass"], 2);
    assert_eq!(data["shown_pass"], 2);
    let note = data["passes"][0]["note"].as_str().expect("a note");
    assert_eq!(note, "cold start, 800 % slower than the steady passes");
    assert_eq!(data["passes"][4]["note"], Value::Null);
}

#[test]
fn the_pass_that_is_asked_for_is_shown() {
    let folder = TempDir::new().expect("a folder");
    let names = pass(&of("full+dense", 10));
    let mut trace = Trace::new();
    for dur in [40, 10, 10, 10] {
        trace.dur = dur;
        trace.step("step[DECODE bs=1]", &names);
    }
    let path = trace.write(&folder, "a.json");
    let data = data(&[&path, "--pass", "0"]);
    assert_eq!(
        (&data["shown_pass"], &data["steady_pass"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(number(&data["layers"][0]["sum_ns"]), 40_000 * 9);
    let auto = crate::run::data(&[&path, "--pass", "auto"]);
    assert_eq!(number(&auto["layers"][0]["sum_ns"]), 10_000 * 9);
}

#[test]
fn what_overlaps_is_counted_once_and_side_streams_are_no_layers() {
    let folder = TempDir::new().expect("a folder");
    let names = pass(&of("full+dense", 10));
    let mut trace = Trace::new();
    // Every kernel begins two microseconds before the one in front of it ends.
    trace.gap = -2;
    trace.kernels(&names, 1);
    let first = 1000 + 8 * PREAMBLE.len() as u64;
    trace.ran("ncclDevKernel_AllReduce_Sum_bf16_RING_LL", 9, first, 50, 9001);
    // A copy after the last kernel is device work, and no part of the pass.
    let end = trace.now + 2;
    trace.ran("ncclDevKernel_AllReduce_Sum_bf16_RING_LL", 9, end + 100, 50, 9002);
    let data = data(&[&trace.write(&folder, "a.json")]);
    let count = names.len() as i64;
    let row = &data["passes"][0];
    assert_eq!(number(&row["wall_ns"]), 8_000 * count + 2_000);
    assert_eq!(number(&row["busy_ns"]), 8_000 * count + 2_000);
    assert_eq!(number(&row["sum_ns"]), 10_000 * count + 50_000);
    assert_eq!(data["detection"]["stream"], "7");
    let layer = &data["layers"][3];
    let kernels = number(&layer["kernels"]);
    assert_eq!(kernels, 9);
    assert_eq!(number(&layer["sum_ns"]), 10_000 * kernels);
    assert_eq!(number(&layer["busy_ns"]), 8_000 * kernels + 2_000);
    assert_eq!(number(&layer["wall_ns"]), 8_000 * kernels + 2_000);
    let families = layer["families"].as_object().expect("families");
    assert!(!families.contains_key("comm_ns"), "{families:?}");
    let sum: i64 = families.values().map(number).sum();
    assert_eq!(sum, number(&layer["busy_ns"]));
}

#[test]
fn idle_time_lies_between_kernels() {
    let folder = TempDir::new().expect("a folder");
    let names = pass(&of("full+dense", 10));
    let mut trace = Trace::new();
    trace.gap = 30;
    trace.kernels(&names, 1);
    let data = data(&[&trace.write(&folder, "a.json")]);
    let row = &data["passes"][0];
    let count = names.len() as i64;
    assert_eq!(number(&row["busy_ns"]), 10_000 * count);
    assert_eq!(number(&row["idle_ns"]), 30_000 * (count - 1));
    assert_eq!(data["clusters"][0]["bottleneck"], "idle");
}

#[test]
fn layers_of_another_kind_before_the_others_are_of_their_pass() {
    let folder = TempDir::new().expect("a folder");
    let types = [of("mla+dense", 3), of("mla+moe", 17)].concat();
    let mut trace = Trace::new();
    for _ in 0..3 {
        trace.step("step[DECODE bs=1]", &pass(&types));
    }
    // Without a configuration nothing but the step says that the first layers belong to the rest.
    let data = data(&[&trace.write(&folder, "a.json")]);
    let layers: Vec<i64> = column(&data, "layers").into_iter().map(number).collect();
    assert_eq!(layers, [20, 20, 20]);
    assert_eq!(data["detection"]["layers"], 20);
    let clusters: Vec<(&str, i64)> = rows(&data["clusters"])
        .iter()
        .filter_map(|row| Some((row["type"].as_str()?, row["count"].as_i64()?)))
        .collect();
    assert_eq!(clusters, [("mla+dense", 3), ("mla+moe", 17)]);
}

#[test]
fn layers_of_a_draft_are_passes_of_their_own() {
    let folder = TempDir::new().expect("a folder");
    let config = crate::run::write(
        &folder,
        "config.json",
        r#"{"model_type": "deepseek_v3", "num_hidden_layers": 12, "num_nextn_predict_layers": 1, "kv_lora_rank": 512,
            "n_routed_experts": 64, "first_k_dense_replace": 0, "num_attention_heads": 8}"#,
    );
    let mut trace = Trace::new();
    let draft: Vec<&str> = ["draft_hidden_kernel", "draft_concat_kernel"]
        .into_iter()
        .chain(crate::model::layer("mla+moe"))
        .chain(TAIL)
        .collect();
    for _ in 0..4 {
        trace.kernels(&pass(&of("mla+moe", 12)), 1);
        trace.now += 20;
        trace.kernels(&draft, 1);
        trace.now += 20;
    }
    let data = data(&[&trace.write(&folder, "a.json"), "--config", &config]);
    let found: Vec<(Option<&str>, i64)> = rows(&data["passes"])
        .iter()
        .map(|row| (row["kind"].as_str(), number(&row["layers"])))
        .collect();
    // The last draft may as well be a pass that the end of the trace cut off.
    assert_eq!(found[..7], [(None, 12), (Some("draft"), 1)].repeat(4)[..7]);
    assert_eq!(data["passes"][1]["note"], "layers of a draft");
}

#[test]
fn a_trace_that_begins_in_a_pass_says_so() {
    let folder = TempDir::new().expect("a folder");
    let names = pass(&of("full+dense", 12));
    let mut trace = Trace::new();
    trace.kernels(&names[40..], 1);
    trace.now += 50;
    trace.kernels(&names, 1);
    let data = data(&[&trace.write(&folder, "a.json")]);
    let layers: Vec<i64> = column(&data, "layers").into_iter().map(number).collect();
    assert_eq!(layers[1], 12);
    assert!((6..9).contains(&layers[0]), "{layers:?}");
    let note = data["passes"][0]["note"].as_str().expect("a note");
    assert!(note.ends_with("of 12 layers, at an edge of the trace"), "{note}");
    assert_eq!(data["steady_pass"], 1);
}
