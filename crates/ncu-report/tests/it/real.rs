//! Real reports, where they are: every kernel, every metric, and the CSV exports of the same captures cell by cell.

use std::path::PathBuf;

use ncu_report::{Form, Kernel, Limits, Report, Rule, Value, encode, read, read_file, unit_of};

use crate::broken::block_starts;

/// The folder of reports; `None` is said aloud, never passed over in silence.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("SOTA_LOOP_TEST_DATA").map(|data| PathBuf::from(data).join("ncu"));
    if folder.is_none() {
        println!("real-data suite: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
    }
    folder
}

/// What a report holds: file, version, GPU, compute capability, SMs, kernels, metrics of each, instances, messages of rules.
type Held = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    u64,
    usize,
    usize,
    usize,
    usize,
);

/// Counted by a walk over the bytes that shares nothing with this crate.
const HELD: [Held; 15] = [
    (
        "a100_2020.3.1_extrap_s10",
        "2020.3.1.0",
        "A100-PCIE-40GB",
        "8.0",
        108,
        6,
        213,
        3906,
        0,
    ),
    (
        "a100_2020.3.1_extrap_s100000",
        "2020.3.1.0",
        "A100-PCIE-40GB",
        "8.0",
        108,
        6,
        213,
        3906,
        0,
    ),
    (
        "b200_2025.2.1_int8gemm_algo64_basic",
        "2025.2.1.0",
        "NVIDIA B200",
        "10.0",
        148,
        1,
        597,
        2235,
        8,
    ),
    (
        "b200_2025.3.1_qknorm_base_qwen4096_full",
        "2025.3.1.0",
        "NVIDIA B200",
        "10.0",
        148,
        1,
        2461,
        14283,
        10,
    ),
    (
        "b200_2025.3.1_qknorm_base_qwen4096_source",
        "2025.3.1.0",
        "NVIDIA B200",
        "10.0",
        148,
        1,
        378,
        6626,
        1,
    ),
    (
        "b200_2025.3.1_qknorm_cand_qwen4096_v3_full",
        "2025.3.1.0",
        "NVIDIA B200",
        "10.0",
        148,
        1,
        2461,
        17578,
        9,
    ),
    (
        "rtx3070_2022.3.0_manual_nvtx",
        "2022.3.0.0",
        "NVIDIA GeForce RTX 3070",
        "8.6",
        46,
        3,
        347,
        3770,
        6,
    ),
    (
        "rtx3070_2022.3.0_vecadd",
        "2022.3.0.0",
        "NVIDIA GeForce RTX 3070",
        "8.6",
        46,
        1,
        268,
        526,
        2,
    ),
    (
        "rtx4060_2024.1.1_sgemm2048_01_naive",
        "2024.1.1.0",
        "NVIDIA GeForce RTX 4060 Laptop GPU",
        "8.9",
        24,
        2,
        1199,
        34898,
        23,
    ),
    (
        "rtx4060_2024.1.1_sgemm2048_02_coalesce_memory",
        "2024.1.1.0",
        "NVIDIA GeForce RTX 4060 Laptop GPU",
        "8.9",
        24,
        2,
        1199,
        19037,
        19,
    ),
    (
        "rtx4060_2024.1.1_sgemm2048_03_tiled",
        "2024.1.1.0",
        "NVIDIA GeForce RTX 4060 Laptop GPU",
        "8.9",
        24,
        2,
        1199,
        35233,
        21,
    ),
    (
        "rtx4060_2024.1.1_sgemm2048_04_4x_coarsen_tiled",
        "2024.1.1.0",
        "NVIDIA GeForce RTX 4060 Laptop GPU",
        "8.9",
        24,
        2,
        1199,
        36368,
        19,
    ),
    (
        "rtx4060_2024.1.1_sgemm2048_07_vectorize",
        "2024.1.1.0",
        "NVIDIA GeForce RTX 4060 Laptop GPU",
        "8.9",
        24,
        2,
        1199,
        56729,
        21,
    ),
    (
        "v100_2022.2.0_miniweather_baseline",
        "2022.2.0.0",
        "Tesla V100-SXM2-32GB",
        "7.0",
        80,
        5,
        676,
        57669,
        59,
    ),
    (
        "v100_2022.2.0_miniweather_divtomult",
        "2022.2.0.0",
        "Tesla V100-SXM2-32GB",
        "7.0",
        80,
        5,
        676,
        41212,
        61,
    ),
];

