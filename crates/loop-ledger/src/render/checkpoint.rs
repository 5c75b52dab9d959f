//! `humanize/model-loop-checkpoint.md`: enough to go on with the campaign in a new session.

use cli_kit::{Block, View};

use super::words::{blocker, plain, standing, verdict};
use super::{Source, page, winning};
use crate::{rules, view};

/// The file.
pub(crate) fn checkpoint(source: &Source<'_>) -> String {
    let state = source.state;
    let mut body = View::new()
        .text(verdict(state))
        .text(plain(&standing(state)))
        .list(state.blockers.iter().map(|known| blocker(known)).collect())
        .text(format!(
            "{} rounds judged, {} weak in a row; {}.",
            state.rounds(),
            state.weak_rounds(),
            view::budget(&state.budget())
        ));
    if let Some(open) = state.open_attempt() {
        body = body.text(format!(
            "Attempt {} is open: {}. Hypothesis: {}.",
            open.id,
            plain(&open.begin.change),
            plain(&open.begin.hypothesis)
        ));
    }
    let done: Vec<String> = rules::phases(state)
        .into_iter()
        .map(|phase| {
            let word = match (phase.satisfied, phase.downgraded) {
                (true, _) => "done",
                (false, true) => "downgraded",
                (false, false) if phase.open => "open",
                (false, false) => "waits",
            };
            format!("{}: {word}", phase.phase.name())
        })
        .collect();
    body = winning::ours(state, body.heading("Phases").list(done).heading("Best launch"));
    let next: Vec<(String, Vec<String>)> = crate::commands::next_actions(state)
        .into_iter()
        .map(|action| (action.why, action.command))
        .collect();
    if !next.is_empty() {
        body = body.heading("What comes next").with(Block::Commands(next));
    }
    page(source, "Checkpoint of the model loop", body)
}
