//! Before there is a server.

use contracts::Exit;
use serde_json::Value;
use tempfile::TempDir;

use crate::run::{document, gib, run, warnings, write};

pub(crate) const QWEN3_8B: &str = r#"{"model_type": "qwen3", "num_hidden_layers": 36, "hidden_size": 4096, "intermediate_size": 12288,
    "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936,
    "max_position_embeddings": 40960, "tie_word_embeddings": false, "torch_dtype": "bfloat16"}"#;

fn estimate(config: &str, words: &[&str]) -> Value {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "config.json", config);
    document(&[&["estimate", "--config", &path], words].concat())
}

#[test]
fn what_fits_is_what_is_left() {
    let words = ["--gpu-memory-gib", "80", "--lengths", "4096,40961"];
    let seen = estimate(QWEN3_8B, &words);
    let data = &seen["data"];
    // 72 of 80 GiB, less 15.26 of weights and 2 in reserve.
    assert_eq!(gib(&data["memory"][0]["weights_bytes"]), 15.26);
    assert_eq!(gib(&data["memory"][0]["kv_bytes"]), 54.74);
    assert_eq!(data["kv"]["bytes_per_token_formula"].as_f64(), Some(147_456.0));
    // 54.74 GiB in requests of 4096 × 147 456 bytes.
    assert_eq!(
        (
            &data["capacity"][0]["requests"],
            &data["capacity"][0]["binding_limit"]
        ),
        (&97.into(), &"memory".into())
    );
    assert_eq!(data["capacity"][1]["binding_limit"], "context_length");
    assert!(warnings(&seen).contains(&"estimate"));
    let fp8 = estimate(QWEN3_8B, &[&words[..], &["--kv-dtype", "fp8"]].concat());
    assert_eq!(fp8["data"]["capacity"][0]["requests"], 194);
    let limited = estimate(QWEN3_8B, &[&words[..], &["--max-running-requests", "8"]].concat());
    assert_eq!(
        limited["data"]["capacity"][0]["binding_limit"],
        "max_running_requests"
    );
}

#[test]
fn a_draft_has_a_pool_of_its_own() {
    let folder = TempDir::new().expect("a folder");
    let draft = write(
        &folder,
        "draft.json",
        r#"{"num_hidden_layers": 4, "hidden_size": 4096, "intermediate_size": 12288, "num_attention_heads": 32,
            "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936}"#,
    );
    let words = [
        "--gpu-memory-gib",
        "80",
        "--weights-gib",
        "20",
        "--draft-config",
        &draft,
        "--lengths",
        "4096",
    ];
    let seen = estimate(QWEN3_8B, &words);
    // 36 layers of the model and 4 of the draft: 50 GiB / (40 × 4096 bytes × 4096).
    assert_eq!(
        seen["data"]["kv"]["draft_bytes_per_token_formula"].as_f64(),
        Some(16_384.0)
    );
    assert_eq!(seen["data"]["capacity"][0]["requests"], 80);
    let mtp = estimate(QWEN3_8B, &["--gpu", "h100", "--mtp"]);
    assert!(warnings(&mtp).contains(&"no-mtp-layers"));
}

#[test]
fn weights_that_do_not_fit_leave_no_request() {
    let seen = estimate(QWEN3_8B, &["--gpu-memory-gib", "16"]);
    assert!(warnings(&seen).contains(&"weights-leave-no-pool"));
    let row = &seen["data"]["capacity"][0];
    assert_eq!(
        (&row["requests"], &row["binding_limit"]),
        (&0.into(), &"weights".into())
    );
    let two = estimate(QWEN3_8B, &["--gpu-memory-gib", "16", "--tp", "2"]);
    assert!(two["data"]["capacity"][0]["requests"].as_u64() > Some(0));
}

#[test]
fn the_checkpoint_says_how_weights_and_keys_are_stored() {
    let folder = TempDir::new().expect("a folder");
    let file = write(
        &folder,
        "hf_quant_config.json",
        r#"{"producer": {}, "quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8"}}"#,
    );
    let seen = estimate(QWEN3_8B, &["--gpu", "h100", "--quantization", &file]);
    assert_eq!(seen["data"]["engine"]["kv_dtype"], "fp8");
    // 6.95 billion weights of one byte, 1.24 billion of the embeddings of two.
    assert_eq!(gib(&seen["data"]["memory"][0]["weights_bytes"]), 8.79);
}

