//! Answers kept as they come: a first line that names suite, model, settings and prompts, then one answer a line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cli_kit::{Failure, read_bounded};
use contracts::quality_gate::agreement::{PromptAnswer, Prompts};
use contracts::quality_gate::result::Item;
use serde::Serialize;
use serde_json::{Value, json};

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

/// A line after the first.
enum Kept {
    Item(Item),
    Prompt(PromptAnswer),
}

impl Kept {
    /// Whole answers only: a line that was cut by a crash is asked again, and so is what failed.
    fn read(line: &[u8]) -> Option<Kept> {
        let value: Value = serde_json::from_slice(line).ok()?;
        if value.get("expected").is_some() {
            let item: Item = serde_json::from_value(value).ok()?;
            return item.error.is_none().then_some(Kept::Item(item));
        }
        let answer: PromptAnswer = serde_json::from_value(value).ok()?;
        answer.error.is_none().then_some(Kept::Prompt(answer))
    }
}

/// The answers to prompts that a file holds; `None` where its first line names no prompts.
pub(crate) fn prompts(bytes: &[u8]) -> Option<Prompts> {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let head: Value = serde_json::from_slice(lines.next()?).ok()?;
    let mut prompts: Prompts = serde_json::from_value(head.get("prompts")?.clone()).ok()?;
    prompts.answers = lines
        .filter_map(|line| match Kept::read(line)? {
            Kept::Prompt(answer) => Some(answer),
            Kept::Item(_) => None,
        })
        .collect();
    Some(prompts)
}

impl Records {
    /// Opens or begins the file. `key` is what has to be equal to go on.
    pub(crate) fn open(path: &Path, key: &str, asked: Option<&Prompts>) -> Result<Records, Failure> {
        let failed = |source| QualityError::Records {
            path: path.display().to_string(),
            source,
        };
        let (mut done, mut prompts) = (BTreeMap::new(), BTreeMap::new());
        let mut text = line(&json!({ "run": key, "prompts": asked }));
        if path.exists() {
            let bytes = read_bounded(path, CAP)?;
            let mut lines = bytes.split(|byte| *byte == b'\n');
            let head: Option<Value> = lines.next().and_then(|line| serde_json::from_slice(line).ok());
            let same = head.is_some_and(|head| head.get("run").and_then(Value::as_str) == Some(key));
            if !bytes.is_empty() && !same {
                return Err(QualityError::OtherRecords(path.display().to_string()).into());
            }
            for kept in lines.filter_map(Kept::read) {
                match kept {
                    Kept::Item(item) => {
                        text.push_str(&line(&item));
                        done.insert(item.id.clone(), item);
                    }
                    Kept::Prompt(answer) => {
                        text.push_str(&line(&answer));
                        prompts.insert(answer.prompt.clone(), answer);
                    }
                }
            }
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
    pub(crate) fn keep(&mut self, item: &impl Serialize) -> Result<(), QualityError> {
        self.file
            .write_all(line(item).as_bytes())
            .map_err(|source| QualityError::Records {
                path: self.path.display().to_string(),
                source,
            })
    }
}

fn line(answer: &impl Serialize) -> String {
    let mut text = serde_json::to_string(answer).expect("an answer is plain data");
    text.push('\n');
    text
}
