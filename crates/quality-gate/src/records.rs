//! Answers kept as they come: `quality-gate.record/1`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cli_kit::{Failure, read_bounded};
use contracts::quality_gate::agreement::PromptAnswer;
use contracts::quality_gate::record::{self, RecordHeader, RecordLine};
use contracts::quality_gate::result::Item;

use crate::error::QualityError;

pub(crate) const CAP: u64 = 512 << 20;

/// The open file, and whole answers of an earlier run.
pub(crate) struct Records {
    path: PathBuf,
    file: File,
    pub(crate) done: BTreeMap<String, Item>,
    /// Answers to prompts, by prompt.
    pub(crate) prompts: BTreeMap<String, PromptAnswer>,
}

/// A line that was written whole. An answer that failed is none: it is asked again, as is one that a crash cut.
fn read(line: &[u8]) -> Option<RecordLine> {
    let line: RecordLine = serde_json::from_slice(line).ok()?;
    let has_failed = match &line {
        RecordLine::Header(_) => false,
        RecordLine::Item(item) => item.error.is_some(),
        RecordLine::Prompt(answer) => answer.error.is_some(),
    };
    (!has_failed).then_some(line)
}

/// The header of a file of records; `None` where the file is another.
pub(crate) fn header(bytes: &[u8]) -> Option<RecordHeader> {
    match read(bytes.split(|byte| *byte == b'\n').next()?)? {
        RecordLine::Header(header) if header.schema == record::SCHEMA => Some(*header),
        _ => None,
    }
}

/// The answers to prompts that a file holds, in its order.
pub(crate) fn answers(bytes: &[u8]) -> Vec<PromptAnswer> {
    let lines = bytes.split(|byte| *byte == b'\n');
    let answers = lines.filter_map(|line| match read(line)? {
        RecordLine::Prompt(answer) => Some(*answer),
        _ => None,
    });
    answers.collect()
}

impl Records {
    /// Opens or begins the file; one that is there has to be of an equal run.
    pub(crate) fn open(path: &Path, asked: RecordHeader) -> Result<Records, Failure> {
        let failed = |source| QualityError::Records {
            path: path.display().to_string(),
            source,
        };
        let (mut done, mut prompts) = (BTreeMap::new(), BTreeMap::new());
        let bytes = match path.exists() {
            true => read_bounded(path, CAP)?,
            false => Vec::new(),
        };
        if !bytes.is_empty() && header(&bytes).is_none_or(|header| header.run != asked.run) {
            return Err(QualityError::OtherRecords(path.display().to_string()).into());
        }
        let mut text = line(&RecordLine::Header(Box::new(asked)));
        for kept in bytes.split(|byte| *byte == b'\n').filter_map(read) {
            match &kept {
                RecordLine::Header(_) => continue,
                RecordLine::Item(item) => {
                    done.insert(item.id.clone(), (**item).clone());
                }
                RecordLine::Prompt(answer) => {
                    prompts.insert(answer.prompt.clone(), (**answer).clone());
                }
            }
            text.push_str(&line(&kept));
        }
        cli_kit::write_atomically(path, text.as_bytes()).map_err(failed)?;
        let file = File::options().append(true).open(path).map_err(failed)?;
        Ok(Records {
            path: path.to_owned(),
            file,
            done,
            prompts,
        })
    }

    /// Keeps one more.
    pub(crate) fn keep(&mut self, answer: RecordLine) -> Result<(), QualityError> {
        self.file
            .write_all(line(&answer).as_bytes())
            .map_err(|source| QualityError::Records {
                path: self.path.display().to_string(),
                source,
            })
    }
}

fn line(answer: &RecordLine) -> String {
    let mut text = serde_json::to_string(answer).expect("an answer is plain data");
    text.push('\n');
    text
}
