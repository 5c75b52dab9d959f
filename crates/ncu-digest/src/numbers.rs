//! The numbers of a kernel by the name of their field.

use contracts::ncu_digest::Counter;
use contracts::ncu_digest::kernel::Kernel;

/// A number of a kernel.
pub(crate) struct Number {
    pub(crate) name: &'static str,
    pub(crate) is_pct: bool,
    pub(crate) get: fn(&Kernel) -> Option<&Counter>,
}

const fn pct(name: &'static str, get: fn(&Kernel) -> Option<&Counter>) -> Number {
    Number {
        name,
        is_pct: true,
        get,
    }
}

const fn count(name: &'static str, get: fn(&Kernel) -> Option<&Counter>) -> Number {
    Number {
        name,
        is_pct: false,
        get,
    }
}

/// What two sides are compared by, beyond duration and cycles.
pub(crate) const NUMBERS: [Number; 24] = [
    pct("sol.sm_pct", |k| k.sol.sm_pct.as_ref()),
    pct("sol.mem_pct", |k| k.sol.mem_pct.as_ref()),
    pct("sol.dram_pct", |k| k.sol.dram_pct.as_ref()),
    pct("sol.l2_pct", |k| k.sol.l2_pct.as_ref()),
    pct("sol.l1_pct", |k| k.sol.l1_pct.as_ref()),
    pct("tensor_pct", |k| k.tensor_pct.as_ref()),
    pct("fma_pct", |k| k.fma_pct.as_ref()),
    pct("fp64_pct", |k| k.fp64_pct.as_ref()),
    pct("occupancy.theoretical_pct", |k| {
        k.occupancy.theoretical_pct.as_ref()
    }),
    pct("occupancy.achieved_pct", |k| k.occupancy.achieved_pct.as_ref()),
    count("scheduler.eligible_warps", |k| {
        k.scheduler.eligible_warps.as_ref()
    }),
    pct("scheduler.no_eligible_pct", |k| {
        k.scheduler.no_eligible_pct.as_ref()
    }),
    count("memory.sectors_per_request", |k| {
        k.memory.sectors_per_request.as_ref()
    }),
    count("memory.bytes_per_sector", |k| k.memory.bytes_per_sector.as_ref()),
    pct("memory.bank_conflict_pct", |k| {
        k.memory.bank_conflict_pct.as_ref()
    }),
    pct("memory.l1_hit_pct", |k| k.memory.l1_hit_pct.as_ref()),
    pct("memory.l2_hit_pct", |k| k.memory.l2_hit_pct.as_ref()),
    count("memory.spill_requests", |k| k.memory.spill_requests.as_ref()),
    count("launch.waves", |k| k.launch.waves.as_ref()),
    count("registers", |k| k.registers.as_ref()),
    count("shared_bytes", |k| k.shared_bytes.as_ref()),
    count("instructions", |k| k.instructions.as_ref()),
    count("roofline.flops_per_s", |k| {
        k.roofline.as_ref().map(|roofline| &roofline.flops_per_s)
    }),
    count("roofline.intensity", |k| {
        k.roofline
            .as_ref()
            .and_then(|roofline| roofline.intensity.as_ref())
    }),
];
