//! The four figures at the top.

use contracts::loop_ledger::event::Outcome;

use super::super::Source;
use super::markup::Html;
use crate::view;

/// Effect, rounds, blockers, budget.
pub(crate) fn tiles(source: &Source<'_>) -> Html {
    let state = source.state;
    let (effect, interval) = match state.current_decision() {
        Some((_, decision)) => (
            format!("{} %", view::signed(decision.effect_pct)),
            format!(
                "{} on {}",
                view::interval(decision.ci_low_pct, decision.ci_high_pct),
                decision.metric
            ),
        ),
        None => ("–".to_owned(), "no verdict yet".to_owned()),
    };
    let kept = state
        .attempts
        .iter()
        .filter(|attempt| attempt.end.is_some_and(|(end, _)| end.outcome == Outcome::Kept))
        .count();
    let exhausted = state.budget().exhausted;
    let budget = if exhausted.is_empty() { "left" } else { "spent" };
    let budget_note = if exhausted.is_empty() {
        format!("{} weak rounds in a row", state.weak_rounds())
    } else {
        exhausted.join(", ")
    };
    Html::new()
        .raw("<dl class=\"tiles\">")
        .with(tile("Effect now", &effect, &interval))
        .with(tile(
            "Attempts",
            &state.attempts.len().to_string(),
            &format!("{kept} kept"),
        ))
        .with(tile(
            "Downgraded",
            &state.blockers.len().to_string(),
            if state.blockers.is_empty() {
                "nothing is missing"
            } else {
                "phases without their instrument"
            },
        ))
        .with(tile("Budget", budget, &budget_note))
        .raw("</dl>\n")
}

fn tile(name: &'static str, value: &str, note: &str) -> Html {
    Html::new()
        .raw("<div><dt>")
        .raw(name)
        .raw("</dt><dd><b>")
        .text(value)
        .raw("</b><span>")
        .text(note)
        .raw("</span></dd></div>")
}
