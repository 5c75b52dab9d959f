//! The real configurations that `aiconfigurator-core` ships; `tests/real/model_configs.sh` fetches them and runs this.

use std::path::Path;

use capacity::Weights;
use model_config::ModelConfig;

use crate::{bf16, tp};

/// File; bytes of a token in bf16 on one rank, by hand; billions of weights that its makers publish, where they do.
const MODELS: [(&str, f64, f64, Option<f64>); 10] = [
    // 2 × 36 × 8 × 128 × 2.
    ("Qwen--Qwen3-8B_config.json", 147_456.0, 0.0, Some(8.19)),
    // 2 × 126 × 8 × 128 × 2.
    (
        "meta-llama--Meta-Llama-3.1-405B_config.json",
        516_096.0,
        0.0,
        Some(405.9),
    ),
    // 2 × 94 × 4 × 128 × 2.
    ("Qwen--Qwen3-235B-A22B_config.json", 192_512.0, 0.0, Some(235.1)),
    // 61 × (512 + 64) × 2.
    ("deepseek-ai--DeepSeek-V3_config.json", 70_272.0, 0.0, Some(671.0)),
    // 18 × 2 × 8 × 64 × 2.
    ("openai--gpt-oss-120b_config.json", 36_864.0, 0.0, Some(116.8)),
    // 15 × 2 × 2 × 256 × 2; 45 × (64 × 128 × 128 × 4 + 3 × 12288 × 2).
    (
        "Qwen--Qwen3.5-397B-A17B_config.json",
        30_720.0,
        192_061_440.0,
        Some(397.0),
    ),
    // 6 × 2 × 2 × 128 × 2; 23 × (64 × 64 × 128 × 4 + 3 × 6144 × 2).
    (
        "nvidia--NVIDIA-Nemotron-3-Nano-30B-A3B-BF16_config.json",
        6144.0,
        49_082_368.0,
        Some(31.6),
    ),
    // 49 × 2 × 8 × 128 × 2; its networks have widths of their own in each layer.
    (
        "nvidia--Llama-3_3-Nemotron-Super-49B-v1_config.json",
        200_704.0,
        0.0,
        None,
    ),
    // 24 × (512 + 64) × 2; 69 × (96 × 128 × 128 × 4 + 3 × 3 × 96 × 128 × 2).
    ("moonshotai--Kimi-K3_config.json", 27_648.0, 449_372_160.0, None),
    // 9 × 4 × (192 + 128) × 2.
    (
        "XiaomiMiMo--MiMo-V2-Flash_config.json",
        23_040.0,
        0.0,
        Some(309.0),
    ),
];

#[test]
#[ignore = "needs SOTA_LOOP_MODEL_CONFIGS: bash tests/real/model_configs.sh"]
fn tokens_and_weights_of_real_models() {
    let folder = std::env::var("SOTA_LOOP_MODEL_CONFIGS").expect("SOTA_LOOP_MODEL_CONFIGS names the folder");
    let mut wrong = Vec::new();
    for (name, token_bytes, state_bytes, billions) in MODELS {
        let bytes = std::fs::read(Path::new(&folder).join(name)).expect("the file can be read");
        let config = ModelConfig::from_slice(&bytes).expect("it is a configuration");
        let cache = bf16(&config, tp(1));
        if (cache.token_bytes(), cache.state_bytes) != (token_bytes, state_bytes) {
            wrong.push(format!(
                "{name}: {} a token, {} a request",
                cache.token_bytes(),
                cache.state_bytes
            ));
        }
        let Some(published) = billions else { continue };
        let counted = Weights::of(&config).expect("all widths are there").total() / 1e9;
        println!("{name}: {counted:.1} billion weights, published {published}");
        if (counted / published - 1.0).abs() > 0.02 {
            wrong.push(format!(
                "{name}: {counted:.1} billion weights, published {published}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
