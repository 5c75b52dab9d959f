//! The workload file: written by temporary file and rename, read line by line with the hash checked against the
//! content. What a reader gets is what was frozen, or an error with the line.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use contracts::serve_bench::workload::{SCHEMA, ScenarioInfo, StreamHash, WorkloadHeader, WorkloadRequest};
use serde_json::Value;

use super::body::{self, asked_output_len};
use super::lines::{Line, Lines};
use super::plan::MAX_PROMPTS;
use super::{Workload, WorkloadError};

impl Workload {
    /// Writes the file; readers see the old or the new content.
    ///
    /// # Errors
    /// [`WorkloadError::NotWritten`], or [`WorkloadError::Interrupted`]; the temporary file is removed.
    pub fn write(&self, path: &Path) -> Result<(), WorkloadError> {
        let write = |path: &Path| -> io::Result<()> {
            let name = path
                .file_name()
                .ok_or_else(|| io::Error::other("the path names no file"))?;
            let mut temporary = OsString::from(".");
            temporary.push(name);
            temporary.push(format!(".{}.part", std::process::id()));
            let temporary = path.with_file_name(temporary);
            let written = self
                .write_lines(&temporary)
                .and_then(|()| std::fs::rename(&temporary, path));
            if written.is_err() {
                let _ = std::fs::remove_file(&temporary);
            }
            written
        };
        write(path).map_err(|source| match source.kind() {
            io::ErrorKind::Interrupted => WorkloadError::Interrupted,
            _ => WorkloadError::NotWritten {
                path: path.to_owned(),
                source,
            },
        })
    }

    fn write_lines(&self, path: &Path) -> io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 16, File::create(path)?);
        serde_json::to_writer(&mut out, &self.header)?;
        out.write_all(b"\n")?;
        for request in &self.requests {
            if cli_kit::interrupted() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            serde_json::to_writer(&mut out, request)?;
            out.write_all(b"\n")?;
        }
        out.into_inner()?.sync_data()
    }

    /// Reads a file and checks its content against the hashes of its header.
    ///
    /// # Errors
    /// [`WorkloadError`]: unreadable, empty, foreign, another version, malformed, cut (exit 3), or changed after it
    /// was frozen (exit 7).
    pub fn read(path: &Path) -> Result<Workload, WorkloadError> {
        let mut lines = Lines::open(path)?;
        let Some(first) = lines.next_line()? else {
            return Err(WorkloadError::Empty {
                path: path.to_owned(),
            });
        };
        let header = header(path, &first)?;
        let mut requests = Vec::new();
        let mut whole = StreamHash::default();
        for scenario in &header.scenarios {
            let mut own = StreamHash::default();
            for index in 0..scenario.num_prompts {
                let request = request(&mut lines, scenario, index)?;
                own.add(&request);
                whole.add(&request);
                requests.push(request);
            }
            agree(
                path,
                format!("scenario `{}`", scenario.scenario),
                own,
                &scenario.request_stream_sha256,
            )?;
        }
        while let Some(line) = lines.next_line()? {
            if !line.bytes.trim_ascii().is_empty() {
                return Err(WorkloadError::HashMismatch {
                    path: path.to_owned(),
                    place: format!("line {}", line.number),
                    reason: "more requests than the header says".to_owned(),
                });
            }
        }
        agree(
            path,
            "all scenarios".to_owned(),
            whole,
            &header.request_stream_sha256,
        )?;
        Ok(Workload {
            header,
            requests,
            notes: Vec::new(),
        })
    }
}

fn agree(path: &Path, place: String, hash: StreamHash, declared: &str) -> Result<(), WorkloadError> {
    let actual = hash.finish();
    if actual == declared {
        return Ok(());
    }
    Err(WorkloadError::HashMismatch {
        path: path.to_owned(),
        place,
        reason: format!(
            "the requests hash to {actual}, the header says {}",
            contracts::text::clean(declared, 80)
        ),
    })
}

