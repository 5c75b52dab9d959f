//! Real reports, where they are: every kernel and every metric, and copies that are damaged.

use std::path::PathBuf;

use ncu_report::{Kernel, Limits, Report, Value, encode, read, read_file, redact, unit_of};

use crate::broken::block_starts;

/// The folder of reports; `None` is said aloud, never passed over in silence.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("SOTA_LOOP_TEST_DATA").map(|data| PathBuf::from(data).join("ncu"));
    if folder.is_none() {
        println!("real-data suite: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
    }
    folder
}

/// What a report holds, counted by a walk over the bytes that shares nothing with this crate: file, version, GPU, compute
/// capability, SMs; kernels, metrics of each, instances and messages of rules of all.
const HELD: &str = "
a100_2020.3.1_extrap_s10 | 2020.3.1.0 | A100-PCIE-40GB | 8.0 | 108 | 6 | 213 | 3906 | 0
a100_2020.3.1_extrap_s100000 | 2020.3.1.0 | A100-PCIE-40GB | 8.0 | 108 | 6 | 213 | 3906 | 0
b200_2025.2.1_int8gemm_algo64_basic | 2025.2.1.0 | NVIDIA B200 | 10.0 | 148 | 1 | 597 | 2235 | 8
b200_2025.3.1_qknorm_base_qwen4096_full | 2025.3.1.0 | NVIDIA B200 | 10.0 | 148 | 1 | 2461 | 14283 | 10
b200_2025.3.1_qknorm_base_qwen4096_source | 2025.3.1.0 | NVIDIA B200 | 10.0 | 148 | 1 | 378 | 6626 | 1
b200_2025.3.1_qknorm_cand_qwen4096_v3_full | 2025.3.1.0 | NVIDIA B200 | 10.0 | 148 | 1 | 2461 | 17578 | 9
rtx3070_2022.3.0_manual_nvtx | 2022.3.0.0 | NVIDIA GeForce RTX 3070 | 8.6 | 46 | 3 | 347 | 3770 | 6
rtx3070_2022.3.0_vecadd | 2022.3.0.0 | NVIDIA GeForce RTX 3070 | 8.6 | 46 | 1 | 268 | 526 | 2
rtx4060_2024.1.1_sgemm2048_01_naive | 2024.1.1.0 | NVIDIA GeForce RTX 4060 Laptop GPU | 8.9 | 24 | 2 | 1199 | 34898 | 23
rtx4060_2024.1.1_sgemm2048_02_coalesce_memory | 2024.1.1.0 | NVIDIA GeForce RTX 4060 Laptop GPU | 8.9 | 24 | 2 | 1199 | 19037 | 19
rtx4060_2024.1.1_sgemm2048_03_tiled | 2024.1.1.0 | NVIDIA GeForce RTX 4060 Laptop GPU | 8.9 | 24 | 2 | 1199 | 35233 | 21
rtx4060_2024.1.1_sgemm2048_04_4x_coarsen_tiled | 2024.1.1.0 | NVIDIA GeForce RTX 4060 Laptop GPU | 8.9 | 24 | 2 | 1199 | 36368 | 19
rtx4060_2024.1.1_sgemm2048_07_vectorize | 2024.1.1.0 | NVIDIA GeForce RTX 4060 Laptop GPU | 8.9 | 24 | 2 | 1199 | 56729 | 21
v100_2022.2.0_miniweather_baseline | 2022.2.0.0 | Tesla V100-SXM2-32GB | 7.0 | 80 | 5 | 676 | 57669 | 59
v100_2022.2.0_miniweather_divtomult | 2022.2.0.0 | Tesla V100-SXM2-32GB | 7.0 | 80 | 5 | 676 | 41212 | 61
";

/// A row of [`HELD`].
struct Held {
    name: &'static str,
    version: &'static str,
    gpu: &'static str,
    cc: &'static str,
    sm_count: u64,
    kernels: usize,
    metrics: usize,
    instances: usize,
    messages: usize,
}

fn held() -> Vec<Held> {
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.split(" | ").collect();
        let number = |place: usize| cells[place].parse().expect("a number");
        Held {
            name: cells[0],
            version: cells[1],
            gpu: cells[2],
            cc: cells[3],
            sm_count: number(4) as u64,
            kernels: number(5),
            metrics: number(6),
            instances: number(7),
            messages: number(8),
        }
    };
    HELD.trim().lines().map(row).collect()
}

fn reports() -> Option<Vec<(&'static str, Report)>> {
    let folder = folder()?.join("reports");
    let read = |held: Held| {
        let path = folder.join(format!("{}.ncu-rep", held.name));
        (held.name, read_file(&path).expect("a report"))
    };
    Some(held().into_iter().map(read).collect())
}

