//! One small configuration for each way in which a configuration says what its layers are.

use model_config::{AttentionKind, ConfigWarning, Mixer};

use crate::{counts, read, runs};

#[test]
fn one_type_throughout() {
    let config = read(
        r#"{"architectures": ["A"], "num_hidden_layers": 4, "num_attention_heads": 8, "hidden_size": 64}"#,
    );
    assert_eq!(runs(&config), "4 full+dense");
    assert!(config.is_uniform());
    assert_eq!(
        (config.architecture.as_deref(), config.model_type),
        (Some("A"), None)
    );
    assert_eq!(
        (config.hidden_size, config.head_dim, config.mtp_layers),
        (Some(64), None, None)
    );
    assert_eq!(config.attention, Some(AttentionKind::Mha));
}

#[test]
fn head_counts_give_the_attention_kind() {
    let kind = |heads: &str| read(&format!("{{\"num_hidden_layers\": 2, {heads}}}")).attention;
    assert_eq!(
        kind(r#""num_attention_heads": 8, "num_key_value_heads": 2"#),
        Some(AttentionKind::Gqa)
    );
    assert_eq!(
        kind(r#""num_attention_heads": 8, "num_key_value_heads": 1"#),
        Some(AttentionKind::Mqa)
    );
    assert_eq!(
        kind(r#""num_attention_heads": 8, "num_key_value_heads": 8"#),
        Some(AttentionKind::Mha)
    );
    assert_eq!(
        kind(r#""n_head": 8, "multi_query": true"#),
        Some(AttentionKind::Mqa)
    );
    assert_eq!(kind(r#""hidden_size": 8"#), None);
    assert_eq!(
        kind(r#""num_attention_heads": 8, "kv_lora_rank": 64"#),
        Some(AttentionKind::Mla)
    );
}

#[test]
fn the_language_model_may_be_nested() {
    for path in ["text_config", "llm_config", "language_config"] {
        let text = format!(
            r#"{{"num_hidden_layers": 99, "architectures": ["V"], "model_type": "v",
                "{path}": {{"num_hidden_layers": 3, "hidden_size": 5, "model_type": "t"}}}}"#
        );
        let config = read(&text);
        assert_eq!(
            (config.num_hidden_layers(), config.hidden_size),
            (3, Some(5)),
            "{path}"
        );
        assert_eq!(
            (config.architecture.as_deref(), config.model_type.as_deref()),
            (Some("V"), Some("t"))
        );
    }
    let omni = r#"{"thinker_config": {"text_config": {"num_hidden_layers": 7}}}"#;
    assert_eq!(read(omni).num_hidden_layers(), 7);
    // A part without a layer count says nothing of the layers.
    assert_eq!(
        read(r#"{"n_layer": 5, "text_config": {"vocab_size": 3}}"#).num_hidden_layers(),
        5
    );
}

#[test]
fn sliding_windows() {
    let listed = r#"{"num_hidden_layers": 4, "sliding_window": 128, "num_local_experts": 8,
        "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"]}"#;
    assert_eq!(
        runs(&read(listed)),
        "1 sliding+moe, 1 full+moe, 1 sliding+moe, 1 full+moe"
    );
    let every_third = r#"{"num_hidden_layers": 7, "sliding_window": 128, "sliding_window_pattern": 3}"#;
    assert_eq!(
        runs(&read(every_third)),
        "2 sliding+dense, 1 full+dense, 2 sliding+dense, 1 full+dense, 1 sliding+dense"
    );
    let letters = r#"{"num_hidden_layers": 5, "sliding_window_pattern": "LLG"}"#;
    assert_eq!(
        runs(&read(letters)),
        "2 sliding+dense, 1 full+dense, 2 sliding+dense"
    );
    let codes = r#"{"num_hidden_layers": 3, "hybrid_layer_pattern": [0, 1, 1]}"#;
    assert_eq!(runs(&read(codes)), "1 full+dense, 2 sliding+dense");
    let by_family = r#"{"model_type": "gemma3_text", "num_hidden_layers": 8, "sliding_window": 512}"#;
    assert_eq!(
        runs(&read(by_family)),
        "5 sliding+dense, 1 full+dense, 2 sliding+dense"
    );
}

#[test]
fn one_window_for_all_layers() {
    let window = |rest: &str| runs(&read(&format!("{{\"num_hidden_layers\": 4, {rest}}}")));
    assert_eq!(window(r#""sliding_window": 4096"#), "4 sliding+dense");
    assert_eq!(window(r#""sliding_window": null"#), "4 full+dense");
    assert_eq!(
        window(r#""sliding_window": 4096, "use_sliding_window": false"#),
        "4 full+dense"
    );
    assert_eq!(
        window(r#""sliding_window": 4096, "max_position_embeddings": 4096"#),
        "4 full+dense"
    );
    let from_layer = r#""sliding_window": 64, "use_sliding_window": true, "max_window_layers": 3"#;
    assert_eq!(window(from_layer), "3 full+dense, 1 sliding+dense");
}

#[test]
fn chunked_attention_of_llama_4() {
    let text = r#"{"text_config": {"model_type": "llama4_text", "num_hidden_layers": 5, "num_local_experts": 16,
        "attention_chunk_size": 8192, "interleave_moe_layer_step": 2}}"#;
    assert_eq!(
        runs(&read(text)),
        "1 chunked+dense, 1 chunked+moe, 1 chunked+dense, 1 full+moe, 1 chunked+dense"
    );
}

#[test]
fn linear_attention() {
    let interval = r#"{"num_hidden_layers": 5, "full_attention_interval": 4, "num_experts": 512,
        "decoder_sparse_step": 1, "mlp_only_layers": [0], "num_attention_heads": 16, "num_key_value_heads": 2}"#;
    let config = read(interval);
    assert_eq!(
        runs(&config),
        "1 linear+dense, 2 linear+moe, 1 full+moe, 1 linear+moe"
    );
    assert_eq!(config.attention, Some(AttentionKind::Hybrid));
    assert_eq!(config.num_experts, Some(512));
    let lightning = r#"{"num_hidden_layers": 3, "attn_type_list": [0, 0, 1]}"#;
    assert_eq!(runs(&read(lightning)), "2 linear+dense, 1 full+dense");
    // Numbers from 1.
    let kimi = r#"{"num_hidden_layers": 4, "kv_lora_rank": 512, "num_experts": 8, "first_k_dense_replace": 1,
        "moe_layer_freq": 1, "linear_attn_config": {"kda_layers": [1, 2, 3], "full_attn_layers": [4]}}"#;
    assert_eq!(runs(&read(kimi)), "1 linear+dense, 2 linear+moe, 1 mla+moe");
}

#[test]
fn mamba() {
    let jamba = r#"{"model_type": "jamba", "num_hidden_layers": 6, "attn_layer_period": 4, "attn_layer_offset": 2,
        "expert_layer_period": 2, "expert_layer_offset": 1, "num_experts": 16}"#;
    assert_eq!(
        runs(&read(jamba)),
        "1 mamba+dense, 1 mamba+moe, 1 full+dense, 1 mamba+moe, 1 mamba+dense, 1 mamba+moe"
    );
    let dense_jamba = jamba.replace("\"num_experts\": 16", "\"num_experts\": 1");
    assert_eq!(counts(&read(&dense_jamba)), "5 mamba+dense, 1 full+dense");
    let granite = r#"{"num_hidden_layers": 3, "num_local_experts": 64, "layer_types": ["mamba", "mamba", "attention"]}"#;
    assert_eq!(runs(&read(granite)), "2 mamba+moe, 1 full+moe");
    let bamba = r#"{"num_hidden_layers": 4, "attn_layer_indices": [1, 3]}"#;
    assert_eq!(counts(&read(bamba)), "2 mamba+dense, 2 full+dense");
    let falcon = r#"{"model_type": "falcon_h1", "num_hidden_layers": 2, "num_attention_heads": 4}"#;
    let config = read(falcon);
    assert_eq!(runs(&config), "2 attention-mamba+dense");
    assert_eq!(config.attention, Some(AttentionKind::Hybrid));
    let alone = read(r#"{"model_type": "mamba2", "num_hidden_layers": 2}"#);
    assert_eq!((runs(&alone), alone.attention), ("2 mamba+none".to_owned(), None));
    let zamba = r#"{"model_type": "zamba2", "num_hidden_layers": 3, "layers_block_type": ["mamba", "hybrid", "mamba"]}"#;
    assert_eq!(
        runs(&read(zamba)),
        "1 mamba+none, 1 attention-mamba+dense, 1 mamba+none"
    );
    let convolution =
        r#"{"num_hidden_layers": 4, "full_attn_idxs": [2], "num_dense_layers": 2, "num_experts": 32}"#;
    assert_eq!(runs(&read(convolution)), "2 conv+dense, 1 full+moe, 1 conv+moe");
}

#[test]
fn one_block_a_layer() {
    let letters = r#"{"num_hidden_layers": 5, "hybrid_override_pattern": "ME*-M", "n_routed_experts": 128}"#;
    assert_eq!(
        runs(&read(letters)),
        "1 mamba+none, 1 none+moe, 1 full+none, 1 none+dense, 1 mamba+none"
    );
    // Without a number, the list gives the layers.
    let words = r#"{"layers_block_type": ["mamba", "moe", "attention", "mlp"], "n_routed_experts": 8,
        "num_nextn_predict_layers": 1}"#;
    let config = read(words);
    assert_eq!(
        runs(&config),
        "1 mamba+none, 1 none+moe, 1 full+none, 1 none+dense"
    );
    assert_eq!(config.mtp_layers, Some(1));
}

#[test]
fn blocks_that_were_searched_away() {
    let text = r#"{"num_hidden_layers": 3, "num_attention_heads": 64, "block_configs": [
        {"attention": {"no_op": false, "n_heads_in_group": 8}, "ffn": {"no_op": false}},
        {"attention": {"no_op": true, "n_heads_in_group": null}, "ffn": {"replace_with_linear": true}},
        {"attention": {"replace_with_linear": true}, "ffn": {"no_op": true}}]}"#;
    let config = read(text);
    assert_eq!(runs(&config), "1 full+dense, 1 none+matrix, 1 matrix+none");
    assert_eq!(
        (config.num_key_value_heads, config.attention),
        (Some(8), Some(AttentionKind::Gqa))
    );
}

#[test]
fn latent_and_indexed_attention() {
    let v3 = r#"{"num_hidden_layers": 5, "kv_lora_rank": 512, "n_routed_experts": 256, "first_k_dense_replace": 3,
        "moe_layer_freq": 1, "num_nextn_predict_layers": 1, "num_attention_heads": 128, "num_key_value_heads": 128}"#;
    let config = read(v3);
    assert_eq!(runs(&config), "3 mla+dense, 2 mla+moe");
    assert_eq!(
        (config.attention, config.mtp_layers, config.kv_lora_rank),
        (Some(AttentionKind::Mla), Some(1), Some(512))
    );
    let indexed = r#"{"num_hidden_layers": 4, "kv_lora_rank": 512, "index_topk": 2048, "n_routed_experts": 8,
        "mlp_layer_types": ["dense", "sparse", "sparse", "sparse"],
        "indexer_types": ["full", "shared", "shared", "full"]}"#;
    assert_eq!(runs(&read(indexed)), "1 dsa+dense, 2 dsa-shared+moe, 1 dsa+moe");
}

#[test]
fn compressed_attention_and_hash_routing() {
    // The entry beyond the layers is the one of multi-token prediction.
    let text = r#"{"num_hidden_layers": 5, "compress_ratios": [0, 128, 4, 128, 4, 0], "num_nextn_predict_layers": 1,
        "num_hash_layers": 2, "n_routed_experts": 256, "sliding_window": 128, "num_attention_heads": 64,
        "num_key_value_heads": 1}"#;
    let config = read(text);
    assert_eq!(
        runs(&config),
        "1 sliding+hash-moe, 1 c128+hash-moe, 1 c4+moe, 1 c128+moe, 1 c4+moe"
    );
    assert_eq!(config.attention, Some(AttentionKind::Mqa));
    assert_eq!(config.warnings, []);
    let words = r#"{"num_hidden_layers": 2, "mlp_layer_types": ["hash_moe", "moe"],
        "layer_types": ["heavily_compressed_attention", "compressed_sparse_attention"]}"#;
    assert_eq!(runs(&read(words)), "1 c128+hash-moe, 1 c4+moe");
}

