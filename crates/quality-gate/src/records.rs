//! Answers kept as they come: a first line that names suite, model and settings, then one item a line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cli_kit::{Failure, read_bounded};
use contracts::quality_gate::result::Item;
use serde_json::{Value, json};

use crate::error::QualityError;

const CAP: u64 = 512 << 20;

/// The open file, and whole answers of an earlier run.
pub(crate) struct Records {
    path: PathBuf,
    file: File,
    pub(crate) done: BTreeMap<String, Item>,
}

impl Records {
    /// Opens or begins the file. `key` is what has to be equal to go on.
    pub(crate) fn open(path: &Path, key: &str) -> Result<Records, Failure> {
        let failed = |source| QualityError::Records {
            path: path.display().to_string(),
            source,
        };
        let mut done = BTreeMap::new();
        let mut kept = Vec::new();
        if path.exists() {
            let bytes = read_bounded(path, CAP)?;
            let mut lines = bytes.split(|byte| *byte == b'\n');
            let head: Option<Value> = lines.next().and_then(|line| serde_json::from_slice(line).ok());
            let same = head.is_some_and(|head| head.get("run").and_then(Value::as_str) == Some(key));
            if !bytes.is_empty() && !same {
                return Err(QualityError::OtherRecords(path.display().to_string()).into());
            }
            // A line that was cut by a crash is asked again, and so is what failed.
            let items = lines.filter_map(|line| serde_json::from_slice::<Item>(line).ok());
            for item in items.filter(|item| item.error.is_none()) {
                kept.push(item.clone());
                done.insert(item.id.clone(), item);
            }
        }
        let mut text = format!("{}\n", json!({ "run": key }));
        for item in &kept {
            text.push_str(&line(item));
        }
        cli_kit::write_atomically(path, text.as_bytes()).map_err(failed)?;
        let file = File::options().append(true).open(path).map_err(failed)?;
        Ok(Records {
            path: path.to_owned(),
            file,
            done,
        })
    }

    /// Keeps one more.
    pub(crate) fn keep(&mut self, item: &Item) -> Result<(), QualityError> {
        self.file
            .write_all(line(item).as_bytes())
            .map_err(|source| QualityError::Records {
                path: self.path.display().to_string(),
                source,
            })
    }
}

fn line(item: &Item) -> String {
    let mut text = serde_json::to_string(item).expect("an item is plain data");
    text.push('\n');
    text
}
