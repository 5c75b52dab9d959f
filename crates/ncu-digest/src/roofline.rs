//! Floating-point work against both roofs. Tensor cores execute no counted floating-point instruction and are not in it.

use contracts::ncu_digest::Counter;
use contracts::ncu_digest::kernel::Roofline;
use ncu_report::Kernel;

use crate::fields::{self, Candidates, DRAM_BYTES_PER_CYCLE, DRAM_BYTES_PER_S, DRAM_CLOCK};

/// Work and peak of one type, each for a cycle.
struct Precision {
    name: &'static str,
    /// Additions, products, and fused ones that count twice.
    work: [Candidates; 3],
    peak: Candidates,
}

const PRECISIONS: [Precision; 3] = [
    Precision {
        name: "fp64",
        work: [
            &["smsp__sass_thread_inst_executed_op_dadd_pred_on.sum.per_cycle_elapsed"],
            &["smsp__sass_thread_inst_executed_op_dmul_pred_on.sum.per_cycle_elapsed"],
            &["derived__smsp__sass_thread_inst_executed_op_dfma_pred_on_x2"],
        ],
        peak: &["derived__sm__sass_thread_inst_executed_op_dfma_pred_on_x2"],
    },
    Precision {
        name: "fp32",
        work: [
            &["smsp__sass_thread_inst_executed_op_fadd_pred_on.sum.per_cycle_elapsed"],
            &["smsp__sass_thread_inst_executed_op_fmul_pred_on.sum.per_cycle_elapsed"],
            &["derived__smsp__sass_thread_inst_executed_op_ffma_pred_on_x2"],
        ],
        peak: &["derived__sm__sass_thread_inst_executed_op_ffma_pred_on_x2"],
    },
    // Two to an instruction.
    Precision {
        name: "fp16",
        work: [
            &["derived__smsp__sass_thread_inst_executed_op_hadd_pred_on_x2"],
            &["derived__smsp__sass_thread_inst_executed_op_hmul_pred_on_x2"],
            &["derived__smsp__sass_thread_inst_executed_op_hfma_pred_on_x4"],
        ],
        peak: &["derived__sm__sass_thread_inst_executed_op_hfma_pred_on_x4"],
    },
];

const SMSP_CLOCK: Candidates = &["smsp__cycles_elapsed.avg.per_second"];
const CORE_CLOCK: Candidates = &["sm__cycles_elapsed.avg.per_second"];

/// The roofline of the type that most of the work is in; `None` without work or without its metrics.
pub(crate) fn roofline(kernel: &Kernel) -> Option<Roofline> {
    let clock = fields::pick(kernel, SMSP_CLOCK)?;
    let reached = PRECISIONS.iter().filter_map(|precision| {
        let work = fields::sum(kernel, &precision.work)?;
        Some((precision, product(&work, &clock)?))
    });
    let (precision, flops) = reached.max_by(|a, b| a.1.value.get().total_cmp(&b.1.value.get()))?;
    if flops.value.get() <= 0.0 {
        return None;
    }
    let peak = fields::pick(kernel, precision.peak)
        .zip(fields::pick(kernel, CORE_CLOCK))
        .and_then(|(peak, clock)| product(&peak, &clock));
    let dram_peak = fields::pick(kernel, DRAM_BYTES_PER_CYCLE)
        .zip(fields::pick(kernel, DRAM_CLOCK))
        .and_then(|(peak, clock)| product(&peak, &clock));
    let moved = fields::pick(kernel, DRAM_BYTES_PER_S);
    Some(Roofline {
        precision: precision.name.to_owned(),
        intensity: moved.and_then(|moved| fields::quotient(&flops, &moved, 1.0)),
        ridge: peak
            .as_ref()
            .zip(dram_peak.as_ref())
            .and_then(|(peak, dram)| fields::quotient(peak, dram, 1.0)),
        flops_per_s: flops,
        peak_flops_per_s: peak,
        dram_peak,
    })
}

fn product(a: &Counter, b: &Counter) -> Option<Counter> {
    fields::counter(
        a.value.get() * b.value.get(),
        format!("{} × {}", a.metric, b.metric),
    )
}
