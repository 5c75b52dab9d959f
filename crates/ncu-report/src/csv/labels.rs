//! The details page prints labels, not names of metrics. This table leads back; labels are the headers of sections as reports
//! from 2022.2 to 2025.3 hold them.
//!
//! `SM Busy` and `Issue Slots Busy` of `ComputeWorkloadAnalysis` are missing on purpose: they are of active cycles until 2024
//! and of elapsed ones in 2025, and the page does not say which version wrote it.

/// A section of a report.
struct Section {
    id: &'static str,
    /// As metric rows call it.
    title: &'static str,
    /// Labels with the metric that each stands for.
    labels: &'static [(&'static str, &'static str)],
}

/// The identifier of a section, by its title; a rule row names the identifier already.
pub(super) fn section_id(title: &str) -> Option<&'static str> {
    let section = SECTIONS.iter().find(|section| section.title == title);
    section.map(|section| section.id)
}

/// The metric of a label, by the section's identifier.
pub(super) fn metric(section: &str, label: &str) -> Option<&'static str> {
    let section = SECTIONS.iter().find(|known| known.id == section)?;
    let row = section.labels.iter().find(|(known, _)| *known == label);
    row.map(|(_, metric)| *metric)
}

const SECTIONS: [Section; 21] = [
    Section {
        id: "ComputeWorkloadAnalysis",
        title: "Compute Workload Analysis",
        labels: &[
            ("Executed Ipc Active", "sm__inst_executed.avg.per_cycle_active"),
            ("Executed Ipc Elapsed", "sm__inst_executed.avg.per_cycle_elapsed"),
            ("Issued Ipc Active", "sm__inst_issued.avg.per_cycle_active"),
        ],
    },
    Section {
        id: "InstructionStats",
        title: "Instruction Statistics",
        labels: &[
            (
                "Avg. Executed Instructions Per Scheduler",
                "smsp__inst_executed.avg",
            ),
            ("Avg. Issued Instructions Per Scheduler", "smsp__inst_issued.avg"),
            ("Executed Instructions", "smsp__inst_executed.sum"),
            ("Issued Instructions", "smsp__inst_issued.sum"),
        ],
    },
    Section {
        id: "LaunchStats",
        title: "Launch Statistics",
        labels: &[
            ("# SMs", "launch__sm_count"),
            ("# TPCs", "launch__tpc_count"),
            ("Block Size", "launch__block_size"),
            ("Cluster Scheduling Policy", "launch__cluster_scheduling_policy"),
            ("Cluster Size", "launch__cluster_size"),
            (
                "Driver Shared Memory Per Block",
                "launch__shared_mem_per_block_driver",
            ),
            (
                "Dynamic Shared Memory Per Block",
                "launch__shared_mem_per_block_dynamic",
            ),
            ("Enabled TPC IDs", "launch__tpc_enabled"),
            ("Function Cache Configuration", "launch__func_cache_config"),
            ("Grid Size", "launch__grid_size"),
            ("Preferred Cluster Size", "launch__preferred_cluster_size"),
            ("Registers Per Thread", "launch__registers_per_thread"),
            (
                "Shared Memory Configuration Size",
                "launch__shared_mem_config_size",
            ),
            ("Stack Size", "launch__stack_size"),
            (
                "Static Shared Memory Per Block",
                "launch__shared_mem_per_block_static",
            ),
            ("Threads", "launch__thread_count"),
            ("Uses Green Context", "launch__uses_green_context"),
            ("Waves Per SM", "launch__waves_per_multiprocessor"),
        ],
    },
    Section {
        id: "MemoryWorkloadAnalysis",
        title: "Memory Workload Analysis",
        labels: &[
            ("L1/TEX Hit Rate", "l1tex__t_sector_hit_rate.pct"),
            ("L2 Compression Input Sectors", "lts__gcomp_input_sectors.sum"),
            (
                "L2 Compression Ratio",
                "lts__average_gcomp_output_sector_compression_achieved_rate.ratio",
            ),
            (
                "L2 Compression Success Rate",
                "lts__average_gcomp_input_sector_success_rate.pct",
            ),
            ("L2 Hit Rate", "lts__t_sector_hit_rate.pct"),
            ("L2 Persisting Size", "launch__persisting_l2_cache_size"),
            (
                "Local Memory Spilling Request Overhead",
                "derived__local_spilling_requests_pct",
            ),
            (
                "Local Memory Spilling Requests",
                "derived__local_spilling_requests",
            ),
            (
                "Max Bandwidth",
                "gpu__compute_memory_request_throughput.avg.pct_of_peak_sustained_elapsed",
            ),
            (
                "Mem Busy",
                "gpu__compute_memory_access_throughput.avg.pct_of_peak_sustained_elapsed",
            ),
            (
                "Mem Pipes Busy",
                "sm__memory_throughput.avg.pct_of_peak_sustained_elapsed",
            ),
            ("Memory Throughput", "dram__bytes.sum.per_second"),
        ],
    },
    Section {
        id: "MemoryWorkloadAnalysis_Chart",
        title: "Memory Workload Analysis Chart",
        labels: &[],
    },
    Section {
        id: "MemoryWorkloadAnalysis_Tables",
        title: "Memory Workload Analysis Tables",
        labels: &[],
    },
    Section {
        id: "NumaAffinity",
        title: "NUMA Affinity",
        labels: &[],
    },
    Section {
        id: "Nvlink_Tables",
        title: "NVLink Tables",
        labels: &[],
    },
    Section {
        id: "Nvlink_Topology",
        title: "NVLink Topology",
        labels: &[],
    },
    Section {
        id: "Occupancy",
        title: "Occupancy",
        labels: &[
            (
                "Achieved Active Warps Per SM",
                "sm__warps_active.avg.per_cycle_active",
            ),
            (
                "Achieved Occupancy",
                "sm__warps_active.avg.pct_of_peak_sustained_active",
            ),
            ("Block Limit Barriers", "launch__occupancy_limit_barriers"),
            ("Block Limit Registers", "launch__occupancy_limit_registers"),
            ("Block Limit SM", "launch__occupancy_limit_blocks"),
            ("Block Limit Shared Mem", "launch__occupancy_limit_shared_mem"),
            ("Block Limit Warps", "launch__occupancy_limit_warps"),
            ("Cluster Occupancy", "launch__occupancy_cluster_pct"),
            ("Max Active Clusters", "launch__cluster_max_active"),
            ("Max Cluster Size", "launch__cluster_max_potential_size"),
            ("Overall GPU Occupancy", "launch__occupancy_cluster_gpu_pct"),
            (
                "Theoretical Active Warps per SM",
                "sm__maximum_warps_avg_per_active_cycle",
            ),
            ("Theoretical Occupancy", "sm__maximum_warps_per_active_cycle_pct"),
        ],
    },
    Section {
        id: "PmSampling",
        title: "PM Sampling",
        labels: &[
            ("# Pass Groups", "profiler__pmsampler_pass_groups"),
            ("Dropped Samples", "profiler__pmsampler_dropped_samples"),
            ("Maximum Buffer Size", "profiler__pmsampler_buffer_size_bytes"),
            ("Maximum Sampling Interval", "profiler__pmsampler_interval_cycles"),
        ],
    },
    Section {
        id: "SchedulerStats",
        title: "Scheduler Statistics",
        labels: &[
            (
                "Active Warps Per Scheduler",
                "smsp__warps_active.avg.per_cycle_active",
            ),
            (
                "Eligible Warps Per Scheduler",
                "smsp__warps_eligible.avg.per_cycle_active",
            ),
            (
                "Issued Warp Per Scheduler",
                "smsp__issue_active.avg.per_cycle_active",
            ),
            (
                "No Eligible",
                "smsp__issue_inst0.avg.pct_of_peak_sustained_active",
            ),
            (
                "One or More Eligible",
                "smsp__issue_active.avg.pct_of_peak_sustained_active",
            ),
        ],
    },
    Section {
        id: "SourceCounters",
        title: "Source Counters",
        labels: &[
            (
                "Avg. Divergent Branches",
                "smsp__sass_branch_targets_threads_divergent.avg",
            ),
            (
                "Branch Efficiency",
                "smsp__sass_average_branch_targets_threads_uniform.pct",
            ),
            ("Branch Instructions", "smsp__inst_executed_op_branch.sum"),
            (
                "Branch Instructions Ratio",
                "derived__smsp__inst_executed_op_branch_pct",
            ),
        ],
    },
    Section {
        id: "SpeedOfLight",
        title: "GPU Speed Of Light Throughput",
        labels: &[
            (
                "Compute (SM) Throughput",
                "sm__throughput.avg.pct_of_peak_sustained_elapsed",
            ),
            ("DRAM Frequency", "dram__cycles_elapsed.avg.per_second"),
            (
                "DRAM Throughput",
                "gpu__dram_throughput.avg.pct_of_peak_sustained_elapsed",
            ),
            ("Duration", "gpu__time_duration.sum"),
            ("Elapsed Cycles", "gpc__cycles_elapsed.max"),
            (
                "L1/TEX Cache Throughput",
                "l1tex__throughput.avg.pct_of_peak_sustained_active",
            ),
            (
                "L2 Cache Throughput",
                "lts__throughput.avg.pct_of_peak_sustained_elapsed",
            ),
            (
                "Memory Throughput",
                "gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed",
            ),
            ("SM Active Cycles", "sm__cycles_active.avg"),
            ("SM Frequency", "gpc__cycles_elapsed.avg.per_second"),
        ],
    },
    Section {
        id: "SpeedOfLight_HierarchicalDoubleRooflineChart",
        title: "GPU Speed Of Light Hierarchical Roofline Chart (Double Precision)",
        labels: &[],
    },
    Section {
        id: "SpeedOfLight_HierarchicalHalfRooflineChart",
        title: "GPU Speed Of Light Hierarchical Roofline Chart (Half Precision)",
        labels: &[],
    },
    Section {
        id: "SpeedOfLight_HierarchicalSingleRooflineChart",
        title: "GPU Speed Of Light Hierarchical Roofline Chart (Single Precision)",
        labels: &[],
    },
    Section {
        id: "SpeedOfLight_HierarchicalTensorRooflineChart",
        title: "GPU Speed Of Light Hierarchical Roofline Chart (Tensor Core)",
        labels: &[],
    },
    Section {
        id: "SpeedOfLight_RooflineChart",
        title: "GPU Speed Of Light Roofline Chart",
        labels: &[],
    },
    Section {
        id: "WarpStateStats",
        title: "Warp State Statistics",
        labels: &[
            (
                "Avg. Active Threads Per Warp",
                "smsp__thread_inst_executed_per_inst_executed.ratio",
            ),
            (
                "Avg. Not Predicated Off Threads Per Warp",
                "smsp__thread_inst_executed_pred_on_per_inst_executed.ratio",
            ),
            (
                "Warp Cycles Per Executed Instruction",
                "smsp__average_warps_active_per_inst_executed.ratio",
            ),
            (
                "Warp Cycles Per Issued Instruction",
                "smsp__average_warp_latency_per_inst_issued.ratio",
            ),
        ],
    },
    Section {
        id: "WorkloadDistribution",
        title: "GPU and Memory Workload Distribution",
        labels: &[
            ("Average DRAM Active Cycles", "dram__cycles_active.avg"),
            ("Average L1 Active Cycles", "l1tex__cycles_active.avg"),
            ("Average L2 Active Cycles", "lts__cycles_active.avg"),
            ("Average MC Channel Active Cycles", "mcc__cycles_active.avg"),
            ("Average SM Active Cycles", "sm__cycles_active.avg"),
            ("Average SMSP Active Cycles", "smsp__cycles_active.avg"),
            ("Total DRAM Elapsed Cycles", "dram__cycles_elapsed.sum"),
            ("Total L1 Elapsed Cycles", "l1tex__cycles_elapsed.sum"),
            ("Total L2 Elapsed Cycles", "lts__cycles_elapsed.sum"),
            ("Total MC Channel Elapsed Cycles", "mcc__cycles_elapsed.sum"),
            ("Total SM Elapsed Cycles", "sm__cycles_elapsed.sum"),
            ("Total SMSP Elapsed Cycles", "smsp__cycles_elapsed.sum"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_label_in_two_sections_is_two_metrics() {
        let metric = |title| metric(section_id(title).expect("a section"), "Memory Throughput");
        assert_eq!(
            metric("GPU Speed Of Light Throughput"),
            Some("gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed")
        );
        assert_eq!(
            metric("Memory Workload Analysis"),
            Some("dram__bytes.sum.per_second")
        );
    }

    #[test]
    fn what_changed_between_versions_is_not_guessed() {
        assert_eq!(metric("ComputeWorkloadAnalysis", "SM Busy"), None);
        assert_eq!(section_id("A section of my own"), None);
    }
}
