//! Units of metrics. A report does not store them; Nsight Compute knows them by name, and so does this.

/// Units by name, where the rule below is wrong or the digest builds on them. The empty unit is a bare number.
const BY_NAME: [(&str, &str); 98] = [
    ("derived__local_spilling_requests", ""),
    ("derived__memory_l1_wavefronts_shared_excessive", ""),
    ("derived__memory_l2_theoretical_sectors_global_excessive", "byte"),
    ("derived__pct_occupancy_per_block_size", "%"),
    ("derived__pct_occupancy_per_register_count", "%/register"),
    ("derived__pct_occupancy_per_shared_mem_size", "%/byte"),
    (
        "derived__sm__sass_thread_inst_executed_op_dfma_pred_on_x2",
        "thread",
    ),
    (
        "derived__sm__sass_thread_inst_executed_op_ffma_pred_on_x2",
        "thread",
    ),
    (
        "derived__sm__sass_thread_inst_executed_op_hfma_pred_on_x4",
        "thread",
    ),
    (
        "derived__smsp__sass_thread_inst_executed_op_dfma_pred_on_x2",
        "thread",
    ),
    (
        "derived__smsp__sass_thread_inst_executed_op_ffma_pred_on_x2",
        "thread",
    ),
    (
        "derived__smsp__sass_thread_inst_executed_op_hadd_pred_on_x2",
        "thread",
    ),
    (
        "derived__smsp__sass_thread_inst_executed_op_hfma_pred_on_x4",
        "thread",
    ),
    (
        "derived__smsp__sass_thread_inst_executed_op_hmul_pred_on_x2",
        "thread",
    ),
    ("device__attribute_multiprocessor_count", ""),
    ("dram__bytes.sum.peak_sustained", "byte/cycle"),
    ("dram__bytes.sum.per_second", "byte/s"),
    ("dram__bytes_read.sum", "byte"),
    ("dram__bytes_write.sum", "byte"),
    ("dram__cycles_elapsed.avg.per_second", "hz"),
    ("gpc__cycles_elapsed.avg.per_second", "hz"),
    ("gpc__cycles_elapsed.max", "cycle"),
    (
        "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed",
        "%",
    ),
    ("gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed", "%"),
    ("gpu__time_duration.sum", "ns"),
    ("l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_ld.sum", ""),
    ("l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op_st.sum", ""),
    ("l1tex__data_pipe_lsu_wavefronts_mem_shared_op_ld.sum", ""),
    ("l1tex__data_pipe_lsu_wavefronts_mem_shared_op_st.sum", ""),
    ("l1tex__t_requests_pipe_lsu_mem_global_op_ld.sum", ""),
    ("l1tex__t_requests_pipe_lsu_mem_global_op_st.sum", ""),
    ("l1tex__t_sector_hit_rate.pct", "%"),
    ("l1tex__t_sectors_pipe_lsu_mem_global_op_ld.sum", "sector"),
    ("l1tex__t_sectors_pipe_lsu_mem_global_op_st.sum", "sector"),
    ("l1tex__throughput.avg.pct_of_peak_sustained_active", "%"),
    ("launch__block_dim_x", "block"),
    ("launch__block_dim_y", "block"),
    ("launch__block_dim_z", "block"),
    ("launch__block_size", ""),
    ("launch__cluster_max_active", "cluster"),
    ("launch__cluster_max_potential_size", "block"),
    ("launch__grid_size", ""),
    ("launch__occupancy_limit_barriers", "block"),
    ("launch__occupancy_limit_blocks", "block"),
    ("launch__occupancy_limit_registers", "block"),
    ("launch__occupancy_limit_shared_mem", "block"),
    ("launch__occupancy_limit_warps", "block"),
    ("launch__persisting_l2_cache_size", "byte"),
    ("launch__registers_per_thread", "register/thread"),
    ("launch__registers_per_thread_allocated", "register/thread"),
    ("launch__shared_mem_config_size", "byte"),
    ("launch__shared_mem_per_block", "byte/block"),
    ("launch__shared_mem_per_block_allocated", "byte/block"),
    ("launch__shared_mem_per_block_driver", "byte/block"),
    ("launch__shared_mem_per_block_dynamic", "byte/block"),
    ("launch__shared_mem_per_block_static", "byte/block"),
    ("launch__sm_count", "SM"),
    ("launch__thread_count", "thread"),
    ("launch__waves_per_multiprocessor", ""),
    ("lts__t_sector_hit_rate.pct", "%"),
    ("lts__throughput.avg.pct_of_peak_sustained_elapsed", "%"),
    ("memory_l1_wavefronts_shared", "sectors"),
    ("memory_l1_wavefronts_shared_ideal", "sectors"),
    ("memory_l2_theoretical_sectors_global", "sectors"),
    ("memory_l2_theoretical_sectors_global_ideal", "sectors"),
    ("profiler__replayer_passes", "pass"),
    ("profiler__replayer_passes_type_warmup", "pass"),
    ("sass__inst_executed_local_loads", "inst"),
    ("sass__inst_executed_local_stores", "inst"),
    ("sm__cycles_active.avg", "cycle"),
    ("sm__cycles_active.max", "cycle"),
    ("sm__cycles_active.min", "cycle"),
    ("sm__cycles_elapsed.avg.per_second", "hz"),
    ("sm__inst_executed.avg.per_cycle_active", "inst/cycle"),
    (
        "sm__inst_executed_pipe_fp64.avg.pct_of_peak_sustained_active",
        "%",
    ),
    ("sm__instruction_throughput.avg.pct_of_peak_sustained_active", "%"),
    (
        "sm__instruction_throughput.avg.pct_of_peak_sustained_elapsed",
        "%",
    ),
    ("sm__maximum_warps_per_active_cycle_pct", "%"),
    (
        "sm__pipe_tensor_cycles_active.avg.pct_of_peak_sustained_active",
        "%",
    ),
    ("sm__throughput.avg.pct_of_peak_sustained_elapsed", "%"),
    ("sm__warps_active.avg.pct_of_peak_sustained_active", "%"),
    ("smsp__average_warp_latency_per_inst_issued.ratio", "cycle"),
    ("smsp__cycles_elapsed.avg.per_second", "hz"),
    ("smsp__inst_executed.sum", "inst"),
    ("smsp__issue_active.avg.per_cycle_active", ""),
    ("smsp__issue_inst0.avg.pct_of_peak_sustained_active", "%"),
    ("smsp__pcsamp_aggregated_passes", "pass"),
    ("smsp__pcsamp_warps_issue_stalled_branch_resolving", "branches"),
    ("smsp__pcsamp_warps_issue_stalled_no_instructions", "inst"),
    (
        "smsp__sass_average_data_bytes_per_sector_mem_global_op_ld.ratio",
        "byte/sector",
    ),
    (
        "smsp__sass_average_data_bytes_per_sector_mem_global_op_st.ratio",
        "byte/sector",
    ),
    ("smsp__sass_branch_targets_threads_divergent.avg", "branches"),
    (
        "smsp__sass_thread_inst_executed_op_dadd_pred_on.sum.per_cycle_elapsed",
        "inst/cycle",
    ),
    (
        "smsp__sass_thread_inst_executed_op_fadd_pred_on.sum.per_cycle_elapsed",
        "inst/cycle",
    ),
    (
        "smsp__sass_thread_inst_executed_op_fmul_pred_on.sum.per_cycle_elapsed",
        "inst/cycle",
    ),
    (
        "smsp__sass_thread_inst_executed_op_hadd_pred_on.sum.per_cycle_elapsed",
        "inst/cycle",
    ),
    ("smsp__warps_active.avg.per_cycle_active", "warp"),
    ("smsp__warps_eligible.avg.per_cycle_active", "warp"),
];

