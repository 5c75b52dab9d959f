//! What was tried: one row an attempt.

use super::super::Source;
use super::super::rounds::outcome;
use super::markup::{Column, Html, table};
use crate::view;

/// The section.
pub(crate) fn section(source: &Source<'_>) -> Html {
    let state = source.state;
    if state.attempts.is_empty() {
        return Html::new().raw("<section><h2>Rounds</h2><p>No attempt yet.</p></section>\n");
    }
    let rows = state
        .attempts
        .iter()
        .map(|attempt| {
            let decision = state.decision_of(attempt).map(|(_, decision)| decision);
            let end = attempt.end.map(|(end, _)| end);
            vec![
                Html::of(attempt.id),
                Html::new()
                    .raw("<b>")
                    .text(&attempt.begin.change)
                    .raw("</b> <small>")
                    .text(attempt.begin.kind.name())
                    .raw("</small>"),
                Html::of(&attempt.begin.hypothesis),
                Html::of(&view::signed(attempt.begin.predicted_pct)),
                Html::new()
                    .text(&view::signed(decision.and_then(|decision| decision.effect_pct)))
                    .raw("<br><small>")
                    .text(&decision.map_or_else(String::new, |decision| {
                        view::interval(decision.ci_low_pct, decision.ci_high_pct)
                    }))
                    .raw("</small>"),
                Html::of(&view::signed(end.and_then(|end| end.improvement_pct))),
                badge(outcome(attempt)),
                Html::of(end.map_or("–", |end| end.learned.as_str())),
            ]
        })
        .collect();
    Html::new()
        .raw("<section><h2>Rounds</h2>\n")
        .with(table(
            "Every attempt, with what it predicted and what was measured against the best other engine",
            &[
                ("attempt", Column::Name),
                ("change", Column::Prose),
                ("hypothesis", Column::Prose),
                ("predicted, %", Column::Number),
                ("effect, %", Column::Number),
                ("gain, %", Column::Number),
                ("outcome", Column::Name),
                ("learned", Column::Prose),
            ],
            rows,
        ))
        .raw("</section>\n")
}

fn badge(outcome: &'static str) -> Html {
    Html::new()
        .raw(match outcome {
            "kept" => "<span class=\"badge good\">",
            "failed" => "<span class=\"badge bad\">",
            _ => "<span class=\"badge\">",
        })
        .raw(outcome)
        .raw("</span>")
}
