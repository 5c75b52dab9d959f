//! Layers of a pass, their kinds, and the kernels of each.

use serde_json::json;
use tempfile::TempDir;

use crate::model::{Trace, of, pass};
use crate::run::{data, number, rows, run};

#[test]
fn a_flow_names_shapes_lines_and_what_is_hot() {
    let folder = TempDir::new().expect("a folder");
    let mut trace = Trace::new();
    let names = pass(&of("full+dense", 10));
    // The operator and the line around the launch of the second layer's attention: every layer has nine kernels.
    let launched = 1 + 2 + 9 + 3;
    trace.range(
        "python_function",
        "/x/vllm/attention/layer.py(42): forward",
        launched,
        1,
    );
    trace.event(&format!(
        r#"{{"ph":"X","cat":"cpu_op","name":"vllm::attention","pid":1,"tid":1,"ts":{launched},"dur":1,"args":{{"External id":{launched},"Input Dims":[[4,8,128],[],[4,128]]}}}}"#
    ));
    for (place, name) in names.iter().enumerate() {
        trace.dur = if name.starts_with("fmha") { 100 } else { 10 };
        trace.kernels(&[name], 1 + place as u64);
    }
    let data = data(&[&trace.write(&folder, "a.json"), "--layer", "1"]);
    let flow = rows(&data["flow"]);
    assert_eq!(flow.len(), 9);
    let attention = &flow[3];
    assert_eq!(attention["kernel"], "fmhaSm100fKernel_QkvCausal");
    assert_eq!(attention["family"], "attention");
    assert_eq!(attention["input_dims"], "[[4,8,128],[],[4,128]]");
    assert_eq!(
        attention["python_location"],
        "/x/vllm/attention/layer.py(42): forward"
    );
    assert_eq!(attention["layer"], 1);
    assert_eq!(
        (number(&attention["dur_ns"]), number(&attention["rel_ns"])),
        (100_000, 30_000)
    );
    let share = attention["share_pct"].as_f64().expect("a share");
    assert!((share - 100.0 * 100.0 / 180.0).abs() < 1e-6, "{share}");
    let hot: Vec<bool> = flow.iter().filter_map(|row| row["hot"].as_bool()).collect();
    assert_eq!(
        hot,
        [false, false, false, true, false, false, false, false, false]
    );
    assert_eq!(flow[0]["python_location"], json!(null));
    let orders: Vec<i64> = flow.iter().map(|row| number(&row["order"])).collect();
    assert_eq!(orders, (0..9).collect::<Vec<i64>>());
}

#[test]
fn two_kinds_of_layers_are_two_clusters_with_a_flow_each() {
    let folder = TempDir::new().expect("a folder");
    let types = ["sliding+moe", "full+moe"].repeat(8);
    let mut trace = Trace::new();
    for name in pass(&types) {
        trace.dur = if name.contains("Causal") { 70 } else { 10 };
        trace.kernels(&[name], 1);
    }
    let data = data(&[&trace.write(&folder, "a.json")]);
    let clusters = rows(&data["clusters"]);
    assert_eq!(clusters.len(), 2);
    assert_eq!(clusters[0]["type"], "sliding+moe");
    assert_eq!(clusters[1]["type"], "full+moe");
    assert_eq!(clusters[1]["layers"], json!([1, 3, 5, 7, 9, 11, 13, 15]));
    assert_eq!(number(&clusters[0]["wall_mean_ns"]), 120_000);
    assert_eq!(number(&clusters[1]["wall_mean_ns"]), 180_000);
    assert_eq!(clusters[0]["share_pct"].as_f64(), Some(40.0));
    assert_eq!(clusters[0]["bottleneck"], "moe");
    assert_eq!(clusters[1]["bottleneck"], "attention");
    let shares = clusters[0]["families_pct"].as_object().expect("shares");
    let sum: f64 = shares.values().filter_map(serde_json::Value::as_f64).sum();
    assert!((sum - 100.0).abs() < 1e-4, "{sum}");
    let layers: Vec<i64> = rows(&data["flow"])
        .iter()
        .map(|row| number(&row["layer"]))
        .collect();
    assert_eq!(layers, [vec![0; 12], vec![1; 12]].concat());
}

