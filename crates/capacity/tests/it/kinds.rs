//! Bytes of a token by hand, one model of each kind of attention.

use capacity::{KvCache, KvDtype, Parallel};

use crate::{bf16, config, tp};

#[test]
fn mha_has_a_key_for_each_head() {
    // Llama 2 7B: 2 × 32 layers × 32 heads × 128 × 2 bytes.
    let llama = config(
        r#"{"model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32}"#,
    );
    assert_eq!(bf16(&llama, tp(1)).token_bytes(), 524_288.0);
    assert_eq!(bf16(&llama, tp(4)).token_bytes(), 131_072.0);
}

#[test]
fn gqa_is_divided_down_to_one_head_and_no_further() {
    // Qwen3-235B: 94 layers × 1 head × 128 × 2 bytes for keys at tp 4, and the same at tp 8.
    let qwen = config(
        r#"{"model_type": "qwen3_moe", "num_hidden_layers": 94, "hidden_size": 4096, "num_attention_heads": 64,
            "num_key_value_heads": 4, "head_dim": 128}"#,
    );
    let keys = [1, 2, 4, 8].map(|ranks| bf16(&qwen, tp(ranks)).k_bytes);
    assert_eq!(keys, [96_256.0, 48_128.0, 24_064.0, 24_064.0]);
    // Attention by data parallelism keeps all four heads on each rank.
    let attention_dp = Parallel {
        tp: 4,
        attention_dp: 4,
        ..Parallel::default()
    };
    assert_eq!(bf16(&qwen, attention_dp).k_bytes, 96_256.0);
    // The largest of two pipeline stages has 47 layers.
    let stages = Parallel {
        pp: 2,
        ..Parallel::default()
    };
    assert_eq!(bf16(&qwen, stages).k_bytes, 48_128.0);
}

#[test]
fn mla_is_one_vector_that_every_rank_keeps() {
    // DeepSeek-V3: 61 × (512 + 64) × 2 = 70 272, not 2 × 61 × 512 × 2 = 124 928.
    let deepseek = config(
        r#"{"model_type": "deepseek_v3", "num_hidden_layers": 61, "hidden_size": 7168, "num_attention_heads": 128,
            "num_key_value_heads": 128, "kv_lora_rank": 512, "qk_rope_head_dim": 64, "num_nextn_predict_layers": 1}"#,
    );
    assert_eq!(bf16(&deepseek, tp(1)).token_bytes(), 70_272.0);
    assert_eq!(bf16(&deepseek, tp(8)).token_bytes(), 70_272.0);
    assert_eq!(
        KvCache::of(&deepseek, tp(8), KvDtype::Fp8).token_bytes(),
        35_136.0
    );
    // The draft is one layer of it.
    assert_eq!(KvCache::of_mtp(&deepseek, tp(8), KvDtype::Bf16), Some(1152.0));
}

#[test]
fn sparse_attention_keeps_the_keys_of_its_indexer() {
    // DeepSeek-V3.2: 61 × (576 × 2 + 128 + 4).
    let sparse = config(
        r#"{"model_type": "deepseek_v32", "num_hidden_layers": 61, "hidden_size": 7168, "num_attention_heads": 128,
            "kv_lora_rank": 512, "qk_rope_head_dim": 64, "index_head_dim": 128, "index_topk": 2048}"#,
    );
    assert_eq!(bf16(&sparse, tp(8)).token_bytes(), 78_324.0);
}

#[test]
fn a_window_costs_a_request_and_not_a_token() {
    // gpt-oss-20b: 12 full layers × 2 × 8 × 64 × 2 = 24 576 a token; the same in 12 layers of 128 tokens.
    let types: Vec<&str> = (0..24)
        .map(|layer| {
            if layer % 2 == 0 {
                "\"sliding_attention\""
            } else {
                "\"full_attention\""
            }
        })
        .collect();
    let oss = config(&format!(
        r#"{{"model_type": "gpt_oss", "num_hidden_layers": 24, "hidden_size": 2880, "num_attention_heads": 64,
            "num_key_value_heads": 8, "head_dim": 64, "sliding_window": 128, "layer_types": [{}]}}"#,
        types.join(",")
    ));
    let cache = bf16(&oss, tp(1));
    assert_eq!(
        (cache.token_bytes(), cache.window_token_bytes),
        (24_576.0, 24_576.0)
    );
    assert_eq!(cache.request_bytes(1000, 1), 24_576.0 * 1128.0);
    assert_eq!(cache.request_bytes(100, 1), 24_576.0 * 200.0);
    // A window may begin within a page: 9 pages of 16 hold 128 tokens wherever they begin.
    assert_eq!(cache.request_bytes(1024, 16), 24_576.0 * (1024.0 + 144.0));
    assert!(!cache.is_uniform());
}

