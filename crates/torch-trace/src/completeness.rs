//! How far a trace can be trusted: events lost to damage, launches without their work, graphs without their kernels.

use rustc_hash::FxHashSet;

use crate::collect::Trace;
use crate::defect::DefectKind;
use crate::origin::{Origins, is_graph_launch};

/// How far a trace can be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completeness {
    /// How much is missing.
    pub grade: Grade,
    /// What is missing, one sentence each.
    pub reasons: Vec<String>,
}

/// Grades of completeness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Nothing is known to be missing.
    Complete,
    /// Something is missing; what is there holds.
    Partial,
    /// So much is missing that shares and idle time mislead.
    Incomplete,
}

/// Share of launches without work from which on a trace counts as incomplete, percent.
const MISSING_MUCH_PCT: u64 = 20;

/// Grades a trace.
#[must_use]
pub fn grade(trace: &Trace, origins: &Origins) -> Completeness {
    let mut grade = Grade::Complete;
    let mut reasons = Vec::new();
    let mut note = |at_least: Grade, reason: String| {
        grade = grade.max(at_least);
        reasons.push(reason);
    };
    let lost = trace.events_lost();
    if trace.defects.iter().any(|defect| {
        use DefectKind::{GzipCorrupt, GzipCut, Truncated};
        matches!(defect.kind, Truncated | GzipCut | GzipCorrupt)
    }) {
        note(
            Grade::Partial,
            "the file was cut: what came after is missing".to_owned(),
        );
    } else if lost > 0 {
        note(Grade::Partial, format!("{lost} events were unreadable"));
    }
    let worked: FxHashSet<usize> = origins.launch.iter().flatten().copied().collect();
    let (mut graphs, mut empty_graphs, mut launches, mut empty_launches) = (0_u64, 0_u64, 0_u64, 0_u64);
    for (index, call) in trace.calls.iter().enumerate() {
        let name = trace.names.text(call.name);
        if is_graph_launch(&name) {
            graphs += 1;
            empty_graphs += u64::from(!worked.contains(&index));
        } else if call.kernel.is_none() && name.contains("LaunchKernel") {
            // A launch that names its kernel stands in the trace of a graph capture: nothing ran.
            launches += 1;
            empty_launches += u64::from(!worked.contains(&index));
        }
    }
    if empty_graphs > 0 {
        note(
            Grade::Incomplete,
            format!("{empty_graphs} of {graphs} graph launches have no kernels: their time counts as idle"),
        );
    }
    if empty_launches * 100 > launches * MISSING_MUCH_PCT {
        note(
            Grade::Incomplete,
            format!("{empty_launches} of {launches} kernel launches have no kernel"),
        );
    } else if empty_launches > 0 {
        note(
            Grade::Partial,
            format!("{empty_launches} of {launches} kernel launches have no kernel"),
        );
    }
    let orphans = origins.launch.iter().filter(|launch| launch.is_none()).count();
    if orphans > 0 {
        note(
            Grade::Partial,
            format!(
                "{orphans} of {} pieces of device work have no launch: their stage and line are unknown",
                trace.gpu.len()
            ),
        );
    }
    Completeness { grade, reasons }
}
