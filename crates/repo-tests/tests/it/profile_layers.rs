//! `pipeline-analysis` on traces of simulated engines: passes and layers are those that the truth beside each trace names.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::documents::check;
use crate::process::{Sim, run};

/// A decode trace of an engine, by its path.
fn captured(flavor: &str, folder: &str) -> String {
    let sim = Sim::engine(&["--flavor", flavor, "--seed", "5", "--profile-dir", folder]);
    let ended = run(
        "profile-tables",
        [
            "capture",
            "--url",
            &sim.url,
            "--stage",
            "decode",
            "--input-len",
            "64",
            "--output-len",
            "12",
            "--output-dir",
            folder,
        ],
    );
    assert_eq!(ended.code(), 0, "{ended:?}");
    let document = ended.document();
    let path = document["data"]["traces"][0]["path"].as_str().unwrap();
    path.to_owned()
}

#[test]
fn an_output_that_turns_out_to_be_an_input_is_kept_and_the_document_printed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let path = captured("vllm", folder);
    let before = std::fs::read(&path).unwrap();
    // Only the folder is typed: which files are read is found out while reading.
    for format in ["json", "markdown"] {
        let ended = run("pipeline-analysis", [folder, "-o", &path, "--format", format]);
        assert_eq!(ended.code(), 2, "{ended:?}");
        assert!(ended.stderr.contains("error[output-is-input]"), "{ended:?}");
        check("pipeline", &ended.document());
        assert!(std::fs::read(&path).unwrap() == before, "the trace is as it was");
    }
}

#[test]
fn passes_and_layers_are_those_of_the_truth() {
    for flavor in ["sglang", "vllm"] {
        let folder = tempfile::tempdir().unwrap();
        let path = captured(flavor, folder.path().to_str().unwrap());
        let stem = path.trim_end_matches(".trace.json.gz").trim_end_matches(".pt");
        let truth = std::fs::read(format!("{stem}.truth.json")).unwrap();
        let truth: Value = serde_json::from_slice(&truth).unwrap();

        let ended = run("pipeline-analysis", [&path]);
        assert_eq!(ended.code(), 0, "{flavor}: {ended:?}");
        let document = ended.document();
        check("pipeline", &document);
        assert_eq!(document["simulated"], true, "{flavor}");
        let data = &document["data"];
        assert_eq!(data["detection"]["layers"], truth["layers"], "{flavor}");
        assert_eq!(
            data["layers"].as_array().unwrap().len() as u64,
            truth["layers"].as_u64().unwrap()
        );
        let mut steps: BTreeMap<&str, u64> = BTreeMap::new();
        for pass in data["passes"].as_array().unwrap() {
            assert_eq!(pass["layers"], truth["layers"], "{flavor}: {pass}");
            *steps.entry(pass["kind"].as_str().unwrap()).or_default() += 1;
        }
        let told: BTreeMap<&str, u64> = truth["stages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|stage| (stage["stage"].as_str().unwrap(), stage["steps"].as_u64().unwrap()))
            .collect();
        assert_eq!(steps, told, "{flavor}: left: the passes, right: the truth");
    }
}
