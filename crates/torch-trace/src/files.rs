//! Files and folders to traces: which files are traces, which rank each is of, read in parallel.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest as _, Sha256};

use crate::collect::{Trace, Want};
use crate::defect::DefectKind;
use crate::file::read_file;
use crate::read::ReadError;

/// Why there is no trace to look at.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// No file of a trace in a folder.
    #[error("find a trace in the folder {0}")]
    NoTraceInFolder(String),
    /// A file that cannot be read or holds no trace.
    #[error("read {path}: {source}")]
    Unreadable {
        /// File.
        path: String,
        /// Why.
        source: ReadError,
    },
}

impl FilesError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTraceInFolder(_) => "trace-not-found",
            Self::Unreadable { .. } => "trace-unreadable",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoTraceInFolder(_) => {
                "a trace's name ends in .json or .json.gz; server_args.json and the like are no traces"
            }
            Self::Unreadable { .. } => "give the file that the profiler wrote, whole, as it is",
        }
    }
}

/// A trace with the file it came from.
pub struct TraceFile {
    /// As it was named.
    pub path: PathBuf,
    /// `sha256:<hex>` of the bytes of the file, as documents name it.
    pub sha256: String,
    /// Length of the file.
    pub file_bytes: u64,
    /// What is in it.
    pub trace: Trace,
    /// From the content, else from the name.
    pub rank: Option<u32>,
}

impl TraceFile {
    /// What cut the file, to stand behind a sentence; empty for a whole one.
    #[must_use]
    pub fn damage(&self) -> String {
        let cut = |kind: DefectKind| self.trace.defects.iter().find(|defect| defect.kind == kind);
        match cut(DefectKind::GzipCut).or_else(|| cut(DefectKind::Truncated)) {
            Some(defect) => format!(
                "; {}, after {} bytes of JSON",
                defect.kind.what(),
                self.trace.bytes
            ),
            None => String::new(),
        }
    }

    /// Every defect of the file: its code, and where and how often it stands.
    pub fn defects(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.trace.defects.iter().map(|defect| {
            let text = format!(
                "{}: {} (byte {} of the JSON, {} time(s), {} event(s) lost)",
                self.path.display(),
                defect.kind.what(),
                defect.offset,
                defect.count,
                defect.events_lost
            );
            (defect.kind.code(), text)
        })
    }

    /// The name without its folders.
    #[must_use]
    pub fn file_name(&self) -> String {
        self.path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }
}

/// The files that `paths` name, folders opened, by name.
///
/// # Errors
/// [`FilesError`]
pub fn trace_paths(paths: &[PathBuf]) -> Result<Vec<PathBuf>, FilesError> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, error.into()))?;
        let mut inside: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_trace_name(path) && path.is_file())
            .collect();
        if inside.is_empty() {
            return Err(FilesError::NoTraceInFolder(path.display().to_string()));
        }
        inside.sort();
        found.append(&mut inside);
    }
    Ok(found)
}

fn is_trace_name(path: &Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let others = [
        "server_args",
        "server_info",
        "metadata",
        "config.json",
        "merged-",
        "truth",
    ];
    (name.ends_with(".json") || name.ends_with(".json.gz"))
        && !others.iter().any(|other| name.contains(other))
}

/// Reads all files, as many at once as there are cores; the order is that of the paths.
///
/// # Errors
/// [`FilesError`]
pub fn read_all(paths: &[PathBuf], want: Want) -> Result<Vec<TraceFile>, FilesError> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Result<TraceFile, FilesError>)>> = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(paths.len());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((index, path)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    paths.get(index).map(|path| (index, path))
                } {
                    let read = read_one(path, want);
                    results
                        .lock()
                        .expect("no reader panics with the lock")
                        .push((index, read));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("every reader has ended");
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, read)| read).collect()
}

/// Reads one file.
///
/// # Errors
/// [`FilesError`]
pub fn read_one(path: &Path, want: Want) -> Result<TraceFile, FilesError> {
    let trace = read_file(path, want).map_err(|source| unreadable(path, source))?;
    let (sha256, file_bytes) = hash(path).map_err(|error| unreadable(path, error.into()))?;
    let rank = trace
        .header
        .rank
        .or_else(|| rank_in_name(&path.file_name().unwrap_or_default().to_string_lossy()));
    Ok(TraceFile {
        path: path.to_owned(),
        sha256,
        file_bytes,
        trace,
        rank,
    })
}

fn unreadable(path: &Path, source: ReadError) -> FilesError {
    FilesError::Unreadable {
        path: path.display().to_string(),
        source,
    }
}

fn hash(path: &Path) -> std::io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
        bytes += count as u64;
    }
    let mut sha256 = String::from("sha256:");
    for byte in hasher.finalize() {
        sha256.push_str(&format!("{byte:02x}"));
    }
    Ok((sha256, bytes))
}

/// `TP-0`, `tp0`, `rank-3`, `rank_3`, `rank3`.
fn rank_in_name(name: &str) -> Option<u32> {
    let name = name.to_ascii_lowercase();
    for mark in ["tp", "rank"] {
        for (at, _) in name.match_indices(mark) {
            let inside_word = name[..at].ends_with(|character: char| character.is_ascii_alphanumeric());
            let rest = name[at + mark.len()..].trim_start_matches(['-', '_']);
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if !inside_word && let Ok(rank) = digits.parse() {
                return Some(rank);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_is_found_in_the_names_that_engines_give() {
        assert_eq!(rank_in_name("1775-TP-3-DECODE.trace.json.gz"), Some(3));
        assert_eq!(rank_in_name("sampled_rank-12.json.gz"), Some(12));
        assert_eq!(rank_in_name("rank0.json"), Some(0));
        assert_eq!(rank_in_name("http1.json"), None);
        assert_eq!(rank_in_name("trace.json"), None);
    }

    #[test]
    fn configurations_in_a_folder_are_no_traces() {
        assert!(is_trace_name(Path::new("a/1775-TP-0.trace.json.gz")));
        assert!(!is_trace_name(Path::new("a/server_args.json")));
        assert!(!is_trace_name(Path::new("a/notes.txt")));
    }
}
