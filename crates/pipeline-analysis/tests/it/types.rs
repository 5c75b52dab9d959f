//! Layer types of hybrid models: those of the configuration stand at the layers that have such kernels.

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::model::{Trace, of, pass};
use crate::run::{data, document, rows, warnings, write};

/// A model: its configuration, and the types of its layers.
fn models() -> Vec<(&'static str, Value, Vec<&'static str>)> {
    let alternating = ["sliding_attention", "full_attention"].repeat(6);
    vec![
        (
            "layer_types, experts everywhere",
            json!({"model_type": "gpt_oss", "num_hidden_layers": 12, "num_local_experts": 32, "num_experts_per_tok": 4,
                "num_attention_heads": 8, "sliding_window": 128, "layer_types": alternating}),
            ["sliding+moe", "full+moe"].repeat(6),
        ),
        (
            "full_attention_interval",
            json!({"model_type": "qwen3_next", "num_hidden_layers": 16, "full_attention_interval": 4, "num_experts": 64,
                "num_experts_per_tok": 8, "decoder_sparse_step": 1, "mlp_only_layers": [], "num_attention_heads": 8}),
            ["linear+moe", "linear+moe", "linear+moe", "full+moe"].repeat(4),
        ),
        (
            "first_k_dense_replace",
            json!({"model_type": "deepseek_v3", "num_hidden_layers": 20, "first_k_dense_replace": 3, "kv_lora_rank": 512,
                "n_routed_experts": 64, "num_experts_per_tok": 8, "num_attention_heads": 8}),
            [of("mla+dense", 3), of("mla+moe", 17)].concat(),
        ),
        (
            "sliding_window_pattern inside text_config",
            json!({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "num_hidden_layers": 12,
                "sliding_window": 512, "sliding_window_pattern": 6, "num_attention_heads": 8}}),
            [
                "sliding+dense",
                "sliding+dense",
                "sliding+dense",
                "sliding+dense",
                "sliding+dense",
                "full+dense",
            ]
            .repeat(2),
        ),
        (
            "hybrid_override_pattern",
            json!({"model_type": "nemotron_h", "num_hidden_layers": 16, "hybrid_override_pattern": "M-M-M-M*M-M-M-M*",
                "num_attention_heads": 8}),
            "M-M-M-M*M-M-M-M*"
                .chars()
                .map(|block| match block {
                    'M' => "mamba+none",
                    '-' => "none+dense",
                    _ => "full+none",
                })
                .collect(),
        ),
        (
            "compress_ratios with hashed experts",
            json!({"model_type": "deepseek_v4", "num_hidden_layers": 16, "num_hash_layers": 3, "n_routed_experts": 64,
                "num_experts_per_tok": 6, "num_attention_heads": 8,
                "compress_ratios": [128, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128, 4, 128]}),
            [
                vec!["c128+hash-moe", "c128+hash-moe", "c4+hash-moe"],
                ["c128+moe", "c4+moe"].repeat(6),
                vec!["c128+moe"],
            ]
            .concat(),
        ),
    ]
}

#[test]
fn hybrid_models_have_the_types_of_their_configuration() {
    let folder = TempDir::new().expect("a folder");
    for (name, config, types) in models() {
        let config = write(&folder, "config.json", &config.to_string());
        let mut trace = Trace::new();
        for _ in 0..3 {
            trace.step("step[DECODE bs=4]", &pass(&types));
        }
        let document = document(&[&trace.write(&folder, "a.json"), "--config", &config]);
        let data = &document["data"];
        assert_eq!(warnings(&document), Vec::<&str>::new(), "{name}");
        assert_eq!(data["detection"]["layers"], types.len(), "{name}");
        assert_eq!(rows(&data["passes"]).len(), 3, "{name}");
        let found: Vec<&str> = rows(&data["layers"])
            .iter()
            .filter_map(|row| row["type"].as_str())
            .map(|layer_type| layer_type.split('#').next().unwrap_or(layer_type))
            .collect();
        assert_eq!(found, types, "{name}");
        let counted: i64 = rows(&data["clusters"])
            .iter()
            .filter_map(|row| row["count"].as_i64())
            .sum();
        assert_eq!(counted, types.len() as i64, "{name}");
        // Every layer has exactly its own kernels.
        for (layer, layer_type) in rows(&data["layers"]).iter().zip(&types) {
            assert_eq!(
                layer["kernels"],
                crate::model::layer(layer_type).len(),
                "{name}: {layer}"
            );
        }
    }
}

