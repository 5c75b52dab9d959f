//! `help/README.md`: which `--help` texts belong beside the benchmark, so that a flag can be checked against its version.

use std::collections::BTreeSet;

use cli_kit::View;

use super::words::plain;
use super::{Source, page};

/// What belongs into the folder.
pub(crate) fn readme(source: &Source<'_>) -> String {
    let seen: BTreeSet<(&str, &str)> = source
        .documents
        .measured
        .values()
        .flatten()
        .map(|side| {
            (
                side.framework.as_str(),
                side.version.as_deref().unwrap_or("unknown-version"),
            )
        })
        .collect();
    let body = View::new()
        .text("The `--help` text of every engine that was launched, one file a framework and version, taken from the very installation that was measured. A flag that is not in that text does not exist for this campaign, whatever a blog post says of another version.")
        .text("Engines that stored benchmarks have seen, and the file that belongs here for each:")
        .list(
            seen.iter()
                .map(|(framework, version)| {
                    format!(
                        "{} {}: `{}.txt`",
                        plain(framework),
                        plain(version),
                        file(framework, version)
                    )
                })
                .collect(),
        )
        .text("The ledger takes no `--help` texts as evidence; nothing else in this folder is rendered or removed.");
    page(source, "Help texts of the engines", body)
}

/// A file name made of nothing but letters, digits, dots and hyphens.
fn file(framework: &str, version: &str) -> String {
    format!("{framework}-{version}")
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect()
}
