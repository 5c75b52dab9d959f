//! Profiling as clients see it: what the endpoints answer, and which files appear.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use contracts::engine_sim::{PROFILE_TRUTH_SCHEMA, ProfileStage, ProfileTruth, StepStage};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use crate::client::{Got, exchange_at, post_bytes};
use crate::engine::Engine;

fn post(engine: &Engine, path: &str, body: &str) -> Got {
    exchange_at(engine.address(), &post_bytes(path, body.as_bytes(), ""))
}

fn start(flavor: &str, folder: &Path, more: &[&str]) -> Engine {
    let folder = folder.to_str().unwrap();
    let mut arguments = vec!["--flavor", flavor, "--quiet", "--profile-dir", folder];
    arguments.extend(more);
    Engine::start(&arguments)
}

fn said(got: &Got) -> String {
    String::from_utf8(got.body()).unwrap()
}

/// Files of a folder that end so, by name.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(ending))
        .collect();
    found.sort();
    found
}

fn trace(path: &Path) -> Value {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

fn truth(path: &Path) -> ProfileTruth {
    let truth: ProfileTruth = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(
        (truth.schema.as_str(), truth.simulated),
        (PROFILE_TRUTH_SCHEMA, true)
    );
    assert_eq!(truth.span_ns, truth.device_ns + truth.idle_ns);
    let gaps: u64 = truth
        .stages
        .iter()
        .map(|stage| stage.host_gap_ns + stage.launch_gap_ns)
        .sum();
    assert_eq!(truth.idle_ns, gaps, "every idle nanosecond has a cause");
    truth
}

fn stage(truth: &ProfileTruth, wanted: StepStage) -> &ProfileStage {
    truth.stages.iter().find(|stage| stage.stage == wanted).unwrap()
}

#[test]
fn sglang_writes_a_trace_a_stage_when_the_steps_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let engine = start("sglang", folder.path(), &["--num-continuous-decode-steps", "4"]);
    let other = folder.path().join("asked/for");
    let body =
        json!({"output_dir": other, "num_steps": 8, "profile_by_stage": true, "activities": ["CPU", "GPU"]});
    let started = post(&engine, "/start_profile", &body.to_string());
    assert_eq!(
        (started.status(), said(&started).as_str()),
        (200, "Start profiling.\n")
    );
    assert!(engine.ask("a b c d e", 20, true).done());
    // The stage of the prompt had one step of eight; the stop writes what there is.
    let decode = files(&other, "-TP-0-DECODE.trace.json.gz");
    assert_eq!(
        (decode.len(), files(&other, "-EXTEND.trace.json.gz").len()),
        (1, 0)
    );
    let stopped = post(&engine, "/stop_profile", "");
    assert_eq!(
        (stopped.status(), said(&stopped).as_str()),
        (200, "Stop profiling. This will take some time.\n")
    );
    assert_eq!(files(&other, "-TP-0-EXTEND.trace.json.gz").len(), 1);
    assert_eq!(files(&other, ".partial").len(), 0);

    let decode_truth = truth(&files(&other, "-DECODE.truth.json")[0]);
    assert!(decode[0].ends_with(&decode_truth.trace));
    let tokens = stage(&decode_truth, StepStage::Decode);
    assert_eq!(
        (tokens.steps, tokens.decode_tokens, tokens.graph_launches),
        (8, 8, 8)
    );
    // Embedding, eight layers of nine, the last norm, the logits; sampling and the copy are launched on their own.
    assert_eq!((tokens.graph_kernels, tokens.single_launches), (8 * 75, 8 * 2));
    let prompts = truth(&files(&other, "-EXTEND.truth.json")[0]);
    let prompts = stage(&prompts, StepStage::Prefill);
    assert_eq!(
        (prompts.steps, prompts.prefill_tokens, prompts.graph_launches),
        (1, 5, 0)
    );
    assert_eq!(prompts.single_launches, 77);
    assert_eq!(
        prompts.launch_gap_ns,
        24 * 30_000,
        "layer_ns of every layer of the model"
    );

    let written = trace(&decode[0]);
    assert_eq!(
        (
            written["simulated"].as_bool(),
            written["deviceProperties"][0]["name"].as_str()
        ),
        (Some(true), Some("NVIDIA H100 80GB HBM3"))
    );
    let events = written["traceEvents"].as_array().unwrap();
    let count = |category: &str| events.iter().filter(|event| event["cat"] == category).count();
    assert_eq!(
        (count("kernel"), count("gpu_memcpy"), count("user_annotation")),
        (8 * 76, 8, 8)
    );
    assert!(events.iter().any(|event| event["name"] == "step[DECODE bs=1]"));
    assert!(events.iter().any(|event| event["cat"] == "python_function"));
}

