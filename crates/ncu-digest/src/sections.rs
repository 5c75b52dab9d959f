//! Which sections a decision needs. A section counts as collected when the numbers that rules read of it are there, however
//! they were asked for: a CSV names no sections. A rule whose numbers are missing could neither hold nor be passed over, so
//! without them there is no edit.

use ncu_report::Kernel;

use crate::fields::{self, Candidates};
use crate::stalls;

/// A section with what has to be there of it.
type Need = (&'static str, fn(&Kernel) -> bool);

/// What a class needs. L1 tells a pipe that loads from one that computes.
const FOR_CLASS: [Need; 3] = [
    ("SpeedOfLight", |kernel| {
        has(
            kernel,
            &[fields::DURATION, fields::SM, fields::MEMORY, fields::L1],
        )
    }),
    ("LaunchStats", |kernel| has(kernel, &[fields::WAVES])),
    ("Occupancy", |kernel| {
        has(
            kernel,
            &[fields::OCCUPANCY_THEORETICAL, fields::OCCUPANCY_ACHIEVED],
        )
    }),
];

/// What the rules of the edits need beyond it.
const FOR_EDIT: [Need; 10] = [
    // E13
    ("SpeedOfLight", |kernel| has(kernel, &[fields::DRAM])),
    // E03
    ("LaunchStats", |kernel| has(kernel, &[fields::SM_COUNT])),
    // The gate and E11
    ("SchedulerStats", |kernel| {
        let scheduler = [fields::NO_ELIGIBLE, fields::ISSUE_ACTIVE, fields::ELIGIBLE];
        has(kernel, &scheduler)
    }),
    // E07, E08, E09, E12
    ("WarpStateStats", |kernel| {
        let mut reasons = stalls::DECIDING.iter();
        reasons.all(|reason| stalls::share(kernel, reason).is_some())
    }),
    // E04, E14
    ("ComputeWorkloadAnalysis", |kernel| {
        let pipes = [fields::FP64, fields::XU, fields::FMA, fields::TENSOR];
        has(kernel, &pipes)
    }),
    // E01
    ("InstructionStats", |kernel| {
        has(kernel, &[fields::SPILLS]) || has(kernel, &[fields::LOCAL_LOADS, fields::LOCAL_STORES])
    }),
    ("MemoryWorkloadAnalysis", |kernel| has(kernel, &[fields::L1_HITS])),
    ("MemoryWorkloadAnalysis_Tables", |kernel| {
        let requests = [fields::LOAD_REQUESTS, fields::STORE_REQUESTS];
        let local = [fields::LOCAL_LOAD_REQUESTS, fields::LOCAL_STORE_REQUESTS];
        has(kernel, &requests) && (has(kernel, &[fields::SPILLS_PCT]) || has(kernel, &local))
    }),
    // E05
    ("MemoryWorkloadAnalysis_Tables", |kernel| {
        has(kernel, &[fields::BYTES_PER_SECTOR]) || has(kernel, &[fields::SECTORS, fields::SECTORS_IDEAL])
    }),
    // E06
    ("MemoryWorkloadAnalysis_Tables", |kernel| {
        let conflicts = [fields::LOAD_CONFLICTS, fields::STORE_CONFLICTS];
        let wavefronts = [fields::LOAD_WAVEFRONTS, fields::STORE_WAVEFRONTS];
        has(kernel, &conflicts) && has(kernel, &wavefronts)
    }),
];

/// Sections that a class needs and the kernel lacks.
pub(crate) fn missing_for_class(kernel: &Kernel) -> Vec<&'static str> {
    missing(kernel, FOR_CLASS.iter())
}

/// Sections that an edit needs and the kernel lacks, those of the class included.
pub(crate) fn missing_for_edit(kernel: &Kernel) -> Vec<&'static str> {
    missing(kernel, FOR_CLASS.iter().chain(&FOR_EDIT))
}

fn missing<'a>(kernel: &Kernel, needs: impl Iterator<Item = &'a Need>) -> Vec<&'static str> {
    let mut names = Vec::new();
    for (name, is_there) in needs {
        if !names.contains(name) && !is_there(kernel) {
            names.push(*name);
        }
    }
    names
}

fn has(kernel: &Kernel, all: &[Candidates]) -> bool {
    all.iter().all(|field| fields::pick(kernel, field).is_some())
}
