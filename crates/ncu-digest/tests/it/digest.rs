//! What a digest says of kernels, groups and captures.

use serde_json::{Value, json};

use crate::fixture::{DURATION, quiet, report, stall, with, without, write};
use crate::run::{digest, document, edit, run, warnings};

fn value(counter: &Value) -> Option<f64> {
    counter["value"].as_f64()
}

#[test]
fn every_number_names_its_metric() {
    let document = digest(vec![quiet("void quiet<(int)8>(float *)")], &[]);
    let kernel = &document["data"]["kernels"][0];
    assert_eq!(kernel["key"], "quiet<8>");
    assert_eq!(kernel["duration_ns"], json!({"value": 1e6, "metric": DURATION}));
    assert_eq!(
        (kernel["bound"].as_str(), &kernel["sub_bound"]),
        (Some("compute"), &Value::Null)
    );
    // Two resources allow as few.
    assert_eq!(kernel["occupancy"]["limiter"], json!(["registers", "warps"]));
    assert_eq!(value(&kernel["memory"]["sectors_per_request"]), Some(4.0));
    assert_eq!(
        kernel["top_stalls"][0],
        json!({"reason": "long_scoreboard", "share_pct": {"value": 25.0, "metric":
            "100 × smsp__average_warps_issue_stalled_long_scoreboard_per_issue_active.ratio / smsp__average_warp_latency_per_inst_issued.ratio"}})
    );
    assert_eq!(kernel["top_stalls"].as_array().map(Vec::len), Some(3));
    // 2000 a cycle at 1.5 GHz; 500 GB/s; 10240 a cycle against 1024 bytes at 2 GHz.
    let roofline = &kernel["roofline"];
    assert_eq!(roofline["precision"], "fp32");
    assert_eq!(
        ["flops_per_s", "intensity", "ridge", "dram_peak"].map(|name| value(&roofline[name])),
        [Some(3e12), Some(6.0), Some(7.5), Some(2.048e12)]
    );
    let capture = &document["data"]["report"];
    assert_eq!(
        ["gpu", "cc", "ncu_version", "set", "clock_control"].map(|name| capture[name].as_str()),
        [
            Some("Test GPU"),
            Some("9.0"),
            Some("2025.3.1.0"),
            Some("full"),
            Some("base")
        ]
    );
    assert_eq!(capture["recorded_at"], "2023-11-14T22:13:20Z");
}

#[test]
fn the_first_launch_of_three_is_left_out() {
    let launch = |ns: f64| with(quiet("k"), &[(DURATION, ns)]);
    let document = digest(
        [900.0, 100.0, 110.0, 120.0]
            .map(|us| launch(us * 1000.0))
            .to_vec(),
        &[],
    );
    let group = &document["data"]["groups"][0];
    assert_eq!((&group["n"], &group["first_dropped"]), (&json!(4), &json!(true)));
    assert_eq!(value(&group["median_ns"]), Some(110_000.0));
    assert_eq!(
        (value(&group["min_ns"]), value(&group["max_ns"])),
        (Some(1e5), Some(1.2e5))
    );
    assert!((group["cv_pct"].as_f64().expect("three launches") - 9.0909).abs() < 0.001);
    // Two are both kept, and one has no spread.
    let document = digest([900.0, 100.0].map(|us| launch(us * 1000.0)).to_vec(), &[]);
    assert_eq!(
        value(&document["data"]["groups"][0]["median_ns"]),
        Some(500_000.0)
    );
    let document = digest(vec![launch(1e6)], &[]);
    assert_eq!(document["data"]["groups"][0]["cv_pct"], Value::Null);
}

#[test]
fn the_decision_is_about_what_takes_most_time_and_prepares_nothing() {
    let named = |name: &str, ns: f64| with(quiet(name), &[(DURATION, ns)]);
    let mut kernels = vec![
        named("warm_up_kernel", 9e9),
        named("ncclDevKernel_AllReduce", 8e9),
        named("once", 2e6),
    ];
    kernels.extend(std::iter::repeat_n(named("often", 5e5), 12));
    let document = digest(kernels, &[]);
    let data = &document["data"];
    assert_eq!(data["next_edit"]["kernel"], "often");
    assert_eq!(data["kernels"][1]["bound"], "comm");
    // Ten of fifteen, the longest first, and the one that the decision is about.
    assert_eq!(
        (
            data["kernels"].as_array().map(Vec::len),
            &data["kernels_left_out"]
        ),
        (Some(10), &json!(5))
    );
    assert!(
        data["kernels"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|kernel| kernel["index"] == data["focus"])
    );
}

#[test]
fn kernels_are_chosen_by_name_and_all_are_shown_when_asked() {
    let kernels: Vec<_> = (0..12).map(|at| quiet(&format!("kernel_{at}"))).collect();
    let document = digest(kernels.clone(), &["--kernel", "_1[01]?$"]);
    assert_eq!(document["data"]["kernels"].as_array().map(Vec::len), Some(3));
    let document = digest(kernels, &["--all"]);
    assert_eq!(document["data"]["kernels"].as_array().map(Vec::len), Some(12));
    // Whoever names a kernel that warms up means it.
    assert_eq!(
        edit(&digest(vec![quiet("warm_up")], &["--kernel", "warm"])),
        "E00"
    );
}

#[test]
fn a_class_without_an_edit_is_a_page_that_asks_for_more() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let basic = without(without(quiet("k"), "smsp__"), "l1tex__t_");
    let path = write(&folder, "basic.ncu-rep", &report(vec![basic]));
    assert_eq!(run(&[&path]).expect("a page").exit().code(), 5);
    let document = document(&[&path]);
    assert_eq!(document["data"]["next_edit"], Value::Null);
    assert_eq!(document["data"]["kernels"][0]["bound"], "compute");
    assert_eq!(
        document["data"]["kernels"][0]["missing"],
        json!([
            "SchedulerStats",
            "WarpStateStats",
            "MemoryWorkloadAnalysis",
            "MemoryWorkloadAnalysis_Tables"
        ])
    );
    assert_eq!(warnings(&document), ["missing-section"]);
    let message = document["warnings"][0]["message"].as_str().expect("a message");
    assert!(
        message.contains("ncu --set full --kernel-name 'regex:^k$'"),
        "{message}"
    );
}

#[test]
fn shares_over_100_are_told() {
    let kernel = with(quiet("k"), &[(stall("imc_miss").as_str(), 10.6)]);
    assert_eq!(warnings(&digest(vec![kernel], &[])), ["share-over-100"]);
    let kernel = with(quiet("k"), &[(stall("imc_miss").as_str(), 10.4)]);
    assert!(warnings(&digest(vec![kernel], &[])).is_empty());
}

#[test]
fn without_rules_one_edit_is_not_judged() {
    let mut kernel = quiet("k");
    kernel.rules.clear();
    assert_eq!(warnings(&digest(vec![kernel], &[])), ["rules-not-stored"]);
}
