//! `results.jsonl`: one provenance line, one line a row, one summary. A foreign format: read leniently, bounded, and what is
//! missing stays missing.

use contracts::text::{FOREIGN_TEXT_CAP, clean};
use serde::Deserialize;
use serde_json::Value;

/// Longest id of a row that is kept, in bytes.
pub(crate) const ID_CAP: usize = 200;
/// Most rows of a ledger.
const MOST_ROWS: usize = 100_000;

/// All lines of one measurement.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// How it was measured, one for each run that wrote into the file.
    pub provenance: Vec<Provenance>,
    /// The rows, as written.
    pub results: Vec<ResultLine>,
    /// The measurement's own summaries.
    pub summaries: Vec<Summary>,
    /// Lines with an event that is not known.
    pub other_events: u64,
}

/// Why a file is no ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A line does not read.
    #[error("line {line}: {what}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong, cleaned.
        what: String,
    },
    /// No line is a result.
    #[error("no line has the event `result`")]
    NoResults,
    /// Too many rows.
    #[error("more than {MOST_ROWS} rows")]
    TooManyRows,
}

/// How it was measured.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Provenance {
    /// Command line of the harness.
    pub command: Option<String>,
    /// Name of the device.
    pub gpu: Option<String>,
    /// Its UUID.
    pub gpu_uuid: Option<String>,
    /// Its index in `nvidia_smi_before`.
    pub gpu_index: Option<u64>,
    /// Machine; any stable word for it will do.
    pub host: Option<String>,
    /// Rows that were to be measured.
    pub workload_count: Option<u64>,
    /// Hash of the row set, as `kernel-gate freeze` prints it.
    pub workloads_sha256: Option<String>,
    /// Hash of the dispatch file that the candidate ran behind.
    pub dispatch_sha256: Option<String>,
    /// What ran on the device before: lines of `nvidia-smi`.
    pub nvidia_smi_before: Option<String>,
    /// The same, counted.
    pub idle_before: Option<Idle>,
    /// Protocol.
    pub settings: Settings,
    /// Both sides; missing where nothing was recorded of them.
    pub sides: Option<Sides>,
    /// What differs within the measurement and must not, said by an import.
    pub conflicts: Vec<String>,
    /// What the device can do at most.
    pub peaks: Option<Peaks>,
}

/// What ran on the device before the measurement.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Idle {
    /// How busy the device was, percent.
    pub utilization_pct: Option<f64>,
    /// Processes of others on it.
    pub foreign_processes: Option<u64>,
}

/// Protocol of the harness.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Samples of each side.
    pub num_trials: Option<u64>,
    /// Whether each row has a process of its own.
    pub isolated: Option<bool>,
    /// `ABBA` where the sides are interleaved.
    pub order: Option<String>,
    /// What the host's clock waits for: `device` is everything on it.
    pub synchronize: Option<String>,
}

/// Both sides of a measurement.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sides {
    /// What is there.
    pub baseline: Side,
    /// What shall take its place.
    pub candidate: Side,
}

/// One side.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Side {
    /// Hash of its source, before the measurement.
    pub source_sha256: Option<String>,
    /// The same hash after it.
    pub source_sha256_after: Option<String>,
    /// Flags it was built with.
    pub flags: Option<Vec<String>>,
    /// Layers between the timed call and the kernel, outermost first.
    pub wrapper: Option<Vec<String>>,
    /// Device it ran on, where that is not said once for both.
    pub gpu_uuid: Option<String>,
    /// Machine it ran on, where that is not said once for both.
    pub host: Option<String>,
}

/// What the device can do at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Peaks {
    /// Bytes a second.
    pub bytes_per_s: Option<f64>,
    /// Floating-point operations a second.
    pub flops_per_s: Option<f64>,
}

