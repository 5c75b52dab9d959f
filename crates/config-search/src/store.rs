//! The folder of a search: its plan, and one line a candidate, on disk before the next one is launched.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use contracts::config_search::candidate::{self, Candidate};
use contracts::config_search::report::Confirmation;

use crate::error::SearchError;
use crate::plan::Loaded;

/// The rows.
pub(crate) const ROWS: &str = "candidates.jsonl";
/// The plan as it was when the search began.
const PLAN: &str = "plan.yaml";
/// What a crash left of a line.
const TORN: &str = "candidates.torn";

/// A search that may be written to. Whoever holds it is alone.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) folder: PathBuf,
    pub(crate) rows: Vec<Candidate>,
    /// Whether the last line was cut, and moved aside.
    pub(crate) was_torn: bool,
    file: File,
}

/// The folder of a search: as named, else beside the working folder by the plan's name.
pub(crate) fn folder(named: Option<&Path>, plan: &Path) -> PathBuf {
    match named {
        Some(folder) => folder.to_path_buf(),
        None => {
            let stem = plan
                .file_stem()
                .map_or("search".into(), |stem| stem.to_string_lossy());
            PathBuf::from(format!("{stem}.search"))
        }
    }
}

impl Store {
    /// Opens or begins a search.
    pub(crate) fn open(folder: &Path, plan: &Loaded, resume: bool) -> Result<Store, SearchError> {
        let write = |path: &Path| {
            let path = path.display().to_string();
            move |source| SearchError::Write { path, source }
        };
        std::fs::create_dir_all(folder).map_err(write(folder))?;
        let path = folder.join(ROWS);
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(write(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(SearchError::Busy {
                    folder: folder.display().to_string(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(write(&path)(source)),
        }
        let kept = folder.join(PLAN);
        if kept.exists() {
            same_plan(folder, plan)?;
            if !resume {
                return Err(SearchError::NotEmpty {
                    folder: folder.display().to_string(),
                });
            }
        } else {
            cli_kit::write_atomically(&kept, &plan.bytes).map_err(write(&kept))?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(write(&path))?;
        let whole = whole_lines(&bytes);
        let was_torn = whole < bytes.len();
        if was_torn {
            // A crash in the middle of a line: what it was goes aside, and the line is made anew.
            let torn = folder.join(TORN);
            cli_kit::write_atomically(&torn, &bytes[whole..]).map_err(write(&torn))?;
            file.set_len(whole as u64)
                .and_then(|()| file.seek(SeekFrom::End(0)))
                .and_then(|_| file.sync_data())
                .map_err(write(&path))?;
        }
        Ok(Store {
            folder: folder.to_path_buf(),
            rows: parse(&path, &bytes[..whole])?,
            was_torn,
            file,
        })
    }

    /// Adds a row; it is on disk when this returns.
    pub(crate) fn append(&mut self, row: Candidate) -> Result<(), SearchError> {
        let mut line = serde_json::to_string(&row).expect("a row is JSON");
        line.push('\n');
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(|source| SearchError::Write {
                path: self.folder.join(ROWS).display().to_string(),
                source,
            })?;
        self.rows.push(row);
        Ok(())
    }
}

/// The rows of a search, for whoever only reads; a line that is being written is left out.
pub(crate) fn rows(folder: &Path, plan: &Loaded) -> Result<Vec<Candidate>, SearchError> {
    let path = folder.join(ROWS);
    let bytes = std::fs::read(&path).map_err(|error| SearchError::NoSearch {
        folder: folder.display().to_string(),
        why: error.to_string(),
    })?;
    same_plan(folder, plan)?;
    parse(&path, &bytes[..whole_lines(&bytes)])
}

/// Length of the lines that have an end.
fn whole_lines(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1)
}

fn same_plan(folder: &Path, plan: &Loaded) -> Result<(), SearchError> {
    let kept = std::fs::read(folder.join(PLAN)).map_err(|error| SearchError::NoSearch {
        folder: folder.display().to_string(),
        why: format!("{PLAN}: {error}"),
    })?;
    if kept != plan.bytes {
        return Err(SearchError::PlanChanged {
            folder: folder.display().to_string(),
        });
    }
    Ok(())
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Candidate>, SearchError> {
    let bad = |at: usize, why: String| SearchError::Row {
        path: path.display().to_string(),
        line: at + 1,
        why: contracts::text::clean(&why, 200),
    };
    let mut rows = Vec::new();
    for (at, line) in bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .filter(|(_, line)| !line.is_empty())
    {
        let row: Candidate = serde_json::from_slice(line).map_err(|error| bad(at, error.to_string()))?;
        if row.schema != candidate::SCHEMA {
            return Err(bad(at, format!("its schema is {}", row.schema)));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// What was confirmed last.
pub(crate) const CONFIRMATION: &str = "confirmation.json";
/// Largest of these.
const CONFIRMATION_CAP: u64 = 1 << 20;

/// What was confirmed of this search, if it was.
pub(crate) fn confirmation(folder: &Path) -> Option<Confirmation> {
    let bytes = cli_kit::read_bounded(&folder.join(CONFIRMATION), CONFIRMATION_CAP).ok()?;
    serde_json::from_slice(&bytes).ok()
}
