//! `render`: the one writer of everything that is made from the ledger.

use std::fs;
use std::io;
use std::path::{Component, Path};

use cli_kit::{DocumentParts, Failure, Report, View};
use contracts::fields::sha256_hex;
use contracts::loop_ledger::text::{self, TextData};
use contracts::{Artifact, Document, Exit};

use crate::TOOL;
use crate::error::LedgerError;
use crate::ledger::{Ledger, Root};
use crate::render::{self, Documents, File, Source};

pub(crate) fn render(root: &Root) -> Result<Report, Failure> {
    let ledger = Ledger::read(root)?;
    let (files, written, simulated) = with_source(&ledger, |source| {
        let files = render::files(source);
        let written = write(root, &files)?;
        Ok::<_, LedgerError>((files, written, source.simulated()))
    })?;
    let summary = format!(
        "{} files rendered from {} entries, {written} of them changed.",
        files.len(),
        ledger.entries().len()
    );
    let artifacts = files
        .iter()
        .map(|file| artifact(&root.path().join(&file.path), &file.bytes))
        .collect();
    let document = document(&ledger, "render", summary, None, artifacts, simulated);
    let shown = View::new()
        .head(&document)
        .list(files.iter().map(|file| file.path.clone()).collect());
    Ok(Report::new(&document, shown, Exit::Ok))
}

/// Calls with everything that a rendered file is made from.
pub(crate) fn with_source<T>(ledger: &Ledger, make: impl FnOnce(&Source<'_>) -> T) -> T {
    let state = render::source::state(ledger);
    let documents = Documents::read(ledger);
    make(&Source {
        state: &state,
        head: ledger.chain.head(),
        documents: &documents,
    })
}

/// The document of a command whose product is text or files.
pub(crate) fn document(
    ledger: &Ledger,
    kind: &str,
    summary: String,
    text: Option<String>,
    artifacts: Vec<Artifact>,
    simulated: bool,
) -> Document<TextData> {
    let parts = DocumentParts {
        summary,
        simulated,
        artifacts,
        ..DocumentParts::new(text::SCHEMA)
    };
    let data = TextData {
        kind: kind.to_owned(),
        chars: text.as_ref().map_or(0, |text| text.chars().count() as u64),
        text,
        head: Some(ledger.chain.head().to_owned()),
    };
    cli_kit::document(&TOOL, parts, data)
}

/// A written file, as documents name it.
pub(crate) fn artifact(path: &Path, bytes: &[u8]) -> Artifact {
    Artifact {
        kind: "rendered".to_owned(),
        path: path.display().to_string(),
        sha256: Some(sha256_hex(bytes)),
        bytes: bytes.len() as u64,
    }
}

/// Writes what is not there already, each by temporary file and rename; how many were written.
pub(crate) fn write(root: &Root, files: &[File]) -> Result<usize, LedgerError> {
    let mut written = 0;
    for file in files {
        let below = Path::new(&file.path);
        debug_assert!(
            below
                .components()
                .all(|part| matches!(part, Component::Normal(_)))
        );
        let path = root.path().join(below);
        written += usize::from(
            replace(&path, &file.bytes).map_err(|error| LedgerError::io("write", &path, &error))?,
        );
    }
    Ok(written)
}

/// Puts `bytes` at `path`, unless they stand there; true when they did not.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(false);
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    cli_kit::write_atomically(path, bytes)?;
    Ok(true)
}
