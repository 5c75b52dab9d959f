//! The records file: written line by line as requests end, read back by `summarize`.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use cli_kit::Failure;
use contracts::fields::RunningSha256;
use contracts::serve_bench::record::{RecordHeader, RecordLine, RequestRecord, RunEnd, RunStart};
use contracts::{Artifact, Exit, Input};
use serde::Serialize;

/// Longest line of a records file that is read: a request of a million chunks.
const LINE_CAP: usize = 64 << 20;

/// Writes one line per request; a failing disk stops the writing, never the measurement.
pub(crate) struct RecordsWriter {
    path: PathBuf,
    file: File,
    bytes: u64,
    hash: RunningSha256,
    failure: Option<io::Error>,
}

impl RecordsWriter {
    pub(crate) fn create(path: &Path) -> Result<RecordsWriter, Failure> {
        let file = File::create(path).map_err(|error| {
            Failure::new(
                Exit::Unavailable,
                "records-not-writable",
                format!("cannot write {}: {error}", path.display()),
            )
            .hint("choose another path for --records")
        })?;
        Ok(RecordsWriter {
            path: path.to_owned(),
            file,
            bytes: 0,
            hash: RunningSha256::default(),
            failure: None,
        })
    }

    pub(crate) fn header(&mut self, header: &RecordHeader) {
        self.line(&RecordLine::Header(Box::new(header.clone())));
    }

    pub(crate) fn run_start(&mut self, start: RunStart) {
        self.line(&RecordLine::RunStart(start));
    }

    pub(crate) fn request(&mut self, record: &RequestRecord) {
        /// The same bytes as `RecordLine::Request`, without a copy of the record.
        #[derive(Serialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        enum Line<'a> {
            Request(&'a RequestRecord),
        }
        self.line(&Line::Request(record));
    }

    pub(crate) fn run_end(&mut self, end: RunEnd) {
        self.line(&RecordLine::RunEnd(Box::new(end)));
    }

    /// What stopped the writing, if anything did.
    pub(crate) fn failure(&self) -> Option<String> {
        self.failure.as_ref().map(|error| {
            format!(
                "{} holds only what was written before: {error}",
                self.path.display()
            )
        })
    }

    pub(crate) fn artifact(&self) -> Artifact {
        Artifact {
            kind: "request_records".to_owned(),
            path: self.path.display().to_string(),
            // A file that was cut short by a full disk is not what was hashed.
            sha256: self.failure.is_none().then(|| self.hash.hex()),
            bytes: self.bytes,
        }
    }

    fn line(&mut self, line: &impl Serialize) {
        if self.failure.is_some() {
            return;
        }
        let mut bytes = serde_json::to_vec(line).expect("a record has string keys and finite numbers");
        bytes.push(b'\n');
        // One write a line: whatever ends this process, the lines before are whole.
        match self.file.write_all(&bytes) {
            Ok(()) => {
                self.bytes += bytes.len() as u64;
                self.hash.add(&bytes);
            }
            Err(error) => {
                tracing::error!(
                    "cannot write {}: {error}; the measurement goes on",
                    self.path.display()
                );
                self.failure = Some(error);
            }
        }
    }
}

/// One run of a records file.
#[derive(Debug)]
pub(crate) struct RecordedRun {
    pub(crate) start: RunStart,
    pub(crate) records: Vec<RequestRecord>,
    /// Missing when the process died in the run.
    pub(crate) end: Option<RunEnd>,
}

/// A records file, read back.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) header: RecordHeader,
    pub(crate) runs: Vec<RecordedRun>,
    /// True when the last line was cut.
    pub(crate) torn: bool,
    pub(crate) input: Input,
}

/// Reads a records file; a last line without its end is dropped and reported, anything else that does not read is an
/// error with its line.
pub(crate) fn read(path: &Path) -> Result<Recorded, Failure> {
    let bad = |code: &str, message: String| {
        Failure::new(Exit::BadInput, code, message).hint("give a file that `serve-bench run --records` wrote")
    };
    let bytes = cli_kit::read_bounded(path, u64::MAX - 1)?;
    let name = path.display();
    let input = cli_kit::input_of(path, &bytes);
    let torn = bytes.last().is_some_and(|last| *last != b'\n');
    let mut header = None;
    let mut runs: Vec<RecordedRun> = Vec::new();
    let whole = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    for (number, line) in BufReader::new(&bytes[..whole]).lines().enumerate() {
        let number = number + 1;
        let line =
            line.map_err(|error| bad("records-unreadable", format!("{name} line {number}: {error}")))?;
        if line.len() > LINE_CAP {
            return Err(bad(
                "records-unreadable",
                format!("{name} line {number} is longer than {LINE_CAP} bytes"),
            ));
        }
        let parsed: RecordLine = serde_json::from_str(&line).map_err(|error| {
            bad(
                "records-unreadable",
                format!("{name} line {number} is not a record: {error}"),
            )
        })?;
        match (parsed, runs.last_mut()) {
            (RecordLine::Header(found), None) if header.is_none() => {
                if found.schema != contracts::serve_bench::record::SCHEMA {
                    let found = contracts::text::clean(&found.schema, 80);
                    return Err(bad("schema-version", format!("{name} is `{found}`")));
                }
                header = Some(*found);
            }
            (RecordLine::RunStart(start), _) if header.is_some() => {
                runs.push(RecordedRun {
                    start,
                    records: Vec::new(),
                    end: None,
                });
            }
            (RecordLine::Request(record), Some(run)) => run.records.push(*record),
            (RecordLine::RunEnd(end), Some(run)) => run.end = Some(*end),
            _ => {
                return Err(bad(
                    "records-unreadable",
                    format!("{name} line {number} is out of place"),
                ));
            }
        }
    }
    let header = header.ok_or_else(|| bad("records-empty", format!("{name} has no header line")))?;
    for run in &mut runs {
        run.records.sort_by_key(|record| record.index);
    }
    Ok(Recorded {
        header,
        runs,
        torn,
        input,
    })
}
