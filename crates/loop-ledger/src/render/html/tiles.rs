//! The four figures at the top.

use contracts::Finite;
use contracts::loop_ledger::event::Outcome;
use contracts::loop_ledger::status::BudgetState;

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
    let (budget, budget_note) = fullest(&state.budget());
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
        .with(tile("Budget used", &budget, &budget_note))
        .raw("</dl>\n")
}

/// The part of the budget of which the least is left.
fn fullest(budget: &BudgetState) -> (String, String) {
    let number = |value: Option<Finite>| value.map(Finite::get);
    let (spent, limit) = (&budget.spent, &budget.limit);
    let shares = [
        ("wall time", number(spent.wall_s), number(limit.wall_s)),
        ("GPU time", number(spent.gpu_s), number(limit.gpu_s)),
        (
            "attempts",
            spent.attempts.map(f64::from),
            limit.attempts.map(f64::from),
        ),
        ("money", number(spent.spend_usd), number(limit.spend_usd)),
    ];
    let fullest = shares
        .into_iter()
        .filter_map(|(name, spent, limit)| {
            Some((name, spent.unwrap_or(0.0) / limit.filter(|limit| *limit > 0.0)?))
        })
        .max_by(|left, right| left.1.total_cmp(&right.1));
    match fullest {
        Some((name, share)) => (format!("{:.0} %", share * 100.0), format!("of the {name}")),
        None => ("–".to_owned(), "no limit".to_owned()),
    }
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
