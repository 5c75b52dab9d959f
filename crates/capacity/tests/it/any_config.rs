//! Any numbers behind the keys: no panic, nothing infinite, nothing below zero.

use capacity::{Demand, Fits, KvCache, KvDtype, Limits, Parallel, Room, Weights};
use model_config::ModelConfig;
use proptest::prelude::*;

const KEYS: [&str; 30] = [
    "hidden_size",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "v_head_dim",
    "kv_lora_rank",
    "qk_rope_head_dim",
    "qk_nope_head_dim",
    "q_lora_rank",
    "index_head_dim",
    "index_topk",
    "sliding_window",
    "sliding_window_pattern",
    "full_attention_interval",
    "num_kv_shared_layers",
    "global_head_dim",
    "num_global_key_value_heads",
    "linear_num_key_heads",
    "linear_num_value_heads",
    "linear_key_head_dim",
    "linear_value_head_dim",
    "linear_conv_kernel_dim",
    "ssm_state_size",
    "mamba_num_heads",
    "mamba_head_dim",
    "attn_layer_period",
    "num_nextn_predict_layers",
    "intermediate_size",
    "num_experts",
    "vocab_size",
];

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..300, any::<u64>(), Just(0), Just(1)]
}

proptest! {
    #[test]
    fn numbers_behind_every_key(
        layers in 1_u64..70,
        pairs in prop::collection::vec((prop::sample::select(KEYS.to_vec()), number()), 0..14),
        ranks in prop::array::uniform4(1_u64..5000),
        length in any::<u64>(),
        page in any::<u64>(),
    ) {
        let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!(",{key:?}:{value}")).collect();
        let text = format!("{{\"num_hidden_layers\":{layers}{}}}", pairs.concat());
        let config = ModelConfig::from_slice(text.as_bytes()).expect("a count of layers is there");
        let [tp, pp, attention_dp, ep] = ranks;
        let parallel = Parallel { tp, pp, attention_dp, ep };
        for dtype in KvDtype::ALL {
            let cache = KvCache::of(&config, parallel, dtype);
            let all = [cache.token_bytes(), cache.all_kept_bytes(), cache.state_bytes, cache.request_bytes(length, page)];
            prop_assert!(all.iter().all(|bytes| bytes.is_finite() && *bytes >= 0.0), "{text}: {all:?}");
            let draft = KvCache::of_mtp(&config, parallel, dtype).unwrap_or(0.0);
            prop_assert!(draft.is_finite());
        }
        let demand = Demand {
            config: &config, quantization: None, parallel, kv_dtype: KvDtype::Fp8, length, requests: page, page,
            weights_bytes: None, draft_token_bytes: 1.0,
            windows_kept_whole: false,
        };
        let room = Room { device_bytes: 8e10, fraction: 0.9, reserve_bytes: 0.0 };
        if let Fits::No { needed_bytes, available_bytes } = demand.fits(&room) {
            prop_assert!(needed_bytes.is_finite() && needed_bytes > available_bytes, "{text}");
        }
        if let Some(weights) = Weights::of(&config) {
            prop_assert!(weights.rank_bytes(&config, None, parallel).is_finite());
        }
    }

    #[test]
    fn sharing_never_makes_room_smaller(pool in 0_u64..1 << 40, length in any::<u64>(), shared in any::<u64>(), page in 0_u64..300) {
        let limits = Limits { kv_tokens: Some(pool), page, ..Limits::default() };
        let alone = limits.requests(length, 0).map_or(0, |fits| fits.requests);
        let together = limits.requests(length, shared).map_or(0, |fits| fits.requests);
        prop_assert!(together >= alone, "{alone} > {together}");
        prop_assert!(u128::from(alone) * u128::from(length) <= u128::from(pool) || length == 0);
    }
}
