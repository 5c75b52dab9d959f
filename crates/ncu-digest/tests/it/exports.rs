//! CSV exports: a right answer, or the refusal that says what is missing.

use ncu_report::Value as Stored;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::quiet;
use crate::run::{document, edit, real, refused, run, warnings};

const LAUNCH: &str = r#""ID","Process ID","Process Name","Host Name","Kernel Name","Context","Stream","Block Size","Grid Size","Device","CC""#;
const ROW: &str =
    r#""0","41","app","node17","void quiet<(int)8>(float *)","1","7","(256, 1, 1)","(300, 1, 1)","0","9.0""#;

/// Metrics of the kernel of which no rule holds.
fn numbers() -> Vec<(String, f64)> {
    let metrics = quiet("k").metrics.into_iter();
    metrics
        .map(|(name, metric)| {
            let number = metric.value.as_ref().and_then(Stored::number);
            (name, number.expect("a number"))
        })
        .collect()
}

/// Its raw page, as printed with base units.
fn raw() -> String {
    let numbers = numbers();
    let cells = |cell: fn(&(String, f64)) -> String| numbers.iter().map(cell).collect::<String>();
    format!(
        "{LAUNCH}{}\n{}{}\n{ROW}{}\n",
        cells(|(name, _)| format!(",\"{name}\"")),
        ",".repeat(10),
        ",".repeat(numbers.len()),
        cells(|(_, number)| format!(",\"{number}\"")),
    )
}

/// The same as it ran, between lines of the profiler.
fn live() -> String {
    let rows = numbers().into_iter().map(|(name, number)| {
        format!("{ROW},\"Command line profiler metrics\",\"{name}\",\"\",\"{number}\"\n")
    });
    let rows: String = rows.collect();
    format!(
        "==PROF== Connected to process 41 (/home/ada/app)\n{LAUNCH},\"Section Name\",\"Metric Name\",\"Metric Unit\",\"Metric Value\"\n{rows}"
    )
}

/// Its details page, three sections of it: labels, scaled values.
fn details() -> String {
    let rows = [
        ("GPU Speed Of Light Throughput", "Duration", "ms", "1.00"),
        (
            "GPU Speed Of Light Throughput",
            "Compute (SM) Throughput",
            "%",
            "30.00",
        ),
        ("GPU Speed Of Light Throughput", "Memory Throughput", "%", "90.00"),
        ("GPU Speed Of Light Throughput", "DRAM Throughput", "%", "90.00"),
        (
            "GPU Speed Of Light Throughput",
            "L2 Cache Throughput",
            "%",
            "20.00",
        ),
        (
            "GPU Speed Of Light Throughput",
            "L1/TEX Cache Throughput",
            "%",
            "10.00",
        ),
        ("Launch Statistics", "Waves Per SM", "", "3.00"),
        (
            "Launch Statistics",
            "Registers Per Thread",
            "register/thread",
            "32",
        ),
        ("Occupancy", "Theoretical Occupancy", "%", "100"),
        ("Occupancy", "Achieved Occupancy", "%", "80.00"),
    ];
    let rows: String = rows
        .iter()
        .map(|(section, label, unit, value)| {
            format!("{ROW},\"{section}\",\"{label}\",\"{unit}\",\"{value}\"\n")
        })
        .collect();
    format!("{LAUNCH},\"Section Name\",\"Metric Name\",\"Metric Unit\",\"Metric Value\"\n{rows}")
}

fn written(folder: &TempDir, text: &str) -> String {
    let path = folder.path().join("page.csv");
    std::fs::write(&path, text).expect("the folder is writable");
    path.display().to_string()
}

