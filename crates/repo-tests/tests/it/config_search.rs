//! `config-search` against simulated engines: every way a candidate can go wrong. Whole searches are in
//! `tests/real/config_search.sh`: beside other tests their short measurements are spoilt.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Ended, Running, binary, run};

/// A plan of one framework with these fields, written into a folder.
fn plan(folder: &Path, framework: Value, trials: u64) -> PathBuf {
    let mut framework_fields = json!({
        "name": "sim",
        "server_command": [binary("engine-sim"), "--flavor", "sglang", "--model", "Qwen/Qwen3-8B", "--served-model-name", "m", "--port", "{port}"],
        "gpu_count": 1,
        "ready_timeout_s": 20,
        "search_space": {"--num-continuous-decode-steps": [4], "--disable-cuda-graph": {"type": "bool"}}
    });
    for (name, value) in framework.as_object().unwrap() {
        framework_fields[name] = value.clone();
    }
    let plan = json!({
        "schema": "config-search.plan/1",
        "model": {"id": "m"},
        "frameworks": [framework_fields],
        "scenarios": [{
            "name": "s",
            "num_prompts": 4,
            "args": ["--dataset", "random", "--input-len", "8", "--output-len", "4", "--concurrency", "2"]
        }],
        "budget": {"trials": trials}
    });
    let path = folder.join("plan.yaml");
    std::fs::write(&path, plan.to_string()).unwrap();
    path
}

fn search(path: &Path, more: &[&str]) -> Ended {
    let dir = path.with_file_name("s");
    let words = ["run", path.to_str().unwrap(), "--dir", dir.to_str().unwrap()];
    run("config-search", words.iter().chain(more))
}

fn rows(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path.with_file_name("s").join("candidates.jsonl")).unwrap();
    let published = contracts::schema::find("config-search.candidate/1").unwrap();
    let schema: Value = serde_json::from_str(published.text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let rows: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for row in &rows {
        assert!(validator.is_valid(row), "{row}");
    }
    rows
}

/// The reason of every row of a search whose baseline cannot be measured.
fn reason(framework: Value) -> (String, String) {
    let folder = TempDir::new().unwrap();
    let path = plan(folder.path(), framework, 3);
    let ended = search(&path, &[]);
    assert_eq!(ended.code(), 6, "{ended:?}");
    let rows = rows(&path);
    assert_eq!(rows.len(), 2, "a baseline that fails is tried twice");
    let word = |name: &str| rows[0][name].as_str().unwrap().to_owned();
    (word("status"), word("reason_code"))
}

#[test]
fn a_candidate_that_goes_wrong_says_how() {
    let sim = |more: &[&str]| {
        let mut words = vec![binary("engine-sim").display().to_string()];
        words.extend(["--flavor", "sglang", "--port", "{port}"].map(str::to_owned));
        words.extend(more.iter().map(|word| (*word).to_owned()));
        json!({"server_command": words})
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(
        reason(sim(&["--model", "Qwen/Qwen3-8B", "--served-model-name", "other"])),
        pair("failed", "wrong-model")
    );
    assert_eq!(
        reason(sim(&[
            "--model",
            "Qwen/Qwen3-8B",
            "--served-model-name",
            "m",
            "--no-such-flag"
        ])),
        pair("failed", "unknown-flag")
    );
    let shell_within = |line: &str, ready_s: f64| json!({"server_command": ["sh", "-c", line, "sh", "{port}"], "ready_timeout_s": ready_s});
    let shell = |line: &str| shell_within(line, 20.0);
    assert_eq!(reason(shell("exit 3")), pair("failed", "engine-exited"));
    assert_eq!(
        reason(shell("echo CUDA out of memory; exit 1")),
        pair("oom", "out-of-memory")
    );
    assert_eq!(
        reason(shell_within("exec sleep 60", 0.3)),
        pair("timeout", "engine-not-ready")
    );
    let missing = json!({"server_command": ["/nowhere/server", "{port}"]});
    assert_eq!(reason(missing), pair("failed", "engine-not-started"));
}

#[test]
fn what_leaves_a_process_is_seen() {
    let sim = binary("engine-sim").display().to_string();
    let script = format!(
        "setsid sleep 300 & exec {sim} --flavor sglang --model Qwen/Qwen3-8B --served-model-name m --port $1"
    );
    let leaves = reason(json!({"server_command": ["sh", "-c", script, "sh", "{port}"]}));
    assert_eq!(leaves.1, "leftover-process", "{leaves:?}");
}

#[test]
fn an_interrupted_search_keeps_its_rows_and_ends_its_server() {
    let folder = TempDir::new().unwrap();
    let path = plan(
        folder.path(),
        json!({"server_command": ["sh", "-c", "exec sleep 60", "{port}"]}),
        3,
    );
    let dir = path.with_file_name("s");
    let mut command = Command::new(binary("config-search"));
    command.args(["run", path.to_str().unwrap(), "--dir", dir.to_str().unwrap()]);
    let running = Running::start(&mut command);
    while !dir.join("logs/sim-0000.log").exists() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code(), 130, "{ended:?}");
    assert_eq!(ended.document()["complete"], false);
    assert_eq!(rows(&path)[0]["status"], "skipped");
}