fn reports() -> Option<Vec<(&'static str, Report)>> {
    let folder = folder()?.join("reports");
    let read = |held: &Held| {
        let path = folder.join(format!("{}.ncu-rep", held.0));
        (held.0, read_file(&path).expect("a report"))
    };
    Some(HELD.iter().map(read).collect())
}

#[test]
fn every_report_is_read_whole() {
    let Some(reports) = reports() else { return };
    for ((name, report), held) in reports.iter().zip(HELD) {
        let sum = |count: fn(&Kernel) -> usize| report.kernels.iter().map(count).sum::<usize>();
        let session = &report.session;
        assert_eq!(session.ncu_version.as_deref(), Some(held.1), "{name}");
        assert_eq!(session.gpu.as_deref(), Some(held.2), "{name}");
        assert_eq!(session.cc.as_deref(), Some(held.3), "{name}");
        assert_eq!(session.sm_count, Some(held.4), "{name}");
        assert_eq!(report.kernels.len(), held.5, "{name}");
        assert!(
            report.kernels.iter().all(|kernel| kernel.metrics.len() == held.6),
            "{name}"
        );
        let instances = |kernel: &Kernel| kernel.metrics.values().map(|metric| metric.instances.len()).sum();
        assert_eq!(sum(instances), held.7, "{name}");
        assert_eq!(sum(|kernel| kernel.rules.len()), held.8, "{name}");
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

/// Digits behind the point of a printed number.
fn decimals(cell: &str) -> i32 {
    cell.split_once('.')
        .map_or(0, |(_, fraction)| fraction.len() as i32)
}

#[test]
fn every_numeric_cell_of_the_raw_pages_is_the_reports() {
    let Some(folder) = folder() else { return };
    let mut compared = 0;
    for (page, report, cells) in [
        (
            "b200_2025.2.1_int8gemm_algo64.raw.csv",
            "b200_2025.2.1_int8gemm_algo64_basic.ncu-rep",
            583,
        ),
        (
            "b200_2025.3.1_qknorm_base_qwen4096.raw.csv",
            "b200_2025.3.1_qknorm_base_qwen4096_full.ncu-rep",
            2423,
        ),
        (
            "b200_2025.3.1_qknorm_cand_qwen4096_v3.raw.csv",
            "b200_2025.3.1_qknorm_cand_qwen4096_v3_full.ncu-rep",
            2423,
        ),
    ] {
        let path = folder.join("csv").join(page);
        let ours = read_file(&path).expect("a page");
        let report = read_file(&folder.join("reports").join(report)).expect("a report");
        assert_eq!((ours.form, ours.kernels.len()), (Form::RawCsv, 1));
        assert_eq!(ours.session.gpu, report.session.gpu);
        assert_eq!(ours.session.cc, report.session.cc);
        assert_eq!(ours.session.sm_count, report.session.sm_count);
        let (ours, report) = (&ours.kernels[0], &report.kernels[0]);
        assert_eq!((ours.grid, ours.block), (report.grid, report.block));
        assert_eq!(ours.function, report.function);
        assert_eq!(ours.stream, report.stream);
        // What is printed says how precise it is; the reader keeps no digits, so they are taken from the page.
        let mut rows = ::csv::ReaderBuilder::new()
            .has_headers(false)
            .from_path(&path)
            .expect("a page");
        let rows: Vec<_> = rows.records().map(|row| row.expect("a row")).collect();
        let mut numbers = 0;
        for (name, cell) in rows[0].iter().zip(&rows[2]).skip(11) {
            let cell = cell.replace(',', "");
            let Ok(printed) = cell.parse::<f64>() else {
                continue;
            };
            if !printed.is_finite() {
                continue;
            }
            let (ours, theirs) = (ours.number(name), report.number(name));
            let (ours, theirs) = (ours.expect(name), theirs.expect(name));
            let scale = if printed == 0.0 { 1.0 } else { ours / printed };
            let step = 10_f64.powi(-decimals(&cell)) * scale;
            // Half a step for rounding, and as much again for a value that lies on the edge.
            let close = (ours - theirs).abs() <= step.abs() * 0.500_001 + theirs.abs() * 1e-12;
            assert!(close, "{page}: {name} is {ours}, the report's {theirs}");
            numbers += 1;
        }
        assert_eq!(numbers, cells, "{page}");
        compared += numbers;
    }
    println!("{compared} cells of raw pages compared");
}

#[test]
fn the_details_page_agrees_with_its_report() {
    let Some(folder) = folder() else { return };
    let page = read_file(&folder.join("csv/b200_2025.2.1_int8gemm_algo64.details.csv")).expect("a page");
    let report =
        read_file(&folder.join("reports/b200_2025.2.1_int8gemm_algo64_basic.ncu-rep")).expect("a report");
    assert_eq!(page.form, Form::DetailsCsv);
    let (page, report) = (&page.kernels[0], &report.kernels[0]);
    let mut compared = 0;
    for (name, metric) in &page.metrics {
        assert!(!name.contains('/'), "{name} has no metric");
        let theirs = &report.metrics[name];
        match &metric.value {
            Some(Value::Text(text)) => {
                assert_eq!(Some(&Value::Text(text.clone())), theirs.value.as_ref(), "{name}")
            }
            Some(value) => {
                let (ours, theirs) = (
                    value.number().expect("a number"),
                    theirs.value.as_ref().and_then(Value::number),
                );
                let theirs = theirs.expect(name);
                // Two decimals of what is below 1000.
                assert!(
                    (ours - theirs).abs() <= 0.005_1 * theirs.abs().max(1.0),
                    "{name}: {ours} {theirs}"
                );
                compared += 1;
            }
            None => panic!("{name} has no value"),
        }
        assert_eq!(metric.unit.as_deref(), unit_of(name), "{name}");
    }
    assert!(compared >= 45, "{compared}");
    assert_eq!(page.rules.len(), report.rules.len());
    // The page has them in the order of its sections.
    let sorted = |rules: &[Rule]| {
        let mut rules = rules.to_vec();
        let key = |rule: &Rule| {
            (
                rule.id.clone(),
                rule.speedup.map_or(0, |speedup| speedup.percent as u64),
            )
        };
        rules.sort_by_key(key);
        rules
    };
    for (ours, theirs) in sorted(&page.rules).iter().zip(&sorted(&report.rules)) {
        assert_eq!(
            (&ours.id, &ours.section, ours.kind),
            (&theirs.id, &theirs.section, theirs.kind)
        );
        assert_eq!(
            ours.speedup.map(|speedup| speedup.is_global),
            theirs.speedup.map(|speedup| speedup.is_global)
        );
        if let (Some(ours), Some(theirs)) = (ours.speedup, theirs.speedup) {
            assert!((ours.percent - theirs.percent).abs() < 0.006);
        }
    }
}

#[test]
fn the_other_pages_are_read_or_refused() {
    let Some(folder) = folder() else { return };
    let read = |name: &str| read_file(&folder.join("csv").join(name));
    let t4 = read("t4_nsightful_copy_blocked.details.csv").expect("a page");
    let kernel = &t4.kernels[0];
    assert_eq!(
        (t4.form, t4.session.cc.as_deref()),
        (Form::DetailsCsv, Some("7.5"))
    );
    assert_eq!(kernel.number("gpu__time_duration.sum"), Some(21_058_944.0));
    assert_eq!(
        kernel.number("dram__bytes.sum.per_second"),
        Some(196_456_177_859.63)
    );
    assert_eq!(kernel.number("ComputeWorkloadAnalysis/SM Busy"), Some(1.14));
    assert_eq!(kernel.rules.len(), 11);
    for (name, kernel_name, bytes) in [
        (
            "h200_norm_ln_base.metrics.csv",
            "_norm_infer_kernel",
            Some(328_922_368.0),
        ),
        ("h200_norm_ln_cand.metrics.csv", "layer_norm_block", None),
    ] {
        let live = read(name).expect("a page");
        assert_eq!(live.form, Form::LiveCsv);
        assert_eq!(live.kernels.len(), 1);
        assert_eq!(live.kernels[0].function, kernel_name);
        assert_eq!(live.kernels[0].number("dram__bytes.sum"), bytes);
        assert_eq!(live.warnings, []);
    }
    let session = read("b200_2025.2.1_int8gemm_algo64.session.csv").expect_err("no kernels");
    assert_eq!(session.code(), "ncu-csv-session-page");
}

/// A report that ends between two blocks looks whole, for nothing in it says how many there are; one byte beside it is an error.
#[test]
fn cuts_at_every_block_are_seen() {
    let Some(folder) = folder() else { return };
    let mut cuts = 0;
    for held in HELD {
        let bytes = std::fs::read(folder.join(format!("reports/{}.ncu-rep", held.0))).expect("a report");
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
                held.0
            );
            if start < bytes.len() {
                assert_eq!(
                    read(start + 1).expect_err("cut").code(),
                    "truncated-file",
                    "{}: {start}",
                    held.0
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
