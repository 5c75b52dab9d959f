//! What a digest says of one kernel.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Counter;
use crate::{Finite, Warning};

/// One launch. A number that was not collected is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Kernel {
    /// Position in the report, from 0.
    pub index: u64,
    /// Full name, cleaned.
    pub name: String,
    /// Name and template arguments, normalised: what launches are grouped and matched by.
    pub key: String,
    /// Blocks.
    pub grid: [u64; 3],
    /// Threads of a block.
    pub block: [u64; 3],
    /// Stream; null where it is not named.
    pub stream: Option<u64>,
    /// Registers of a thread.
    pub registers: Option<Counter>,
    /// Shared memory of a block, the driver's included, bytes.
    pub shared_bytes: Option<Counter>,
    /// Duration under the profiler, ns. It is not the time of a run: clocks are locked and caches are flushed.
    pub duration_ns: Option<Counter>,
    /// Elapsed cycles.
    pub cycles: Option<Counter>,
    /// Clock of the multiprocessors while it ran, Hz.
    pub sm_clock_hz: Option<Counter>,
    /// Executed warp instructions.
    pub instructions: Option<Counter>,
    /// Throughputs against their peaks.
    pub sol: Sol,
    /// Tensor pipe, percent of its peak.
    pub tensor_pct: Option<Counter>,
    /// FMA pipe, percent of its peak.
    pub fma_pct: Option<Counter>,
    /// FP64 pipe, percent of its peak.
    pub fp64_pct: Option<Counter>,
    /// Warps in flight.
    pub occupancy: Occupancy,
    /// What the schedulers found.
    pub scheduler: Scheduler,
    /// Why warps waited, largest first, three.
    pub top_stalls: Vec<Stall>,
    /// Memory.
    pub memory: Memory,
    /// Launch.
    pub launch: Launch,
    /// Floating-point work against both roofs; null where it was not collected.
    pub roofline: Option<Roofline>,
    /// What limits it: `compute`, `memory`, `latency`, `balanced`, `comm`; null where sections are missing.
    pub bound: Option<Bound>,
    /// `dram`, `l2`, `l1` of `memory`, `small` of `latency`; null otherwise.
    pub sub_bound: Option<SubBound>,
    /// What rules of Nsight Compute said.
    pub rules: Vec<Rule>,
    /// Sections that were not collected and that a class or an edit needs.
    pub missing: Vec<String>,
    /// What could mislead.
    pub warnings: Vec<Warning>,
}

/// Throughputs against their peaks, percent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Sol {
    /// Multiprocessors, percent.
    pub sm_pct: Option<Counter>,
    /// Memory, the busiest part of it, percent.
    pub mem_pct: Option<Counter>,
    /// Device memory, percent.
    pub dram_pct: Option<Counter>,
    /// L2 cache, percent.
    pub l2_pct: Option<Counter>,
    /// L1 cache, percent of the cycles that it was active.
    pub l1_pct: Option<Counter>,
}

/// Warps in flight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Occupancy {
    /// What the launch allows, percent.
    pub theoretical_pct: Option<Counter>,
    /// What was reached, percent.
    pub achieved_pct: Option<Counter>,
    /// What allows the fewest blocks, ties listed: `blocks`, `registers`, `shared_mem`, `warps`, `barriers`.
    pub limiter: Vec<String>,
}

/// What the schedulers found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Scheduler {
    /// Warps that could issue, for each active cycle of a scheduler.
    pub eligible_warps: Option<Counter>,
    /// Active cycles without such a warp, percent.
    pub no_eligible_pct: Option<Counter>,
    /// Instructions issued for each active cycle of a scheduler, at most 1.
    pub issue_active: Option<Counter>,
}

/// Why warps waited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Stall {
    /// Reason.
    pub reason: String,
    /// Part of a warp's cycles between two instructions, percent; over 100 where two passes disagree.
    pub share_pct: Counter,
}

/// Memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Memory {
    /// Sectors of 32 bytes for each global load of a warp.
    pub sectors_per_request: Option<Counter>,
    /// Bytes that were asked for, of the 32 of each sector that global loads moved.
    pub bytes_per_sector: Option<Counter>,
    /// Wavefronts of shared memory that were bank conflicts, loads and stores together, percent.
    pub bank_conflict_pct: Option<Counter>,
    /// Hits in L1, percent.
    pub l1_hit_pct: Option<Counter>,
    /// Hits in L2, percent.
    pub l2_hit_pct: Option<Counter>,
    /// Requests of spilled registers; before 2025, instructions on local memory.
    pub spill_requests: Option<Counter>,
}

/// Launch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Launch {
    /// Grid / blocks that the GPU holds at once.
    pub waves: Option<Counter>,
    /// Part of the last wave's share that stays empty: 1 − waves / ⌈waves⌉, percent.
    pub tail_pct: Option<Counter>,
}

/// Floating-point work against both roofs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Roofline {
    /// Type of most of the work: `fp64`, `fp32`, `fp16`. Tensor cores are not counted.
    pub precision: String,
    /// Reached, FLOP/s.
    pub flops_per_s: Counter,
    /// Peak of this type at the clock of the capture, FLOP/s.
    pub peak_flops_per_s: Option<Counter>,
    /// FLOP for each byte of device memory.
    pub intensity: Option<Counter>,
    /// Intensity where both roofs meet.
    pub ridge: Option<Counter>,
    /// Peak of device memory at the clock of the capture, bytes/s.
    pub dram_peak: Option<Counter>,
}

/// What limits a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Arithmetic.
    Compute,
    /// Memory.
    Memory,
    /// Neither is busy: waits, or too little work.
    Latency,
    /// Arithmetic and memory alike.
    Balanced,
    /// Communication between GPUs, by its name; counters of a collective are not to be trusted.
    Comm,
}

/// Which part of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubBound {
    /// Under 10 µs and less than one wave.
    Small,
    /// Device memory.
    Dram,
    /// L2 cache.
    L2,
    /// L1 cache, shared memory and the pipe that leads there.
    L1,
}

/// What a rule of Nsight Compute said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Rule {
    /// Identifier.
    pub id: String,
    /// Section.
    pub section: String,
    /// Headline, cleaned.
    pub title: String,
    /// `info`, `warning`, `error`, `optimization`.
    pub kind: String,
    /// What it estimates; null where it does not.
    pub speedup: Option<Speedup>,
    /// Metrics that it points to.
    pub focus: Vec<String>,
}

/// What a rule estimates. Estimates do not add up.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Speedup {
    /// Of the kernel, or of the unit that the rule looks at. What is local says nothing of the kernel's time.
    pub scope: Scope,
    /// Percent.
    pub pct: Finite,
}

/// What an estimate is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The kernel.
    Global,
    /// One unit.
    Local,
}
