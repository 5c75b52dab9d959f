//! The report of the offline campaign. engine-sim has no counters, so the encoder writes what a projection of its decode steps
//! would show: weights read once, at the roof of the memory.

use std::path::Path;

use ncu_report::{Report, Session, encode};

use crate::fixture::{DRAM, MEMORY, SM, quiet, report, with};
use crate::run;

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../examples/sota-loop-offline/decode.ncu-rep"
);

fn decode() -> Report {
    let numbers = [
        ("gpu__time_duration.sum", 21_504.0),
        ("gpc__cycles_elapsed.max", 32_256.0),
        (SM, 21.4),
        (MEMORY, 87.6),
        (DRAM, 87.6),
        ("lts__throughput.avg.pct_of_peak_sustained_elapsed", 44.2),
        ("l1tex__throughput.avg.pct_of_peak_sustained_active", 31.9),
        (
            "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active",
            12.3,
        ),
        ("sm__pipe_fma_cycles_active.avg.pct_of_peak_sustained_active", 1.1),
        ("smsp__inst_executed.sum", 901_120.0),
    ];
    let kernel = with(quiet("nvjet_tst_64x8_64x16_4x1_v_bz_TNT"), &numbers);
    let mut report = report(vec![kernel]);
    report.session = Session {
        ncu_version: Some("2025.3.1.0".to_owned()),
        cuda_version: Some("13.0".to_owned()),
        gpu: Some("NVIDIA H100 80GB HBM3 (simulated)".to_owned()),
        cc: Some("9.0".to_owned()),
        sm_count: Some(132),
        command_line: Some("ncu --set full --clock-control base -o decode engine-sim".to_owned()),
        ..Session::default()
    };
    report
}

/// `UPDATE_EXAMPLES=1` writes it.
#[test]
fn the_report_of_the_offline_campaign_is_what_the_encoder_writes() {
    let bytes = encode(&decode());
    if std::env::var_os("UPDATE_EXAMPLES").is_some() {
        std::fs::write(PATH, &bytes).expect("the folder is writable");
    }
    let stored = std::fs::read(PATH).unwrap_or_default();
    assert!(
        stored == bytes,
        "run: UPDATE_EXAMPLES=1 cargo test -p ncu-digest --test it example"
    );
}

#[test]
fn it_says_that_it_is_simulated() {
    assert!(Path::new(PATH).exists(), "it is part of the repository");
    let document = run::document(&[PATH, "--declare", "dtype=bf16,op=matmul"]);
    assert_eq!(document["simulated"], true);
    assert_eq!(document["data"]["next_edit"]["id"], "E13");
    assert_eq!(document["data"]["kernels"][0]["bound"], "memory");
    assert_eq!(document["data"]["kernels"][0]["missing"], serde_json::json!([]));
}
