//! The real files that `aiconfigurator-core` ships; `tests/real/model_configs.sh` fetches them and runs this.

use std::collections::BTreeMap;
use std::path::Path;

use model_config::{AttentionKind, ConfigError, ModelConfig};

use crate::counts;

/// Configurations and quantization files in version 0.12.0.
const CONFIGS: usize = 89;
const QUANTIZATION_FILES: usize = 28;

/// Part of the file names; how many files have it; layer types of each; layers of multi-token prediction; attention.
type Family = (&'static str, usize, &'static str, Option<u64>, AttentionKind);

/// Counted in the files' own lists without this crate; where a file has no list (DeepSeek-V3, Llama 4, Qwen3), by the
/// rules of Transformers 5.10.
const FAMILIES: [Family; 31] = [
    ("Qwen3-8B_", 1, "36 full+dense", None, AttentionKind::Gqa),
    ("Qwen3-30B-A3B", 2, "48 full+moe", None, AttentionKind::Gqa),
    ("Qwen3-235B-A22B", 3, "94 full+moe", None, AttentionKind::Gqa),
    ("Qwen3-VL-30B-A3B", 1, "48 full+moe", None, AttentionKind::Gqa),
    ("Qwen3-VL-8B", 1, "36 full+dense", None, AttentionKind::Gqa),
    (
        "Qwen3.5-397B",
        2,
        "45 linear+moe, 15 full+moe",
        Some(1),
        AttentionKind::Hybrid,
    ),
    (
        "Qwen3.6-27B",
        1,
        "48 linear+dense, 16 full+dense",
        Some(1),
        AttentionKind::Hybrid,
    ),
    ("Llama-3.1-70B", 2, "80 full+dense", None, AttentionKind::Gqa),
    (
        "Llama-4-Scout",
        1,
        "36 chunked+moe, 12 full+moe",
        None,
        AttentionKind::Gqa,
    ),
    (
        "Llama-4-Maverick",
        1,
        "24 chunked+dense, 12 chunked+moe, 12 full+moe",
        None,
        AttentionKind::Gqa,
    ),
    (
        "Nemotron-Super-49B",
        1,
        "49 full+dense, 31 none+dense",
        None,
        AttentionKind::Gqa,
    ),
    ("Mixtral-8x7B", 1, "32 full+moe", None, AttentionKind::Gqa),
    (
        "gpt-oss-120b",
        1,
        "18 sliding+moe, 18 full+moe",
        None,
        AttentionKind::Gqa,
    ),
    (
        "gpt-oss-20b",
        1,
        "12 sliding+moe, 12 full+moe",
        None,
        AttentionKind::Gqa,
    ),
    (
        "emma-4-26B-A4B",
        2,
        "25 sliding+moe, 5 full+moe",
        None,
        AttentionKind::Gqa,
    ),
    (
        "Gemma-4-31B",
        1,
        "50 sliding+dense, 10 full+dense",
        None,
        AttentionKind::Gqa,
    ),
    ("MiMo-7B-Base", 1, "36 full+dense", Some(1), AttentionKind::Gqa),
    (
        "MiMo-V2-Flash",
        1,
        "1 full+dense, 39 sliding+moe, 8 full+moe",
        None,
        AttentionKind::Gqa,
    ),
    (
        "Step-3.7-Flash",
        2,
        "1 full+dense, 2 sliding+dense, 31 sliding+moe, 11 full+moe",
        Some(3),
        AttentionKind::Gqa,
    ),
    ("MiniMax-M2", 4, "62 full+moe", Some(3), AttentionKind::Gqa),
    (
        "MiniMax-M3",
        2,
        "3 full+dense, 57 block-sparse+moe",
        Some(1),
        AttentionKind::Gqa,
    ),
    (
        "DeepSeek-R1",
        1,
        "3 mla+dense, 58 mla+moe",
        Some(1),
        AttentionKind::Mla,
    ),
    (
        "DeepSeek-V3.2",
        2,
        "3 dsa+dense, 58 dsa+moe",
        Some(1),
        AttentionKind::Mla,
    ),
    (
        "DeepSeek-V4-Flash",
        3,
        "2 sliding+hash-moe, 1 c4+hash-moe, 20 c128+moe, 20 c4+moe",
        Some(1),
        AttentionKind::Mqa,
    ),
    (
        "DeepSeek-V4-Pro",
        3,
        "2 c128+hash-moe, 1 c4+hash-moe, 29 c128+moe, 29 c4+moe",
        Some(1),
        AttentionKind::Mqa,
    ),
    (
        "Kimi-K2",
        5,
        "1 mla+dense, 60 mla+moe",
        Some(0),
        AttentionKind::Mla,
    ),
    (
        "Kimi-K3",
        1,
        "1 linear+dense, 68 linear+moe, 24 mla+moe",
        Some(0),
        AttentionKind::Hybrid,
    ),
    (
        "GLM-5.2",
        3,
        "3 dsa+dense, 57 dsa-shared+moe, 18 dsa+moe",
        Some(1),
        AttentionKind::Mla,
    ),
    (
        "Nemotron-3-Nano-30B",
        2,
        "23 mamba+none, 23 none+moe, 6 full+none",
        None,
        AttentionKind::Hybrid,
    ),
    (
        "Nemotron-3-Ultra",
        3,
        "48 mamba+none, 48 none+moe, 12 full+none",
        Some(1),
        AttentionKind::Hybrid,
    ),
    (
        "Nemotron-H-56B",
        1,
        "54 mamba+none, 54 none+dense, 10 full+none",
        None,
        AttentionKind::Hybrid,
    ),
];

#[test]
#[ignore = "needs SOTA_LOOP_MODEL_CONFIGS: bash tests/real/model_configs.sh"]
fn every_file_of_the_wheel_is_read() {
    let folder = std::env::var("SOTA_LOOP_MODEL_CONFIGS").expect("SOTA_LOOP_MODEL_CONFIGS names the folder");
    let mut configs: BTreeMap<String, ModelConfig> = BTreeMap::new();
    let mut quantization_files = 0;
    for entry in std::fs::read_dir(Path::new(&folder)).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a file has a name")
            .to_owned();
        match ModelConfig::from_slice(&std::fs::read(&path).expect("the file can be read")) {
            Err(ConfigError::Quantization) if name.ends_with("_hf_quant_config.json") => {
                quantization_files += 1
            }
            Err(error) => panic!("{name}: {error}"),
            Ok(config) => {
                assert_eq!(config.warnings, [], "{name}");
                assert!(
                    config.architecture.is_some() && config.hidden_size.is_some(),
                    "{name}"
                );
                configs.insert(name, config);
            }
        }
    }
    assert_eq!((configs.len(), quantization_files), (CONFIGS, QUANTIZATION_FILES));
    let mut checked = 0;
    for (part, files, layers, mtp, attention) in FAMILIES {
        let family: Vec<_> = configs.iter().filter(|(name, _)| name.contains(part)).collect();
        assert_eq!(family.len(), files, "{part}");
        for (name, config) in family {
            assert_eq!(counts(config), layers, "{name}");
            assert_eq!(
                (config.mtp_layers, config.attention),
                (mtp, Some(attention)),
                "{name}"
            );
            checked += 1;
        }
    }
    println!(
        "{CONFIGS} configurations read, {QUANTIZATION_FILES} quantization files told apart, layer types checked in {checked}"
    );
}
