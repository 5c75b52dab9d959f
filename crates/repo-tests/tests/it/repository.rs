//! The files of the checkout.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold what tools wrote, not what is in the repository.
const NOT_OURS: [&str; 7] = [
    "target",
    ".git",
    ".venv",
    "dist",
    "node_modules",
    "__pycache__",
    ".pytest_cache",
];

/// The root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("this crate lies two folders below the root")
        .to_owned()
}

/// A file by its path from the root.
pub(crate) fn read(path: &str) -> String {
    let full = root().join(path);
    fs::read_to_string(&full).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below a folder, as paths from the root with `/`, sorted. Sessions of this machine are left out.
pub(crate) fn files_below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            // A link to a folder would be walked twice.
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) && !is_session(&entry.path()) {
                open.push(entry.path());
            } else if kind.is_file() {
                found.push(from_root(&entry.path()));
            }
        }
    }
    found.sort();
    found
}

/// Below `sessions/` only `examples` is in the repository.
fn is_session(folder: &Path) -> bool {
    folder.parent() == Some(&root().join("sessions"))
        && folder.file_name().is_some_and(|name| name != "examples")
}

fn from_root(path: &Path) -> String {
    let below = path.strip_prefix(root()).expect("the path is below the root");
    below.to_str().expect("paths are text").replace('\\', "/")
}

/// The skills: folder names under `skills/`.
pub(crate) fn skills() -> Vec<String> {
    files_below("skills")
        .iter()
        .filter_map(|path| {
            Some(
                path.strip_prefix("skills/")?
                    .strip_suffix("/SKILL.md")?
                    .to_owned(),
            )
        })
        .collect()
}

/// Markdown that tells people and agents what to type: skills with their references, prompts and the README.
pub(crate) fn instructions() -> Vec<String> {
    let mut paths = vec!["README.md".to_owned()];
    paths.extend(files_below("skills"));
    paths.extend(files_below("prompts"));
    paths.retain(|path| path.ends_with(".md"));
    assert!(paths.len() > 3, "no skills found: {paths:?}");
    paths
}
