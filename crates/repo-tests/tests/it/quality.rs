//! `quality-gate` against simulated engines that answer a suite: an equal candidate passes, a changed one does not, and how
//! far it drifts is what the engine was told.

use std::path::Path;

use serde_json::{Value, json};

use crate::documents::check;
use crate::process::{Sim, run};

const SUITE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../examples/quality-gate/suite.jsonl"
);

/// An engine that answers the suite, and moves away from the baseline by this much.
fn engine(changed: f64, drift: f64) -> Sim {
    let answers = json!({"file": SUITE, "changed_ratio": changed, "drift_nats": drift});
    Sim::script(&json!({"answers": answers, "defaults": {"ttft_ms": 20, "itl_ms": 2}}).to_string())
}

fn asked(sim: &Sim, folder: &Path, name: &str, more: &[&str]) -> Value {
    let path = folder.join(name).display().to_string();
    let workload = folder.join("w.jsonl").display().to_string();
    let words = [
        "run",
        "--url",
        &sim.url,
        "--suite",
        SUITE,
        "--workload",
        &workload,
        "-o",
        &path,
    ];
    let ended = run("quality-gate", [&words[..], more].concat());
    assert_eq!(ended.code(), 0, "{ended:?}");
    let document = ended.document();
    check("quality-gate run", &document);
    document
}

#[test]
fn a_candidate_is_as_good_and_as_far_away_as_its_engine_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let freeze = [
        "freeze",
        "--name",
        "w",
        "--dataset",
        "random",
        "--num-prompts",
        "80",
        "--input-len",
        "20",
    ];
    let frozen = run(
        "serve-bench",
        [&freeze[..], &["--output-len", "40", "--out", &path("w.jsonl")]].concat(),
    );
    assert_eq!(frozen.code(), 0, "{frozen:?}");
    let baseline = engine(0.0, 0.0);
    asked(&baseline, folder.path(), "a.json", &[]);
    for (changed, drift, verdict, exit) in [(0.0, 0.0, "pass", 0), (0.4, 0.1, "fail", 1)] {
        let against = ["--against", &path("a.json")];
        let candidate = asked(&engine(changed, drift), folder.path(), "b.json", &against);
        let found = &candidate["data"]["agreement"];
        let value = |name: &str| found[name]["value"].as_f64().unwrap();
        let same = found["exact"]["ratio"].as_f64().unwrap();
        // A short answer may end before the place where it would differ.
        assert!((same - (1.0 - changed)).abs() < 0.2, "{found:#}");
        assert!(
            (value("logprob_delta_nats") - drift).abs() < 0.2 * drift + 1e-9,
            "{found:#}"
        );
        assert_eq!(found["unit"], "tokens");
        let judge = [
            "judge",
            &path("a.json"),
            &path("b.json"),
            "--min-agreement",
            "0.9",
            "--fail-on",
            "fail",
        ];
        let ended = run("quality-gate", judge);
        let document = ended.document();
        check("quality-gate judge", &document);
        assert_eq!(
            (&document["data"]["verdict"], ended.code()),
            (&json!(verdict), exit)
        );
    }
}
