//! Streams of made-up models, with names as engines have them and no words of a real trace.

use model_config::{Ffn, LayerType, Mixer};
use trace_layers::{Detection, Expected, Kernel, detect};

/// Kernels of one layer, first its norm.
pub(crate) fn layer(layer_type: LayerType, first: bool) -> Vec<String> {
    let mixer: &[&str] = match layer_type.mixer {
        Mixer::Full => &[
            "gemm_qkv_64x128",
            "rope",
            "write_cache",
            "fmha_causal",
            "gemm_o_128x64",
        ],
        Mixer::Sliding => &[
            "gemm_qkv_64x128",
            "rope",
            "write_cache",
            "fmha_sliding",
            "gemm_o_128x64",
        ],
        Mixer::Mla => &[
            "gemm_a",
            "split",
            "gemm_b",
            "rope",
            "write_latent",
            "mla_decode",
            "merge",
            "gemm_o",
        ],
        Mixer::Linear => &[
            "gemm_in",
            "conv_update",
            "gate",
            "delta_rule_step",
            "gated_out",
            "gemm_out",
        ],
        Mixer::Mamba => &[
            "gemm_in_proj",
            "causal_conv",
            "ssd_scan_a",
            "ssd_scan_b",
            "gemm_out_proj",
        ],
        Mixer::C4 => &[
            "gemm_a",
            "rope",
            "compress_four",
            "index_score",
            "top_pages",
            "fmha_sparse",
            "gemm_o",
        ],
        Mixer::C128 => &["gemm_a", "rope", "compress_many", "fmha_wide", "gemm_o"],
        Mixer::None => &[],
        other => panic!("no kernels for {other:?}"),
    };
    let ffn: &[&str] = match layer_type.ffn {
        Ffn::Dense => &["gemm_gate_up", "silu_and_mul", "gemm_down"],
        Ffn::Moe => &[
            "gemm_router",
            "top_k_gate",
            "sort_tokens",
            "grouped_gemm_1",
            "silu_and_mul",
            "grouped_gemm_2",
            "combine",
        ],
        Ffn::HashMoe => &[
            "token_table",
            "sort_tokens",
            "grouped_gemm_1",
            "silu_and_mul",
            "grouped_gemm_2",
            "combine",
        ],
        Ffn::None => &[],
        other => panic!("no kernels for {other:?}"),
    };
    let mut kernels = vec![if first { "rms_norm" } else { "add_rms_norm" }];
    kernels.extend(mixer);
    if !mixer.is_empty() && !ffn.is_empty() {
        kernels.push("add_rms_norm");
    }
    kernels.extend(ffn);
    kernels.into_iter().map(str::to_owned).collect()
}

/// One pass: preamble, layers, tail.
pub(crate) fn pass(types: &[LayerType]) -> Vec<String> {
    let mut kernels: Vec<String> = ["copy_ids", "fill_positions", "embedding"]
        .map(str::to_owned)
        .to_vec();
    for (index, layer_type) in types.iter().enumerate() {
        kernels.extend(layer(*layer_type, index == 0));
    }
    kernels.extend(["add_rms_norm", "gemm_lm_head", "cast_logits", "argmax"].map(str::to_owned));
    kernels
}

/// Ends of the layers of a pass that starts at this kernel.
pub(crate) fn ends(types: &[LayerType], start: usize) -> Vec<usize> {
    let mut at = start + 3;
    types
        .iter()
        .map(|layer_type| {
            at += layer(*layer_type, false).len();
            at
        })
        .collect()
}

/// What is found in a stream whose kernels take one microsecond each, with one between them.
pub(crate) fn found(names: &[String], expected: &Expected<'_>) -> Detection {
    let kernels: Vec<Kernel<'_>> = names
        .iter()
        .enumerate()
        .map(|(index, name)| Kernel {
            name,
            start_ns: index as i64 * 2_000,
            dur_ns: 1_000,
        })
        .collect();
    detect(&kernels, expected)
}

/// A layer type.
pub(crate) fn of(mixer: Mixer, ffn: Ffn) -> LayerType {
    LayerType { mixer, ffn }
}

/// The same kernels several times.
pub(crate) fn times(names: &[String], count: usize) -> Vec<String> {
    names.iter().cycle().take(names.len() * count).cloned().collect()
}
