//! `patches/`: the stored diffs, numbered in the order in which they were recorded.

use cli_kit::{Align, Table, View};

use super::words::plain;
use super::{File, Source, page};
use crate::ledger::short;

/// The diffs and their table.
pub(crate) fn files(source: &Source<'_>) -> Vec<File> {
    let mut table = Table::new(&[
        ("file", Align::Left),
        ("attempt", Align::Left),
        ("outcome", Align::Left),
        ("base commit", Align::Left),
        ("diff", Align::Left),
        ("lines", Align::Left),
        ("borrowed from", Align::Left),
        ("tests", Align::Left),
    ]);
    let mut files = Vec::new();
    for (index, (attempt, patch)) in source.state.patches.iter().enumerate() {
        let name = format!("{:04}.diff", index + 1);
        let outcome = source
            .state
            .attempts
            .iter()
            .find(|known| Some(known.id) == *attempt)
            .map_or("–", super::rounds::outcome);
        let borrowed: Vec<String> = patch
            .provenance
            .iter()
            .map(|part| format!("{} ({})", part.source, part.license))
            .collect();
        let diff = source.documents.diffs.get(&patch.diff_sha256);
        table.row(vec![
            if diff.is_some() {
                name.clone()
            } else {
                "gone".to_owned()
            },
            attempt.unwrap_or("–").to_owned(),
            outcome.to_owned(),
            plain(patch.base_commit.as_deref().unwrap_or("–")),
            short(&patch.diff_sha256).to_owned(),
            format!("+{} -{}", patch.lines_added, patch.lines_removed),
            plain(&borrowed.join("; ")),
            plain(&patch.tests.join("; ")),
        ]);
        files.extend(diff.map(|diff| File {
            path: format!("patches/{name}"),
            bytes: diff.clone(),
        }));
    }
    let body = if table.rows.is_empty() {
        View::new().text("No patch yet.")
    } else {
        View::new().table(table)
    };
    files.insert(0, File::text("patches/README.md", page(source, "Patches", body)));
    files
}
