//! Every number that a class, an edit or a comparison is decided by.

// Classes. NVIDIA's own rule text speaks of a latency issue below 60 % and of high use from 80 %.
/// Duration under which a launch with less than a wave is small, ns.
pub(crate) const SMALL_NS: f64 = 10_000.0;
/// Use of multiprocessors and memory below which neither limits, percent.
pub(crate) const BUSY_PCT: f64 = 60.0;
/// How far memory may stay behind the multiprocessors and still be the bound, points.
pub(crate) const MEMORY_MARGIN_PCT: f64 = 5.0;
/// Two busy sides closer than this are balanced, points.
pub(crate) const BALANCED_PCT: f64 = 10.0;
/// L1 from here on explains a multiprocessor that is as busy as memory: its throughput counts the pipe to L1, percent.
pub(crate) const L1_BUSY_PCT: f64 = 80.0;
/// What is as busy as memory, points.
pub(crate) const EQUAL_PCT: f64 = 1.0;

// Gate of the stall rules: fewer stalls help where the scheduler finds no warp.
/// Cycles without an eligible warp, percent.
pub(crate) const GATE_NO_ELIGIBLE_PCT: f64 = 20.0;
/// Instructions a cycle.
pub(crate) const GATE_ISSUE_ACTIVE: f64 = 0.8;

// Edits.
/// E01: spills of the requests to L1, percent.
pub(crate) const SPILL_PCT: f64 = 1.0;
/// E04: FP64 pipe, percent.
pub(crate) const FP64_PCT: f64 = 60.0;
/// E04 on a kernel that needs FP64: the pipe of reciprocals and roots, percent. Of the pair of MiniWeather it is at 13.3
/// before and at 6.0 after divisions became products.
pub(crate) const XU_PCT: f64 = 10.0;
/// E05: bytes of the 32 of a sector.
pub(crate) const UNCOALESCED_BYTES: f64 = 16.0;
/// E05 where these bytes are not collected: sectors over what they could be.
pub(crate) const SECTORS_OVER_IDEAL: f64 = 2.0;
/// E05b: bytes of the 32 of a sector, beyond E05.
pub(crate) const PARTLY_COALESCED_BYTES: f64 = 24.0;
/// E05b: what `UncoalescedGlobalAccess` estimates for the kernel, percent.
pub(crate) const UNCOALESCED_SPEEDUP_PCT: f64 = 10.0;
/// E06: bank conflicts of the wavefronts of shared memory, percent.
pub(crate) const BANK_CONFLICT_PCT: f64 = 20.0;
/// E07.
pub(crate) const LG_THROTTLE_PCT: f64 = 30.0;
/// E08, two reasons together.
pub(crate) const MIO_PCT: f64 = 30.0;
/// E09.
pub(crate) const BARRIER_PCT: f64 = 20.0;
/// E10: empty part of the waves, percent.
pub(crate) const TAIL_PCT: f64 = 15.0;
/// E11: theoretical occupancy, percent.
pub(crate) const OCCUPANCY_PCT: f64 = 50.0;
/// E11: eligible warps.
pub(crate) const ELIGIBLE_WARPS: f64 = 1.0;
/// E12.
pub(crate) const LONG_SCOREBOARD_PCT: f64 = 30.0;
/// E13.
pub(crate) const DRAM_ROOF_PCT: f64 = 80.0;
/// E14: FMA pipe, percent.
pub(crate) const FMA_PCT: f64 = 50.0;
/// E15.
pub(crate) const COMPUTE_ROOF_PCT: f64 = 80.0;

// Captures.
/// A share above this says that two passes disagree, percent.
pub(crate) const SHARE_PCT: f64 = 105.0;
/// Fewest passes that a set can come with, half of the fewest seen, and these.
pub(crate) const FEWEST_PASSES: [(&str, f64, f64); 3] =
    [("full", 19.0, 38.0), ("basic", 4.0, 9.0), ("source", 2.0, 5.0)];

// Comparisons.
/// What every difference has to exceed, percent.
pub(crate) const NOISE_FLOOR_PCT: f64 = 2.0;
/// What a short kernel's duration jumps by, ns.
pub(crate) const NOISE_NS: f64 = 600.0;
/// Launches from which their spread counts.
pub(crate) const SPREAD_LAUNCHES: usize = 5;
/// Launches from which the first is left out.
pub(crate) const DROP_FIRST_LAUNCHES: usize = 3;
/// Clocks that differ by more make durations say nothing, percent.
pub(crate) const CLOCK_DRIFT_PCT: f64 = 3.0;
/// A control speaks for kernels whose duration is within this factor.
pub(crate) const CONTROL_FACTOR: f64 = 4.0;
/// Further numbers are listed beyond this, percent or points.
pub(crate) const MOVED: f64 = 2.0;
