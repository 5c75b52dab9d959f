//! Where each number of a digest is read: metrics by field, the first that a report holds. Names move between versions of
//! Nsight Compute and between GPUs, so most fields have more than one. This table is the only place that knows them.

use contracts::Finite;
use contracts::ncu_digest::Counter;
use ncu_report::Kernel;

/// Metrics of one field, the preferred one first.
pub(crate) type Candidates = &'static [&'static str];

pub(crate) const DURATION: Candidates = &["gpu__time_duration.sum"];
pub(crate) const CYCLES: Candidates = &["gpc__cycles_elapsed.max"];
pub(crate) const SM_CLOCK: Candidates = &[
    "gpc__cycles_elapsed.avg.per_second",
    "smsp__cycles_elapsed.avg.per_second",
];
pub(crate) const DRAM_CLOCK: Candidates = &["dram__cycles_elapsed.avg.per_second"];
pub(crate) const INSTRUCTIONS: Candidates = &["smsp__inst_executed.sum", "sm__inst_executed.sum"];
pub(crate) const PASSES: Candidates = &["profiler__replayer_passes"];

pub(crate) const SM: Candidates = &["sm__throughput.avg.pct_of_peak_sustained_elapsed"];
pub(crate) const MEMORY: Candidates = &["gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed"];
pub(crate) const DRAM: Candidates = &[
    "gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed",
    "dram__throughput.avg.pct_of_peak_sustained_elapsed",
];
pub(crate) const L2: Candidates = &["lts__throughput.avg.pct_of_peak_sustained_elapsed"];
pub(crate) const L1: Candidates = &["l1tex__throughput.avg.pct_of_peak_sustained_active"];

pub(crate) const TENSOR: Candidates = &[
    "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active",
    "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_elapsed",
    "sm__inst_executed_pipe_tensor.avg.pct_of_peak_sustained_active",
    "sm__inst_executed_pipe_tensor_op_hmma.avg.pct_of_peak_sustained_active",
];
pub(crate) const FMA: Candidates = &[
    "sm__pipe_fma_cycles_active.avg.pct_of_peak_sustained_active",
    "sm__inst_executed_pipe_fma.avg.pct_of_peak_sustained_active",
    "sm__pipe_fma_cycles_active.avg.pct_of_peak_sustained_elapsed",
];
pub(crate) const FP64: Candidates = &[
    "sm__inst_executed_pipe_fp64.avg.pct_of_peak_sustained_active",
    "sm__pipe_fp64_cycles_active.avg.pct_of_peak_sustained_active",
    "sm__inst_executed_pipe_fp64_op_fp64.avg.pct_of_peak_sustained_active",
    "sm__pipe_fp64_cycles_active.avg.pct_of_peak_sustained_elapsed",
];
pub(crate) const XU: Candidates = &["sm__inst_executed_pipe_xu.avg.pct_of_peak_sustained_active"];

pub(crate) const OCCUPANCY_THEORETICAL: Candidates = &["sm__maximum_warps_per_active_cycle_pct"];
pub(crate) const OCCUPANCY_ACHIEVED: Candidates = &["sm__warps_active.avg.pct_of_peak_sustained_active"];
/// Blocks of a multiprocessor that each resource allows.
pub(crate) const OCCUPANCY_LIMITS: [(&str, Candidates); 5] = [
    ("blocks", &["launch__occupancy_limit_blocks"]),
    ("registers", &["launch__occupancy_limit_registers"]),
    ("shared_mem", &["launch__occupancy_limit_shared_mem"]),
    ("warps", &["launch__occupancy_limit_warps"]),
    ("barriers", &["launch__occupancy_limit_barriers"]),
];

pub(crate) const ELIGIBLE: Candidates = &["smsp__warps_eligible.avg.per_cycle_active"];
pub(crate) const NO_ELIGIBLE: Candidates = &["smsp__issue_inst0.avg.pct_of_peak_sustained_active"];
pub(crate) const ISSUE_ACTIVE: Candidates = &["smsp__issue_active.avg.per_cycle_active"];
/// Cycles between two instructions of a warp: what stalls are shares of.
pub(crate) const WARP_LATENCY: Candidates = &["smsp__average_warp_latency_per_inst_issued.ratio"];

