//! `profile-tables diff` on traces of simulated engines: what it says of two sides is what their truth files say.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use contracts::engine_sim::{ProfileStage, StepStage};
use serde_json::Value;

use crate::documents::check;
use crate::process::{Ended, Sim, run};
use crate::profile_capture::{capture, traces, truth_of};

/// One decode trace of a simulated engine, and its truth.
fn decode(arguments: &[&str], folder: &Path) -> (PathBuf, ProfileStage) {
    let to = folder.to_str().unwrap();
    let sim = Sim::engine(&[arguments, &["--profile-dir", to]].concat());
    let lengths = ["--input-len", "64", "--output-len", "24", "--output-dir", to];
    let found = traces(&capture(&sim, "decode", &lengths));
    let truth = truth_of(&found[0]);
    let is_first = truth.stages.len() == 1;
    let mut stage = truth
        .stages
        .into_iter()
        .find(|stage| stage.stage == StepStage::Decode)
        .unwrap();
    // The first step of a trace has no gap before it; in the engine every step has one.
    let preceded = stage.steps - u64::from(is_first);
    stage.host_gap_ns = stage.host_gap_ns * stage.steps / preceded;
    (found[0].clone(), stage)
}

fn diff(ours: &Path, theirs: &Path, more: &[&str]) -> Ended {
    let words = [
        "diff",
        ours.to_str().unwrap(),
        "--theirs",
        theirs.to_str().unwrap(),
    ];
    run("profile-tables", [&words[..], more].concat())
}

fn rows(document: &Value) -> &[Value] {
    document["data"]["waterfall"].as_array().unwrap()
}

/// Nanoseconds a step of one family.
fn told(stage: &ProfileStage, family: &str) -> f64 {
    let total = stage.families.iter().find(|row| row.family == family);
    total.map_or(0.0, |row| row.total_ns as f64) / stage.steps as f64
}

/// Within one per cent of what is larger, or what whole nanoseconds allow.
fn close(got: f64, truth: f64, of: f64) -> bool {
    (got - truth).abs() <= 0.01 * of.abs().max(truth.abs()) + 1.0
}

/// Every row is what the truth files say, and the rows are all that there is.
fn as_the_truth_says(document: &Value, ours: &ProfileStage, theirs: &ProfileStage) {
    check("diff", document);
    let data = &document["data"];
    assert_eq!(data["normalised_by"], "step", "{}", document["warnings"]);
    assert_eq!(
        (&data["forced"], &document["simulated"]),
        (&false.into(), &true.into())
    );
    let families: BTreeSet<&str> = [ours, theirs]
        .iter()
        .flat_map(|stage| stage.families.iter().map(|row| row.family.as_str()))
        .collect();
    let mut found = BTreeSet::new();
    let mut idle = 0.0;
    for row in rows(document) {
        let delta = row["delta_ns"].as_f64().unwrap();
        let Some(family) = row["family"].as_str() else {
            idle += delta;
            continue;
        };
        found.insert(family);
        let truth = told(ours, family) - told(theirs, family);
        // The delta itself, not the delta against the size of the sides.
        assert!(
            close(delta, truth, truth),
            "{family}: {delta}, the truth is {truth}"
        );
        assert!(
            close(row["ours_ns"].as_f64().unwrap(), told(ours, family), 0.0),
            "{row}"
        );
    }
    assert_eq!(found, families);
    let gaps = |stage: &ProfileStage| (stage.host_gap_ns + stage.launch_gap_ns) as f64 / stage.steps as f64;
    let truth = gaps(ours) - gaps(theirs);
    assert!(close(idle, truth, truth), "idle: {idle}, the truth is {truth}");
    let sum: i64 = rows(document)
        .iter()
        .map(|row| row["delta_ns"].as_i64().unwrap())
        .sum();
    assert_eq!(sum, data["delta_ns"].as_i64().unwrap());
}

#[test]
fn a_missing_graph_is_named_as_the_truth_files_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, our_truth) = decode(
        &["--flavor", "sglang", "--disable-cuda-graph"],
        &folder.path().join("ours"),
    );
    let (theirs, their_truth) = decode(
        &["--flavor", "sglang", "--noise-cv", "3", "--seed", "7"],
        &folder.path().join("theirs"),
    );
    let ended = diff(&ours, &theirs, &[]);
    assert_eq!(ended.code(), 0, "{ended:?}");
    let document = ended.document();
    as_the_truth_says(&document, &our_truth, &their_truth);
    // Without a graph the device waits for launches: that is the first row, and the summary says so.
    let first = &rows(&document)[0];
    assert_eq!(first["idle_cause"], "launch_bound", "{first}");
    let summary = document["summary"].as_str().unwrap();
    assert!(summary.contains("Most of it: idle: launch bound"), "{summary}");
    let command: Vec<&str> = document["next_actions"][0]["command"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(run(command[0], &command[1..]).code(), 0, "{command:?}");
}

#[test]
fn two_engines_of_one_model_differ_as_their_truth_files_do() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, our_truth) = decode(&["--flavor", "vllm"], &folder.path().join("ours"));
    let (theirs, their_truth) = decode(
        &["--flavor", "sglang", "--num-continuous-decode-steps", "8"],
        &folder.path().join("theirs"),
    );
    let document = diff(&ours, &theirs, &["--stage", "decode"]).document();
    as_the_truth_says(&document, &our_truth, &their_truth);
    let back = diff(&theirs, &ours, &["--stage", "decode"]).document();
    assert_eq!(
        back["data"]["delta_ns"].as_i64().unwrap(),
        -document["data"]["delta_ns"].as_i64().unwrap()
    );
    let same = diff(&ours, &ours, &["--stage", "decode"]).document();
    assert!(rows(&same).iter().all(|row| row["delta_ns"] == 0));
    // Two stages in each trace of vLLM: which is meant has to be said.
    diff(&ours, &ours, &[]).fails(3, "diff-stage-ambiguous", "--stage decode");
}

#[test]
fn a_difference_takes_the_contract_of_a_comparison_and_the_subject_of_our_side() {
    let folder = tempfile::tempdir().unwrap();
    let (workload, target) = crate::chain::freeze(folder.path(), "2", "8");
    let (ours, _) = decode(&["--flavor", "sglang"], &folder.path().join("ours"));
    let sims = [
        Sim::engine(&["--flavor", "sglang"]),
        Sim::engine(&["--flavor", "vllm"]),
    ];
    let compared = folder.path().join("c.json");
    let compared = compared.to_str().unwrap();
    let compare = run(
        "serve-bench",
        [
            "compare",
            "--a",
            &sims[0].url,
            "--b",
            &sims[1].url,
            "--workload",
            &workload,
            "--target",
            &target,
            "--concurrency",
            "1",
            "--blocks",
            "2",
            "-o",
            compared,
        ],
    );
    let comparison = compare.document();
    let bound = diff(&ours, &ours, &["--for", compared, "--side", "a"]);
    assert_eq!(bound.code(), 0, "{bound:?}");
    let document = bound.document();
    check("bound", &document);
    assert_eq!(document["contract"], comparison["data"]["a"]["contract"]);
    assert_eq!(document["subject"], comparison["data"]["a"]["subject"]);
    let inputs = document["inputs"].as_array().unwrap();
    assert_eq!(inputs.last().unwrap()["path"], compared);
}
