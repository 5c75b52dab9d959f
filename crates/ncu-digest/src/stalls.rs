//! Why warps waited: cycles of each reason between two instructions, as a share of all of them.

use contracts::ncu_digest::kernel::Stall;
use ncu_report::Kernel;

use crate::fields::{self, WARP_LATENCY};

/// Reasons that a warp's state is counted by; `selected` is the one that issues.
pub(crate) const REASONS: [&str; 18] = [
    "barrier",
    "branch_resolving",
    "dispatch_stall",
    "drain",
    "gmma",
    "imc_miss",
    "lg_throttle",
    "long_scoreboard",
    "math_pipe_throttle",
    "membar",
    "mio_throttle",
    "misc",
    "no_instruction",
    "not_selected",
    "short_scoreboard",
    "sleeping",
    "tex_throttle",
    "wait",
];

/// Those that rules look at.
pub(crate) const DECIDING: [&str; 5] = [
    "barrier",
    "lg_throttle",
    "long_scoreboard",
    "mio_throttle",
    "short_scoreboard",
];

/// The share of one reason.
pub(crate) fn share(kernel: &Kernel, reason: &str) -> Option<Stall> {
    let latency = fields::pick(kernel, WARP_LATENCY)?;
    let metric = format!("smsp__average_warps_issue_stalled_{reason}_per_issue_active.ratio");
    let cycles = fields::counter(kernel.number(&metric)?, metric)?;
    Some(Stall {
        reason: reason.to_owned(),
        share_pct: fields::quotient(&cycles, &latency, 100.0)?,
    })
}

/// All shares, the largest first.
pub(crate) fn shares(kernel: &Kernel) -> Vec<Stall> {
    let mut stalls: Vec<Stall> = REASONS
        .iter()
        .filter_map(|reason| share(kernel, reason))
        .collect();
    stalls.sort_by(|a, b| b.share_pct.value.get().total_cmp(&a.share_pct.value.get()));
    stalls
}
