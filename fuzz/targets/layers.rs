//! Any sequence of kernels, with any expectation: the passes lie in the stream, in order.

#![no_main]

use libfuzzer_sys::fuzz_target;
use trace_layers::{Detection, Expected, Kernel, detect, detect_at, steady};

/// Kernels of a decoder layer and of what stands around it.
const NAMES: [&str; 16] = [
    "embedding_kernel",
    "fused_add_rms_norm_kernel",
    "nvjet_tst_128x64_64x9_TNT",
    "rotary_embedding_kernel",
    "reshape_and_cache_flash_kernel",
    "fmhaSm100fKernel_QkvE4m3OBfloat16",
    "splitKreduce_kernel",
    "ncclDevKernel_AllReduce_Sum_bf16_RING_LL",
    "act_and_mul_kernel<silu>",
    "topk_softmax_kernel",
    "fused_moe_kernel",
    "selective_scan_update_kernel",
    "chunk_gated_delta_rule_fwd_kernel",
    "causal_conv1d_update_kernel",
    "argmax_kernel",
    "Memcpy DtoH (Device -> Pinned)",
];

fuzz_target!(|bytes: &[u8]| {
    let [layers, starts, rest @ ..] = bytes else {
        return;
    };
    // A byte is a kernel with a duration; a byte of the upper half repeats the kernels before it.
    let mut names: Vec<(usize, i64)> = Vec::new();
    for byte in rest {
        if *byte < 0x80 || names.is_empty() {
            names.push((usize::from(byte & 15), i64::from(byte >> 4)));
        } else {
            let length = (usize::from(byte & 0x1f) + 1).min(names.len());
            let times = usize::from(byte >> 5 & 3) * 6 + 1;
            let from = names.len() - length;
            for _ in 0..times {
                names.extend_from_within(from..from + length);
            }
        }
        if names.len() > 1024 {
            break;
        }
    }
    let mut start_ns = 0;
    let kernels: Vec<Kernel<'_>> = names
        .iter()
        .map(|(name, dur)| {
            let kernel = Kernel {
                name: NAMES[*name],
                start_ns,
                dur_ns: dur * 1000,
            };
            start_ns += dur * 1100;
            kernel
        })
        .collect();
    let expected = Expected {
        num_hidden_layers: (*layers > 0).then_some(usize::from(*layers)),
        layer_types: &[],
    };
    check(&detect(&kernels, &expected), kernels.len());
    let durations: Vec<i64> = kernels.iter().map(|kernel| kernel.dur_ns).collect();
    assert_eq!(steady(&durations).is_none(), durations.is_empty());
    let starts: Vec<usize> = (0..kernels.len()).step_by(usize::from(*starts) + 1).collect();
    check(&detect_at(&kernels, &starts, &expected), kernels.len());
});

/// Ranges follow each other, within the stream.
fn check(detection: &Detection, kernels: usize) {
    assert!((0.0..=1.0).contains(&detection.confidence));
    let mut at = 0;
    for pass in &detection.passes {
        assert_eq!(pass.preamble.start, at);
        at = pass.preamble.end;
        for layer in &pass.layers {
            assert_eq!(layer.kernels.start, at);
            assert!(layer.cluster < detection.clusters);
            at = layer.kernels.end;
        }
        assert_eq!(pass.tail.start, at);
        at = pass.tail.end;
    }
    assert!(at <= kernels);
}
