//! Names that a looser classifier is known to get wrong, one test an error.

use torch_trace::family::Family::{self, *};
use torch_trace::family::family_of;

fn all(family: Family, names: &[&str]) {
    for name in names {
        assert_eq!(family_of(name), family, "{name}");
    }
}

#[test]
fn flash_attention_3_is_attention_though_it_is_a_cutlass_kernel() {
    all(
        Attention,
        &[
            "void cutlass::device_kernel<flash::FlashAttnFwdSm90<flash::CollectiveMainloopFwdSm90<2, cute::tuple<cute::C<1>>>, flash::CollectiveEpilogueFwd<int>>>(flash::Params)",
            "void cutlass::device_kernel<flash::enable_sm90_or_later<flash::FlashAttnFwdSm90<int>>>(int)",
            "void cutlass::device_kernel<flash::FlashAttnFwdCombine<cute::tuple<cute::C<8>>, 128, cutlass::bfloat16_t>>(int)",
        ],
    );
}

#[test]
fn a_cute_rms_norm_is_norm_though_it_begins_with_kernel_cutlass() {
    all(
        Norm,
        &[
            "kernel_cutlass_kernel_flashinfernormkernelsfused_add_rmsnormFusedAddRMSNormKernel_object_at__tensorptrbf16gmemalign128o204820481_0",
            "kernel_cutlass_kernel_flashinfernormkernelsrmsnormRMSNormKernel_object_at__tensorptrbf16gmemalign128o204820481___True_4__0",
        ],
    );
}

#[test]
fn tensile_products_are_gemm() {
    all(
        Gemm,
        &[
            "Cijk_Alik_Bljk_BBS_BH_Bias_HA_S_SAV_UserArgs_MT256x32x64_MI16x16x1_SN_LDSB1_AFC1",
            "Cijk_Ailk_Bljk_HHS_BH_MT128x128x32_MI32x32x1_SE_K1.kd",
        ],
    );
}

#[test]
fn an_rms_norm_by_inductor_is_norm_and_other_reductions_are_not() {
    all(
        Norm,
        &[
            "triton_red_fused__to_copy_add_mean_mul_pow_rsqrt_0",
            "triton_red_fused__to_copy__unsafe_view_add_mean_mul_pow_rsqrt_slice_2",
        ],
    );
    all(
        Elementwise,
        &[
            "triton_red_fused__to_copy_sum_0",
            "triton_poi_fused__to_copy_1",
            "triton_poi_fused_copy_3",
        ],
    );
}

#[test]
fn a_word_inside_a_word_does_not_count() {
    for name in ["commandbuffer", "void ns::commandbuffer_kernel<int>(int)"] {
        assert_ne!(family_of(name), Gemm, "{name}");
    }
    all(
        Elementwise,
        &["void fbgemm_gpu::permute_2D_data_kernel<false, int, int, float>(int)"],
    );
}

#[test]
fn nvjet_is_gemm_everywhere() {
    all(
        Gemm,
        &[
            "nvjet_tst_64x64_64x16_2x1_2cta_v_bz_bias_TNT",
            "nvjet_sm103_tst_32x64_64x16_4x1_v_bz_splitK_TNN",
            "nvjet_hsh_128x256_64x4_2x1_v_bz_coopA_NTN",
            "nvjet_qqtst_128x64_128x9_4x2_2cta_h_bz_TNT",
        ],
    );
}

#[test]
fn mixture_of_experts_has_its_products_its_gates_and_its_sorting() {
    all(
        Moe,
        &[
            "fused_moe_kernel",
            "fused_moe_kernel_gptq_awq",
            "bmm_MxE4m3_MxE2m1MxE4m3_Fp32_t128x16x256u2_s3_et128x16_m128x16x32_cga1x1x1_16dp256b_rM_TN_transOut_schedP2x1x2x3_biasM_bN_tma_tmaOpt_clmp_swiGlu_dynBatch_sm100f",
            "void moe::dev::routing::routingIndicesOffsetsKernel<moe::dev::routing::routingRenormalize::KernelParams<__nv_bfloat16>>(int)",
            "void vllm::moe::topkGatingSoftmax<8, 128, 4, 16, 32, int, float>(float const*)",
            "void topkGatingSoftmax<float, 8, 128, 4, 16>(float const*)",
            "void moe_align_block_size_kernel<int>(int)",
            "void moe_sum_reduce_kernel<__nv_bfloat16>(int)",
            "void moe_fused_gate_kernel<float, cutlass::Array<float, 32>, 32, 256, 8>(void*)",
            "void tensorrt_llm::kernels::cutlass_kernels::doActivationKernel<__nv_bfloat16, __nv_bfloat16, tensorrt_llm::kernels::cutlass_kernels::GLUAdaptor<cutlass::epilogue::thread::SiLu>>(int)",
            "_ZN7ck_tile6kentryILi1ENS_16MoeSortingKernelINS_1XEEEEEvT0_",
            "_topk_forward",
            "_sum_bitmatrix_rows",
        ],
    );
}

