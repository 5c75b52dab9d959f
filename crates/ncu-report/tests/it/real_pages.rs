//! Real CSV exports, where they are: cell by cell against the reports of the same captures.

use ncu_report::{Form, Rule, Value, read_file, unit_of};

use crate::real::folder;

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
