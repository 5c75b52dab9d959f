//! `history/model-pr-history-notes.md`: what others already changed for this model.

use cli_kit::{Align, Table, View};
use contracts::loop_ledger::history::{ChangeState, History};
use contracts::loop_ledger::phase::Phase;

use super::words::{downgraded, plain};
use super::{Source, page};
use crate::ledger::short;

/// All history notes, in order.
pub(crate) fn notes(source: &Source<'_>) -> String {
    let mut body = View::new().list(downgraded(source.state, Phase::History));
    let mut any = false;
    for accepted in source.state.of_phase(Phase::History) {
        any = true;
        let title = format!("Entry {}: {}", accepted.seq, short(&accepted.facts.sha256));
        body = match source.documents.histories.get(&accepted.facts.sha256) {
            Some(notes) => of_notes(body.heading(title), notes),
            None => body
                .heading(title)
                .text("The stored document is gone or replaced; `loop-ledger verify` says where."),
        };
    }
    if !any {
        body = body.text("No history notes yet: they come before the fixed benchmark.");
    }
    page(source, "What others changed for this model", body)
}

fn of_notes(body: View, notes: &History) -> View {
    let mut table = Table::new(&[
        ("change", Align::Left),
        ("state", Align::Left),
        ("date", Align::Left),
        ("title", Align::Left),
        ("files", Align::Left),
        ("influences", Align::Left),
    ]);
    for change in &notes.changes {
        table.row(vec![
            plain(&change.reference),
            match change.state {
                ChangeState::Merged => "merged",
                ChangeState::Open => "open",
                ChangeState::Closed => "closed",
            }
            .to_owned(),
            change.date.to_string(),
            plain(&change.title),
            plain(&change.files.join(", ")),
            plain(&change.influences),
        ]);
    }
    let body = body
        .text(format!(
            "{}, from commit {}, checked on {}.",
            plain(&notes.model),
            plain(&notes.baseline_commit),
            notes.checked_on
        ))
        .list(
            notes
                .sources
                .iter()
                .map(|place| format!("looked at: {}", plain(place)))
                .collect(),
        );
    match &notes.none_found {
        Some(why) if notes.changes.is_empty() => body.text(format!("Nothing found: {}", plain(why))),
        _ => body.table(table),
    }
}
