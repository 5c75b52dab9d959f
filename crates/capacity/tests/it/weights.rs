//! The number of weights against what the makers of the models publish.

use capacity::{GIB, Parallel, Weights, weight_storage};
use model_config::Quantization;

use crate::{config, tp};

fn quantized(method: &str, bits: Option<u64>, keeps_attention: bool) -> Quantization {
    Quantization {
        method: method.to_owned(),
        bits,
        keeps_attention,
        kv_cache: None,
    }
}

const QWEN3_8B: &str = r#"{"model_type": "qwen3", "num_hidden_layers": 36, "hidden_size": 4096, "intermediate_size": 12288,
    "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936,
    "tie_word_embeddings": false, "torch_dtype": "bfloat16"}"#;

#[test]
fn a_dense_model_is_counted() {
    let qwen = config(QWEN3_8B);
    let weights = Weights::of(&qwen).expect("all widths are there");
    // Attention 4096 × (32 + 2 × 8 + 32) × 128, network 3 × 4096 × 12288, 36 times; twice 151936 × 4096. 8.2 billion.
    assert_eq!(weights.mixers, 36.0 * 4096.0 * 80.0 * 128.0);
    assert_eq!(weights.total(), 8_190_427_136.0);
    let bytes = weights.rank_bytes(&qwen, None, tp(1));
    assert_eq!(bytes, 2.0 * 8_190_427_136.0);
    assert!((bytes / GIB - 15.26).abs() < 0.01);
    assert_eq!(weights.rank_bytes(&qwen, None, tp(4)), bytes / 4.0);
}

#[test]
fn storage_is_of_what_is_quantized() {
    let qwen = config(QWEN3_8B);
    let weights = Weights::of(&qwen).expect("all widths are there");
    let fp8 = weights.rank_bytes(&qwen, Some(&quantized("fp8", None, false)), tp(1));
    assert_eq!(fp8, weights.mixers + weights.dense + 2.0 * weights.embeddings);
    assert_eq!(weight_storage(&quantized("nvfp4", None, false)), Some(0.5625));
    assert_eq!(
        weight_storage(&quantized("compressed-tensors", Some(4), true)),
        Some(0.54)
    );
    assert_eq!(weight_storage(&quantized("mixed_precision", None, false)), None);
}

#[test]
fn replicas_of_attention_keep_all_of_it() {
    let qwen = config(QWEN3_8B);
    let weights = Weights::of(&qwen).expect("all widths are there");
    let replicas = Parallel {
        tp: 4,
        attention_dp: 4,
        ..Parallel::default()
    };
    let more = weights.rank_bytes(&qwen, None, replicas) - weights.rank_bytes(&qwen, None, tp(4));
    assert_eq!(more, 2.0 * weights.mixers * 0.75);
}

/// DeepSeek-V3 on 8 ranks: 61 × 7168 × (1536 + 512 + 64) of its attention and 58 routers of 256 × 7168 are on all of them.
#[test]
fn what_every_rank_keeps_whole_is_not_divided() {
    let deepseek = config(
        r#"{"model_type": "deepseek_v3", "num_hidden_layers": 61, "hidden_size": 7168, "num_attention_heads": 128, "num_key_value_heads": 128,
        "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128,
        "intermediate_size": 18432, "moe_intermediate_size": 2048, "n_routed_experts": 256, "n_shared_experts": 1,
        "first_k_dense_replace": 3, "vocab_size": 129280}"#,
    );
    let weights = Weights::of(&deepseek).expect("all widths are there");
    assert_eq!(weights.replicated, 61.0 * 7168.0 * 2112.0);
    assert_eq!(weights.routers, 58.0 * 7168.0 * 256.0);
    assert!(
        (weights.total() / 671e9 - 1.0).abs() < 0.01,
        "{}",
        weights.total()
    );
    let one = weights.rank_bytes(&deepseek, None, tp(1));
    let of_eight = weights.rank_bytes(&deepseek, None, tp(8));
    let whole = 2.0 * (weights.replicated + weights.routers);
    assert!((of_eight - (one / 8.0 + whole * 7.0 / 8.0)).abs() < 1.0);
}

/// A scale belongs to a vector of keys, not to each weight.
#[test]
fn a_weight_of_one_byte_is_one_byte() {
    for (dtype, bytes) in [
        ("int8", 1.0),
        ("float8_e4m3fn", 1.0),
        ("fp4", 0.5),
        ("float32", 4.0),
    ] {
        let model = config(&QWEN3_8B.replace("bfloat16", dtype));
        let weights = Weights::of(&model).expect("all widths are there");
        assert_eq!(
            weights.rank_bytes(&model, None, tp(1)),
            bytes * weights.total(),
            "{dtype}"
        );
    }
}

#[test]
fn a_width_that_is_missing_is_no_zero() {
    let bare =
        config(r#"{"num_hidden_layers": 1, "hidden_size": 64, "num_attention_heads": 1, "vocab_size": 10}"#);
    assert_eq!(Weights::of(&bare), None);
}
