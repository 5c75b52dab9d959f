//! A measurement with every proof, which is promoted; tests spoil one thing of it.

use contracts::fields::{canonical, sha256_hex};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::run::{document, ended, write};

/// The candidate's file.
pub(crate) const CANDIDATE: &str = "def kernel(x): return x\n";
/// Rows of the set: two of them large, two small, one for correctness only.
const ROWS: [(&str, u64, bool); 5] = [
    ("large-a", 8192, true),
    ("large-b", 4096, true),
    ("small-a", 64, true),
    ("small-b", 16, true),
    ("odd-shape", 7, false),
];

/// All that is given to `judge`.
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    pub(crate) workloads: Value,
    pub(crate) results: Vec<Value>,
    pub(crate) aa: Option<Vec<Value>>,
    pub(crate) rerun: Option<Vec<Value>>,
    pub(crate) dispatch: Option<Value>,
    pub(crate) candidate: Option<String>,
    /// The baseline's file, where the rows are frozen with it.
    pub(crate) baseline: Option<String>,
    pub(crate) with_workloads: bool,
}

/// Samples around a median, spread by a part of it.
pub(crate) fn samples(median: f64, spread: f64, trials: usize) -> Vec<f64> {
    let middle = (trials / 2) as f64;
    (0..trials)
        .map(|at| median * (1.0 + spread * (at as f64 - middle) / middle))
        .collect()
}

/// Times of one side, as a harness writes them.
pub(crate) fn times(median: f64, trials: usize) -> Value {
    let samples = samples(median, 0.005, trials);
    let mean = samples.iter().sum::<f64>() / samples.len() as f64;
    json!({"median_us": median, "mean_us": mean, "min_us": samples[0], "samples_us": samples})
}

/// A row with every proof.
pub(crate) fn row(workload: &Value, baseline: f64, candidate: f64, trials: usize) -> Value {
    let timed: Vec<String> = (0..trials).map(|trial| format!("timed-{trial}")).collect();
    let hashes = |name: &str| -> Vec<String> { (0..3).map(|at| format!("{name}-{at}")).collect() };
    json!({
        "event": "result", "id": workload["id"], "status": "PASSED",
        "production": workload["production"], "workload": workload,
        "baseline": times(baseline, trials), "candidate": times(candidate, trials),
        "baseline_wall_us": samples(baseline + 1.0, 0.005, trials),
        "candidate_wall_us": samples(candidate + 1.0, 0.005, trials),
        "baseline_calls": {"warmup_runs": 10, "inner_iterations": 8},
        "candidate_calls": {"warmup_runs": 10, "inner_iterations": 8},
        "speedup": baseline / candidate,
        "checks": {
            "poisoned": true, "checked_after_timing": true, "seeds": [1, 2, 3],
            "inputs_sha256_before": hashes("in"), "inputs_sha256_after": hashes("in"),
            "baseline_outputs_sha256": hashes("out"), "candidate_outputs_sha256": hashes("out"),
            "matched_ratio": 1.0, "nonfinite": 0, "equal_nan": false,
            "input_sets": 8, "poisoned_between": true, "sets_checked_after_timing": 8,
            "timed_inputs_sha256_before": timed, "timed_inputs_sha256_after": timed,
        },
    })
}

