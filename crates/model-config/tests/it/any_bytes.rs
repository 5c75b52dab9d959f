//! Any bytes, and any values behind the keys that are read: no panic, and never an empty list of layers.

use model_config::ModelConfig;
use proptest::prelude::*;

/// Every key that a rule reads.
const KEYS: [&str; 45] = [
    "num_hidden_layers",
    "n_layer",
    "text_config",
    "linear_attn_config",
    "sparse_attention_config",
    "model_type",
    "layer_types",
    "layers_block_type",
    "mlp_layer_types",
    "hybrid_override_pattern",
    "block_configs",
    "compress_ratios",
    "attn_type_list",
    "hybrid_layer_pattern",
    "sparse_attention_freq",
    "kda_layers",
    "attn_layer_indices",
    "full_attn_idxs",
    "full_attention_interval",
    "attn_layer_period",
    "attn_layer_offset",
    "sliding_window_pattern",
    "sliding_window",
    "use_sliding_window",
    "max_window_layers",
    "no_rope_layers",
    "no_rope_layer_interval",
    "attention_chunk_size",
    "kv_lora_rank",
    "index_topk",
    "indexer_types",
    "num_nextn_predict_layers",
    "num_mtp_modules",
    "mtp_transformer_layers",
    "num_hash_layers",
    "num_experts",
    "moe_layer_freq",
    "moe_layers_enum",
    "first_k_dense_replace",
    "decoder_sparse_step",
    "mlp_only_layers",
    "interleave_moe_layer_step",
    "expert_layer_period",
    "num_attention_heads",
    "num_key_value_heads",
];

fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("Infinity".to_owned()),
        (0_i64..9).prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| number.to_string()),
        prop::sample::select(vec![
            "attention",
            "mamba",
            "moe",
            "llama4",
            "qwen3_next",
            "LLLG",
            "ME*-",
            "1,2"
        ])
        .prop_map(|word| format!("{word:?}")),
    ]
}

fn value() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 24, 6, |inner| {
        let key = prop::sample::select(KEYS.to_vec());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|list| format!("[{}]", list.join(","))),
            prop::collection::vec((key, inner), 0..6).prop_map(|pairs| {
                let pairs: Vec<_> = pairs
                    .iter()
                    .map(|(key, value)| format!("{key:?}:{value}"))
                    .collect();
                format!("{{{}}}", pairs.join(","))
            }),
        ]
    })
}

fn check(text: &[u8]) {
    if let Ok(config) = ModelConfig::from_slice(text) {
        assert!((1..=4096).contains(&config.num_hidden_layers()));
        assert!(
            config
                .warnings
                .iter()
                .all(|warning| !warning.to_string().chars().any(char::is_control))
        );
    }
}

proptest! {
    #[test]
    fn bytes(text in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&text);
    }

    #[test]
    fn values_behind_every_key(
        layers in 0_u64..6,
        pairs in prop::collection::vec((prop::sample::select(KEYS.to_vec()), value()), 0..12),
    ) {
        let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{key:?}:{value}")).collect();
        check(format!("{{\"num_hidden_layers\":{layers}{}{}}}", if pairs.is_empty() { "" } else { "," }, pairs.join(",")).as_bytes());
    }
}
