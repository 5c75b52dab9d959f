//! Each rule at its threshold, alone; their order; the gate.

use ncu_report::Kernel;

use crate::fixture::{
    BYTES, DRAM, DURATION, FP64, MEMORY, SM, WAVES, XU, estimated, quiet, stall, with, without,
};
use crate::run::{also, digest, edit, warnings};

fn of(kernel: Kernel) -> String {
    edit(&digest(vec![kernel], &[])).to_owned()
}

#[test]
fn nothing_holds() {
    let document = digest(vec![quiet("quiet")], &["--declare", "dtype=bf16,op=matmul"]);
    assert_eq!(edit(&document), "E00");
    assert!(also(&document).is_empty() && warnings(&document).is_empty());
    let text = document["data"]["next_edit"]["edit"].as_str().expect("a text");
    assert!(text.starts_with("stop"), "{text}");
}

/// Just beyond the threshold, and just within it.
#[test]
fn every_rule_has_its_threshold() {
    let gathered = |changes: &[(&str, f64)]| with(quiet("k"), changes);
    let stalled = |reason: &str, share: f64| with(quiet("k"), &[(stall(reason).as_str(), share)]);
    let grid = |blocks: u64, waves: f64| Kernel {
        grid: [blocks, 1, 1],
        ..with(quiet("k"), &[(WAVES, waves)])
    };
    let spills = |spilled: f64| {
        gathered(&[
            ("sass__inst_executed_local_loads", spilled),
            ("l1tex__t_requests_pipe_lsu_mem_local_op_ld.sum", spilled),
        ])
    };
    let conflicts = |loads: f64, stores: f64| {
        gathered(&[
            ("l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ld.sum", loads),
            ("l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_st.sum", stores),
        ])
    };
    let occupied = |pct: f64, eligible: f64| {
        gathered(&[
            ("sm__maximum_warps_per_active_cycle_pct", pct),
            ("smsp__warps_eligible.avg.per_cycle_active", eligible),
        ])
    };
    let sectors = |real: f64| {
        with(
            without(quiet("k"), BYTES),
            &[("memory_l2_theoretical_sectors_global", real)],
        )
    };
    let hinted =
        |bytes: f64, pct: f64| estimated(gathered(&[(BYTES, bytes)]), "UncoalescedGlobalAccess", true, pct);
    for (id, beyond, within) in [
        ("E01", spills(21.0), spills(19.0)),
        (
            "E02",
            gathered(&[(DURATION, 9_999.0), (WAVES, 0.9)]),
            gathered(&[(DURATION, 10_000.0), (WAVES, 0.9)]),
        ),
        ("E03", grid(99, 0.5), grid(100, 0.5)),
        ("E04", gathered(&[(FP64, 60.0)]), gathered(&[(FP64, 59.9)])),
        ("E05", gathered(&[(BYTES, 15.9)]), gathered(&[(BYTES, 16.0)])),
        ("E05", sectors(8_000.0), sectors(7_999.0)),
        ("E06", conflicts(200.0, 0.0), conflicts(0.0, 100.0)),
        ("E05b", hinted(23.9, 10.0), hinted(24.0, 10.0)),
        ("E05b", hinted(16.0, 10.0), hinted(16.0, 9.9)),
        ("E07", stalled("lg_throttle", 3.0), stalled("lg_throttle", 2.99)),
        ("E08", stalled("mio_throttle", 2.5), stalled("mio_throttle", 2.49)),
        ("E09", stalled("barrier", 2.0), stalled("barrier", 1.99)),
        ("E10", gathered(&[(WAVES, 1.7)]), gathered(&[(WAVES, 1.701)])),
        ("E13", gathered(&[(DRAM, 80.0)]), gathered(&[(DRAM, 79.9)])),
        ("E11", occupied(50.0, 0.99), occupied(50.0, 1.0)),
        (
            "E12",
            stalled("long_scoreboard", 3.0),
            stalled("long_scoreboard", 2.99),
        ),
        ("E15", gathered(&[(SM, 80.0)]), gathered(&[(SM, 79.9)])),
    ] {
        assert_eq!(of(beyond), id);
        assert_eq!(of(within), "E00", "{id}");
    }
}