#[test]
fn a_hybrid_keeps_keys_in_some_layers_and_a_state_in_the_others() {
    // Qwen3.5-397B at tp 2: keys of 15 layers × 1 head × 256 × 2 bytes = 7680.
    // 45 states: 32 heads × 128 × 128 × 4 bytes = 2 097 152, and 3 tokens of (2 × 16 + 64) × 128 / 2 channels × 2 bytes = 36 864.
    let qwen = config(
        r#"{"model_type": "qwen3_5_moe_text", "num_hidden_layers": 60, "hidden_size": 4096, "num_attention_heads": 32,
            "num_key_value_heads": 2, "head_dim": 256, "full_attention_interval": 4, "linear_num_key_heads": 16,
            "linear_num_value_heads": 64, "linear_key_head_dim": 128, "linear_value_head_dim": 128,
            "linear_conv_kernel_dim": 4, "mamba_ssm_dtype": "float32"}"#,
    );
    let cache = bf16(&qwen, tp(2));
    assert_eq!(
        (cache.k_bytes, cache.token_layers, cache.state_layers),
        (7680.0, 15, 45)
    );
    assert_eq!(cache.state_bytes, 45.0 * (2_097_152.0 + 36_864.0));
}

#[test]
fn mamba_keeps_a_state_and_no_token() {
    // Two of Nemotron-3-Nano's layers: 64 heads × 64 × 128 × 4 bytes, and 3 × (4096 + 2 × 8 × 128) × 2 bytes.
    let mamba = config(
        r#"{"model_type": "nemotron_h", "num_hidden_layers": 2, "hybrid_override_pattern": "MM", "hidden_size": 2688,
            "num_attention_heads": 32, "mamba_num_heads": 64, "mamba_head_dim": 64, "ssm_state_size": 128,
            "conv_kernel": 4, "n_groups": 8, "mamba_ssm_cache_dtype": "float32"}"#,
    );
    let cache = bf16(&mamba, tp(1));
    assert_eq!(cache.token_bytes(), 0.0);
    assert_eq!(cache.state_bytes, 2.0 * (2_097_152.0 + 36_864.0));
}

#[test]
fn types_of_keys_have_their_scales() {
    let one = config(
        r#"{"num_hidden_layers": 1, "hidden_size": 128, "num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 128}"#,
    );
    let bytes = KvDtype::ALL.map(|dtype| KvCache::of(&one, tp(1), dtype).token_bytes());
    assert_eq!(bytes, [1024.0, 512.0, 256.0, 264.0, 144.0]);
}

#[test]
fn what_is_not_known_is_counted_as_not_known() {
    let unknown = config(r#"{"num_hidden_layers": 2, "layer_types": ["new_attention", "full_attention"]}"#);
    assert_eq!(bf16(&unknown, tp(1)).partial_layers, 2);
    let compressed = config(
        r#"{"model_type": "deepseek_v4", "num_hidden_layers": 2, "num_attention_heads": 64, "num_key_value_heads": 1,
            "head_dim": 512, "index_head_dim": 128, "compress_ratios": [4, 128]}"#,
    );
    let cache = bf16(&compressed, tp(1));
    // One vector of 512 in bf16 for 4 and for 128 tokens, and an indexer's key for 4.
    assert_eq!(cache.token_bytes(), 1024.0 / 4.0 + 132.0 / 4.0 + 1024.0 / 128.0);
    assert_eq!(cache.partial_layers, 2);
}