#[test]
fn which_layers_have_experts() {
    let moe = |rest: &str| {
        runs(&read(&format!(
            "{{\"num_hidden_layers\": 4, \"num_experts\": 8, {rest}}}"
        )))
    };
    assert_eq!(moe(r#""hidden_size": 1"#), "4 full+moe");
    assert_eq!(
        moe(r#""decoder_sparse_step": 2"#),
        "1 full+dense, 1 full+moe, 1 full+dense, 1 full+moe"
    );
    assert_eq!(
        moe(r#""moe_layer_freq": [0, 1, 1, 0]"#),
        "1 full+dense, 2 full+moe, 1 full+dense"
    );
    assert_eq!(
        moe(r#""first_k_dense_replace": 1, "moe_layer_freq": 2"#),
        "2 full+dense, 1 full+moe, 1 full+dense"
    );
    assert_eq!(
        moe(r#""moe_layers_enum": "1,2""#),
        "1 full+dense, 2 full+moe, 1 full+dense"
    );
    assert_eq!(
        moe(r#""moe_layer_start_index": 1, "moe_layer_end_index": 2"#),
        "1 full+dense, 2 full+moe, 1 full+dense"
    );
    assert_eq!(
        runs(&read(r#"{"n_layers": 2, "ffn_config": {"moe_num_experts": 16}}"#)),
        "2 full+moe"
    );
    assert_eq!(
        runs(&read(r#"{"num_hidden_layers": 2, "num_local_experts": 0}"#)),
        "2 full+dense"
    );
}

#[test]
fn multi_token_prediction_is_reported_and_not_counted() {
    let mtp = |rest: &str| read(&format!("{{\"num_hidden_layers\": 2, {rest}}}")).mtp_layers;
    assert_eq!(mtp(r#""num_nextn_predict_layers": 3"#), Some(3));
    assert_eq!(mtp(r#""mtp_num_hidden_layers": 1"#), Some(1));
    assert_eq!(
        mtp(r#""num_mtp_modules": 3, "mtp_transformer_layers": 2"#),
        Some(6)
    );
    assert_eq!(mtp(r#""num_mtp_modules": 3, "use_mtp": false"#), Some(0));
    assert_eq!(mtp(r#""hidden_size": 2"#), None);
}

#[test]
fn a_list_of_another_length_is_a_warning() {
    let config = read(r#"{"num_hidden_layers": 2, "layer_types": ["mamba", "mamba", "mamba", "mamba"]}"#);
    assert_eq!(config.num_hidden_layers(), 2);
    let short = read(r#"{"num_hidden_layers": 2, "layer_types": ["mamba"]}"#);
    assert_eq!(short.layer_types[0].mixer, Mixer::Full);
    for (config, used, got) in [(config, true, 4), (short, false, 1)] {
        let expected = ConfigWarning::ListLength {
            key: "layer_types",
            got,
            layers: 2,
            used,
        };
        assert_eq!(config.warnings, [expected]);
        assert_eq!(config.warnings[0].code(), "model-config-list-length");
    }
}

#[test]
fn an_unknown_type_is_a_warning_and_cleaned() {
    let text = r#"{"num_hidden_layers": 3, "layer_types": ["x\u001b[2Jy", "attention", "x\u001b[2Jy"]}"#;
    let config = read(text);
    assert_eq!(runs(&config), "1 other+dense, 1 full+dense, 1 other+dense");
    assert_eq!(config.warnings[0].code(), "model-config-unknown-type");
    assert_eq!(
        config.warnings[0].to_string(),
        "`layer_types` has the unknown type \"x[2Jy\" for 2 layers"
    );
}