#[test]
fn declared_kernels_are_judged_by_what_they_are() {
    let matmul = with(
        quiet("k"),
        &[(
            "sm__pipe_fma_cycles_active.avg.pct_of_peak_sustained_active",
            50.0,
        )],
    );
    assert_eq!(
        edit(&digest(vec![matmul.clone()], &["--declare", "op=matmul"])),
        "E14"
    );
    assert_eq!(of(matmul), "E00");
    let fp64 = with(quiet("k"), &[(FP64, 70.0)]);
    let document = digest(vec![fp64.clone()], &[]);
    assert_eq!(
        (edit(&document), warnings(&document)),
        ("E04", vec!["dtype-unknown"])
    );
    let declared = ["--declare", "dtype=fp64"];
    assert_eq!(edit(&digest(vec![fp64.clone()], &declared)), "E00");
    // Divisions start with a reciprocal, which has a pipe of its own.
    let divides = digest(vec![with(fp64.clone(), &[(XU, 13.3)])], &declared);
    assert_eq!(edit(&divides), "E04");
    // Who needs FP64 is not told to write FP32 literals, in any line of the page.
    let text = divides["data"]["next_edit"].to_string();
    assert!(
        text.contains("divisions") && !text.contains("FP32") && !text.contains("literal"),
        "{text}"
    );
    let text = digest(vec![fp64], &["--declare", "dtype=bf16"])["data"]["next_edit"].to_string();
    assert!(
        text.contains("literals by FP32 ones") && text.contains("declared bf16"),
        "{text}"
    );
}

#[test]
fn the_first_rule_wins_and_the_others_are_listed() {
    let kernel = with(
        quiet("k"),
        &[
            (BYTES, 4.0),
            (DRAM, 90.0),
            (stall("long_scoreboard").as_str(), 5.0),
            (stall("lg_throttle").as_str(), 3.0),
        ],
    );
    let document = digest(vec![kernel], &[]);
    assert_eq!(
        (edit(&document), also(&document)),
        ("E05", vec!["E07", "E13", "E12"])
    );
}

#[test]
fn stall_rules_wait_for_a_scheduler_without_warps() {
    let busy = [
        ("smsp__issue_inst0.avg.pct_of_peak_sustained_active", 19.9),
        ("smsp__issue_active.avg.per_cycle_active", 0.8),
        (WAVES, 1.5),
        (DRAM, 85.0),
    ];
    let stalled = with(
        quiet("k"),
        &[
            (stall("lg_throttle").as_str(), 9.0),
            (stall("barrier").as_str(), 9.0),
        ],
    );
    let document = digest(vec![with(stalled.clone(), &busy)], &[]);
    // E10 and E13 are not about stalls.
    assert_eq!((edit(&document), also(&document)), ("E10", vec!["E13"]));
    let document = digest(vec![with(stalled, &busy[1..])], &[]);
    assert_eq!(edit(&document), "E07");
}

#[test]
fn only_global_estimates_are_evidence() {
    let kernel = estimated(
        with(quiet("k"), &[(BYTES, 4.0)]),
        "UncoalescedGlobalAccess",
        false,
        96.9,
    );
    let kernel = estimated(kernel, "MemoryCacheAccessPattern", true, 12.0);
    let kernel = estimated(kernel, "MemoryCacheAccessPattern", true, 40.0);
    let document = digest(vec![kernel], &[]);
    let evidence = document["data"]["next_edit"]["evidence"]
        .as_array()
        .expect("a list");
    let estimates: Vec<_> = evidence
        .iter()
        .filter(|one| {
            one["metric"]
                .as_str()
                .is_some_and(|metric| metric.starts_with("rule "))
        })
        .map(|one| (one["metric"].as_str(), one["value"].as_f64()))
        .collect();
    assert_eq!(estimates, [(Some("rule MemoryCacheAccessPattern"), Some(40.0))]);
    // A local estimate does not make a partly coalesced kernel one that is worth it.
    let local = estimated(
        with(quiet("k"), &[(BYTES, 20.0)]),
        "UncoalescedGlobalAccess",
        false,
        96.9,
    );
    assert_eq!(of(local), "E00");
}

#[test]
fn a_kernel_without_loads_is_not_uncoalesced() {
    assert_eq!(of(with(quiet("k"), &[(BYTES, 0.0), (MEMORY, 10.0)])), "E00");
}
