//! Short names of real-looking kernels, for people to judge: each row was read by eye.

use std::collections::BTreeMap;

use torch_trace::kernel_name::{SHORT_NAME_CHARS, short};

const NAMES: [(&str, &str); 44] = [
    // ATen.
    (
        "void at::native::(anonymous namespace)::cunn_SoftMaxForward<8, c10::BFloat16, float, c10::BFloat16, at::native::(anonymous namespace)::SoftMaxForwardEpilogue>(c10::BFloat16*, c10::BFloat16 const*, int)",
        "cunn_SoftMaxForward<8, bf16>",
    ),
    (
        "void at::native::elementwise_kernel<128, 4, at::native::gpu_kernel_impl_nocast<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda()#3}::operator()() const::{lambda()#12}::operator()() const::{lambda(c10::BFloat16)#1}>(at::TensorIteratorBase&, at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda()#3})::{lambda(int)#1}>(int, int)",
        "elementwise_kernel<direct_copy, bf16>",
    ),
    (
        "void at::native::vectorized_elementwise_kernel<4, at::native::BinaryFunctor<c10::BFloat16, c10::BFloat16, c10::BFloat16, at::native::binary_internal::MulFunctor<float> >, std::array<char*, 3ul> >(int, int)",
        "vectorized_elementwise_kernel<Mul, bf16>",
    ),
    (
        "void at::native::vectorized_elementwise_kernel<4, at::native::AUnaryFunctor<float, float, float, at::native::binary_internal::MulFunctor<float> >, at::detail::Array<char*, 2> >(int, int)",
        "vectorized_elementwise_kernel<Mul, f32>",
    ),
    (
        "void at::native::vectorized_elementwise_kernel<8, at::native::FillFunctor<c10::BFloat16>, std::array<char*, 1ul> >(int, at::native::FillFunctor<c10::BFloat16>)",
        "vectorized_elementwise_kernel<Fill, bf16>",
    ),
    (
        "void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<long>, std::array<char*, 1ul> >(int, at::native::FillFunctor<long>)",
        "vectorized_elementwise_kernel<Fill, i64>",
    ),
    (
        "void at::native::vectorized_elementwise_kernel<4, at::native::GeluCUDAKernelImpl(at::TensorIteratorBase&, at::native::GeluType)::{lambda()#2}::operator()() const::{lambda()#4}::operator()() const::{lambda(c10::BFloat16)#1}, std::array<char*, 2ul> >(int)",
        "vectorized_elementwise_kernel<Gelu, bf16>",
    ),
    (
        "void at::native::vectorized_elementwise_kernel<4, at::native::(anonymous namespace)::pow_tensor_scalar_kernel_impl<float, float>(at::TensorIteratorBase&, float)::{lambda(float)#1}, std::array<char*, 2ul> >(int)",
        "vectorized_elementwise_kernel<pow_tensor_scalar, f32>",
    ),
    (
        "void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::MeanOps<float, float, float, float>, unsigned int, float, 4> >(int)",
        "reduce_kernel<Mean, f32>",
    ),
    (
        "void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::func_wrapper_t<float, at::native::sum_functor<float, float, float>::operator()(at::TensorIterator&)::{lambda(float, float)#1}>, unsigned int, float, 4> >(int)",
        "reduce_kernel<sum, f32>",
    ),
    (
        "void at::native::(anonymous namespace)::CatArrayBatchedCopy<at::native::(anonymous namespace)::OpaqueType<2u>, unsigned int, 3, 64, 64>(int)",
        "CatArrayBatchedCopy<3, 64, 64>",
    ),
    (
        "void at::native::(anonymous namespace)::vectorized_layer_norm_kernel<c10::BFloat16, float>(int, float)",
        "vectorized_layer_norm_kernel<bf16>",
    ),
    (
        "void (anonymous namespace)::elementwise_kernel_with_index<int, at::native::arange_cuda_out(c10::Scalar const&)::{lambda()#1}::operator()() const::{lambda(long)#1}>(int)",
        "elementwise_kernel_with_index<arange, i32>",
    ),
    (
        "void at::native::(anonymous namespace)::multi_tensor_apply_kernel<at::native::(anonymous namespace)::TensorListMetadata<2>, at::native::(anonymous namespace)::CopyFunctor<int, long, 2, 1, 1>, at::native::Copy<int, long> >(int)",
        "multi_tensor_apply_kernel<Copy, i32>",
    ),
    // Matrix products.
    (
        "void cutlass::Kernel2<cutlass_80_tensorop_bf16_s16816gemm_relu_bf16_64x64_64x6_tn_align8>(cutlass_80_tensorop_bf16_s16816gemm_relu_bf16_64x64_64x6_tn_align8::Params)",
        "cutlass_80_tensorop_bf16_s16816gemm_rel…64x64_64x6_tn_align8",
    ),
    (
        "void cutlass::Kernel2<cutlass_75_tensorop_bf16_s1688gemm_bf16_256x128_tn_align1>(cutlass_75_tensorop_bf16_s1688gemm_bf16_256x128_tn_align1::Params)",
        "cutlass_75_tensorop_bf16_s1688gemm_bf16_256x128_tn_align1",
    ),
    (
        "void cutlass::device_kernel<cutlass::gemm::kernel::GemmUniversal<cute::tuple<int, int, int, int>, cutlass::gemm::collective::CollectiveMma<cutlass::gemm::MainloopSm90TmaGmmaWarpSpecialized<4, cute::tuple<cute::C<2>, cute::C<1>, cute::C<1>>>, cute::tuple<cute::C<128>, cute::C<256>, cute::C<64>>, cutlass::bfloat16_t>>>(int)",
        "GemmUniversal<128x256x64, bf16>",
    ),
    (
        "void deep_gemm::sm90_fp8_gemm_1d2d_impl<0u, 4096u, 7168u, 1u, 128u, 128u, 128u, (deep_gemm::GemmType)1, cutlass::bfloat16_t>(float*)",
        "sm90_fp8_gemm_1d2d_impl<0, 4096, 7168, 1, bf16>",
    ),
    (
        "sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize128x128x64_warpgroupsize1x1x1_execute_segment_k_off_kernel__5x_cublas",
        "sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_128x128x64_wg1x1x1",
    ),
    (
        "nvjet_tst_64x64_64x16_2x1_2cta_v_bz_bias_TNT",
        "nvjet_tst_64x64_64x16_2x1_2cta_v_bz_bias_TNT",
    ),
    (
        "void cublasLt::splitKreduce_kernel<32, 16, int, float, __nv_bfloat16, float, __nv_bfloat16, false, float>(int)",
        "splitKreduce_kernel<32, 16, f32>",
    ),
    (
        "std::enable_if<!(false), void>::type internal::gemvx::kernel<int, int, __nv_bfloat16, __nv_bfloat16, __nv_bfloat16, float, false, true>(int)",
        "gemvx::kernel<bf16>",
    ),
    (
        "Cijk_Alik_Bljk_BBS_BH_Bias_HA_S_SAV_UserArgs_MT320x224x64_MI16x16x1_SN_LDSB0_AFC1_AFEM1_AFEM1_ASEM1_CLR1_CADS0",
        "Cijk_Alik_Bljk_BBS_BH MT320x224x64 MI16x16x1",
    ),
    ("_w8a8_block_fp8_matmul", "_w8a8_block_fp8_matmul"),
    // Attention.
    (
        "void cutlass::device_kernel<flash::enable_sm90_or_later<flash::FlashAttnFwdSm90<flash::CollectiveMainloopFwdSm90<2, cute::tuple<cute::C<1>, cute::C<1>, cute::C<1>>, cute::tuple<cute::C<128>, cute::C<176>, cute::C<128>>, 128, cutlass::bfloat16_t, float>>>>(int)",
        "FlashAttnFwdSm90<128x176x128, bf16>",
    ),
    (
        "void pytorch_flash::flash_fwd_kernel<pytorch_flash::Flash_fwd_kernel_traits<64, 128, 128, 4, false, false, cutlass::bfloat16_t>, false, true>(int)",
        "flash_fwd_kernel<64, 128, 128, 4, bf16>",
    ),
    (
        "fmhaSm100aKernel_QkvE4m3OBfloat16H64PagedKvCausalP16VarSeqQ128Kv128PersistentContext",
        "fmhaSm100a QkvE4m3OBf16H64PagedCausalP1…128PersistentContext",
    ),
    (
        "fmhaSm100aKernel_QkvE4m3OBfloat16H64PagedKvSlidingOrChunkedCausalP16VarSeqQ128Kv128PersistentContext",
        "fmhaSm100a QkvE4m3OBf16H64PagedSlidingC…128PersistentContext",
    ),
    (
        "void paged_attention_ll4mi_QKV_mfma16_kernel<0, __hip_bfloat16, __hip_bfloat16, (vllm::Fp8KVCacheDataType)0, 1, 128, 256, false, 4, 1, ck_tile::ComposedAttention<0u, false> >(int)",
        "paged_attention_ll4mi_QKV_mfma16_kernel<1, 128, 256, bf16>",
    ),
    (
        "_ZN7ck_tile6kentryILi2ENS_38FmhaBatchPrefillWithPagedKVCacheKernelINS_40BlockFmhaBatchPrefillPipelineQRKSVSAsyncINS_8sequenceIJLi128ELi128EEEEEEEEEvT1_",
        "FmhaBatchPrefillWithPagedKVCacheKernel",
    ),
    ("kernel_unified_attention_2d", "kernel_unified_attention_2d"),
    // Experts.
    (
        "bmm_MxE4m3_MxE2m1MxE4m3_Fp32_t128x16x256u2_s3_et128x16_m128x16x32_cga1x1x1_16dp256b_rM_TN_transOut_schedP2x1x2x3_biasM_bN_tma_tmaOpt_clmp_swiGlu_dynBatch_sm100f",
        "bmm_MxE4m3_MxE2m1MxE4m3_Fp32_t128x16x25…iGlu_dynBatch_sm100f",
    ),
    (
        "void moe::dev::routing::routingIndicesHistogramKernel<moe::dev::routing::routingRenormalize::KernelParams<__nv_bfloat16, __nv_bfloat16, 128, false, true, true> >(int)",
        "routingIndicesHistogramKernel<128, bf16>",
    ),
    (
        "void vllm::moe::topkGatingSoftmax<8, 128, 4, 16, 32, int, float, (vllm::moe::ScoringFunc)0>(float const*)",
        "topkGatingSoftmax<8, 128, 4, 16, f32>",
    ),
    (
        "_matmul_ogs_NNT_bf16xbf16xmxfp4_128x128x128x1_swiglu",
        "_matmul_ogs_NNT_bf16xbf16xmxfp4_128x128x128x1_swiglu",
    ),
    // The rest of a layer.
    (
        "std::enable_if<(((8)>(0)))&&vllm::_typeConvert<c10::BFloat16>::exists, void>::type vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8>(c10::BFloat16*, long)",
        "fused_add_rms_norm_kernel<8, bf16>",
    ),
    (
        "kernel_cutlass_kernel_flashinfernormkernelsfused_add_rmsnormFusedAddRMSNormKernel_object_at__tensorptrbf16gmemalign128o204820481_tensorptrbf16gmemalign_0",
        "FusedAddRMSNormKernel (CuTe)",
    ),
    (
        "_ZN5aiter24add_rmsnorm_quant_kernelIDF16bDF16bLi256ELi16ELb1ELb0ELb1ELi1EEEvPT0_PT_PfS4_S4_S4_diiiiiiib",
        "add_rmsnorm_quant_kernel<256, 16, 1, bf16>",
    ),
    (
        "_ZN7sgl_hip10activation18act_and_mul_kernelI14__hip_bfloat16TnPFT_RKS3_EXadL_Z4siluIS2_ES3_S5_EEEEvPS3_PS4_i",
        "act_and_mul_kernel<bf16>",
    ),
    (
        "void (anonymous namespace)::fused_rope_store_kernel<true, 128l, true, __nv_bfloat16, long, 16u>((anonymous namespace)::FusedRopeStoreParams)",
        "fused_rope_store_kernel<128, 16, bf16>",
    ),
    (
        "void vllm::reshape_and_cache_flash_kernel<__nv_bfloat16, unsigned char, (vllm::Fp8KVCacheDataType)1>(__nv_bfloat16 const*)",
        "reshape_and_cache_flash_kernel<bf16>",
    ),
    (
        "void (anonymous namespace)::multimem_all_reduce_kernel<c10::BFloat16, 16>(c10::BFloat16*, unsigned long)",
        "multimem_all_reduce_kernel<16, bf16>",
    ),
    (
        "ncclDevKernel_AllGather_RING_LL(ncclDevKernelArgsStorage<4096ul>)",
        "ncclDevKernel_AllGather_RING_LL",
    ),
    (
        "Memcpy DtoH (Device -> Pageable)",
        "Memcpy DtoH (Device -> Pageable)",
    ),
];

#[test]
fn each_name_is_short_and_tells_what_it_is() {
    let shown: Vec<String> = NAMES.iter().map(|(name, _)| short(name)).collect();
    let wanted: Vec<&str> = NAMES.iter().map(|(_, wanted)| *wanted).collect();
    assert_eq!(shown, wanted);
}

#[test]
fn kernels_of_one_trace_stay_apart() {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (name, _) in NAMES {
        let short = short(name);
        assert!(short.chars().count() <= SHORT_NAME_CHARS, "{short}");
        if let Some(other) = seen.insert(short.clone(), name) {
            // The same functor with one operand or two: a short name does not say it.
            assert!(
                short.contains("<Mul,"),
                "`{name}` and `{other}` are both `{short}`"
            );
        }
    }
}
