//! Measured pairs of a real engine, from its comparison documents.

use std::path::{Path, PathBuf};

use contracts::metric::Metric;
use gap_decide::calibrate;

/// The pairs of one comparison.
pub(crate) struct RealPairs {
    /// File name.
    pub(crate) name: String,
    /// Log ratios.
    pub(crate) logs: Vec<f64>,
    /// Coefficient of variation of its runs, percent.
    pub(crate) cv_pct: Option<f64>,
}

/// Fewest pairs worth resampling.
const FEWEST: usize = 8;

/// Reads every comparison among the files and folders given; other documents are passed over.
pub(crate) fn read(paths: &[PathBuf]) -> Vec<RealPairs> {
    let metric = Metric::parse("output_tps").expect("output_tps is a metric");
    let mut files: Vec<PathBuf> = paths.iter().flat_map(|path| files_of(path)).collect();
    files.sort();
    let mut all = Vec::new();
    for file in files {
        match calibrate::measure(std::slice::from_ref(&file), &metric) {
            Ok(measured) if measured.interleaved && measured.logs.len() >= FEWEST => all.push(RealPairs {
                name: file
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default(),
                cv_pct: measured.cv_pct(),
                logs: measured.logs,
            }),
            Ok(measured) => eprintln!(
                "passed over {}: {} interleaved pairs",
                file.display(),
                measured.logs.len()
            ),
            Err(failure) => eprintln!("passed over {}: {}", file.display(), failure.document.message),
        }
    }
    all
}

fn files_of(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path())
        .filter(|file| file.extension().is_some_and(|e| e == "json"))
        .collect()
}