/// All of the real files that `aiconfigurator-core` ships; `tests/real/model_configs.sh` fetches them and runs this.
#[test]
#[ignore = "needs SOTA_LOOP_MODEL_CONFIGS: bash tests/real/model_configs.sh"]
fn every_configuration_of_the_wheel_is_estimated() {
    let folder = std::env::var("SOTA_LOOP_MODEL_CONFIGS").expect("SOTA_LOOP_MODEL_CONFIGS names the folder");
    let names = std::fs::read_dir(&folder).expect("the folder can be read");
    let mut names: Vec<String> = names
        .map(|entry| {
            entry
                .expect("the folder can be read")
                .path()
                .display()
                .to_string()
        })
        .collect();
    names.sort();
    let (mut configs, mut quantizations) = (0, 0);
    for path in &names {
        let words =
            |config: &str| ["estimate", "--gpu", "b200", "--tp", "8", "--config", config].map(str::to_owned);
        let mut words: Vec<String> = match path.strip_suffix("_hf_quant_config.json") {
            Some(model) => {
                quantizations += 1;
                [
                    &words(&format!("{model}_config.json"))[..],
                    &["--quantization".to_owned(), path.clone()],
                ]
                .concat()
            }
            None => {
                configs += 1;
                words(path).into()
            }
        };
        // The networks of this model have a width of their own in each layer.
        if path.contains("Nemotron-Super-49B") {
            words.extend(["--weights-gib".to_owned(), "12".to_owned()]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let seen = document(&words);
        let kv = &seen["data"]["kv"];
        assert!(kv["bytes_per_token_formula"].as_f64() > Some(0.0), "{path}: {kv}");
        let partial = warnings(&seen).contains(&"kv-formula-partial");
        // Compressed context and selected blocks alone are not counted whole.
        assert_eq!(
            partial,
            path.contains("DeepSeek-V4") || path.contains("MiniMax-M3"),
            "{path}"
        );
        assert!(
            seen["data"]["memory"][0]["weights_bytes"].as_u64() > Some(0),
            "{path}"
        );
    }
    assert_eq!((configs, quantizations), (89, 28));
    println!("{configs} configurations and {quantizations} quantization files estimated");
}

#[test]
fn what_cannot_start_is_said() {
    let odd = estimate(QWEN3_8B, &["--gpu", "MI300X", "--tp", "3"]);
    assert!(warnings(&odd).contains(&"heads-not-divisible"));
    let even = estimate(QWEN3_8B, &["--gpu", "mi300x", "--tp", "6", "--attention-dp", "3"]);
    assert!(
        !warnings(&even).contains(&"heads-not-divisible"),
        "32 heads on 2 ranks"
    );
    let small = estimate(QWEN3_8B, &["--gpu-memory-gib", "12"]);
    assert!(warnings(&small).contains(&"weights-leave-no-pool"));
    assert!(
        small["summary"]
            .as_str()
            .is_some_and(|text| text.starts_with("Estimate. It does not fit")),
        "{}",
        small["summary"]
    );
}

/// The estimate of a configuration that stays on disk while its next command runs.
fn and_then(words: &[&str]) -> (Value, Option<Value>) {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "config.json", QWEN3_8B);
    let seen = document(&[&["estimate", "--config", &path], words].concat());
    let command = seen["next_actions"][0]["command"].as_array().map(|command| {
        let words: Vec<&str> = command.iter().filter_map(Value::as_str).collect();
        document(&words[1..])
    });
    (seen, command)
}

#[test]
fn what_does_not_fit_leads_to_the_least_that_does() {
    // 14.4 GiB of which weights are 15.26: two ranks.
    let (seen, then) = and_then(&["--gpu-memory-gib", "16", "--lengths", "4096"]);
    let fit = &seen["data"]["fit"];
    assert_eq!(
        (&fit["verdict"], &fit["length_tokens"], &fit["why"]),
        (&"no".into(), &4096.into(), &Value::Null)
    );
    // Weights, 2 in reserve, 4096 × 144 KiB.
    assert_eq!(
        (gib(&fit["needed_bytes"]), gib(&fit["available_bytes"])),
        (17.82, 14.4)
    );
    let then = then.expect("a command");
    assert_eq!(
        (&then["data"]["fit"]["verdict"], &then["data"]["engine"]["tp"]),
        (&"yes".into(), &2.into())
    );
    // Weights fit and one long request does not: keys of half the size, before more ranks.
    let (seen, then) = and_then(&["--gpu-memory-gib", "24", "--lengths", "40960"]);
    assert_eq!(seen["data"]["capacity"][0]["binding_limit"], "memory");
    let then = then.expect("a command");
    assert_eq!(
        (&then["data"]["engine"]["kv_dtype"], &then["data"]["engine"]["tp"]),
        (&"fp8".into(), &1.into())
    );
    assert_eq!(then["data"]["fit"]["verdict"], "yes");
    // Known weights are divided, too.
    let (_, then) = and_then(&[
        "--gpu-memory-gib",
        "16",
        "--weights-gib",
        "60",
        "--reserve-gib",
        "1",
    ]);
    let then = then.expect("a command");
    assert_eq!(then["data"]["engine"]["tp"], 8);
    assert_eq!(gib(&then["data"]["memory"][0]["weights_bytes"]), 7.5);
    let (fits, none) = and_then(&["--gpu", "h100"]);
    assert_eq!(fits["data"]["fit"]["verdict"], "yes");
    assert_eq!(none, None);
}

/// One head cannot be divided, and five layers are three and two: two stages need 12 of 20 GiB, not 10.
#[test]
fn the_fewest_ranks_hold_the_largest_stage() {
    const FIVE_LAYERS: &str = r#"{"num_hidden_layers": 5, "hidden_size": 64, "num_attention_heads": 1, "head_dim": 64,
        "max_position_embeddings": 4096, "torch_dtype": "bfloat16"}"#;
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "config.json", FIVE_LAYERS);
    let words = [
        "estimate",
        "--config",
        &path,
        "--gpu-memory-gib",
        "14",
        "--weights-gib",
        "20",
    ];
    // 12.6 GiB of 14 less 2 in reserve: 10.6 for weights and a request of less than a MiB.
    let seen = document(&words);
    let command: Vec<&str> = seen["next_actions"][0]["command"]
        .as_array()
        .expect("a command")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let then = document(&command[1..]);
    assert_eq!(
        (&then["data"]["engine"]["pp"], &then["data"]["fit"]["verdict"]),
        (&4.into(), &"yes".into())
    );
    assert_eq!(gib(&then["data"]["memory"][0]["weights_bytes"]), 8.0);
}

