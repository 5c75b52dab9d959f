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