/// Families of metrics by the start of their names.
const BY_START: [(&str, &str); 4] = [
    ("device__attribute_", ""),
    ("smsp__average_warps_issue_stalled_", "inst"),
    ("smsp__sass_average_data_bytes_per_sector_", "byte/sector"),
    ("launch__occupancy_limit_", "block"),
];

/// What a word of a name counts. The first that is found counts.
const COUNTED: [(&str, &str); 9] = [
    ("bytes", "byte"),
    ("sectors", "sector"),
    ("requests", "request"),
    ("cycles", "cycle"),
    ("inst", "inst"),
    ("warps", "warp"),
    ("thread", "thread"),
    ("ctas", "block"),
    ("time", "ns"),
];

/// The unit of a metric in base units; `None` for a bare number. A name that is not known gets what its suffix says.
#[must_use]
pub fn unit_of(metric: &str) -> Option<&'static str> {
    let by_name = BY_NAME
        .binary_search_by_key(&metric, |(name, _)| name)
        .ok()
        .map(|place| BY_NAME[place].1);
    let by_start = || {
        let family = BY_START.iter().find(|(start, _)| metric.starts_with(start));
        family.map(|(_, unit)| *unit)
    };
    let unit = by_name.or_else(by_start).unwrap_or_else(|| by_suffix(metric));
    (!unit.is_empty()).then_some(unit)
}

/// `dram__bytes.sum.per_second`: what is counted stands between the two underscores and the first point, how it is counted behind.
fn by_suffix(metric: &str) -> &'static str {
    let metric = metric.rsplit(':').next().unwrap_or(metric);
    let name = metric.rfind("__").map_or(metric, |at| &metric[at + 2..]);
    let (body, suffix) = name.split_once('.').unwrap_or((name, ""));
    if suffix.contains("pct") || body.ends_with("_pct") {
        return "%";
    }
    if suffix.ends_with("ratio") || suffix.ends_with("max_rate") {
        return "";
    }
    let has = |word: &str| body.split('_').any(|part| part == word);
    let counted = COUNTED.iter().find(|(word, _)| has(word));
    let counted = counted.map_or("", |(_, unit)| unit);
    if suffix.contains("per_second") {
        return match counted {
            "cycle" => "hz",
            "byte" => "byte/s",
            "sector" => "sector/s",
            _ => "",
        };
    }
    if suffix.contains("per_cycle") || suffix.contains("peak_sustained") {
        return match counted {
            "byte" => "byte/cycle",
            "sector" => "sector/cycle",
            "inst" => "inst/cycle",
            "warp" => "warp",
            _ => "",
        };
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_stand_once() {
        assert!(BY_NAME.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn by_name_then_by_start_then_by_suffix() {
        assert_eq!(unit_of("launch__registers_per_thread"), Some("register/thread"));
        assert_eq!(unit_of("launch__grid_size"), None);
        assert_eq!(
            unit_of("smsp__average_warps_issue_stalled_wait_per_issue_active.ratio"),
            Some("inst")
        );
        assert_eq!(unit_of("device__attribute_clock_rate"), None);
        assert_eq!(unit_of("lts__t_sectors.sum.per_second"), Some("sector/s"));
        assert_eq!(unit_of("lts__t_sectors.sum"), Some("sector"));
        assert_eq!(unit_of("l1tex__cycles_elapsed.max.per_second"), Some("hz"));
        assert_eq!(
            unit_of("breakdown:sm__throughput.max.pct_of_peak_sustained_elapsed"),
            Some("%")
        );
        assert_eq!(unit_of("gpu__time_active.avg"), Some("ns"));
        assert_eq!(unit_of("unheard_of"), None);
        assert_eq!(unit_of(""), None);
    }
}
