//! The tools one after the other, as processes on real sockets: what one writes, the next reads.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::documents::{check, check_as, check_lines};
use crate::process::{Running, Sim, run};

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("paths are text").to_owned()
}

fn load(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What a target declares, so that no verdict is provisional.
const TARGET: &str = "schema: sota-loop.target/1
model: {id: sim/model, revision: a, tokenizer: words, precision: none}
hardware: {class: simulated, gpu_count: 0}
threshold_ratio: 0.01
margin_ratio: 0.01
";

/// Freezes a small workload into a folder and gives its path.
pub(crate) fn freeze(folder: &Path, prompts: &str, output_len: &str) -> (String, String) {
    let (workload, target) = (path(folder, "w.jsonl"), path(folder, "target.yaml"));
    std::fs::write(&target, TARGET).unwrap();
    let ended = run(
        "serve-bench",
        [
            "freeze",
            "--dataset",
            "random",
            "--num-prompts",
            prompts,
            "--input-len",
            "16",
            "--output-len",
            output_len,
            "--target",
            &target,
            "--out",
            &workload,
        ],
    );
    assert_eq!(ended.code(), 0, "{ended:?}");
    let document = ended.document();
    check("freeze", &document);
    the_next_commands_parse(&document);
    let next = document["next_actions"][0].to_string();
    for part in ["--target", "URL_OF_SERVER"] {
        assert!(next.contains(part), "{part}: {next}");
    }
    assert!(!next.contains(":8000"), "a guessed server: {next}");
    check_lines("the workload", &std::fs::read_to_string(&workload).unwrap());
    (workload, target)
}

/// A busy machine may make any run invalid; then the only reason is the client's own.
fn only_the_client_complains(run: &Value) {
    for reason in run["invalid_reasons"].as_array().unwrap() {
        let text = reason.as_str().unwrap();
        assert!(text.starts_with("client limited"), "{text}");
    }
}

#[test]
fn a_run_writes_documents_that_validate() {
    let sim = Sim::quick();
    let folder = tempfile::tempdir().unwrap();
    let (workload, target) = freeze(folder.path(), "8", "16");
    let (records, output) = (
        path(folder.path(), "r.records.jsonl"),
        path(folder.path(), "r.json"),
    );
    let ended = run(
        "serve-bench",
        [
            "run",
            "--url",
            &sim.url,
            "--workload",
            &workload,
            "--target",
            &target,
            "--concurrency",
            "2",
            "--records",
            &records,
            "-o",
            &output,
            "--format",
            "markdown",
        ],
    );
    let document = load(&output);
    check("run", &document);
    check_lines("records", &std::fs::read_to_string(&records).unwrap());
    assert_eq!(document["simulated"], true);
    assert_eq!(document["complete"], true);
    let measured = &document["data"]["runs"][0];
    only_the_client_complains(measured);
    assert_eq!(
        ended.code(),
        if measured["valid"] == true { 0 } else { 5 },
        "{ended:?}"
    );
    assert_eq!(measured["requests"]["outcomes"]["ok"], 8);
    assert_eq!(measured["tokens"]["output"], 8 * 16);
    let ttft = measured["latency"]["ttft_ms"]["min"].as_f64().unwrap();
    assert!(ttft >= 20.0, "a token came before the script sent it: {ttft}");
    assert!(
        ended.stdout.len() < 8192,
        "the Markdown view has {} bytes",
        ended.stdout.len()
    );

    the_next_commands_parse(&document);
    the_next_commands_keep_the_load(&document, "2");

    let again = run("serve-bench", ["summarize", &records]);
    let folded = again.document();
    check("summarize", &folded);
    assert_eq!(
        folded["data"]["runs"][0]["throughput"], measured["throughput"],
        "the fold is one"
    );
}

#[test]
fn a_run_under_a_target_freezes_under_it_and_says_who_answers() {
    let sim = Sim::script(r#"{"model": "org/other", "defaults": {"ttft_ms": 5, "itl_ms": 1}}"#);
    let folder = tempfile::tempdir().unwrap();
    let target = path(folder.path(), "target.yaml");
    std::fs::write(&target, TARGET).unwrap();
    let flags = "--dataset random --num-prompts 2 --input-len 4 --output-len 2 --concurrency 1";
    let mut words = vec!["run", "--url", &sim.url, "--target", &target];
    words.extend(flags.split(' '));
    let document = run("serve-bench", &words).document();
    check("run", &document);
    the_next_commands_parse(&document);
    let actions = document["next_actions"].to_string();
    assert!(
        actions.contains(&format!(r#""--target","{target}","--out""#)),
        "{actions}"
    );
    let warnings = document["warnings"].to_string();
    assert!(
        warnings.contains("served-model") && warnings.contains("org/other"),
        "{warnings}"
    );
}

#[test]
fn a_slower_engine_is_decided_from_its_own_documents() {
    // Ours needs 60 + 7 x 4 ms a request, theirs 20 + 7 x 1 ms: more than twice as much, which no busy machine hides.
    let ours = Sim::script(r#"{"defaults": {"ttft_ms": 60, "itl_ms": 4}}"#);
    let theirs = Sim::script(r#"{"defaults": {"ttft_ms": 20, "itl_ms": 1}}"#);
    let folder = tempfile::tempdir().unwrap();
    let (workload, target) = freeze(folder.path(), "2", "8");
    let (compare, decision) = (path(folder.path(), "c.json"), path(folder.path(), "d.json"));
    let measure = |blocks: &str| {
        run(
            "serve-bench",
            [
                "compare",
                "--a",
                &ours.url,
                "--b",
                &theirs.url,
                "--a-name",
                "ours",
                "--b-name",
                "theirs",
                "--workload",
                &workload,
                "--target",
                &target,
                "--concurrency",
                "2",
                "--blocks",
                blocks,
                "--resume",
                "-o",
                &compare,
            ],
        )
    };
    // Five blocks, then up to eight: the first look.
    let first = measure("5");
    assert_eq!(
        load(&compare)["data"]["blocks"].as_array().unwrap().len(),
        5,
        "{first:?}"
    );
    let ended = measure("8");
    let mut document = load(&compare);
    check("compare", &document);
    let blocks = document["data"]["blocks"].as_array_mut().unwrap();
    assert_eq!(blocks.len(), 8);
    let mut valid = true;
    for (number, block) in blocks.iter().enumerate() {
        assert_eq!(block["order"], if number % 2 == 0 { "ab" } else { "ba" });
        for side in ["a", "b"] {
            only_the_client_complains(&block[side]);
            valid &= block[side]["valid"] == true;
        }
    }
    assert_eq!(ended.code(), if valid { 0 } else { 5 }, "{ended:?}");

    // On a busy machine the client says that it was late, by a fraction of a millisecond or by a few; the gap is 61 ms.
    // What is tested here is the way of the documents, so its complaint is taken out.
    for block in blocks {
        for side in ["a", "b"] {
            block[side]["valid"] = true.into();
            block[side]["invalid_reasons"] = Value::Array(Vec::new());
            block[side]["client"]["client_limited"] = false.into();
        }
    }
    std::fs::write(&compare, document.to_string()).unwrap();
    let decided = run(
        "gap-decide",
        ["--compare", &compare, "--target", &target, "-o", &decision],
    );
    assert_eq!(
        decided.code(),
        0,
        "behind is a verdict, not a failure: {decided:?}"
    );
    let document = load(&decision);
    check("decision", &document);
    let scenario = &document["data"]["scenarios"][0];
    assert_eq!(scenario["verdict"], "behind", "{scenario}");
    assert_eq!(scenario["provisional"], false, "{scenario}");
    assert_eq!(document["data"]["decision"], "profile");
    let effect = scenario["effect_pct"].as_f64().unwrap();
    assert!((-80.0..=-30.0).contains(&effect), "{effect}");
    let gated = run(
        "gap-decide",
        ["--compare", &compare, "--target", &target, "--fail-on", "behind"],
    );
    assert_eq!(gated.code(), 1, "{gated:?}");
    the_next_commands_parse(&document);
    the_next_commands_keep_the_load(&document, "2");
    let calibrated = run("gap-decide", ["calibrate", &compare, "--campaigns", "100"]);
    assert_eq!(calibrated.code(), 0, "{calibrated:?}");
    check("calibration", &calibrated.document());
}

#[test]
fn a_sweep_goes_on_where_it_stopped() {
    let sim = Sim::script(r#"{"defaults": {"ttft_ms": 40, "itl_ms": 1}}"#);
    let folder = tempfile::tempdir().unwrap();
    let (workload, target) = freeze(folder.path(), "4", "4");
    let output = path(folder.path(), "s.json");
    let mut sweep = Command::new(crate::process::binary("serve-bench"));
    sweep.args([
        "sweep",
        "--url",
        &sim.url,
        "--workload",
        &workload,
        "--target",
        &target,
    ]);
    sweep.args(["--concurrency", "4,2,1", "-o", &output]);
    let points = |document: &Value| document["data"]["points"].as_array().unwrap().clone();

    let running = Running::start(&mut sweep);
    let started = Instant::now();
    while !Path::new(&output).is_file() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "no point was written"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code(), 130, "{ended:?}");
    let partial = load(&output);
    check("the interrupted sweep", &partial);
    assert_eq!(partial["complete"], false);
    the_next_commands_parse(&partial);
    let kept = points(&partial);
    assert!((1..3).contains(&kept.len()), "{} points", kept.len());

    let ended = Running::start(&mut sweep).end();
    assert!([0, 5].contains(&ended.code()), "{ended:?}");
    let whole = load(&output);
    check("the sweep", &whole);
    assert_eq!(points(&whole).len(), 3);
    assert_eq!(points(&whole)[0], kept[0], "a point that was measured is kept");
}

#[test]
fn a_swap_launches_each_side_and_leaves_none_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (workload, target) = freeze(folder.path(), "2", "4");
    let engine = crate::process::binary("engine-sim");
    let argv = |itl_ms: u32| {
        let script = format!(r#"{{"defaults": {{"ttft_ms": 20, "itl_ms": {itl_ms}}}}}"#);
        serde_json::json!([engine, "--script", script, "--port", "{port}"]).to_string()
    };
    let output = path(folder.path(), "swap.json");
    let ended = run(
        "serve-bench",
        [
            "compare",
            "--swap",
            "--a-cmd",
            &argv(1),
            "--b-cmd",
            &argv(2),
            "--workload",
            &workload,
            "--target",
            &target,
            "--concurrency",
            "1",
            "--blocks",
            "1",
            "-o",
            &output,
        ],
    );
    let document = load(&output);
    check("swap", &document);
    assert!([0, 5].contains(&ended.code()), "{ended:?}");
    assert_eq!(document["data"]["swap"], true);
    for side in ["a", "b"] {
        assert_eq!(
            document["data"]["blocks"][0][side]["requests"]["outcomes"]["ok"], 2,
            "{ended:?}"
        );
        let url = document["data"][side]["target"]["url"].as_str().unwrap();
        let address = url.strip_prefix("http://").unwrap();
        assert!(
            std::net::TcpStream::connect(address).is_err(),
            "side {side} still listens at {url}"
        );
    }
}

/// What a document says to run next can be run as it stands.
pub(crate) fn the_next_commands_parse(document: &Value) {
    for action in document["next_actions"].as_array().unwrap() {
        let words: Vec<String> = serde_json::from_value(action["command"].clone()).unwrap();
        match crate::commands::parse(&words) {
            Some(Ok(())) => {}
            // What collects a report is no tool of ours.
            None if words[0] == "ncu" => {}
            other => panic!("{words:?}: {other:?}"),
        }
    }
}

/// A command that measures the same workload again under another load would measure another contract.
fn the_next_commands_keep_the_load(document: &Value, concurrency: &str) {
    for action in document["next_actions"].as_array().unwrap() {
        let words: Vec<String> = serde_json::from_value(action["command"].clone()).unwrap();
        if words.iter().any(|word| word == "--workload") {
            let at = words.iter().position(|word| word == "--concurrency");
            let said = at.map(|at| words[at + 1].as_str());
            assert_eq!(said, Some(concurrency), "{words:?}");
            assert!(words.iter().any(|word| word == "--target"), "{words:?}");
        }
    }
}

#[test]
fn a_long_comparison_still_fits_a_reader() {
    // Every second request fails, so that every run has something to say.
    let script = r#"{"defaults": {"ttft_ms": 1, "itl_ms": 1}, "rules": [{"every": 2, "reply": {"refusal": {"status": 500}}}]}"#;
    let (ours, theirs) = (Sim::script(script), Sim::script(script));
    let folder = tempfile::tempdir().unwrap();
    let (workload, target) = freeze(folder.path(), "2", "2");
    let ended = run(
        "serve-bench",
        [
            "compare",
            "--a",
            &ours.url,
            "--b",
            &theirs.url,
            "--workload",
            &workload,
            "--target",
            &target,
            "--concurrency",
            "1",
            "--blocks",
            "40",
            "--format",
            "markdown",
            "-o",
            &path(folder.path(), "c.json"),
        ],
    );
    // 5 where this machine disturbed a run; the size is what counts here.
    assert!(matches!(ended.code(), 0 | 5), "{ended:?}");
    assert!(
        ended.stdout.len() < 8192,
        "the Markdown view has {} bytes",
        ended.stdout.len()
    );
}

#[test]
fn a_probe_validates_and_leads_on() {
    let sim = Sim::quick();
    let ended = run("serve-bench", ["probe", "--url", &sim.url]);
    assert_eq!(ended.code(), 0, "{ended:?}");
    let document = ended.document();
    check("probe", &document);
    assert_eq!(document["simulated"], true);
    the_next_commands_parse(&document);
}

#[test]
fn doctor_validates() {
    let ended = run("serve-bench", ["doctor"]);
    check("doctor", &ended.document());
}

#[test]
fn the_skill_and_the_schema_are_printed() {
    for tool in [
        "serve-bench",
        "gap-decide",
        "engine-sim",
        "loop-ledger",
        "profile-tables",
        "pipeline-analysis",
        "telemetry-fetch",
        "capacity-plan",
        "ncu-digest",
        "kernel-gate",
        "config-search",
        "quality-gate",
    ] {
        let ended = run(tool, ["--skill"]);
        assert_eq!(ended.code(), 0, "{ended:?}");
        assert!(
            ended.stdout == crate::repository::read(&format!("skills/{tool}/SKILL.md")),
            "{tool} --skill"
        );
        let schema = run(tool, ["--schema"]);
        let value: Value =
            serde_json::from_str(&schema.stdout).unwrap_or_else(|e| panic!("{tool} --schema: {e}"));
        assert!(
            value["$schema"].is_string(),
            "{tool} --schema prints a JSON Schema"
        );
    }
}

#[test]
fn the_same_seed_freezes_the_same_bytes() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let read = |folder: &Path| std::fs::read(freeze(folder, "8", "16").0).unwrap();
    assert!(read(one.path()) == read(two.path()));
}

#[test]
fn an_error_document_has_a_schema_too() {
    let ended = run("gap-decide", ["--format", "json"]);
    assert_eq!(ended.code(), 2, "{ended:?}");
    check_as("a usage error", "error/1", &ended.document());
}