/// A row set as `freeze` prints it.
pub(crate) fn frozen(workloads: &Value, baseline: Option<&str>) -> Value {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "workloads.json", &workloads.to_string());
    let mut words = vec!["freeze".to_owned(), path];
    if let Some(baseline) = baseline {
        words.extend(["--baseline".to_owned(), write(&folder, "baseline.py", baseline)]);
    }
    document(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The hash of a row set.
pub(crate) fn hash(workloads: &Value, baseline: Option<&str>) -> Value {
    frozen(workloads, baseline)["data"]["workloads_sha256"].clone()
}

/// How it was measured.
pub(crate) fn provenance(workloads: &Value) -> Value {
    let side = |source: &str| {
        json!({
            "source_sha256": sha256_hex(source.as_bytes()), "source_sha256_after": sha256_hex(source.as_bytes()),
            "flags": ["-O3"], "wrapper": ["custom-op"],
        })
    };
    json!({
        "event": "provenance", "command": "harness", "gpu": "NVIDIA B200", "gpu_uuid": "GPU-1", "host": "h1",
        "workloads_sha256": hash(workloads, None), "idle_before": {"utilization_pct": 0.0, "foreign_processes": 0},
        "settings": {"num_trials": 7, "isolated": true, "order": "ABBA", "synchronize": "device"},
        "sides": {"baseline": side("baseline"), "candidate": side(CANDIDATE)},
    })
}

/// A summary that fits the rows.
pub(crate) fn summary(rows: &[Value]) -> Value {
    let production = rows.iter().filter(|row| row["production"] == true);
    let logs: Vec<f64> = production
        .map(|row| row["speedup"].as_f64().expect("a number").ln())
        .collect();
    let mean = (logs.iter().sum::<f64>() / logs.len() as f64).exp();
    json!({"event": "summary", "headline": {"production_workloads": logs.len(), "geomean_speedup": mean}, "total": rows.len()})
}

impl Evidence {
    /// Everything as it should be, with these times of baseline and candidate.
    pub(crate) fn with(times: [(f64, f64); 5]) -> Evidence {
        let workloads: Vec<Value> = ROWS
            .iter()
            .map(|(id, tokens, production)| {
                json!({"id": id, "production": production, "tokens": tokens, "atol": 0.001, "bytes": 1e6, "calls": 2})
            })
            .collect();
        let rows: Vec<Value> = workloads
            .iter()
            .zip(times)
            .map(|(workload, (baseline, candidate))| row(workload, baseline, candidate, 7))
            .collect();
        Evidence::of(workloads, rows)
    }

    /// Everything as it should be, with these rows of this set.
    pub(crate) fn of(workloads: Vec<Value>, rows: Vec<Value>) -> Evidence {
        let aa: Vec<Value> = workloads
            .iter()
            .take(3)
            .map(|workload| row(workload, 100.0, 100.2, 7))
            .collect();
        let workloads = Value::from(workloads);
        let first = provenance(&workloads);
        let mut same = first.clone();
        same["sides"]["candidate"] = same["sides"]["baseline"].clone();
        let file = |provenance: Value, rows: Vec<Value>| -> Vec<Value> {
            let summary = summary(&rows);
            std::iter::once(provenance).chain(rows).chain([summary]).collect()
        };
        Evidence {
            results: file(first, rows),
            aa: Some(file(same, aa)),
            rerun: None,
            dispatch: None,
            candidate: Some(CANDIDATE.to_owned()),
            baseline: None,
            with_workloads: true,
            workloads,
        }
    }

    /// A quarter faster everywhere.
    pub(crate) fn good() -> Evidence {
        Evidence::with([
            (200.0, 160.0),
            (100.0, 80.0),
            (50.0, 40.0),
            (25.0, 20.0),
            (10.0, 8.0),
        ])
    }

    /// Large rows win, small ones lose.
    pub(crate) fn mixed() -> Evidence {
        Evidence::with([
            (200.0, 140.0),
            (100.0, 70.0),
            (50.0, 55.0),
            (25.0, 27.0),
            (10.0, 8.0),
        ])
    }

    /// The provenance of the results.
    pub(crate) fn provenance(&mut self) -> &mut Value {
        &mut self.results[0]
    }

    /// A row of the results.
    pub(crate) fn row(&mut self, id: &str) -> &mut Value {
        let mut rows = self.results.iter_mut();
        rows.find(|row| row["id"] == id).expect("the row is there")
    }

    /// A rerun of rows behind the same provenance.
    pub(crate) fn rerun(&mut self, rows: Vec<Value>) -> &mut Vec<Value> {
        let file = std::iter::once(self.results[0].clone()).chain(rows);
        self.rerun.insert(file.collect())
    }

    /// A row of the set.
    pub(crate) fn workload(&self, id: &str) -> Value {
        let rows = self.workloads.as_array().expect("a list");
        rows.iter()
            .find(|row| row["id"] == id)
            .expect("the row is there")
            .clone()
    }

    /// Judges, with further words.
    pub(crate) fn judge(&self, words: &[&str]) -> (Value, u8) {
        let folder = TempDir::new().expect("a folder");
        let lines = |rows: &[Value]| -> String { rows.iter().map(|row| format!("{row}\n")).collect() };
        let mut argv = vec![
            "judge".to_owned(),
            write(&folder, "results.jsonl", &lines(&self.results)),
        ];
        let mut give = |flag: &str, name: &str, text: Option<String>| {
            if let Some(text) = text {
                argv.extend([flag.to_owned(), write(&folder, name, &text)]);
            }
        };
        let rows = match &self.baseline {
            None => self.workloads.to_string(),
            Some(baseline) => frozen(&self.workloads, Some(baseline)).to_string(),
        };
        give(
            "--workloads",
            "workloads.json",
            self.with_workloads.then_some(rows),
        );
        give("--aa", "aa.jsonl", self.aa.as_deref().map(lines));
        give("--rerun", "rerun.jsonl", self.rerun.as_deref().map(lines));
        give(
            "--dispatch",
            "dispatch.json",
            self.dispatch.as_ref().map(Value::to_string),
        );
        give("--candidate", "candidate.py", self.candidate.clone());
        argv.extend(words.iter().map(|word| (*word).to_owned()));
        let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
        ended(&argv)
    }

    /// The verdict alone.
    pub(crate) fn verdict(&self) -> String {
        let (document, _) = self.judge(&[]);
        document["data"]["verdict"]
            .as_str()
            .expect("a verdict")
            .to_owned()
    }
}

/// Everything as it should be with the rows frozen together with a baseline; measured is another file or the same.
pub(crate) fn with_frozen_baseline(frozen: &str) -> Evidence {
    let mut evidence = Evidence::good();
    evidence.baseline = Some(frozen.to_owned());
    let hash = hash(&evidence.workloads, Some(frozen));
    evidence.results[0]["workloads_sha256"] = hash.clone();
    evidence.aa.as_mut().expect("an A/A")[0]["workloads_sha256"] = hash;
    evidence
}

/// The hash of a dispatch as it is written.
pub(crate) fn file_hash(value: &Value) -> String {
    sha256_hex(value.to_string().as_bytes())
}

#[test]
fn a_row_is_frozen_by_all_its_fields() {
    let row = Evidence::good().workload("large-a");
    assert_eq!(
        canonical(&row),
        canonical(&Evidence::good().results[1]["workload"])
    );
}