/// One row.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct ResultLine {
    /// Its id.
    pub id: String,
    /// `PASSED`, `INCORRECT`, `ERROR`, `TIMEOUT`.
    pub status: String,
    /// Whether the headline counts it.
    pub production: Option<bool>,
    /// The row of the row set that was measured.
    pub workload: Option<Value>,
    /// Device times of the baseline.
    pub baseline: Option<Times>,
    /// Device times of the candidate.
    pub candidate: Option<Times>,
    /// Wall times of the baseline, summarised.
    pub baseline_wall: Option<Times>,
    /// Wall times of the candidate, summarised.
    pub candidate_wall: Option<Times>,
    /// Wall times of the baseline.
    pub baseline_wall_us: Option<Vec<f64>>,
    /// Wall times of the candidate.
    pub candidate_wall_us: Option<Vec<f64>>,
    /// The speed-up that the harness says.
    pub speedup: Option<f64>,
    /// Evidence that the outputs are right, and made by the timed work.
    pub checks: Option<Checks>,
}

/// Times of one side, microseconds a call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Times {
    /// Median.
    pub median_us: Option<f64>,
    /// Mean.
    pub mean_us: Option<f64>,
    /// Standard deviation.
    pub std_us: Option<f64>,
    /// Smallest.
    pub min_us: Option<f64>,
    /// The samples.
    pub samples_us: Option<Vec<f64>>,
}

/// Evidence about one row.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Checks {
    /// Whether the outputs were filled with poison before each run that was compared.
    pub poisoned: Option<bool>,
    /// Whether outputs were compared once more after the timed loop.
    pub checked_after_timing: Option<bool>,
    /// Seeds of the inputs, one a compared run.
    pub seeds: Vec<u64>,
    /// Hash of the inputs before each compared run.
    pub inputs_sha256_before: Vec<String>,
    /// Hash of the inputs after it.
    pub inputs_sha256_after: Vec<String>,
    /// Hash of the baseline's outputs of each compared run.
    pub baseline_outputs_sha256: Vec<String>,
    /// Hash of the candidate's outputs of each compared run.
    pub candidate_outputs_sha256: Vec<String>,
    /// Part of the outputs within tolerance.
    pub matched_ratio: Option<f64>,
    /// Candidate's outputs that are NaN or infinite.
    pub nonfinite: Option<u64>,
}

/// The measurement's own summary.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Summary {
    /// What it claims.
    pub headline: Option<Headline>,
    /// Rows of the file.
    pub total: Option<u64>,
}

/// What a summary claims.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Headline {
    /// Production rows.
    pub production_workloads: Option<u64>,
    /// Geometric mean of their speed-ups.
    pub geomean_speedup: Option<f64>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    event: String,
}

/// Reads a ledger.
///
/// # Errors
/// A line that does not read, no result at all, or too many.
pub fn read(bytes: &[u8]) -> Result<Ledger, LedgerError> {
    let mut ledger = Ledger::default();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let wrong = |error: serde_json::Error| LedgerError::Line {
            line: at + 1,
            what: clean(&error.to_string(), FOREIGN_TEXT_CAP),
        };
        let event: Event = serde_json::from_slice(line).map_err(wrong)?;
        match event.event.as_str() {
            "provenance" => ledger
                .provenance
                .push(serde_json::from_slice(line).map_err(wrong)?),
            "result" => {
                let mut result: ResultLine = serde_json::from_slice(line).map_err(wrong)?;
                result.id = clean(&result.id, ID_CAP);
                ledger.results.push(result);
            }
            "summary" => ledger
                .summaries
                .push(serde_json::from_slice(line).map_err(wrong)?),
            _ => ledger.other_events += 1,
        }
        if ledger.results.len() > MOST_ROWS {
            return Err(LedgerError::TooManyRows);
        }
    }
    if ledger.results.is_empty() {
        return Err(LedgerError::NoResults);
    }
    Ok(ledger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_stays_missing() {
        let ledger =
            read(b"{\"event\":\"result\",\"id\":\"a\\u001b[31mb\"}\n\n{\"event\":\"later\"}").unwrap();
        assert_eq!((ledger.results[0].id.as_str(), ledger.other_events), ("ab", 1));
        assert!(ledger.results[0].baseline.is_none() && ledger.provenance.is_empty());
    }

    #[test]
    fn a_broken_line_is_named() {
        let error = read(b"{\"event\":\"result\",\"id\":\"a\"}\n{\"event\":").unwrap_err();
        assert!(matches!(error, LedgerError::Line { line: 2, .. }), "{error}");
        assert_eq!(read(b"{}\n").unwrap_err(), LedgerError::NoResults);
    }
}
