//! Which sections a decision needs. A section counts as collected when its deciding metrics are there, however they were
//! asked for: a CSV names no sections.

use ncu_report::Kernel;

use crate::fields::{
    self, Candidates, DURATION, L1_HITS, LOAD_REQUESTS, MEMORY, NO_ELIGIBLE, OCCUPANCY_ACHIEVED,
    OCCUPANCY_THEORETICAL, SM, WARP_LATENCY, WAVES,
};

type Section = (&'static str, &'static [Candidates]);

/// What a class needs.
const FOR_CLASS: [Section; 3] = [
    ("SpeedOfLight", &[DURATION, SM, MEMORY]),
    ("LaunchStats", &[WAVES]),
    ("Occupancy", &[OCCUPANCY_THEORETICAL, OCCUPANCY_ACHIEVED]),
];

/// What an edit needs beyond it.
const FOR_EDIT: [Section; 4] = [
    ("SchedulerStats", &[NO_ELIGIBLE]),
    ("WarpStateStats", &[WARP_LATENCY]),
    ("MemoryWorkloadAnalysis", &[L1_HITS]),
    ("MemoryWorkloadAnalysis_Tables", &[LOAD_REQUESTS]),
];

/// Sections that a class needs and the kernel lacks.
pub(crate) fn missing_for_class(kernel: &Kernel) -> Vec<&'static str> {
    missing(kernel, &FOR_CLASS)
}

/// Sections that an edit needs and the kernel lacks, those of the class included.
pub(crate) fn missing_for_edit(kernel: &Kernel) -> Vec<&'static str> {
    let mut names = missing_for_class(kernel);
    names.extend(missing(kernel, &FOR_EDIT));
    names
}

fn missing(kernel: &Kernel, sections: &[Section]) -> Vec<&'static str> {
    let lacks = |metrics: &[Candidates]| {
        metrics
            .iter()
            .any(|metric| fields::pick(kernel, metric).is_none())
    };
    let sections = sections.iter().filter(|(_, metrics)| lacks(metrics));
    sections.map(|(name, _)| *name).collect()
}
