//! Names as the real engines print them on an H100 in BF16: kernels of FlashInfer (SGLang) and of vLLM's own extension,
//! cuBLAS and FlashAttention-3 in both. Paths of Python frames begin with `engine_sim/`, so that nobody takes a simulated
//! trace for a real one; what follows is the module of the real engine.

use super::kernels::Piece;
use crate::flavor::Flavor;

/// How one kernel appears in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) kernel: &'static str,
    /// Family, as profile-tables names it.
    pub(super) family: &'static str,
    pub(super) op: &'static str,
    pub(super) frame: &'static str,
}

const FLASH: &str = "void cutlass::device_kernel<flash::enable_sm90_or_later<flash::FlashAttnFwdSm90<\
    flash::CollectiveMainloopFwdSm90<2, cute::tuple<cute::C<1>, cute::C<1>, cute::C<1> >, cute::tuple<cute::C<128>, \
    cute::C<128>, cute::C<64> >, 64, cutlass::bfloat16_t, float, cutlass::arch::Sm90, true, false, false, true, true, \
    false, false, false, true, true, true, false, false, false> > > >(flash::FlashAttnFwdSm90::Params)";
const ARGMAX: &str = "void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::ArgMaxOps<float>, \
    unsigned int, long, 4, 4> >(at::native::ReduceOp<float, at::native::ArgMaxOps<float>, unsigned int, long, 4, 4>)";
const GATHER: &str = "void at::native::vectorized_gather_kernel<16, long>(char*, char*, long*, int, long, long, long, \
    long, bool)";
const COPY: &str = "Memcpy DtoH (Device -> Pinned)";