#[test]
fn every_report_is_read_whole() {
    let Some(reports) = reports() else { return };
    for ((name, report), held) in reports.iter().zip(held()) {
        let sum = |count: fn(&Kernel) -> usize| report.kernels.iter().map(count).sum::<usize>();
        let session = &report.session;
        assert_eq!(session.ncu_version.as_deref(), Some(held.version), "{name}");
        assert_eq!(session.gpu.as_deref(), Some(held.gpu), "{name}");
        assert_eq!(session.cc.as_deref(), Some(held.cc), "{name}");
        assert_eq!(session.sm_count, Some(held.sm_count), "{name}");
        assert_eq!(report.kernels.len(), held.kernels, "{name}");
        assert!(
            report
                .kernels
                .iter()
                .all(|kernel| kernel.metrics.len() == held.metrics),
            "{name}"
        );
        let instances = |kernel: &Kernel| kernel.metrics.values().map(|metric| metric.instances.len()).sum();
        assert_eq!(sum(instances), held.instances, "{name}");
        assert_eq!(sum(|kernel| kernel.rules.len()), held.messages, "{name}");
        assert!(
            session.private.host.is_some() && session.private.program.is_some(),
            "{name}"
        );
        // The two A100 reports are from before the command line was stored.
        assert_eq!(
            session.command_line.is_some(),
            !name.starts_with("a100"),
            "{name}"
        );
        assert_eq!(
            session.clock_control.is_some(),
            !name.starts_with("a100"),
            "{name}"
        );
        for kernel in &report.kernels {
            assert!(
                !kernel.function.is_empty() && !kernel.demangled.is_empty(),
                "{name}"
            );
            let grid: u64 = kernel.grid.iter().product();
            let block: u64 = kernel.block.iter().product();
            assert_eq!(kernel.number("launch__grid_size"), Some(grid as f64), "{name}");
            assert_eq!(kernel.number("launch__block_size"), Some(block as f64), "{name}");
        }
        // Only B200 full reports have a metric that is no number.
        let full = name.starts_with("b200") && name.ends_with("full");
        assert_eq!(
            report.warnings.len(),
            usize::from(full),
            "{name}: {:?}",
            report.warnings
        );
    }
}

#[test]
fn values_that_the_page_of_facts_names() {
    let Some(reports) = reports() else { return };
    let kernel = |report: &str, function: &str| {
        let (_, report) = reports
            .iter()
            .find(|(name, _)| *name == report)
            .expect("a report");
        let kernel = report.kernels.iter().find(|kernel| kernel.function == function);
        kernel.expect("a kernel")
    };
    let duration = |report, function| {
        kernel(report, function)
            .number("gpu__time_duration.sum")
            .expect("a duration")
    };
    let us = |report, function| (duration(report, function) / 100.0).round() / 10.0;
    assert_eq!(
        us(
            "v100_2022.2.0_miniweather_baseline",
            "compute_tendencies_x_279_gpu"
        ),
        6190.9
    );
    assert_eq!(
        us(
            "v100_2022.2.0_miniweather_divtomult",
            "compute_tendencies_x_279_gpu"
        ),
        3482.2
    );
    let naive_us = us("rtx4060_2024.1.1_sgemm2048_01_naive", "naive_matmul");
    assert_eq!((naive_us / 100.0).round(), 1733.0);
    assert_eq!(
        duration(
            "b200_2025.3.1_qknorm_base_qwen4096_full",
            "fused_qknorm_rope_warp"
        ),
        58_624.0
    );
    let base = kernel(
        "b200_2025.3.1_qknorm_base_qwen4096_full",
        "fused_qknorm_rope_warp",
    );
    assert_eq!((base.grid, base.block), ([1184, 1, 1], [256, 1, 1]));
    let coalesced = base
        .rules
        .iter()
        .find(|rule| rule.id == "UncoalescedGlobalAccess")
        .expect("a rule");
    assert!(coalesced.speedup.expect("a promise").is_global && !coalesced.text.is_empty());
    let naive = kernel("rtx4060_2024.1.1_sgemm2048_01_naive", "naive_matmul");
    let promise = |id: &str| {
        let rules = naive.rules.iter().filter(|rule| rule.id == id);
        rules
            .filter_map(|rule| rule.speedup)
            .fold((false, 0.0_f64), |best, speedup| {
                if speedup.percent > best.1 {
                    (speedup.is_global, speedup.percent)
                } else {
                    best
                }
            })
    };
    assert_eq!((promise("HighPipeUtilization").1 * 10.0).round(), 969.0);
    assert!(!promise("HighPipeUtilization").0 && promise("MemoryCacheAccessPattern").0);
    assert_eq!((promise("MemoryCacheAccessPattern").1 * 10.0).round(), 863.0);
}

