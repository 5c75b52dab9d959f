//! What a command left behind: its exit code, what it printed and the documents it wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::documents::{check, check_lines};
use crate::process::Ended;

/// Longest view for a reader, in bytes.
const VIEW: usize = 8192;

/// Files of a folder and their bytes. Artifact roots are left out: the ledger checks its own (`loop-ledger verify`).
pub(super) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        if folder.join("ledger.jsonl").is_file() {
            continue;
        }
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path, bytes);
            }
        }
    }
    found
}

/// Checks every document that is new.
pub(super) fn documents(
    place: &str,
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
) {
    for (path, bytes) in after
        .iter()
        .filter(|(path, bytes)| before.get(*path) != Some(*bytes))
    {
        let place = format!("{place}: {}", path.display());
        let text = String::from_utf8_lossy(bytes);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json") => document(&place, &text),
            Some("jsonl") => check_lines(&place, &text),
            _ => {}
        }
    }
}

/// One document: of a published schema, whole, and with next commands that parse.
fn document(place: &str, text: &str) {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{place}: {error}"));
    check(place, &value);
    assert_ne!(value["complete"], false, "{place} is not complete");
    if value["next_actions"].is_array() {
        crate::chain::the_next_commands_parse(&value);
    }
}

/// What a command printed: a document, or a view or text that is short enough for a reader.
pub(super) fn printed(place: &str, ended: &Ended) {
    let text = ended.stdout.trim();
    if text.starts_with('{') {
        document(place, text);
    } else {
        assert!(text.len() <= VIEW, "{place}: the view has {} bytes", text.len());
    }
}