/// Names of a kernel; cuBLAS chooses other tiles for prompts than for tokens.
pub(super) fn names(flavor: Flavor, piece: Piece, prompts: bool) -> Names {
    let gemm = |decode: &'static str, prefill: &'static str| if prompts { prefill } else { decode };
    let sglang = flavor == Flavor::Sglang;
    let own = |ours: Names, theirs: Names| if sglang { ours } else { theirs };
    match piece {
        Piece::Embed => own(
            of(
                GATHER,
                "elementwise",
                "aten::embedding",
                "engine_sim/srt/layers/vocab_parallel_embedding.py(470): forward",
            ),
            of(
                GATHER,
                "elementwise",
                "aten::embedding",
                "engine_sim/v1/layers/vocab_parallel_embedding.py(405): forward",
            ),
        ),
        Piece::Norm => own(
            of(
                "void flashinfer::norm::RMSNormKernel<8u, __nv_bfloat16>(__nv_bfloat16*, __nv_bfloat16*, __nv_bfloat16*, \
                 unsigned int, unsigned int, unsigned int, float, float)",
                "norm",
                "sgl_kernel::rmsnorm",
                "engine_sim/srt/layers/layernorm.py(80): forward_cuda",
            ),
            of(
                "void vllm::rms_norm_kernel<c10::BFloat16, 8, 2>(c10::BFloat16*, c10::BFloat16 const*, long, long, long, \
                 long, long, c10::BFloat16 const*, float, int, int)",
                "norm",
                "_C::rms_norm",
                "engine_sim/v1/layers/layernorm.py(22): rms_norm",
            ),
        ),
        Piece::AddNorm => own(
            of(
                "void flashinfer::norm::FusedAddRMSNormKernel<8u, __nv_bfloat16>(__nv_bfloat16*, __nv_bfloat16*, \
                 __nv_bfloat16*, unsigned int, unsigned int, unsigned int, float, float)",
                "norm",
                "sgl_kernel::fused_add_rmsnorm",
                "engine_sim/srt/layers/layernorm.py(88): forward_cuda",
            ),
            of(
                "std::enable_if<(((8)>(0)))&&vllm::_typeConvert<c10::BFloat16>::exists, void>::type \
                 vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8>(c10::BFloat16*, long, c10::BFloat16*, c10::BFloat16 \
                 const*, float, int, int)",
                "norm",
                "_C::fused_add_rms_norm",
                "engine_sim/v1/layers/layernorm.py(40): fused_add_rms_norm",
            ),
        ),
        Piece::Qkv => linear(
            sglang,
            gemm(
                "nvjet_tst_64x8_64x16_4x1_v_bz_TNT",
                "nvjet_tst_128x256_64x4_2x1_v_bz_coopA_TNT",
            ),
            [
                "engine_sim/srt/layers/linear.py(430): forward",
                "engine_sim/v1/layers/linear.py(587): forward",
            ],
        ),
        Piece::Rope => own(
            of(
                "void flashinfer::BatchQKApplyRotaryPosIdsCosSinCacheEnhancedKernel<true, 64u, 8u, 16u, __nv_bfloat16, \
                 __nv_bfloat16, long>(__nv_bfloat16*, __nv_bfloat16*)",
                "rope",
                "sgl_kernel::apply_rope_pos_ids_cos_sin_cache",
                "engine_sim/srt/layers/rotary_embedding.py(230): forward_cuda",
            ),
            of(
                "void vllm::rotary_embedding_kernel<c10::BFloat16, true>(long const*, c10::BFloat16*, c10::BFloat16*, \
                 c10::BFloat16 const*, int, long, long, long, int, int, int)",
                "rope",
                "_C::rotary_embedding",
                "engine_sim/v1/layers/rotary_embedding.py(111): forward_cuda",
            ),
        ),
        Piece::Attention => own(
            of(
                FLASH,
                "attention",
                "sgl_kernel::fwd",
                "engine_sim/srt/layers/attention/flashattention_backend.py(690): forward",
            ),
            of(
                FLASH,
                "attention",
                "vllm::unified_attention_with_output",
                "engine_sim/v1/attention/backends/flash_attn.py(480): forward",
            ),
        ),
        Piece::OutProjection => linear(
            sglang,
            gemm(
                "nvjet_tst_64x8_64x16_4x1_v_bz_splitK_TNT",
                "nvjet_tst_128x128_64x6_2x1_v_bz_TNT",
            ),
            [
                "engine_sim/srt/layers/linear.py(1288): forward",
                "engine_sim/v1/layers/linear.py(1391): forward",
            ],
        ),
        Piece::GateUp => linear(
            sglang,
            gemm(
                "nvjet_tst_128x8_64x12_2x1_v_bz_TNT",
                "nvjet_tst_256x128_64x4_1x2_h_bz_coopA_TNT",
            ),
            [
                "engine_sim/srt/layers/linear.py(431): forward",
                "engine_sim/v1/layers/linear.py(588): forward",
            ],
        ),
        Piece::Activate => own(
            of(
                "void flashinfer::activation::act_and_mul_kernel<__nv_bfloat16, &(float silu<float>(float const&))>\
                 (__nv_bfloat16*, __nv_bfloat16 const*, int)",
                "activation",
                "sgl_kernel::silu_and_mul",
                "engine_sim/srt/layers/activation.py(60): forward_cuda",
            ),
            of(
                "void vllm::act_and_mul_kernel<c10::BFloat16, &(c10::BFloat16 vllm::silu_kernel<c10::BFloat16>\
                 (c10::BFloat16 const&)), true>(c10::BFloat16*, c10::BFloat16 const*, int)",
                "activation",
                "_C::silu_and_mul",
                "engine_sim/v1/layers/activation.py(72): forward_cuda",
            ),
        ),
        Piece::Down => linear(
            sglang,
            gemm(
                "nvjet_tst_64x8_64x16_2x1_v_bz_splitK_TNT",
                "nvjet_tst_128x192_64x5_2x1_v_bz_TNT",
            ),
            [
                "engine_sim/srt/layers/linear.py(1289): forward",
                "engine_sim/v1/layers/linear.py(1392): forward",
            ],
        ),
        Piece::Logits => linear(
            sglang,
            gemm(
                "nvjet_tst_192x8_64x8_4x1_v_bz_TNT",
                "nvjet_tst_192x16_64x8_4x1_v_bz_TNT",
            ),
            [
                "engine_sim/srt/layers/logits_processor.py(440): forward",
                "engine_sim/v1/layers/logits_processor.py(71): forward",
            ],
        ),
        Piece::Sample => own(
            of(
                ARGMAX,
                "sampling",
                "aten::argmax",
                "engine_sim/srt/layers/sampler.py(84): forward",
            ),
            of(
                ARGMAX,
                "sampling",
                "aten::argmax",
                "engine_sim/v1/sample/sampler.py(96): forward",
            ),
        ),
        Piece::CopyOut => own(
            of(
                COPY,
                "memcpy",
                "aten::copy_",
                "engine_sim/srt/managers/tp_worker.py(470): copy_next_token_ids",
            ),
            of(
                COPY,
                "memcpy",
                "aten::copy_",
                "engine_sim/v1/worker/gpu_model_runner.py(2930): copy_sampled_token_ids",
            ),
        ),
    }
}