#[test]
fn a_redacted_report_names_nobody() {
    let Some(reports) = reports() else { return };
    for (name, mut report) in reports {
        let private = report.session.private.clone();
        let kernels = report.kernels.clone();
        redact(&mut report);
        // Nothing that was measured goes: no name of a kernel, no metric, and no value of one.
        for (kernel, before) in report.kernels.iter().zip(&kernels) {
            assert_eq!(kernel.demangled, before.demangled, "{name}");
            assert!(kernel.metrics == before.metrics, "{name}");
        }
        let rules: Vec<_> = report.kernels.iter().flat_map(|kernel| &kernel.rules).collect();
        let mut text = format!("{:?} {rules:?} {:?}", report.session, report.warnings);
        // Numbers say nothing of anybody.
        for kernel in &report.kernels {
            text.push_str(&kernel.demangled);
            let values = kernel.metrics.values().flat_map(|metric| {
                let parts = metric.instances.iter().flat_map(|part| [&part.id, &part.value]);
                parts.chain([&metric.value]).flatten()
            });
            for value in values {
                if let Value::Text(value) = value {
                    text.push_str(value);
                }
            }
        }
        let program = private.program.expect("a program");
        let folders = program.rsplit_once(['/', '\\']).map(|(folders, _)| folders);
        for secret in [private.host.as_deref(), Some(&program), folders]
            .into_iter()
            .flatten()
        {
            assert!(!text.contains(secret), "{name}: {secret}");
        }
        if let Some(set) = &report.session.set {
            let line = report.session.command_line.expect("what may be said");
            assert!(line.contains(&format!("--set {set}")), "{name}: {line}");
        }
    }
}

/// The reports lie unchanged in what is written and read again.
#[test]
fn a_real_report_survives_the_encoder() {
    let Some(reports) = reports() else { return };
    for (name, report) in reports {
        let again = read(&encode(&report), Limits::default()).expect("a report");
        assert_eq!(again.kernels, report.kernels, "{name}");
        assert_eq!(again.session.command_line, report.session.command_line, "{name}");
    }
}

/// A report that ends between two blocks looks whole, for nothing in it says how many there are; one byte beside it is an error.
#[test]
fn cuts_at_every_block_are_seen() {
    let Some(folder) = folder() else { return };
    let mut cuts = 0;
    for held in held() {
        let bytes = std::fs::read(folder.join(format!("reports/{}.ncu-rep", held.name))).expect("a report");
        for start in block_starts(&bytes) {
            let read = |end: usize| read(&bytes[..end], Limits::default());
            match read(start) {
                Ok(report) => assert!(!report.kernels.is_empty()),
                Err(error) => assert_eq!(error.code(), "no-kernels"),
            }
            assert_eq!(
                read(start - 1).expect_err("cut").code(),
                "truncated-file",
                "{}: {start}",
                held.name
            );
            if start < bytes.len() {
                assert_eq!(
                    read(start + 1).expect_err("cut").code(),
                    "truncated-file",
                    "{}: {start}",
                    held.name
                );
            }
            cuts += 1;
        }
    }
    println!("{cuts} block boundaries cut");
}

/// Cuts at places all over the file, and flipped bytes: an error or a report, never a panic.
#[test]
fn damaged_copies_never_panic() {
    let Some(folder) = folder() else { return };
    let path = folder.join("reports/rtx3070_2022.3.0_vecadd.ncu-rep");
    let bytes = std::fs::read(path).expect("a report");
    let (mut refused, mut accepted) = (0, 0);
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..150 {
        let cut = random(bytes.len());
        match read(&bytes[..cut], Limits::default()) {
            Ok(_) => accepted += 1,
            Err(error) => refused += usize::from(!error.hint().is_empty()),
        }
    }
    assert!(refused >= 145, "{refused} of 150 cuts are refused");
    for _ in 0..150 {
        let mut changed = bytes.clone();
        for _ in 0..=random(8) {
            let place = random(changed.len());
            changed[place] ^= 1 << random(8);
        }
        accepted += usize::from(read(&changed, Limits::default()).is_ok());
    }
    // The format has no checksum: a changed value cannot be seen.
    println!("{refused} cuts refused, {accepted} damaged copies read");
}

#[test]
fn units_are_right_for_nearly_every_name() {
    let Some(folder) = folder() else { return };
    let text = std::fs::read_to_string(folder.join("units_by_metric.json")).expect("units");
    let (mut right, mut all) = (0, 0);
    for line in text
        .lines()
        .filter_map(|line| line.trim_end_matches(',').split_once("\": \""))
    {
        let (name, unit) = (line.0.trim_start_matches('"'), line.1.trim_end_matches('"'));
        all += 1;
        right += usize::from(unit_of(name).unwrap_or_default() == unit);
    }
    println!("units: {right} of {all} names");
    assert_eq!(all, 2606);
    assert!(right * 1000 >= all * 970, "{right} of {all}");
}