/// Layers that keep something unknown: what fits is no more than the number, and whether it fits is not known.
#[test]
fn a_number_that_is_a_bound_is_called_one() {
    const PARTIAL: &str = r#"{"num_hidden_layers": 2, "layer_types": ["new_attention", "full_attention"], "hidden_size": 4096,
        "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 4096}"#;
    let seen = estimate(PARTIAL, &["--gpu", "h100", "--weights-gib", "1"]);
    let summary = seen["summary"].as_str().expect("a text");
    assert!(
        summary.contains("not known") && summary.contains("If so, at most "),
        "{summary}"
    );
}

/// A state does not grow with a request, so that tokens hold for one length.
#[test]
fn tokens_of_a_hybrid_model_hold_for_one_length() {
    const HYBRID: &str = r#"{"num_hidden_layers": 2, "layer_types": ["sliding_attention", "full_attention"],
        "sliding_window": 1024, "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8,
        "max_position_embeddings": 16384}"#;
    let seen = estimate(HYBRID, &["--gpu", "h100", "--weights-gib", "1"]);
    assert_eq!(seen["data"]["kv"]["tokens_hold_for"], 16_384);
    let whole = estimate(QWEN3_8B, &["--gpu", "h100"]);
    assert_eq!(whole["data"]["kv"]["tokens_hold_for"], Value::Null);
}

/// A pool is what the fullest stage leaves, be the weights counted or known.
#[test]
fn an_estimate_is_of_the_largest_stage() {
    let seen = estimate(QWEN3_8B, &["--gpu-memory-gib", "80", "--pp", "8"]);
    // Five layers of 0.36 GiB and an embedding of 1.16; the mean of eight stages is 1.91.
    assert_eq!(gib(&seen["data"]["memory"][0]["weights_bytes"]), 2.96);
}

