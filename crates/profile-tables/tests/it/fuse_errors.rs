//! Fusions that matching on loose words gets wrong, one test an error; and the rules of matching.

use profile_tables::fuse::{Catalogue, Context, Finding, Node, State, find};
use proptest::prelude::*;
use torch_trace::family::family_of;

use super::stream;

fn index(name: &str) -> usize {
    Catalogue::builtin()
        .patterns
        .iter()
        .position(|pattern| pattern.name == name)
        .unwrap_or_else(|| panic!("no row `{name}`"))
}

fn found(names: &[&str], context: &Context<'_>) -> Vec<Finding> {
    find(Catalogue::builtin(), &stream(names, 10_000), context)
}

const ADD_RMS_NORM: &str = "void vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8>(c10::BFloat16*)";
const ALL_REDUCE: &str =
    "void (anonymous namespace)::multimem_all_reduce_kernel<c10::BFloat16, 16>(c10::BFloat16*)";
const COPY: &str = "Memcpy DtoD (Device -> Device)";
const NVJET: &str = "nvjet_tst_64x64_64x16_2x1_2cta_v_bz_bias_TNT";

#[test]
fn expert_products_are_no_norm_with_quantisation() {
    let findings = found(
        &[
            "_ZN7ck_tile6kentryILi1ENS_12Rmsnorm2dFwdINS_1XEEEEEvT0_",
            "_matmul_ogs_NNT_bf16xbf16xmxfp4_128x128x128x1_swiglu",
            "_matmul_ogs_NNT_bf16xbf16xmxfp4_128x128x128x1",
            "_finalize_matmul_scatter_bf16",
        ],
        &Context::default(),
    );
    for finding in &findings {
        assert_ne!(
            finding.state,
            State::Split,
            "{}",
            Catalogue::builtin().patterns[finding.pattern].name
        );
    }
}

#[test]
fn paged_attention_is_no_write_to_the_cache() {
    let findings = found(
        &[
            "void vllm::rotary_embedding_kernel<c10::BFloat16, true>(long const*)",
            "void paged_attention_ll4mi_QKV_mfma16_kernel<0, __hip_bfloat16, __hip_bfloat16, (vllm::Fp8KVCacheDataType)0, 1, 128, 256>(int)",
        ],
        &Context::default(),
    );
    assert_eq!(findings[index("RoPE + KV-cache write")].state, State::Absent);
}

#[test]
fn a_bf16_product_of_cublas_calls_for_no_fp8_kernel() {
    let findings = found(
        &[
            ADD_RMS_NORM,
            NVJET,
            "void vllm::act_and_mul_kernel<c10::BFloat16, int, true>(int)",
            NVJET,
        ],
        &Context::default(),
    );
    for finding in &findings {
        assert_ne!(
            finding.state,
            State::Split,
            "{}",
            Catalogue::builtin().patterns[finding.pattern].name
        );
    }
}

#[test]
fn all_reduce_and_norm_are_found_by_the_world_size_of_the_trace() {
    let layer = [COPY, ALL_REDUCE, COPY, ADD_RMS_NORM, NVJET];
    let names: Vec<&str> = layer.iter().copied().cycle().take(5 * 36).collect();
    let row = index("all-reduce + RMSNorm, NVIDIA");
    let tp8 = Context {
        world_size: Some(8),
        gpu_arch: Some("sm100"),
        engine: Some("vllm"),
        dtypes: None,
    };
    let finding = &found(&names, &tp8)[row];
    assert_eq!((finding.state, finding.occurrences), (State::Split, 36));
    assert_eq!(
        finding.related_ns,
        36 * 30_000,
        "two copies and the norm, not the all-reduce"
    );
    assert_eq!(
        found(
            &names,
            &Context {
                world_size: Some(1),
                ..tp8
            }
        )[row]
            .state,
        State::Absent
    );
    assert_eq!(
        found(
            &names,
            &Context {
                gpu_arch: Some("gfx942"),
                ..tp8
            }
        )[row]
            .state,
        State::Absent
    );
}