pub(crate) const LOAD_SECTORS: Candidates = &["l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum"];
pub(crate) const LOAD_REQUESTS: Candidates = &["l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum"];
pub(crate) const STORE_REQUESTS: Candidates = &["l1tex__t_requests_pipe_lsu_mem_global_op_st.sum"];
pub(crate) const LOCAL_LOAD_REQUESTS: Candidates = &["l1tex__t_requests_pipe_lsu_mem_local_op_ld.sum"];
pub(crate) const LOCAL_STORE_REQUESTS: Candidates = &["l1tex__t_requests_pipe_lsu_mem_local_op_st.sum"];
pub(crate) const BYTES_PER_SECTOR: Candidates =
    &["smsp__sass_average_data_bytes_per_sector_mem_global_op_ld.ratio"];
pub(crate) const SECTORS: Candidates = &["memory_l2_theoretical_sectors_global"];
pub(crate) const SECTORS_IDEAL: Candidates = &["memory_l2_theoretical_sectors_global_ideal"];
pub(crate) const LOAD_CONFLICTS: Candidates = &["l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ld.sum"];
pub(crate) const STORE_CONFLICTS: Candidates = &["l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_st.sum"];
pub(crate) const LOAD_WAVEFRONTS: Candidates = &["l1tex__data_pipe_lsu_wavefronts_mem_shared_op_ld.sum"];
pub(crate) const STORE_WAVEFRONTS: Candidates = &["l1tex__data_pipe_lsu_wavefronts_mem_shared_op_st.sum"];
pub(crate) const L1_HITS: Candidates = &["l1tex__t_sector_hit_rate.pct"];
pub(crate) const L2_HITS: Candidates = &["lts__t_sector_hit_rate.pct"];
pub(crate) const SPILLS: Candidates = &["derived__local_spilling_requests"];
pub(crate) const SPILLS_PCT: Candidates = &["derived__local_spilling_requests_pct"];
pub(crate) const LOCAL_LOADS: Candidates = &["sass__inst_executed_local_loads"];
pub(crate) const LOCAL_STORES: Candidates = &["sass__inst_executed_local_stores"];
pub(crate) const DRAM_BYTES_PER_S: Candidates = &["dram__bytes.sum.per_second"];
pub(crate) const DRAM_BYTES_PER_CYCLE: Candidates = &["dram__bytes.sum.peak_sustained"];

pub(crate) const REGISTERS: Candidates = &["launch__registers_per_thread"];
pub(crate) const SHARED: Candidates = &["launch__shared_mem_per_block"];
/// What a block asks for and what the driver takes; their sum where a report has no total.
pub(crate) const SHARED_PARTS: [Candidates; 3] = [
    &["launch__shared_mem_per_block_static"],
    &["launch__shared_mem_per_block_dynamic"],
    &["launch__shared_mem_per_block_driver"],
];
pub(crate) const WAVES: Candidates = &["launch__waves_per_multiprocessor"];
pub(crate) const SM_COUNT: Candidates = &["device__attribute_multiprocessor_count", "launch__sm_count"];

/// The first metric of a field that a kernel has a number of.
pub(crate) fn pick(kernel: &Kernel, candidates: Candidates) -> Option<Counter> {
    candidates
        .iter()
        .find_map(|name| counter(kernel.number(name)?, *name))
}

/// Its number alone.
pub(crate) fn number(kernel: &Kernel, candidates: Candidates) -> Option<f64> {
    pick(kernel, candidates).map(|counter| counter.value.get())
}

/// A number with its metric or formula; `None` where it is not finite.
pub(crate) fn counter(value: f64, metric: impl Into<String>) -> Option<Counter> {
    Some(Counter {
        value: Finite::new(value)?,
        metric: metric.into(),
    })
}

/// A quotient of two fields times a factor, with the formula it came from.
pub(crate) fn quotient(above: &Counter, below: &Counter, factor: f64) -> Option<Counter> {
    let formula = if factor == 1.0 {
        format!("{} / {}", above.metric, below.metric)
    } else {
        format!("{factor} × {} / {}", above.metric, below.metric)
    };
    counter(factor * above.value.get() / below.value.get(), formula)
}

/// A sum of fields, with its formula; `None` where one of them is missing.
pub(crate) fn sum(kernel: &Kernel, fields: &[Candidates]) -> Option<Counter> {
    let parts: Option<Vec<Counter>> = fields.iter().map(|field| pick(kernel, field)).collect();
    let parts = parts?;
    let total = parts.iter().map(|part| part.value.get()).sum();
    let names: Vec<String> = parts.into_iter().map(|part| part.metric).collect();
    counter(total, format!("({})", names.join(" + ")))
}
