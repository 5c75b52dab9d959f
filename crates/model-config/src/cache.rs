//! What the layers keep of a token or of a request: widths of keys and values, and of states of fixed size.

use serde_json::{Map, Value};

use crate::json::{number, whole};

/// Widths of what is kept. What the configuration does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheDims {
    /// Keys and values of a layer that sees the whole context.
    pub full: Option<HeadDims>,
    /// Keys and values of a layer with a window; those of [`CacheDims::full`] unless they are named apart.
    pub windowed: Option<HeadDims>,
    /// Tokens that a layer with a window or with chunks keeps.
    pub window_tokens: Option<u64>,
    /// Last attention layers that take the keys and values of an earlier one (Gemma 3n).
    pub shared_layers: u64,
    /// Width of the key that an indexer keeps of each token (DeepSeek sparse attention).
    pub index_head_dim: Option<u64>,
    /// State of a linear attention layer.
    pub linear: Option<StateDims>,
    /// State of a Mamba layer.
    pub mamba: Option<StateDims>,
    /// Tokens times width of a short convolution (LFM2).
    pub conv_elements: Option<u64>,
    /// Type of the recurrent state, as named; engines take float32 where it is not.
    pub state_dtype: Option<String>,
}

/// Keys and values of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadDims {
    /// Heads of keys and values.
    pub kv_heads: u64,
    /// Width of a key.
    pub k_dim: u64,
    /// Width of a value.
    pub v_dim: u64,
}

/// A recurrent state and the short convolution before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateDims {
    /// Heads of the state, which tensor parallelism divides.
    pub heads: u64,
    /// Width of what comes out of all heads.
    pub inner: u64,
    /// Elements of the state of one head.
    pub head_elements: u64,
    /// Channels of the convolution that tensor parallelism divides.
    pub conv_channels: u64,
    /// Tokens that the convolution keeps: its kernel less one.
    pub conv_tokens: u64,
}

/// Reads the widths.
pub(crate) fn cache_dims(object: &Map<String, Value>, query: Option<u64>, kv: Option<u64>) -> CacheDims {
    let get = |keys: &[&str]| number(object, keys);
    let hidden = get(&["hidden_size", "n_embd", "d_model"]);
    let divided = || hidden?.checked_div(query?);
    let k_dim = get(&["head_dim", "attention_head_dim"]).or_else(divided);
    // A head width of latent attention is none of a value that is kept.
    let latent = get(&["kv_lora_rank"]).is_some_and(|rank| rank > 0);
    let v_dim = get(&["v_head_dim"]).filter(|_| !latent).or(k_dim);
    let kv_heads = kv.or(query);
    let heads = |kv_heads: Option<u64>, k_dim: Option<u64>, v_dim: Option<u64>| {
        Some(HeadDims {
            kv_heads: kv_heads?,
            k_dim: k_dim?,
            v_dim: v_dim?,
        })
    };
    let plain = heads(kv_heads, k_dim, v_dim);
    // Gemma 4 names the layers that see everything apart, MiMo-V2 those that have a window.
    let global = get(&["global_head_dim"]);
    let full = heads(
        get(&["num_global_key_value_heads"]).or(kv_heads),
        global.or(k_dim),
        global.or(v_dim),
    );
    let windowed = heads(
        get(&["swa_num_key_value_heads"]).or(kv_heads),
        get(&["swa_head_dim"]).or(k_dim),
        get(&["swa_v_head_dim"])
            .or_else(|| get(&["swa_head_dim"]))
            .or(v_dim),
    );
    CacheDims {
        full: full.or(plain),
        windowed: windowed.or(plain),
        window_tokens: get(&["sliding_window", "sliding_window_size"])
            .filter(|window| *window > 0)
            .or_else(|| get(&["attention_chunk_size"])),
        shared_layers: get(&["num_kv_shared_layers"]).unwrap_or(0),
        index_head_dim: get(&["index_head_dim"]),
        linear: linear(object, query, k_dim),
        mamba: mamba(object, hidden),
        conv_elements: get(&["conv_L_cache"]).and_then(|tokens| tokens.checked_mul(hidden?)),
        state_dtype: ["mamba_ssm_dtype", "mamba_ssm_cache_dtype"]
            .iter()
            .find_map(|key| crate::json::name(object, key)),
    }
}