#[test]
fn a_fused_kernel_is_present_and_saves_nothing() {
    let fused = "void flashinfer::trtllm_allreduce_fusion::allreduce_fusion_kernel_oneshot_lamport<(flashinfer::trtllm_allreduce_fusion::AllReduceFusionPattern)1, __nv_bfloat16, 8>(int)";
    let finding = &found(&[NVJET, fused, NVJET], &Context::default())[index("all-reduce + RMSNorm, NVIDIA")];
    assert_eq!(
        (finding.state, finding.occurrences, finding.related_ns),
        (State::Present, 1, 0)
    );
}

#[test]
fn the_longest_match_has_its_kernels_alone() {
    let catalogue = Catalogue::builtin();
    let findings = found(
        &[
            ALL_REDUCE,
            ADD_RMS_NORM,
            "void vllm::scaled_fp8_quant_kernel_strided<c10::BFloat16, c10::Float8_e4m3fn>(int)",
        ],
        &Context {
            world_size: Some(8),
            gpu_arch: Some("sm100"),
            ..Context::default()
        },
    );
    let split: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.state == State::Split)
        .map(|finding| catalogue.patterns[finding.pattern].name.as_str())
        .collect();
    assert_eq!(split, ["all-reduce + RMSNorm + FP8 quantisation"]);
    let shorter = &findings[index("all-reduce + RMSNorm, NVIDIA")];
    assert_eq!(
        shorter.covered_by,
        Some(index("all-reduce + RMSNorm + FP8 quantisation"))
    );
}

#[test]
fn kernels_in_between_break_a_sequence() {
    let row = index("RoPE + KV-cache write");
    let rope = "void vllm::rotary_embedding_kernel<c10::BFloat16, true>(int)";
    let write = "void vllm::reshape_and_cache_flash_kernel<__nv_bfloat16, __nv_bfloat16>(int)";
    assert_eq!(
        found(&[rope, write], &Context::default())[row].state,
        State::Split
    );
    assert_eq!(
        found(&[rope, NVJET, write], &Context::default())[row].state,
        State::Absent
    );
}

proptest! {
    // Each case looks for every row in every kernel; without optimisation that takes its time.
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any order of real names, any durations: kernels are counted once, savings stay within what is removed.
    #[test]
    fn nothing_is_counted_twice(
        picks in proptest::collection::vec((any::<prop::sample::Index>(), -5_i64..100_000), 0..120),
        world_size in proptest::option::of(1_u32..9),
    ) {
        let catalogue = Catalogue::builtin();
        let names: Vec<&String> =
            catalogue.patterns.iter().flat_map(|pattern| pattern.matches.iter().chain(&pattern.near_misses)).flatten().collect();
        let nodes: Vec<Node<'_>> = picks
            .iter()
            .map(|(pick, dur_ns)| {
                let name = names[pick.index(names.len())];
                Node { name, family: family_of(name), dur_ns: *dur_ns }
            })
            .collect();
        let findings = find(catalogue, &nodes, &Context { world_size, ..Context::default() });
        prop_assert_eq!(findings.len(), catalogue.patterns.len());
        let mut taken = vec![false; nodes.len()];
        for finding in &findings {
            prop_assert!((0..=finding.related_ns).contains(&finding.estimated_saving_ns));
            prop_assert_eq!(finding.occurrences, finding.positions.len() as u64);
            if finding.state == State::Split {
                for at in finding.positions.iter().flatten() {
                    prop_assert!(!std::mem::replace(&mut taken[*at], true), "kernel {} counted twice", at);
                }
            }
        }
    }

    /// Names that nobody has seen.
    #[test]
    fn any_names_are_survived(names in proptest::collection::vec(any::<String>(), 0..20)) {
        let _ = find(Catalogue::builtin(), &stream(&names, 1), &Context::default());
    }
}