#[test]
fn the_gate_is_asked_for() {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "config.json", QWEN3_8B);
    let exit = |words: &[&str]| {
        let words = [&["estimate", "--config", &path], words].concat();
        run(&words).expect("a document").exit()
    };
    let gate = ["--fail-on", "does-not-fit"];
    assert_eq!(exit(&["--gpu-memory-gib", "16"]), Exit::Ok);
    assert_eq!(
        exit(&[&["--gpu-memory-gib", "16"], &gate[..]].concat()),
        Exit::GateNotMet
    );
    assert_eq!(exit(&[&["--gpu", "h100"], &gate[..]].concat()), Exit::Ok);
    // 32 heads do not divide by 3 ranks: nobody knows.
    let odd = [&["--gpu", "h100", "--tp", "3"], &gate[..]].concat();
    assert_eq!(exit(&odd), Exit::Undecided);
    let seen = estimate(QWEN3_8B, &["--gpu", "h100", "--tp", "3"]);
    assert!(
        seen["summary"]
            .as_str()
            .is_some_and(|text| text.contains("not known: 32 attention heads")),
        "{}",
        seen["summary"]
    );
}

#[test]
fn the_gate_is_about_every_length_that_was_asked_for() {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "config.json", QWEN3_8B);
    let exit = |words: &[&str]| {
        let all = [
            &[
                "estimate",
                "--config",
                &path,
                "--gpu",
                "h100",
                "--fail-on",
                "does-not-fit",
            ],
            words,
        ]
        .concat();
        run(&all).expect("a document").exit()
    };
    assert_eq!(exit(&["--lengths", "4096,40960"]), Exit::Ok);
    // Above the longest context, and above what is left of 24 GiB.
    assert_eq!(exit(&["--lengths", "4096,40961"]), Exit::GateNotMet);
    let small = [
        "estimate",
        "--config",
        &path,
        "--gpu-memory-gib",
        "24",
        "--fail-on",
        "does-not-fit",
        "--lengths",
        "1024,40960",
    ];
    let report = run(&small).expect("a document");
    assert_eq!(report.exit(), Exit::GateNotMet);
    let seen: Value = serde_json::from_str(report.json()).expect("JSON");
    assert!(warnings(&seen).contains(&"length-does-not-fit"));
    // Verdict, gate and headline are of the same length, and what is offered holds it.
    let fit = &seen["data"]["fit"];
    assert_eq!(
        (&fit["verdict"], &fit["length_tokens"]),
        (&"no".into(), &40960.into())
    );
    assert!(
        seen["summary"]
            .as_str()
            .unwrap()
            .contains("one request of 40 960 tokens")
    );
    let (_, offered) = and_then(&[
        "--gpu-memory-gib",
        "24",
        "--fail-on",
        "does-not-fit",
        "--lengths",
        "1024,40960",
    ]);
    let offered = offered.expect("a division holds it");
    assert_eq!(offered["data"]["fit"]["verdict"], "yes");
    assert!(!warnings(&offered).contains(&"length-does-not-fit"));
    // More memory makes no context longer.
    let (beyond, offered) = and_then(&["--gpu", "h100", "--lengths", "4096,40961"]);
    assert_eq!((&beyond["data"]["fit"]["verdict"], offered), (&"no".into(), None));
    assert!(
        beyond["summary"]
            .as_str()
            .unwrap()
            .contains("longest context of the model is 40960")
    );
    // Typical lengths are nobody's wish.
    assert_eq!(exit(&[]), Exit::Ok);
    let failure = run(&[
        "estimate",
        "--config",
        &path,
        "--gpu",
        "h100",
        "--weights-gib",
        "0",
    ])
    .expect_err("no weights");
    assert_eq!(failure.document.code, "number-out-of-range");
}

#[test]
fn layers_with_a_window_may_keep_all_tokens() {
    const WINDOWED: &str = r#"{"num_hidden_layers": 2, "layer_types": ["sliding_attention", "full_attention"],
        "sliding_window": 1024, "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8,
        "max_position_embeddings": 16384}"#;
    let words = ["--gpu", "h100", "--weights-gib", "1", "--lengths", "16384"];
    let short = estimate(WINDOWED, &words);
    assert!(warnings(&short).contains(&"windows-counted-short"));
    let whole = estimate(WINDOWED, &[&words[..], &["--windows-kept-whole"]].concat());
    assert!(!warnings(&whole).contains(&"windows-counted-short"));
    let bytes = |seen: &Value| seen["data"]["kv"]["bytes_per_token_formula"].as_f64();
    // Keys and values of 8 heads of 128, two bytes each: 4096 a layer.
    assert_eq!((bytes(&short), bytes(&whole)), (Some(4096.0), Some(8192.0)));
    let requests = |seen: &Value| seen["data"]["capacity"][0]["requests"].as_u64();
    assert!(requests(&whole) < requests(&short));
    assert_eq!(whole["data"]["kv"]["windows_kept_whole"], true);
}