#[test]
fn two_layers_are_compared_by_kernel_and_by_family() {
    let folder = TempDir::new().expect("a folder");
    let types = [of("full+dense", 2), of("full+moe", 10)].concat();
    let mut trace = Trace::new();
    trace.kernels(&pass(&types), 1);
    let data = data(&[
        &trace.write(&folder, "a.json"),
        "--layer",
        "0",
        "--compare-layer",
        "5",
    ]);
    let compared = &data["comparison"];
    assert_eq!((&compared["layer"], &compared["other"]), (&json!(0), &json!(5)));
    assert_eq!(number(&compared["wall_delta_ns"]), 30_000);
    let kernels = |side: &str| -> Vec<String> {
        let rows = rows(&compared[side]).iter();
        rows.filter_map(|row| Some(row["kernel"].as_str()?.to_owned()))
            .collect()
    };
    assert_eq!(
        kernels("only_layer"),
        ["nvjet_tst_128x64_v_bz_TNT", "nvjet_tst_64x128_v_bz_TNN"]
    );
    let other = kernels("only_other");
    assert_eq!(other.len(), 5, "{other:?}");
    assert!(other.contains(&"topkGatingSoftmax".to_owned()));
    let delta: i64 = rows(&compared["families"])
        .iter()
        .map(|row| number(&row["delta_ns"]))
        .sum();
    assert_eq!(delta, 30_000);
    assert_eq!(compared["families"][0]["family"], "moe");
    assert_eq!(number(&compared["families"][0]["layer_ns"]), 0);
}

#[test]
fn ranges_for_a_viewer_are_exact_to_the_microsecond() {
    let folder = TempDir::new().expect("a folder");
    let mut trace = Trace::new();
    trace.range("python_function", "x.py(1): main", 0, 5);
    trace.now = 2_345_678;
    trace.kernels(&pass(&of("full+dense", 10)), 1);
    let path = trace.write(&folder, "a.json");
    let data = data(&[&path, "--layer", "2"]);
    let ranges = rows(&data["perfetto"]);
    assert_eq!(ranges[0]["what"], "pass 0");
    assert_eq!(ranges[0]["start_s"].as_f64(), Some(2.345_678));
    assert_eq!(ranges[1]["what"], "layer 2 (attention+dense)");
    // Two kernels of the preamble, two layers of nine kernels.
    assert_eq!(ranges[1]["start_s"].as_f64(), Some(2.345_878));
    assert_eq!(ranges[1]["end_s"].as_f64(), Some(2.345_968));
    let text = std::fs::read_to_string(&path).expect("the trace");
    assert!(text.contains("2345878"), "the viewer shows the same number");
}

#[test]
fn the_same_file_gives_the_same_bytes() {
    let folder = TempDir::new().expect("a folder");
    let mut trace = Trace::new();
    trace.kernels(&pass(&["sliding+moe", "full+moe"].repeat(8)), 1);
    let path = trace.write(&folder, "a.json");
    assert_eq!(data(&[&path]).to_string(), data(&[&path]).to_string());
}

/// Ten layers, of which one has kernels of another duration.
fn with_odd_layer(odd: usize, dur: u64, passes: usize) -> Trace {
    let names = pass(&of("full+dense", 10));
    let mut trace = Trace::new();
    for _ in 0..passes {
        for (place, name) in names.iter().enumerate() {
            let layer = place.checked_sub(2).map(|place| place / 9);
            trace.dur = if layer == Some(odd) { dur } else { 10 };
            trace.kernels(&[name], 1);
        }
        trace.now += 50;
    }
    trace
}

#[test]
fn a_layer_far_from_its_kind_is_named_and_stays_in_the_mean() {
    let folder = TempDir::new().expect("a folder");
    let path = with_odd_layer(6, 40, 1).write(&folder, "a.json");
    let found = data(&[&path]);
    let (layers, cluster) = (rows(&found["layers"]), &found["clusters"][0]);
    for (place, layer) in layers.iter().enumerate() {
        assert_eq!(layer["outlier"], place == 6);
        assert_eq!(layer["note"].is_null(), place != 6);
    }
    assert_eq!(layers[6]["note"], "4.0 × the median of its kind");
    assert_eq!(cluster["outliers"], json!([6]));
    assert_eq!(number(&cluster["wall_mean_ns"]), (9 * 90_000 + 360_000) / 10);
    assert_eq!(number(&cluster["wall_median_ns"]), 90_000);
    let text = run(&[&path]).expect("a document").view().to_markdown();
    assert!(
        text.contains("- layer 6: 360.0 us, 4.0 × the median of its kind\n"),
        "{text}"
    );
    // A little slower is no outlier.
    let path = with_odd_layer(6, 14, 1).write(&folder, "b.json");
    assert_eq!(data(&[&path])["clusters"][0]["outliers"], json!([]));
}

#[test]
fn the_first_layer_of_the_first_pass_is_a_cold_start() {
    let folder = TempDir::new().expect("a folder");
    let path = with_odd_layer(0, 50, 4).write(&folder, "a.json");
    let note = |pass: &str| data(&[&path, "--pass", pass])["layers"][0]["note"].clone();
    assert_eq!(
        note("0"),
        "5.0 × the median of its kind: cold start, the first layer of the first pass"
    );
    assert_eq!(note("2"), "5.0 × the median of its kind");
}