#[test]
fn a_page_with_all_numbers_has_an_edit() {
    let folder = TempDir::new().expect("a folder");
    for (text, form) in [(raw(), "raw-csv"), (live(), "live-csv")] {
        let document = document(&[&written(&folder, &text)]);
        assert_eq!(document["data"]["report"]["form"], form);
        assert_eq!(edit(&document), "E00", "{form}");
        assert_eq!(warnings(&document), ["rules-not-stored"], "{form}");
        let kernel = &document["data"]["kernels"][0];
        assert_eq!(kernel["key"], "quiet<8>");
        assert_eq!(
            (kernel["bound"].as_str(), kernel["duration_ns"]["value"].as_f64()),
            (Some("compute"), Some(1e6))
        );
        assert_eq!(kernel["missing"], json!([]));
        let text = document.to_string();
        assert!(!text.contains("node17") && !text.contains("ada"), "{text}");
    }
}

#[test]
fn a_details_page_has_a_class_and_says_where_the_rest_is() {
    let folder = TempDir::new().expect("a folder");
    let path = written(&folder, &details());
    assert_eq!(run(&[&path]).expect("a page").exit().code(), 5);
    let document = document(&[&path]);
    let kernel = &document["data"]["kernels"][0];
    assert_eq!(
        (kernel["bound"].as_str(), kernel["sub_bound"].as_str()),
        (Some("memory"), Some("dram"))
    );
    assert_eq!(edit(&document), "none");
    assert_eq!(warnings(&document), ["missing-section", "details-rounded"]);
    let message = document["warnings"][0]["message"].as_str().expect("a message");
    assert!(
        message.contains("the report itself, or its raw page"),
        "{message}"
    );
    // Without a part of memory nobody knows which one is the busiest: no class without L1, no part without L2.
    let less = |label: &str| {
        let lines = details();
        let lines = lines.lines().filter(|line| !line.contains(label));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let seen = crate::run::document(&[&written(&folder, &less("L2 Cache"))]);
    assert_eq!(seen["data"]["kernels"][0]["sub_bound"], Value::Null);
    assert_eq!(
        refused(&[&written(&folder, &less("L1/TEX"))]),
        ("missing-section".to_owned(), 3)
    );
}

#[test]
fn a_cut_page_is_refused_as_one() {
    let folder = TempDir::new().expect("a folder");
    for text in [raw(), live(), details()] {
        let path = written(&folder, &text[..text.len() - 3]);
        assert_eq!(refused(&[&path]), ("truncated-file".to_owned(), 3));
    }
}

/// What each of the real pages says: rule or none, class, or the code of the refusal.
#[test]
fn every_real_page_is_answered_or_refused() {
    let answers = [
        ("b200_2025.2.1_int8gemm_algo64.details", Ok(("none", "latency"))),
        ("b200_2025.2.1_int8gemm_algo64.raw", Ok(("none", "latency"))),
        (
            "b200_2025.2.1_int8gemm_algo64.session",
            Err("ncu-csv-session-page"),
        ),
        ("b200_2025.3.1_qknorm_base_qwen4096.raw", Ok(("E12", "latency"))),
        (
            "b200_2025.3.1_qknorm_cand_qwen4096_v3.raw",
            Ok(("E12", "latency")),
        ),
        ("h200_norm_ln_base.metrics", Err("missing-section")),
        ("h200_norm_ln_cand.metrics", Err("missing-section")),
        ("t4_nsightful_copy_blocked.details", Ok(("none", "memory"))),
    ];
    let Some(report) = real("b200_2025.3.1_qknorm_base_qwen4096_full") else {
        return;
    };
    for (name, answer) in answers {
        let path = report.replace(
            "reports/b200_2025.3.1_qknorm_base_qwen4096_full.ncu-rep",
            &format!("csv/{name}.csv"),
        );
        match answer {
            Ok((id, bound)) => {
                let document = document(&[&path]);
                let kernel = &document["data"]["kernels"][0];
                assert_eq!(
                    (edit(&document), kernel["bound"].as_str()),
                    (id, Some(bound)),
                    "{name}"
                );
                assert_eq!(kernel["missing"] == json!([]), id != "none", "{name}");
            }
            Err(code) => assert_eq!(refused(&[&path]), (code.to_owned(), 3), "{name}"),
        }
    }
}
