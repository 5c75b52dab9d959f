//! `humanize/{attempt,optimization,source-idea}-ledger.md`: filters over the one ledger.

use cli_kit::{Align, Table, View};
use contracts::loop_ledger::event::Outcome;

use super::rounds::outcome;
use super::words::plain;
use super::{Source, page};
use crate::state::Attempt;
use crate::view;

/// Every attempt, what failed included.
pub(crate) fn attempts(source: &Source<'_>) -> String {
    let body = match &source.state.attempts {
        none if none.is_empty() => View::new().text("No attempt yet."),
        all => View::new().table(rows(source, &mut all.iter())),
    };
    page(source, "Attempts", body)
}

/// Only what was kept and made ours faster.
pub(crate) fn optimizations(source: &Source<'_>) -> String {
    let is_improved = |attempt: &&Attempt<'_>| {
        attempt.end.is_some_and(|(end, _)| {
            end.outcome == Outcome::Kept && end.improvement_pct.is_some_and(|gain| gain.get() > 0.0)
        })
    };
    let table = rows(source, &mut source.state.attempts.iter().filter(is_improved));
    let body = if table.rows.is_empty() {
        View::new().text("No change was kept with an improvement yet.")
    } else {
        View::new().table(table)
    };
    page(source, "Optimizations", body)
}

fn rows<'s, 'a: 's>(source: &Source<'a>, attempts: &mut dyn Iterator<Item = &'s Attempt<'a>>) -> Table {
    let mut table = Table::new(&[
        ("attempt", Align::Left),
        ("round", Align::Right),
        ("kind", Align::Left),
        ("change", Align::Left),
        ("hypothesis", Align::Left),
        ("predicted, %", Align::Right),
        ("effect, %", Align::Right),
        ("interval, %", Align::Right),
        ("improvement, %", Align::Right),
        ("outcome", Align::Left),
        ("learned", Align::Left),
    ]);
    for attempt in attempts {
        let decision = source.state.decision_of(attempt).map(|(_, decision)| decision);
        let end = attempt.end.map(|(end, _)| end);
        table.row(vec![
            attempt.id.to_owned(),
            attempt.begin.round.to_string(),
            attempt.begin.kind.name().to_owned(),
            plain(&attempt.begin.change),
            plain(&attempt.begin.hypothesis),
            view::signed(attempt.begin.predicted_pct),
            view::signed(decision.and_then(|decision| decision.effect_pct)),
            decision.map_or_else(
                || "–".to_owned(),
                |decision| view::interval(decision.ci_low_pct, decision.ci_high_pct),
            ),
            view::signed(end.and_then(|end| end.improvement_pct)),
            outcome(attempt).to_owned(),
            plain(end.map_or("", |end| &end.learned)),
        ]);
    }
    table
}

/// Every idea with where it comes from.
pub(crate) fn ideas(source: &Source<'_>) -> String {
    let mut table = Table::new(&[
        ("entry", Align::Right),
        ("idea", Align::Left),
        ("source", Align::Left),
        ("licence", Align::Left),
        ("rows", Align::Left),
    ]);
    for (seq, idea) in &source.state.ideas {
        table.row(vec![
            seq.to_string(),
            plain(&idea.idea),
            plain(idea.source.as_deref().unwrap_or("our own")),
            plain(idea.license.as_deref().unwrap_or("–")),
            plain(&idea.rows.join("; ")),
        ]);
    }
    let body = if table.rows.is_empty() {
        View::new().text("No idea yet.")
    } else {
        View::new().table(table)
    };
    page(source, "Ideas and their sources", body)
}
