//! Every stored file, with a link to its bytes.

use contracts::loop_ledger::event::Event;

use super::super::Source;
use super::super::words::{file_name, object};
use super::markup::{Column, Html, table};
use crate::ledger::short;

/// Rows that a page shows; the ledger has them all.
const MOST: usize = 500;

/// The section.
pub(crate) fn section(source: &Source<'_>, links: bool) -> Html {
    let mut rows = Vec::new();
    for entry in source.state.entries.iter().rev() {
        for evidence in &entry.evidence {
            let (phase, says) = match &entry.event {
                Event::Evidence(facts) => (facts.phase.name(), facts.summary.as_str()),
                Event::Patch(_) => ("patch", "diff"),
                Event::Init(_) => ("init", "locked with the target"),
                Event::AttemptBegin(_) => ("attempt", "how ours is launched"),
                Event::Session(_) => ("session", "session file"),
                _ => ("–", ""),
            };
            rows.push(vec![
                Html::of(&entry.seq.to_string()),
                Html::of(entry.attempt.as_deref().unwrap_or("–")),
                Html::of(phase),
                Html::of(evidence.schema.as_deref().unwrap_or("–")),
                Html::of(&file_name(&evidence.path)),
                link(&evidence.sha256, links && evidence.stored),
                Html::of(says),
            ]);
        }
    }
    let count = rows.len();
    rows.truncate(MOST);
    let mut html = Html::new().raw("<section><h2>Evidence</h2>\n").with(table(
        "Stored files, the newest first",
        &[
            ("entry", Column::Number),
            ("attempt", Column::Name),
            ("phase", Column::Name),
            ("schema", Column::Name),
            ("file", Column::Name),
            ("stored bytes", Column::Name),
            ("says", Column::Prose),
        ],
        rows,
    ));
    if count > MOST {
        html = html
            .raw("<p>")
            .text(&format!("{} older files are in the ledger.", count - MOST))
            .raw("</p>");
    }
    html.raw("</section>\n")
}

/// The short hash, leading to the bytes where the page lies beside them.
pub(crate) fn link(sha256: &str, links: bool) -> Html {
    let hash = Html::new().raw("<code>").text(short(sha256)).raw("</code>");
    if links {
        Html::new()
            .raw("<a")
            .attr("href", &object(sha256))
            .raw(">")
            .with(hash)
            .raw("</a>")
    } else {
        hash
    }
}