#[test]
fn the_round_is_what_continuous_decode_steps_save() {
    let gap = |steps: &str| {
        let folder = tempfile::tempdir().unwrap();
        let engine = start("sglang", folder.path(), &["--num-continuous-decode-steps", steps]);
        assert_eq!(
            post(&engine, "/start_profile", "{\"num_steps\": 17}").status(),
            200
        );
        assert!(engine.ask("a b c", 20, true).done());
        let truth = truth(&files(folder.path(), "-TP-0.truth.json")[0]);
        let decode = stage(&truth, StepStage::Decode).clone();
        assert_eq!((decode.steps, truth.stages.len()), (16, 2));
        decode
    };
    let (one, eight) = (gap("1"), gap("8"));
    assert_eq!(one.scheduler_round_ns, 16 * 142_000);
    assert_eq!(eight.scheduler_round_ns, 2 * 142_000);
    assert_eq!(one.host_gap_ns - eight.host_gap_ns, 14 * 142_000);
    assert_eq!(one.device_ns, eight.device_ns, "the same work");
}

#[test]
fn equal_steps_give_equal_traces() {
    let once = || {
        let folder = tempfile::tempdir().unwrap();
        let engine = start("vllm", folder.path(), &["--noise-cv", "5", "--seed", "3"]);
        assert_eq!(post(&engine, "/start_profile", "").status(), 200);
        assert!(engine.ask("a b c", 6, true).done());
        assert_eq!(post(&engine, "/stop_profile", "").status(), 200);
        std::fs::read(&files(folder.path(), ".pt.trace.json.gz")[0]).unwrap()
    };
    assert_eq!(once(), once());
}

#[test]
fn wrong_use_is_answered_as_the_engines_do() {
    let folder = tempfile::tempdir().unwrap();
    let sglang = start("sglang", folder.path(), &["--api-key", "key"]);
    assert_eq!(post(&sglang, "/start_profile", "").status(), 401);
    let keyed = |path: &str, body: &str| {
        exchange_at(
            sglang.address(),
            &post_bytes(path, body.as_bytes(), "authorization: Bearer key\r\n"),
        )
    };
    assert_eq!(keyed("/stop_profile", "").status(), 500);
    assert_eq!(keyed("/start_profile", "[").status(), 422);
    assert_eq!(keyed("/start_profile", "").status(), 200);
    let twice = keyed("/start_profile", "");
    assert_eq!(
        (twice.status(), said(&twice).as_str()),
        (500, "Internal Server Error")
    );
    assert_eq!(keyed("/stop_profile", "").status(), 200);
    assert_eq!(truth(&files(folder.path(), ".truth.json")[0]).stages.len(), 0);
    // A file is in the way of the folder.
    let taken = folder.path().join("taken");
    std::fs::write(&taken, "").unwrap();
    let refused = keyed("/start_profile", &json!({"output_dir": taken}).to_string());
    assert_eq!(refused.status(), 500);
    assert!(
        said(&refused).contains("cannot write traces to"),
        "{}",
        refused.text()
    );

    let vllm = start("vllm", &folder.path().join("v"), &[]);
    assert_eq!(vllm.get("/start_profile").status(), 405);
    assert_eq!(post(&vllm, "/stop_profile", "").status(), 200);
    assert_eq!(post(&vllm, "/start_profile", "").status(), 200);
    assert_eq!(post(&vllm, "/start_profile", "").status(), 200);
    let info = vllm.get("/server_info").json();
    let named = info["vllm_config"]["profiler_config"]["torch_profiler_dir"]
        .as_str()
        .unwrap();
    assert_eq!(Path::new(named), folder.path().join("v"));
}
