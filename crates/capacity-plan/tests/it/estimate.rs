//! Before there is a server.

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{document, gib, warnings, write};

const QWEN3_8B: &str = r#"{"model_type": "qwen3", "num_hidden_layers": 36, "hidden_size": 4096, "intermediate_size": 12288,
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
    assert_eq!(seen["data"]["capacity"][0]["requests"], 0);
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
