//! What a verdict costs: 160 production rows with samples, read and judged. Ends with 1 when it is beyond its limit.
//!
//! `cargo bench -p kernel-gate`; with SOTA_LOOP_TEST_DATA a real measurement of as many rows, too.

use std::hint::black_box;
use std::process::ExitCode;

use contracts::kernel_gate::results::Peaks;
use kernel_gate::judge::{Evidence, judge};
use kernel_gate::ledger::read;
use rustix::time::ClockId;

/// Most CPU time, milliseconds.
const LIMIT_MS: f64 = 50.0;
const TURNS: usize = 9;

fn cpu_ms() -> f64 {
    let now = rustix::time::clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}

/// A measurement of 160 rows with seven samples of each side by both clocks.
fn made() -> Vec<u8> {
    let mut text = String::from("{\"event\":\"provenance\",\"gpu\":\"g\",\"settings\":{\"num_trials\":7}}\n");
    for row in 0..160 {
        let samples = |scale: f64| {
            let samples: Vec<String> = (0..7)
                .map(|at| {
                    format!(
                        "{:.6}",
                        scale * (1.0 + f64::from(row) / 50.0 + f64::from(at) / 1e3)
                    )
                })
                .collect();
            format!("[{}]", samples.join(","))
        };
        let (old, new) = (samples(100.0), samples(60.0));
        text.push_str(&format!(
            "{{\"event\":\"result\",\"id\":\"row-{row}\",\"status\":\"PASSED\",\"production\":true,\"workload\":{{\"id\":\"row-{row}\",\"shapes\":[1,512,{row}]}},\"baseline\":{{\"samples_us\":{old}}},\"candidate\":{{\"samples_us\":{new}}},\"baseline_wall_us\":{old},\"candidate_wall_us\":{new}}}\n"
        ));
    }
    text.into_bytes()
}

/// Median CPU milliseconds of reading and judging.
fn cost(bytes: &[u8]) -> f64 {
    let mut turns: Vec<f64> = (0..TURNS)
        .map(|_| {
            let start = cpu_ms();
            let ledger = read(black_box(bytes)).expect("a ledger");
            let data = judge(&Evidence {
                results: &ledger,
                rows: None,
                aa: None,
                reruns: Vec::new(),
                dispatch: None,
                candidate_sha256: None,
                peaks: Peaks::default(),
                share: None,
            });
            assert_eq!(data.counts.production, 160);
            black_box(data);
            cpu_ms() - start
        })
        .collect();
    turns.sort_by(f64::total_cmp);
    turns[TURNS / 2]
}

fn main() -> ExitCode {
    let mut inputs = vec![("made", made())];
    if let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") {
        let path = std::path::Path::new(&data).join("ncu/ledger/b200_group_norm_silu.results.jsonl");
        inputs.push(("real", std::fs::read(path).expect("the data is there")));
    }
    let mut is_within = true;
    for (name, bytes) in inputs {
        let ms = cost(&bytes);
        println!(
            "{name}: {} bytes, {ms:.2} ms of CPU, limit {LIMIT_MS} ms",
            bytes.len()
        );
        is_within &= ms <= LIMIT_MS;
    }
    if is_within {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