fn header(path: &Path, line: &Line<'_>) -> Result<WorkloadHeader, WorkloadError> {
    let foreign = |reason: String| WorkloadError::Foreign {
        path: path.to_owned(),
        reason,
    };
    if line.bytes.trim_ascii().is_empty() {
        return Err(foreign("the first line is blank".to_owned()));
    }
    let value: Value = serde_json::from_slice(line.bytes).map_err(|error| {
        // Only one of ours can be said to be cut.
        if error.is_eof() && !line.ended && line.bytes.starts_with(b"{\"schema\":\"serve-bench.workload/") {
            WorkloadError::Truncated {
                path: path.to_owned(),
                line: 1,
                reason: "the header is not complete".to_owned(),
            }
        } else {
            foreign("the first line is not JSON".to_owned())
        }
    })?;
    let found = value.get("schema").and_then(Value::as_str).unwrap_or_default();
    if found != SCHEMA {
        let shown = contracts::text::clean(found, 80);
        let version = |schema: &str| schema.strip_prefix("serve-bench.workload/")?.parse::<u32>().ok();
        return Err(match (version(found), version(SCHEMA)) {
            (Some(theirs), Some(ours)) => WorkloadError::Version {
                path: path.to_owned(),
                found: shown,
                newer: theirs > ours,
            },
            _ if shown.is_empty() => foreign("the first line has no `schema`".to_owned()),
            _ => foreign(format!("its `schema` is `{shown}`, not `{SCHEMA}`")),
        });
    }
    let malformed = |reason: String| WorkloadError::Malformed {
        path: path.to_owned(),
        line: 1,
        reason,
    };
    let header: WorkloadHeader = serde_json::from_value(value)
        .map_err(|error| malformed(contracts::text::clean(&error.to_string(), 200)))?;
    let total = header
        .scenarios
        .iter()
        .try_fold(0_u64, |sum, scenario| sum.checked_add(scenario.num_prompts));
    if header.scenarios.is_empty() || total.is_none_or(|total| total == 0 || total > 16 * MAX_PROMPTS) {
        return Err(malformed(
            "the scenarios have no requests, or too many".to_owned(),
        ));
    }
    let mut names: Vec<&str> = header.scenarios.iter().map(|s| s.scenario.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(malformed("two scenarios have one name".to_owned()));
    }
    Ok(header)
}

/// The next line as request `index` of a scenario.
fn request(lines: &mut Lines, scenario: &ScenarioInfo, index: u64) -> Result<WorkloadRequest, WorkloadError> {
    let path = lines.path().to_owned();
    let wanted = || {
        format!(
            "request {index} of {} of scenario `{}`",
            scenario.num_prompts,
            contracts::text::clean(&scenario.scenario, 80)
        )
    };
    let after = lines.number();
    let Some(line) = lines.next_line()? else {
        return Err(WorkloadError::Truncated {
            path,
            line: after,
            reason: format!("{} is missing", wanted()),
        });
    };
    let number = line.number;
    let malformed = |reason: String| WorkloadError::Malformed {
        path: path.clone(),
        line: number,
        reason,
    };
    let request: WorkloadRequest = serde_json::from_slice(line.bytes).map_err(|error| {
        if error.is_eof() && !line.ended {
            WorkloadError::Truncated {
                path: path.clone(),
                line: number,
                reason: format!("{} is not complete", wanted()),
            }
        } else {
            malformed(contracts::text::clean(&error.to_string(), 200))
        }
    })?;
    if request.scenario != scenario.scenario || request.index != index {
        return Err(WorkloadError::HashMismatch {
            path,
            place: format!("line {number}"),
            reason: format!(
                "request {} of scenario `{}` stands where {} should",
                request.index,
                contracts::text::clean(&request.scenario, 80),
                wanted()
            ),
        });
    }
    body::check(&request.body).map_err(&malformed)?;
    if request.output_len != asked_output_len(&request.body) {
        return Err(malformed("`output_len` is not what the body asks for".to_owned()));
    }
    if request.arrival_offset_ms.is_some_and(|offset| offset.get() < 0.0) {
        return Err(malformed("`arrival_offset_ms` is negative".to_owned()));
    }
    Ok(request)
}