const fn of(kernel: &'static str, family: &'static str, op: &'static str, frame: &'static str) -> Names {
    Names {
        kernel,
        family,
        op,
        frame,
    }
}

fn linear(sglang: bool, kernel: &'static str, frames: [&'static str; 2]) -> Names {
    of(kernel, "gemm", "aten::mm", frames[usize::from(!sglang)])
}

/// The frames of the scheduler and the model around a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HostFrames {
    /// The loop.
    pub(super) event_loop: &'static str,
    /// Choosing a batch: once a round.
    pub(super) schedule: &'static str,
    /// Around preparation and forward pass.
    pub(super) run_batch: &'static str,
    /// The batch on its way to the device.
    pub(super) prepare: &'static str,
    /// Around the forward pass.
    pub(super) forward: &'static str,
    /// Around a graph launch.
    pub(super) replay: &'static str,
    /// Around the layers.
    pub(super) model: &'static str,
    /// Around one layer.
    pub(super) layer: &'static str,
    /// Results to tokens, tokens to clients.
    pub(super) results: &'static str,
}

/// The frames of a flavour.
pub(super) fn host_frames(flavor: Flavor) -> HostFrames {
    match flavor {
        Flavor::Sglang => HostFrames {
            event_loop: "engine_sim/srt/managers/scheduler.py(780): event_loop_normal",
            schedule: "engine_sim/srt/managers/scheduler.py(1640): get_next_batch_to_run",
            run_batch: "engine_sim/srt/managers/scheduler.py(1920): run_batch",
            prepare: "engine_sim/srt/managers/schedule_batch.py(1600): get_model_worker_batch",
            forward: "engine_sim/srt/model_executor/model_runner.py(1850): forward",
            replay: "engine_sim/srt/model_executor/cuda_graph_runner.py(760): replay",
            model: "engine_sim/srt/models/qwen2.py(340): forward",
            layer: "engine_sim/srt/models/qwen2.py(245): forward",
            results: "engine_sim/srt/managers/scheduler_output_processor_mixin.py(180): process_batch_result",
        },
        Flavor::Vllm => HostFrames {
            event_loop: "engine_sim/v1/engine/core.py(700): run_busy_loop",
            schedule: "engine_sim/v1/core/sched/scheduler.py(180): schedule",
            run_batch: "engine_sim/v1/engine/core.py(290): step",
            prepare: "engine_sim/v1/worker/gpu_model_runner.py(1010): _prepare_inputs",
            forward: "engine_sim/v1/worker/gpu_model_runner.py(2907): execute_model",
            replay: "engine_sim/v1/compilation/cuda_graph.py(200): replay",
            model: "engine_sim/v1/models/qwen2.py(330): forward",
            layer: "engine_sim/v1/models/qwen2.py(240): forward",
            results: "engine_sim/v1/core/sched/scheduler.py(890): update_from_output",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_says_that_it_is_simulated() {
        for flavor in [Flavor::Sglang, Flavor::Vllm] {
            let host = host_frames(flavor);
            let all = [
                host.event_loop,
                host.schedule,
                host.run_batch,
                host.prepare,
                host.forward,
                host.replay,
                host.model,
                host.layer,
                host.results,
            ];
            assert!(
                all.iter().all(|frame| frame.starts_with("engine_sim/")),
                "{all:?}"
            );
            for piece in [Piece::Qkv, Piece::Attention, Piece::Sample, Piece::CopyOut] {
                assert!(names(flavor, piece, true).frame.starts_with("engine_sim/"));
            }
        }
    }
}