#[test]
fn collectives_are_comm_whatever_is_fused_into_them() {
    all(
        Comm,
        &[
            "void (anonymous namespace)::multimem_all_reduce_kernel<c10::BFloat16, 16>(c10::BFloat16*, unsigned long)",
            "void sglang::cross_device_reduce_2stage<__nv_bfloat16, 8>(sglang::RankData*)",
            "ncclDevKernel_ReduceScatter_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<4096ul>)",
            "ncclKernel_AllReduce_RING_LL_Sum_float(ncclWorkElem)",
            "void rcclGenericKernel<1, false>(int)",
            "void deep_ep::internode::dispatch<false, 8, false>(int4*)",
            "void deep_ep::intranode::combine<__nv_bfloat16, 8, 768, 8192>(__nv_bfloat16*)",
            "void flashinfer::trtllm_allreduce_fusion::allreduce_fusion_kernel_oneshot_lamport<__nv_bfloat16, 8>(int)",
            "void at::native::one_shot_all_reduce_kernel<c10::BFloat16, 16, 8>(int)",
        ],
    );
}

#[test]
fn linear_attention_is_not_attention() {
    all(
        LinearAttention,
        &[
            "fused_recurrent_gated_delta_rule_packed_decode_kernel",
            "chunk_kda_fwd_kernel_inter_solve_fused",
            "_mamba_chunk_scan_combined_fwd",
            "_chunk_state_fwd_kernel",
            "_causal_conv1d_fwd_kernel",
            "void selective_scan_fwd_kernel<Selective_Scan_fwd_kernel_traits<128, 16>>(SSMParamsBase)",
        ],
    );
}

#[test]
fn latent_attention_is_mla() {
    all(
        Mla,
        &[
            "void flash_fwd_splitkv_mla_kernel<Flash_fwd_kernel_traits_mla<576, 64, 64, 8>, true>(Flash_fwd_mla_params)",
            "void flash_fwd_mla_combine_kernel<cutlass::bfloat16_t, float, long, 512>(int)",
            "fmhaSm100fKernel_QkvE4m3OBfloat16HQk576HV512HVPerCta256PagedKvDenseP64",
            "void flashinfer::mla::BatchMLAPagedAttentionKernel<int>(int)",
        ],
    );
}

#[test]
fn hyper_connections_and_hadamard_have_their_own() {
    all(
        Mhc,
        &[
            "mhc_post_tilelang_kernel",
            "mhc_pre_big_fuse_tilelang_kernel",
            "hc_split_sinkhorn_kernel",
        ],
    );
    all(
        Hadamard,
        &["void fast_hadamard_transform_kernel<fast_hadamard_transform_kernel_traits<256, 7>>(int)"],
    );
}

#[test]
fn a_kv_cache_write_is_no_attention() {
    all(
        Elementwise,
        &[
            "void vllm::reshape_and_cache_flash_kernel<__nv_bfloat16, unsigned char, (vllm::Fp8KVCacheDataType)1>(int)",
            "void (anonymous namespace)::store_kvcache<2048l, 4, false, long>(int)",
        ],
    );
}

#[test]
fn top_k_is_sampling_unless_it_gates_experts() {
    all(
        Sampling,
        &[
            "void flashinfer::sampling::TopKTopPSamplingFromProbKernel<1024u, float, int>(int)",
            "void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::ArgMaxOps<float>, unsigned int, long, 4, 4>>(int)",
            "void at::native::(anonymous namespace)::cunn_SoftMaxForward<4, float, float, float, at::native::(anonymous namespace)::SoftMaxForwardEpilogue>(float*)",
            "void at::native::sbtopk::gatherTopK<float, unsigned int, 2, false>(int)",
            "void at::native::(anonymous namespace)::sampleMultinomialOnce<float, float>(long*)",
            "_topk_topp_kernel",
            "_penalties_kernel",
        ],
    );
    all(
        Moe,
        &[
            "void vllm::moe::topkGatingSigmoid<8, 256, 4, 16, 32, int, float>(float const*)",
            "void topk_softmax_kernel<float>(int)",
        ],
    );
}

#[test]
fn memory_events_are_classified_by_name_too() {
    all(
        Memcpy,
        &[
            "Memcpy HtoD (Pinned -> Device)",
            "Memcpy DtoD (Device -> Device)",
            "Memcpy PtoP (Device -> Device)",
        ],
    );
    all(Memset, &["Memset (Device)"]);
}

#[test]
fn any_name_has_a_family_and_an_absurd_one_is_other() {
    for name in [
        "",
        " ",
        "::",
        "<<<>>>",
        "\u{0}",
        "_Z",
        "ünïcode_kérnel",
        "kernel",
        &"x".repeat(1 << 20),
    ] {
        assert_eq!(family_of(name), Other, "{name:.20}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_has_a_family(name in proptest::prelude::any::<String>(), like in "(void )?[a-z]{1,9}(::|_|<|\\(|>|\\)| |[A-Z0-9]){0,9}") {
        let _ = family_of(&name);
        let _ = torch_trace::kernel_name::short(&name);
        let _ = family_of(&like);
        proptest::prop_assert!(torch_trace::kernel_name::short(&like).chars().count() <= 60);
    }
}
