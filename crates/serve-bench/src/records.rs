//! The records file: written line by line as requests end, read back by `summarize`.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use cli_kit::Failure;
use contracts::fields::RunningSha256;
use contracts::serve_bench::record::{RecordHeader, RecordLine, RequestRecord, RunEnd, RunStart};
use contracts::{Artifact, Exit, Input};
use serde::Serialize;

/// Kind of the artifact that a result names its records by.
pub(crate) const KIND: &str = "request_records";
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
    /// Opens the file and writes its header; what was there before is replaced.
    pub(crate) fn create(path: &Path, header: &RecordHeader) -> Result<RecordsWriter, Failure> {
        let mut writer = RecordsWriter {
            path: path.to_owned(),
            file: File::create(path).map_err(|error| not_writable(path, &error))?,
            bytes: 0,
            hash: RunningSha256::default(),
            failure: None,
        };
        writer.line(&RecordLine::Header(Box::new(header.clone())));
        Ok(writer)
    }

    /// Goes on in the file of a measurement that is resumed; a file that is not there or empty is begun.
    ///
    /// # Errors
    /// Exit 7 when the file belongs to another measurement.
    pub(crate) fn resume(path: &Path, header: &RecordHeader) -> Result<RecordsWriter, Failure> {
        let io = |error: io::Error| not_writable(path, &error);
        let mut file = match File::options().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return RecordsWriter::create(path, header);
            }
            Err(error) => return Err(io(error)),
        };
        let (mut bytes, mut hash) = (0, RunningSha256::default());
        let mut lines = BufReader::new(&mut file);
        let mut line = Vec::new();
        // What a crash cut is not a line.
        while lines.read_until(b'\n', &mut line).map_err(io)? > 0 && line.ends_with(b"\n") {
            if bytes == 0 && !is_header_of(&line, header) {
                return Err(Failure::new(
                    Exit::Drift,
                    "records-of-another",
                    format!("{} holds the records of another measurement", path.display()),
                )
                .hint("choose another path for --records, or give the file that this measurement began"));
            }
            bytes += line.len() as u64;
            hash.add(&line);
            line.clear();
        }
        if bytes == 0 {
            return RecordsWriter::create(path, header);
        }
        file.set_len(bytes).map_err(io)?;
        file.seek(io::SeekFrom::End(0)).map_err(io)?;
        Ok(RecordsWriter {
            path: path.to_owned(),
            file,
            bytes,
            hash,
            failure: None,
        })
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
            kind: KIND.to_owned(),
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

fn not_writable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Exit::Unavailable,
        "records-not-writable",
        format!("cannot write {}: {error}", path.display()),
    )
    .hint("choose another path for --records")
}

/// Whether the first line of a file is the header of the same measurement.
fn is_header_of(line: &[u8], header: &RecordHeader) -> bool {
    let Ok(RecordLine::Header(found)) = serde_json::from_slice(line) else {
        return false;
    };
    found.schema == header.schema
        && found.contract.fingerprint == header.contract.fingerprint
        && found.subject.fingerprint == header.subject.fingerprint
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
    read_if(path, |_| Ok(()))
}