/// A server that has a flag by a variable: without it, it does not start.
#[test]
fn a_variable_is_set_for_the_candidate_that_has_it_and_a_preset_gives_the_rest() {
    let folder = TempDir::new().unwrap();
    let script = format!(
        "if [ \"${{SOTA_TEST_ODD:-}}\" = on ]; then echo 'unknown argument: odd' >&2; exit 1; fi\nexec {} --flavor sglang --model Qwen/Qwen3-8B --served-model-name m \"$@\"\n",
        binary("engine-sim").display()
    );
    let server = folder.path().join("serve.sh");
    std::fs::write(&server, script).unwrap();
    let framework = json!({
        "preset": "engine-sim", "name": "sim",
        "server_command": ["sh", server, "--port", "{port}"],
        "search_space": {
            "--mem-fraction-static": null, "--chunked-prefill-size": null, "--max-running-requests": null, "--schedule-policy": null,
            "--schedule-conservativeness": null, "--num-continuous-decode-steps": [4], "--disable-cuda-graph": null,
            "env.SOTA_TEST_ODD": ["on", "off"]
        }
    });
    let path = plan(folder.path(), framework, 6);
    let validated = run("config-search", ["validate", path.to_str().unwrap()]);
    assert_eq!(validated.code(), 0, "{validated:?}");
    assert_eq!(
        validated.document()["data"]["plans"][0]["frameworks"][0]["configurations"],
        6
    );
    search(&path, &[]);
    let rows = rows(&path);
    let odd: Vec<&Value> = rows
        .iter()
        .filter(|row| row["params"]["env.SOTA_TEST_ODD"] == "on")
        .collect();
    assert!(!odd.is_empty(), "{rows:?}");
    for row in odd {
        assert_eq!(
            (&row["status"], &row["reason_code"]),
            (&"failed".into(), &"unknown-flag".into()),
            "{row}"
        );
        assert_eq!(row["env_names"], json!(["SOTA_TEST_ODD"]));
        assert!(!row["argv"].to_string().contains("SOTA_TEST_ODD"), "{row}");
    }
    assert!(
        rows.iter()
            .any(|row| row["params"]["env.SOTA_TEST_ODD"] == "off" && row["status"] != "failed"),
        "{rows:?}"
    );
}

#[test]
fn what_cannot_fit_is_a_row_and_no_launch() {
    let folder = TempDir::new().unwrap();
    // 15 GiB of weights, and three tenths of an L40S are 13.
    let config = r#"{"model_type": "qwen3", "num_hidden_layers": 36, "hidden_size": 4096, "intermediate_size": 12288,
        "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936, "torch_dtype": "bfloat16"}"#;
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let framework = json!({
        "gpu": "l40s",
        "search_space": {"--mem-fraction-static": [0.3], "--num-continuous-decode-steps": [4]}
    });
    let path = plan(folder.path(), framework, 4);
    let mut written: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    written["model"]["config"] = json!("config.json");
    std::fs::write(&path, written.to_string()).unwrap();
    search(&path, &[]);
    let rows = rows(&path);
    let refused: Vec<&Value> = rows
        .iter()
        .filter(|row| row["params"]["--mem-fraction-static"] == 0.3)
        .collect();
    assert!(!refused.is_empty(), "{rows:?}");
    for row in refused {
        assert_eq!(
            (&row["status"], &row["reason_code"]),
            (&"skipped".into(), &"does-not-fit".into()),
            "{row}"
        );
        assert!(row["reason"].as_str().unwrap().contains("1 l40s"), "{row}");
        assert_eq!(
            (&row["log_path"], &row["argv"]),
            (&Value::Null, &json!([])),
            "it was not launched"
        );
    }
    assert!(
        rows.iter()
            .any(|row| row["status"] == "ok" && row["params"]["--num-continuous-decode-steps"] == 4),
        "{rows:?}"
    );
}
