//! Any bytes are a document or an error, never a panic; no number is infinite; and what is promoted stands when it is recounted by
//! other means than the gate's.

use std::path::PathBuf;
use std::sync::LazyLock;

use contracts::fields::sha256_hex;
use contracts::kernel_gate::results::Peaks;
use kernel_gate::judge::judge;
use kernel_gate::ledger::read;
use kernel_gate::row_set::{self, RowSet};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::evidence::{CANDIDATE, Evidence};
use crate::leaves::{leaves, remove};

/// Made once: there are a thousand cases.
static GOOD: LazyLock<Evidence> = LazyLock::new(Evidence::good);
static ROWS: LazyLock<RowSet> =
    LazyLock::new(|| row_set::read(GOOD.workloads.to_string().as_bytes()).expect("a row set"));

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The verdict on bytes that come with everything else as it should be; `None` where they are no ledger.
fn verdict(results: &[u8], aa: &[u8]) -> Option<String> {
    let hash = sha256_hex(CANDIDATE.as_bytes());
    let (ledger, aa) = (read(results).ok()?, read(aa).ok()?);
    let data = judge(&kernel_gate::judge::Evidence {
        results: &ledger,
        rows: Some(&ROWS),
        aa: Some(&aa),
        reruns: Vec::new(),
        dispatch: None,
        candidate_sha256: Some(&hash),
        peaks: Peaks::default(),
        share: None,
    });
    let document = serde_json::to_value(&data).expect("a document has finite numbers");
    document["verdict"].as_str().map(str::to_owned)
}

