//! Real logs: those that print a pool agree with the formula, the hybrid ones are flagged.

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{document, gib, real_log, warnings, write};

/// The document of a real log beside a configuration of its model.
fn with_config(log: &str, config: &str, words: &[&str]) -> Option<Value> {
    let log = real_log(log)?;
    let folder = TempDir::new().expect("a folder");
    let config = write(&folder, "config.json", config);
    Some(document(&[&["log", &log, "--config", &config], words].concat()))
}

/// The engine's number and the formula, and how far they are from each other.
fn agrees(document: &Value, formula: f64, pct: f64) {
    let kv = &document["data"]["kv"];
    assert_eq!(kv["bytes_per_token_formula"].as_f64(), Some(formula), "{kv}");
    let difference = kv["difference_pct"].as_f64().expect("both are there");
    assert!(difference.abs() <= pct, "{difference} %: {kv}");
    assert!(!warnings(document).contains(&"kv-bytes-disagree"));
}

#[test]
fn qwen3_omni_on_four_ranks() {
    let config = r#"{"architectures": ["Qwen3OmniMoeForConditionalGeneration"], "num_hidden_layers": 48,
        "hidden_size": 2048, "num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128}"#;
    let Some(document) = with_config(
        "sglang_2025-12_qwen3omni30b_tp4.log",
        config,
        &["--lengths", "4096,8192"],
    ) else {
        return;
    };
    // 2 × 48 × 1 × 128 × 2: four heads on four ranks.
    agrees(&document, 24_576.0, 0.05);
    let data = &document["data"];
    assert_eq!(
        (&data["engine"]["tp"], &data["kv"]["tokens"]),
        (&4.into(), &2_090_351.into())
    );
    assert_eq!(data["capacity"][0]["requests"], 510);
    assert_eq!(data["capacity"][1]["requests"], 255);
    assert_eq!(data["capacity"][1]["binding_limit"], "kv_tokens");
    // Before capture, TP2 has 11.87 and TP3 12.11 GB.
    assert_eq!(
        (&data["headroom"]["rank"], gib(&data["headroom"]["skew_bytes"])),
        (&"TP2".into(), 0.24)
    );
    assert_eq!(gib(&data["memory"][1]["kv_bytes"]), 47.84);
    // What the log does not say is not zero.
    assert_eq!(
        (&data["memory"][0]["kv_bytes"], &data["memory"][0]["total_bytes"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn gemma3_keeps_windows_whole() {
    let config = r#"{"text_config": {"model_type": "gemma3_text", "num_hidden_layers": 34, "hidden_size": 2560,
        "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, "sliding_window": 1024,
        "sliding_window_pattern": 6}}"#;
    let Some(document) = with_config("sglang_2025-03_gemma3_4b.log", config, &[]) else {
        return;
    };
    // 2 × 34 × 4 × 256 × 2: also the layers with a window keep every token.
    agrees(&document, 139_264.0, 0.05);
    assert_eq!(document["data"]["kv"]["windows_kept_whole"], true);
    // 131.08 free after 8.13 of weights: 139.21 before, and never 141 of a product's name.
    let memory = &document["data"]["memory"][0];
    let parts = [
        "total_bytes",
        "weights_bytes",
        "kv_bytes",
        "other_bytes",
        "free_bytes",
    ];
    assert_eq!(
        parts.map(|part| gib(&memory[part])),
        [139.21, 8.13, 108.24, 8.89, 13.95]
    );
}

#[test]
fn qwen35_has_keys_and_states() {
    let config = r#"{"model_type": "qwen3_5_moe_text", "num_hidden_layers": 60, "hidden_size": 4096, "dtype": "bfloat16",
        "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 256, "full_attention_interval": 4,
        "linear_num_key_heads": 16, "linear_num_value_heads": 64, "linear_key_head_dim": 128,
        "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4, "mamba_ssm_dtype": "float32"}"#;
    let Some(document) = with_config("sglang_2026-02_qwen35moe_hybrid_tp2_4090.log", config, &[]) else {
        return;
    };
    // 2 × 15 × 1 × 256 × 2.
    agrees(&document, 15_360.0, 0.05);
    let kv = &document["data"]["kv"];
    assert_eq!(
        (&kv["token_layers"], &kv["state_layers"]),
        (&15.into(), &45.into())
    );
    let (log, formula) = (kv["state_bytes_log"].as_f64(), kv["state_bytes_formula"].as_f64());
    // 7.42 GiB in 83 slots against 45 × (32 × 128 × 128 × 4 + 3 × 6144 × 2).
    assert_eq!(formula, Some(96_030_720.0));
    assert!(
        (log.expect("it has states") / 96_030_720.0 - 1.0).abs() < 0.002,
        "{kv}"
    );
    assert!(warnings(&document).contains(&"kv-pool-hybrid"));
    // The engine lets one request run, whatever fits.
    assert_eq!(
        document["data"]["capacity"][0]["binding_limit"],
        "max_running_requests"
    );
}

#[test]
fn llama2_on_the_first_vllm() {
    let config =
        r#"{"model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32}"#;
    let Some(document) = with_config("vllm_v0_2025-03_llama2_7b_h100.log", config, &[]) else {
        return;
    };
    agrees(&document, 524_288.0, 0.05);
    let data = &document["data"];
    assert_eq!(
        (&data["engine"]["format"], &data["kv"]["tokens"]),
        (&"vllm-v0".into(), &(7191 * 16).into())
    );
    let memory = &data["memory"][0];
    let parts = [
        "total_bytes",
        "weights_bytes",
        "kv_bytes",
        "activation_bytes",
        "other_bytes",
        "free_bytes",
    ];
    assert_eq!(
        parts.map(|part| gib(&memory[part])),
        [79.19, 12.55, 56.18, 2.38, 0.16, 7.92]
    );
    assert!(warnings(&document).contains(&"block-size-assumed"));
}

#[test]
fn the_second_vllm_names_blocks_and_a_concurrency() {
    let Some(log) = real_log("vllm_v1_2025-01_llama70b_w8a8.log") else {
        return;
    };
    let document = document(&["log", &log]);
    // 10.79 × 2048 tokens in 1381 blocks: 16 a block.
    assert_eq!(document["data"]["kv"]["tokens"], 22_096);
    assert_eq!(gib(&document["data"]["memory"][0]["weights_bytes"]), 67.72);
    assert_eq!(document["data"]["kv"]["bytes_per_token_log"], Value::Null);
    assert!(warnings(&document).is_empty());
}

#[test]
fn groups_of_layers_share_a_pool() {
    let Some(log) = real_log("vllm_2025-11_kimi_linear_tp2_hybrid_mismatch.log") else {
        return;
    };
    let seen = document(&["log", &log]);
    // 75 840 tokens are 0.63 requests of 120 000, and the engine says 2.48.
    assert!(warnings(&seen).contains(&"kv-tokens-hybrid"));
    assert_eq!(seen["data"]["kv"]["tokens"], 297_600);
    let rows = seen["data"]["capacity"].as_array().expect("a list");
    assert_eq!(rows.last().expect("the context")["requests"], 2);
    let Some(log) = real_log("vllm_2026-07_nvfp4_kv_5090.log") else {
        return;
    };
    // 1 823 372 / 1 048 576 is 1.74, as it says.
    let seen = document(&["log", &log]);
    assert_eq!(warnings(&seen), ["kv-pool-hybrid"]);
    assert_eq!(seen["data"]["kv"]["tokens"], 1_823_372);
}