/// Gated delta nets, KDA, and lightning attention, which has no convolution.
fn linear(object: &Map<String, Value>, query: Option<u64>, head_dim: Option<u64>) -> Option<StateDims> {
    let get = |key: &str| number(object, &[key]);
    if let Some(kda) = object.get("linear_attn_config").and_then(Value::as_object) {
        let get = |key: &str| kda.get(key).and_then(whole);
        let (heads, dim) = (get("num_heads")?, get("head_dim")?);
        return Some(StateDims {
            heads,
            inner: heads.checked_mul(dim)?,
            head_elements: dim.checked_mul(dim)?,
            conv_channels: heads.checked_mul(dim)?.checked_mul(3)?,
            conv_tokens: get("short_conv_kernel_size").map_or(0, |kernel| kernel.saturating_sub(1)),
        });
    }
    if let Some(heads) = get("linear_num_value_heads") {
        let (key_dim, value_dim) = (get("linear_key_head_dim")?, get("linear_value_head_dim")?);
        let keys = get("linear_num_key_heads")?
            .checked_mul(key_dim)?
            .checked_mul(2)?;
        return Some(StateDims {
            heads,
            inner: heads.checked_mul(value_dim)?,
            head_elements: key_dim.checked_mul(value_dim)?,
            conv_channels: keys.checked_add(heads.checked_mul(value_dim)?)?,
            conv_tokens: get("linear_conv_kernel_dim").map_or(0, |kernel| kernel.saturating_sub(1)),
        });
    }
    Some(StateDims {
        heads: query?,
        inner: query?.checked_mul(head_dim?)?,
        head_elements: head_dim?.checked_mul(head_dim?)?,
        conv_channels: 0,
        conv_tokens: 0,
    })
}

/// Mamba 2 by its heads, and Mamba 1, whose inner width stands for heads of width one.
fn mamba(object: &Map<String, Value>, hidden: Option<u64>) -> Option<StateDims> {
    let get = |keys: &[&str]| number(object, keys);
    let state = get(&["ssm_state_size", "mamba_d_state", "state_size"])?;
    let kernel = get(&["conv_kernel", "mamba_d_conv"]).unwrap_or(4);
    let conv_tokens = kernel.saturating_sub(1);
    let head_dim = get(&["mamba_head_dim", "mamba_d_head", "mamba_headdim"]);
    if let (Some(heads), Some(dim)) = (get(&["mamba_num_heads", "mamba_n_heads"]), head_dim) {
        let groups = get(&["n_groups", "mamba_n_groups", "mamba_ngroups"]).unwrap_or(1);
        let shared = groups.checked_mul(state)?.checked_mul(2)?;
        return Some(StateDims {
            heads,
            inner: heads.checked_mul(dim)?,
            head_elements: dim.checked_mul(state)?,
            conv_channels: heads.checked_mul(dim)?.checked_add(shared)?,
            conv_tokens,
        });
    }
    let inner = get(&["intermediate_size"])
        .filter(|_| object.get("mamba_expand").is_none())
        .or_else(|| hidden?.checked_mul(get(&["mamba_expand", "expand"])?))?;
    Some(StateDims {
        heads: inner,
        inner,
        head_elements: state,
        conv_channels: inner,
        conv_tokens,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dims(text: &str) -> CacheDims {
        let object = crate::json::parse(text.as_bytes()).unwrap();
        cache_dims(
            &object,
            number(&object, &["num_attention_heads"]),
            number(&object, &["num_key_value_heads"]),
        )
    }

    fn heads(kv_heads: u64, k_dim: u64, v_dim: u64) -> Option<HeadDims> {
        Some(HeadDims {
            kv_heads,
            k_dim,
            v_dim,
        })
    }

    #[test]
    fn heads_are_divided_or_named_and_may_differ_by_kind_of_layer() {
        let plain = dims(r#"{"hidden_size": 4096, "num_attention_heads": 32}"#);
        assert_eq!(
            (plain.full, plain.windowed),
            (heads(32, 128, 128), heads(32, 128, 128))
        );
        let gemma = dims(
            r#"{"num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 256, "global_head_dim": 512,
                "num_global_key_value_heads": 2, "sliding_window": 1024}"#,
        );
        assert_eq!(
            (gemma.full, gemma.windowed),
            (heads(2, 512, 512), heads(8, 256, 256))
        );
        let mimo = dims(
            r#"{"num_attention_heads": 64, "num_key_value_heads": 4, "head_dim": 192, "v_head_dim": 128,
                "swa_num_key_value_heads": 8, "swa_head_dim": 192, "swa_v_head_dim": 128}"#,
        );
        assert_eq!(
            (mimo.full, mimo.windowed),
            (heads(4, 192, 128), heads(8, 192, 128))
        );
    }

    #[test]
    fn states_have_heads_and_a_convolution() {
        let qwen = dims(
            r#"{"linear_num_key_heads": 16, "linear_num_value_heads": 64, "linear_key_head_dim": 128,
                "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4, "mamba_ssm_dtype": "float32"}"#,
        );
        let state = qwen.linear.unwrap();
        // 2 × 16 × 128 + 64 × 128 channels, three tokens of them.
        assert_eq!((state.heads, state.head_elements), (64, 128 * 128));
        assert_eq!((state.conv_channels, state.conv_tokens), (12_288, 3));
        assert_eq!(qwen.state_dtype.as_deref(), Some("float32"));
        let nano = dims(
            r#"{"mamba_num_heads": 64, "mamba_head_dim": 64, "ssm_state_size": 128, "conv_kernel": 4, "n_groups": 8}"#,
        );
        let state = nano.mamba.unwrap();
        assert_eq!(
            (state.heads, state.head_elements, state.conv_channels),
            (64, 8192, 6144)
        );
    }
}
