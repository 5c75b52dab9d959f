//! A rule whose numbers are missing neither holds nor is passed over: the page says which section lacks, and gives no edit.

use ncu_report::Kernel;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{BYTES, quiet, report, stall, with, without, write};
use crate::run::{document, refused, run, warnings};

/// The page of a kernel that has no edit.
fn without_an_edit(kernel: Kernel) -> Value {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "test.ncu-rep", &report(vec![kernel]));
    assert_eq!(run(&[&path]).expect("a page").exit().code(), 5);
    let document = document(&[&path]);
    assert_eq!(document["data"]["next_edit"], Value::Null);
    assert_eq!(warnings(&document)[0], "missing-section");
    document
}

#[test]
fn every_number_of_every_rule_is_missed() {
    for (metric, section) in [
        ("gpu__dram_throughput", "SpeedOfLight"),
        ("multiprocessor_count", "LaunchStats"),
        ("issue_inst0", "SchedulerStats"),
        ("issue_active.avg", "SchedulerStats"),
        ("warps_eligible", "SchedulerStats"),
        ("warp_latency", "WarpStateStats"),
        ("issue_stalled", "WarpStateStats"),
        (stall("barrier").as_str(), "WarpStateStats"),
        (stall("lg_throttle").as_str(), "WarpStateStats"),
        (stall("long_scoreboard").as_str(), "WarpStateStats"),
        (stall("mio_throttle").as_str(), "WarpStateStats"),
        (stall("short_scoreboard").as_str(), "WarpStateStats"),
        ("pipe_fp64", "ComputeWorkloadAnalysis"),
        ("pipe_xu", "ComputeWorkloadAnalysis"),
        ("pipe_fma", "ComputeWorkloadAnalysis"),
        ("pipe_tensor", "ComputeWorkloadAnalysis"),
        ("executed_local_loads", "InstructionStats"),
        ("executed_local_stores", "InstructionStats"),
        ("l1tex__t_sector_hit_rate", "MemoryWorkloadAnalysis"),
        (
            "requests_pipe_lsu_mem_local_op_ld",
            "MemoryWorkloadAnalysis_Tables",
        ),
        (
            "requests_pipe_lsu_mem_global_op_st",
            "MemoryWorkloadAnalysis_Tables",
        ),
        (
            "bank_conflicts_pipe_lsu_mem_shared_op_ld",
            "MemoryWorkloadAnalysis_Tables",
        ),
        (
            "bank_conflicts_pipe_lsu_mem_shared_op_st",
            "MemoryWorkloadAnalysis_Tables",
        ),
        ("wavefronts_mem_shared_op_ld", "MemoryWorkloadAnalysis_Tables"),
        ("wavefronts_mem_shared_op_st", "MemoryWorkloadAnalysis_Tables"),
    ] {
        let kernel = without(quiet("k"), metric);
        assert!(kernel.metrics.len() < quiet("k").metrics.len(), "{metric}");
        let document = without_an_edit(kernel);
        assert_eq!(
            document["data"]["kernels"][0]["missing"],
            json!([section]),
            "{metric}"
        );
    }
}

/// Bytes of a sector are younger than sectors: one of both is enough, and a rule that needs the bytes is named.
#[test]
fn one_of_two_ways_is_enough() {
    let older = without(quiet("k"), BYTES);
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "test.ncu-rep", &report(vec![older.clone()]));
    let seen = document(&[&path]);
    assert_eq!(seen["data"]["next_edit"]["id"], "E00");
    assert_eq!(warnings(&seen), ["rule-not-judged"]);
    assert!(
        seen["warnings"][0]["message"]
            .as_str()
            .is_some_and(|text| text.contains("E05b") && text.contains(BYTES))
    );
    let document = without_an_edit(without(older, "memory_l2_theoretical_sectors_global_ideal"));
    assert_eq!(
        document["data"]["kernels"][0]["missing"],
        json!(["MemoryWorkloadAnalysis_Tables"])
    );
}

/// What would hold without a look at what is missing does not hold either.
#[test]
fn no_later_rule_takes_the_place_of_one_that_cannot_be_judged() {
    let conflicts = without(quiet("k"), "shared_op_st");
    without_an_edit(with(conflicts, &[(stall("long_scoreboard").as_str(), 5.0)]));
}

#[test]
fn a_number_that_is_not_finite_is_a_missing_one() {
    let folder = TempDir::new().expect("a folder");
    let kernel = with(quiet("k"), &[(stall("barrier").as_str(), 1234.5)]);
    let mut bytes = ncu_report::encode(&report(vec![kernel]));
    let place = bytes
        .windows(8)
        .position(|window| window == 1234.5_f64.to_le_bytes())
        .expect("the number");
    bytes[place..place + 8].copy_from_slice(&f64::NAN.to_le_bytes());
    let path = folder.path().join("nan.ncu-rep");
    std::fs::write(&path, bytes).expect("the folder is writable");
    let document = document(&[&path.display().to_string()]);
    assert_eq!(
        document["data"]["kernels"][0]["missing"],
        json!(["WarpStateStats"])
    );
    assert_eq!(warnings(&document), ["missing-section", "non-finite-metric"]);
}

/// L1 tells a pipe that loads from one that computes: without it there is no class.
#[test]
fn a_class_is_not_guessed() {
    let folder = TempDir::new().expect("a folder");
    let path = write(
        &folder,
        "test.ncu-rep",
        &report(vec![without(quiet("k"), "l1tex__throughput")]),
    );
    assert_eq!(refused(&[&path]), ("missing-section".to_owned(), 3));
}