fn median(samples: &Value) -> f64 {
    let samples = samples.as_array().expect("samples");
    assert!(samples.len() >= 5, "{} samples", samples.len());
    let mut sorted: Vec<f64> = samples
        .iter()
        .map(|sample| sample.as_f64().expect("a number"))
        .collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// What a promotion means, from the lines themselves.
fn stands(lines: &[Value]) {
    let sides = &lines
        .iter()
        .find(|line| line["event"] == "provenance")
        .expect("a provenance")["sides"];
    for same in ["flags", "wrapper"] {
        assert_eq!(sides["baseline"][same], sides["candidate"][same], "{same}");
    }
    let workloads = GOOD.workloads.clone();
    let mut logs = Vec::new();
    for workload in workloads.as_array().expect("a list") {
        let row = lines
            .iter()
            .find(|line| line["event"] == "result" && line["id"] == workload["id"]);
        let row = row.expect("every row is there");
        let checks = &row["checks"];
        assert_eq!((&row["status"], &row["workload"]), (&json!("PASSED"), workload));
        assert_eq!(checks["poisoned"], true);
        assert_eq!(
            (checks["matched_ratio"].as_f64(), checks["nonfinite"].as_f64()),
            (Some(1.0), Some(0.0))
        );
        assert_eq!(checks["inputs_sha256_before"], checks["inputs_sha256_after"]);
        if workload["production"] == true {
            let times = |side: &str| median(&row[side]["samples_us"]);
            let speedup = times("baseline") / times("candidate");
            assert!(speedup >= 0.97, "{row}");
            assert!(checks["input_sets"].as_u64() >= Some(2), "{row}");
            assert_eq!(
                checks["timed_inputs_sha256_before"],
                checks["timed_inputs_sha256_after"]
            );
            logs.push(speedup.ln());
        }
    }
    assert!(
        logs.iter().sum::<f64>() / logs.len() as f64 > 1.01_f64.ln(),
        "{logs:?}"
    );
}

/// Judges lines, and recounts them where they are promoted.
fn judged(results: &[u8]) {
    if verdict(results, text(GOOD.aa.as_deref().expect("an A/A")).as_bytes()).as_deref() == Some("promote") {
        let lines = results
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        stands(
            &lines
                .map(|line| serde_json::from_slice(line).expect("it was read"))
                .collect::<Vec<_>>(),
        );
    }
}

/// What describes a measurement and proves nothing: without it the same is known.
fn is_description(lines: &[Value], path: &str) -> bool {
    let (line, rest) = path[1..].split_once('/').expect("a line and its path");
    let line = &lines[line.parse::<usize>().expect("its number")];
    let is_counted = line["production"] == true;
    let of_times = [
        "/baseline",
        "/candidate",
        "/checks/timed",
        "/checks/input_sets",
        "/checks/sets",
    ];
    let rest = format!("/{rest}");
    line["event"] == "summary"
        // A headline is over the rows that were frozen as production.
        || ["/command", "/production", "/speedup"].contains(&rest.as_str())
        // Recounted from the samples.
        || ["/median_us", "/mean_us", "/min_us"].iter().any(|end| rest.ends_with(end))
        || line["event"] == "result"
            && !is_counted
            && (of_times.iter().any(|start| rest.starts_with(start)) || rest.ends_with("/checked_after_timing")
                || rest.ends_with("/poisoned_between"))
}

#[test]
fn every_proof_is_needed() {
    let good = GOOD.clone();
    let aa = good.aa.clone().expect("an A/A");
    assert_eq!(
        verdict(text(&good.results).as_bytes(), text(&aa).as_bytes()).as_deref(),
        Some("promote")
    );
    let mut removed = 0;
    for (lines, of_aa) in [(&good.results, false), (&aa, true)] {
        let whole = Value::from(lines.clone());
        for path in leaves(&whole) {
            if is_description(lines, &path) {
                continue;
            }
            let mut less = whole.clone();
            remove(&mut less, &path);
            let less = text(less.as_array().expect("a list"));
            let verdict = match of_aa {
                false => verdict(less.as_bytes(), text(&aa).as_bytes()),
                true => verdict(text(&good.results).as_bytes(), less.as_bytes()),
            };
            assert_ne!(
                verdict.as_deref(),
                Some("promote"),
                "without {path} (A/A: {of_aa})"
            );
            removed += 1;
        }
    }
    assert!(removed > 400, "{removed}");
}

#[test]
fn every_switch_counts() {
    let good = GOOD.clone();
    let aa = good.aa.clone().expect("an A/A");
    let mut flipped = 0;
    for (lines, of_aa) in [(&good.results, false), (&aa, true)] {
        let whole = Value::from(lines.clone());
        for path in leaves(&whole) {
            let Some(switch) = whole.pointer(&path).and_then(Value::as_bool) else {
                continue;
            };
            if is_description(lines, &path) {
                continue;
            }
            let mut other = whole.clone();
            *other.pointer_mut(&path).expect("it is there") = json!(!switch);
            let other = text(other.as_array().expect("a list"));
            let verdict = match of_aa {
                false => verdict(other.as_bytes(), text(&aa).as_bytes()),
                true => verdict(text(&good.results).as_bytes(), other.as_bytes()),
            };
            assert_ne!(
                verdict.as_deref(),
                Some("promote"),
                "{path} is {} (A/A: {of_aa})",
                !switch
            );
            flipped += 1;
        }
    }
    assert!(flipped > 30, "{flipped}");
}

#[test]
fn seeds_of_the_fuzzer() {
    let seeds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/kernel-ledger");
    let mut read = 0;
    for seed in std::fs::read_dir(seeds).expect("the seeds are there") {
        let bytes = std::fs::read(seed.expect("an entry").path()).expect("a seed");
        judged(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let (map, ledger) = text.split_once("\n---\n").unwrap_or((&text, ""));
        if let Ok(imported) = kernel_gate::import::import(ledger.as_bytes(), map) {
            judged(imported.lines.as_bytes());
            read += 1;
        }
    }
    assert!(read > 0, "no seed is a ledger with its map");
}

proptest! {
    #[test]
    fn noise(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        judged(&bytes);
        let _ = row_set::read(&bytes);
        let _ = kernel_gate::dispatch::read(&bytes);
        let _ = kernel_gate::import::import(&bytes, &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_measurement_with_a_few_bytes_changed(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = text(&GOOD.results).into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        judged(&bytes);
    }

    #[test]
    fn a_measurement_with_other_values(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..7), 1..3),
    ) {
        let others = [json!(null), json!(true), json!(0), json!(1), json!(-3.5), json!("PASSED"), json!([])];
        let mut lines = Value::from(GOOD.results.clone());
        let paths = leaves(&lines);
        for (at, other) in changes {
            *lines.pointer_mut(&paths[at.index(paths.len())]).expect("it is there") = others[other].clone();
        }
        judged(text(lines.as_array().expect("a list")).as_bytes());
    }

    #[test]
    fn samples_of_any_size(
        numbers in proptest::collection::vec(any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()), 14),
        near in proptest::collection::vec(100.0..220.0_f64, 14),
    ) {
        for numbers in [numbers, near] {
            let mut evidence = GOOD.clone();
            evidence.results.pop();
            let row = evidence.row("large-a");
            row["baseline"] = json!({"samples_us": numbers[..7]});
            row["candidate"] = json!({"samples_us": numbers[7..]});
            row["speedup"] = Value::Null;
            judged(text(&evidence.results).as_bytes());
        }
    }
}