/// Reads a records file unless `check` refuses the bytes that it is.
pub(crate) fn read_if(
    path: &Path,
    check: impl FnOnce(&Input) -> Result<(), Failure>,
) -> Result<Recorded, Failure> {
    let bad = |code: &str, message: String| {
        Failure::new(Exit::BadInput, code, message).hint("give a file that `serve-bench run --records` wrote")
    };
    let bytes = cli_kit::read_bounded(path, u64::MAX - 1)?;
    let name = path.display();
    let input = cli_kit::input_of(path, &bytes);
    check(&input)?;
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
    // A run that was interrupted is made again when the measurement is resumed.
    for at in (0..runs.len()).rev() {
        let is_made_again = runs[at + 1..].iter().any(|later| is_same(later, &runs[at]));
        if is_made_again && !runs[at].end.as_ref().is_some_and(|end| end.complete) {
            runs.remove(at);
        }
    }
    let is_repeated = |at: usize| {
        runs[..at]
            .iter()
            .any(|before| before.start.run == runs[at].start.run)
    };
    if runs.iter().any(|run| run.start.side.is_some()) || (0..runs.len()).any(is_repeated) {
        return Err(Failure::new(
            Exit::BadInput,
            "records-two-sides",
            format!("{name} holds the runs of two sides: one result of both would be of neither"),
        )
        .hint("the comparison at -o holds every run of each side; gap-decide reads it"));
    }
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

fn is_same(left: &RecordedRun, right: &RecordedRun) -> bool {
    (left.start.run, left.start.side) == (right.start.run, right.start.side)
}

#[cfg(test)]
pub(super) mod tests {
    use contracts::serve_bench::record::{RunSide, SCHEMA};
    use contracts::serve_bench::result::{EngineInfo, EngineKind, TargetInfo, WorkloadInfo};
    use contracts::{FieldSet, Tool};
    use serde_json::json;

    use super::*;
    use crate::fold::{ClientSamples, client_health};
    use crate::load::closed_loop_info;

    pub(crate) fn header(commit: &str) -> RecordHeader {
        let workload: WorkloadInfo = serde_json::from_value(json!({
            "name": "w", "scenario": "s", "purpose": "evidence", "dataset": "random", "seed": 0,
            "num_prompts": 1, "request_stream_sha256": "sha256:0", "endpoint": "chat", "prompt_unit": "words",
            "input_len": null, "output_len": null, "prompt_check": null,
        }))
        .unwrap();
        let commit = contracts::Field::declared(commit);
        RecordHeader {
            schema: SCHEMA.to_owned(),
            tool: Tool {
                name: "serve-bench".to_owned(),
                version: "0".to_owned(),
            },
            created_at: jiff::Timestamp::UNIX_EPOCH,
            contract: FieldSet::none(),
            environment: FieldSet::none(),
            subject: FieldSet::new([("engine.commit".to_owned(), commit)].into()),
            target: TargetInfo {
                url: "http://127.0.0.1:1".to_owned(),
                model: None,
                served_model: None,
                engine: EngineInfo {
                    kind: EngineKind::Other,
                    version: None,
                },
            },
            workload,
            load: closed_loop_info(1, 0),
            shard: None,
            slo: Vec::new(),
            goodput: Vec::new(),
        }
    }

    fn start(run: u32, side: Option<RunSide>) -> RunStart {
        RunStart {
            run,
            side,
            epoch_at: jiff::Timestamp::UNIX_EPOCH,
            load: None,
        }
    }

    fn end(run: u32, complete: bool) -> RunEnd {
        RunEnd {
            run,
            complete,
            client: client_health(&ClientSamples::default(), &[], &closed_loop_info(1, 0)),
        }
    }

    #[test]
    fn a_resumed_file_keeps_what_was_measured() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.jsonl");
        let mut writer = RecordsWriter::create(&path, &header("a")).unwrap();
        writer.run_start(start(0, None));
        writer.run_end(end(0, true));
        writer.run_start(start(1, None));
        drop(writer);
        let mut cut = File::options().append(true).open(&path).unwrap();
        cut.write_all(b"{\"kind\":\"reque").unwrap();

        let mut writer = RecordsWriter::resume(&path, &header("a")).unwrap();
        writer.run_start(start(1, None));
        writer.run_end(end(1, true));
        let bytes = std::fs::read(&path).unwrap();
        let artifact = writer.artifact();
        assert_eq!(
            (artifact.bytes, artifact.sha256.unwrap()),
            (bytes.len() as u64, contracts::fields::sha256_hex(&bytes))
        );
        let recorded = read(&path).unwrap();
        let runs: Vec<_> = recorded
            .runs
            .iter()
            .map(|run| (run.start.run, run.end.is_some()))
            .collect();
        assert_eq!(
            runs,
            [(0, true), (1, true)],
            "the cut run is made again, not counted twice"
        );

        let other = RecordsWriter::resume(&path, &header("b")).err().unwrap();
        assert_eq!(
            (other.exit, other.document.code.as_str()),
            (Exit::Drift, "records-of-another")
        );
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "it is not touched");
        RecordsWriter::create(&path, &header("b")).unwrap();
        assert_eq!(read(&path).unwrap().runs.len(), 0);
    }

    #[test]
    fn two_sides_make_no_result() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.jsonl");
        for sides in [[Some(RunSide::A), Some(RunSide::B)], [None, None]] {
            let mut writer = RecordsWriter::create(&path, &header("a")).unwrap();
            for side in sides {
                writer.run_start(start(0, side));
                writer.run_end(end(0, true));
            }
            let failure = read(&path).unwrap_err();
            assert_eq!(
                (failure.exit, failure.document.code.as_str()),
                (Exit::BadInput, "records-two-sides")
            );
        }
    }
}
