//! The lengths of a benchmark's scenario.

use std::path::Path;

use cli_kit::{Failure, load_document};
use contracts::serve_bench::result::{self, LengthRange, ResultData};

/// Lengths of one scenario: smallest, mean, largest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lengths {
    pub(super) scenario: String,
    pub(super) input: Option<(u64, u64, u64)>,
    pub(super) output: Option<(u64, u64, u64)>,
}

impl Lengths {
    /// Reads them from a result of serve-bench.
    ///
    /// # Errors
    /// Exit 3 when it is no result.
    pub(super) fn read(path: &Path) -> Result<Lengths, Failure> {
        let workload = load_document::<ResultData>(path, result::SCHEMA)?
            .document
            .data
            .workload;
        let whole = |range: LengthRange| (range.min, range.mean.get().round().max(1.0) as u64, range.max);
        Ok(Lengths {
            scenario: workload.scenario,
            input: workload.input_len.map(whole),
            output: workload.output_len.map(whole),
        })
    }
}