#[test]
fn without_a_configuration_types_come_from_the_kernels() {
    let folder = TempDir::new().expect("a folder");
    let types = ["linear+moe", "linear+moe", "linear+moe", "full+moe"].repeat(6);
    let mut trace = Trace::new();
    trace.kernels(&pass(&types), 1);
    let data = data(&[&trace.write(&folder, "a.json")]);
    let clusters: Vec<&str> = rows(&data["clusters"])
        .iter()
        .filter_map(|row| row["type"].as_str())
        .collect();
    assert!(
        clusters
            .iter()
            .all(|name| name.ends_with("moe") || name.contains("moe#")),
        "{clusters:?}"
    );
    assert_eq!(data["detection"]["config_layers"], Value::Null);
}

#[test]
fn a_number_of_layers_alone_says_nothing_of_their_types() {
    let folder = TempDir::new().expect("a folder");
    let config = write(&folder, "config.json", r#"{"num_hidden_layers": 12}"#);
    let mut trace = Trace::new();
    trace.kernels(&pass(&of("mla+moe", 12)), 1);
    let document = document(&[&trace.write(&folder, "a.json"), "--config", &config]);
    assert_eq!(warnings(&document), Vec::<&str>::new());
    assert_eq!(document["data"]["clusters"][0]["type"], "mla+moe");
    assert_eq!(document["data"]["detection"]["config_layers"], 12);
}

#[test]
fn a_configuration_of_another_model_is_said_with_both_numbers() {
    let folder = TempDir::new().expect("a folder");
    let mut trace = Trace::new();
    trace.kernels(&pass(&of("full+dense", 12)), 1);
    let path = trace.write(&folder, "a.json");
    let message = |config: &str, code: &str| {
        let config = write(&folder, "config.json", config);
        let document = document(&[&path, "--config", &config]);
        let found = rows(&document["warnings"])
            .iter()
            .find(|warning| warning["code"] == code);
        let found = found.unwrap_or_else(|| panic!("{code}: {:?}", warnings(&document)));
        found["message"].as_str().expect("a message").to_owned()
    };
    let count = message(r#"{"num_hidden_layers": 30}"#, "layers-disagree");
    assert!(count.contains("12 layers") && count.contains("30"), "{count}");
    let types = message(
        r#"{"model_type": "qwen3_moe", "num_hidden_layers": 12, "num_experts": 64, "num_experts_per_tok": 8,
            "decoder_sparse_step": 1, "mlp_only_layers": [], "num_attention_heads": 8}"#,
        "layer-types-disagree",
    );
    assert!(
        types.contains("12 layers with a mixture of experts, 0 layers"),
        "{types}"
    );
}

#[test]
fn windows_that_slide_are_named_where_the_kernels_say_so() {
    let folder = TempDir::new().expect("a folder");
    let types = |types: &[&str]| -> Vec<Value> {
        let mut trace = Trace::new();
        trace.kernels(&pass(types), 1);
        let data = data(&[&trace.write(&folder, "a.json")]);
        let clusters = rows(&data["clusters"]).iter();
        clusters.map(|cluster| cluster["type"].clone()).collect()
    };
    let alternating = ["sliding+dense", "full+dense"].repeat(6);
    assert_eq!(types(&alternating), ["sliding+dense", "full+dense"]);
    // Nothing says that the only kind of attention is a full one.
    assert_eq!(types(&of("full+dense", 12)), ["attention+dense"]);
    assert_eq!(types(&of("sliding+dense", 12)), ["sliding+dense"]);
}

#[test]
fn layers_without_attention_are_named_by_what_takes_their_time() {
    let folder = TempDir::new().expect("a folder");
    let mut trace = Trace::new();
    for name in [
        "nvjet_tst_64x64_v_bz_TNT",
        "batch_norm_transform_input_kernel",
        "relu_kernel",
    ]
    .repeat(12)
    {
        trace.dur = match name {
            "relu_kernel" => 5,
            "nvjet_tst_64x64_v_bz_TNT" => 60,
            _ => 30,
        };
        trace.kernels(&[name], 1);
    }
    let document = document(&[&trace.write(&folder, "a.json")]);
    assert_eq!(document["data"]["clusters"][0]["type"], "gemm+norm");
    assert_eq!(warnings(&document), ["layers-without-attention"]);
}
