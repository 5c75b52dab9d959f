//! The lengths of a benchmark's scenario.

use contracts::serve_bench::result::{LengthRange, WorkloadInfo};

/// Lengths of one scenario: smallest, mean, largest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lengths {
    pub(super) scenario: String,
    pub(super) input: Option<(u64, u64, u64)>,
    pub(super) output: Option<(u64, u64, u64)>,
}

impl Lengths {
    pub(super) fn of(workload: &WorkloadInfo) -> Lengths {
        let whole = |range: &LengthRange| (range.min, range.mean.get().round().max(1.0) as u64, range.max);
        Lengths {
            scenario: workload.scenario.clone(),
            input: workload.input_len.as_ref().map(whole),
            output: workload.output_len.as_ref().map(whole),
        }
    }
}
