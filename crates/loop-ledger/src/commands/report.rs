//! `report`: one page for people, and `final_report.md` for whoever has to act on it.

use std::path::{Path, PathBuf};

use cli_kit::{Failure, Report, View};
use contracts::Exit;

use super::render::{artifact, document, replace, with_source};
use crate::error::LedgerError;
use crate::ledger::{Ledger, Root};
use crate::render::{self, words};

pub(crate) fn report(root: &Root, html: Option<&Path>) -> Result<Report, Failure> {
    let ledger = Ledger::read(root)?;
    let path = html.map_or_else(|| root.path().join("report.html"), Path::to_owned);
    let links = lies_in(&path, root.path());
    let (page, markdown, summary, simulated) = with_source(&ledger, |source| {
        let summary = format!(
            "{} {}",
            words::verdict(source.state),
            words::standing(source.state)
        );
        (
            render::html::page(source, links),
            render::final_report(source),
            summary,
            source.simulated(),
        )
    });
    let beside = root.path().join("final_report.md");
    let mut artifacts = Vec::new();
    for (path, text) in [(&path, page), (&beside, markdown)] {
        replace(path, text.as_bytes()).map_err(|error| LedgerError::io("write", path, &error))?;
        artifacts.push(artifact(path, text.as_bytes()));
    }
    let document = document(&ledger, "report", summary, None, artifacts, simulated);
    let shown = View::new()
        .head(&document)
        .list(vec![path.display().to_string(), beside.display().to_string()]);
    Ok(Report::new(&document, shown, Exit::Ok))
}

/// Whether a page at `path` can lead to stored files by relative links.
fn lies_in(path: &Path, root: &Path) -> bool {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    match (folder.canonicalize(), root.canonicalize()) {
        (Ok(folder), Ok(root)) => folder == root,
        _ => false,
    }
}
