//! What happened since a moment, in twenty lines at most: the verdict first, then what asks for a person, then what was
//! tried. Pure.

use contracts::loop_ledger::event::{Event, Outcome};
use jiff::Timestamp;

use crate::render::rounds::outcome;
use crate::render::words::{blocker, standing, verdict};
use crate::state::{Attempt, State};
use crate::{rules, view};

/// Lines of a digest.
pub(crate) const MOST: usize = 20;
/// Characters of a line.
const WIDTH: usize = 200;
/// Share of a budget from which it is worth a line of its own.
const NEARLY: f64 = 0.9;

/// The lines.
pub(crate) fn lines(state: &State<'_>, since: Timestamp) -> Vec<String> {
    let mut head = vec![verdict(state), standing(state), view::budget(&state.budget())];
    head.push(counts(state, since));
    let alarms: Vec<String> = alarms(state, since)
        .into_iter()
        .map(|alarm| format!("ALARM {alarm}"))
        .collect();
    let mut next: Vec<String> = crate::commands::next_actions(state)
        .iter()
        .take(2)
        .map(|action| format!("next: {}: {}", action.why, cli_kit::shell_words(&action.command)))
        .collect();
    let blockers: Vec<String> = state.blockers.iter().map(|known| blocker(known)).collect();
    let tried: Vec<String> = state
        .attempts
        .iter()
        .rev()
        .filter(|attempt| state.ended_at(attempt).is_none_or(|at| at >= since))
        .map(|attempt| of_attempt(state, attempt))
        .collect();
    let mut lines = head;
    lines.extend(capped(alarms, 4, "more alarms"));
    lines.extend(capped(blockers, 4, "more downgraded phases"));
    let room = MOST - lines.len() - next.len();
    lines.extend(capped(tried, room, "earlier attempts"));
    lines.append(&mut next);
    lines
        .into_iter()
        .map(|line| contracts::text::clean(&line, WIDTH))
        .collect()
}

/// At most `most` lines, the last of which says how many are left out.
fn capped(mut lines: Vec<String>, most: usize, what: &str) -> Vec<String> {
    if lines.len() > most {
        let kept = most.saturating_sub(1);
        let left_out = lines.len() - kept;
        lines.truncate(kept);
        lines.push(format!("… and {left_out} {what}"));
    }
    lines
}

fn counts(state: &State<'_>, since: Timestamp) -> String {
    let recent = state.entries.iter().filter(|entry| entry.written_at >= since);
    let ended = |wanted: Outcome| {
        recent
            .clone()
            .filter(|entry| matches!(&entry.event, Event::AttemptEnd(end) if end.outcome == wanted))
            .count()
    };
    format!(
        "since {}: {} entries, {} kept, {} reverted, {} failed, {} interrupted",
        since.strftime("%Y-%m-%d %H:%M UTC"),
        recent.clone().count(),
        ended(Outcome::Kept),
        ended(Outcome::Reverted),
        ended(Outcome::Failed),
        ended(Outcome::Interrupted)
    )
}

fn of_attempt(state: &State<'_>, attempt: &Attempt<'_>) -> String {
    let effect = state
        .decision_of(attempt)
        .map_or_else(String::new, |(_, decision)| {
            format!(
                " {} % {}",
                view::signed(decision.effect_pct),
                view::interval(decision.ci_low_pct, decision.ci_high_pct)
            )
        });
    let learned = attempt
        .end
        .map_or_else(String::new, |(end, _)| format!(": {}", end.learned));
    format!(
        "{} {}{effect}: {}{learned}",
        attempt.id,
        outcome(attempt),
        contracts::text::clean(&attempt.begin.change, 80)
    )
}

/// What a person should look at before anything else.
fn alarms(state: &State<'_>, since: Timestamp) -> Vec<String> {
    let mut alarms = Vec::new();
    if state.stop_asked && state.stop.is_none() {
        alarms.push("a STOP file is there, and the campaign has not ended".to_owned());
    }
    let spent = state.spent();
    if !spent.is_empty() {
        alarms.push(format!("the budget is spent: {}", spent.join(", ")));
    } else {
        alarms.extend(nearly(state));
    }
    if state.stop.is_none() && state.weak_rounds() >= rules::EXPAND_AFTER {
        alarms.push(format!(
            "{} weak rounds in a row; after {} the campaign stops",
            state.weak_rounds(),
            rules::STOP_AFTER
        ));
    }
    if let Some(open) = state.open_attempt().filter(|open| open.began_at < since) {
        alarms.push(format!(
            "attempt {} has been open since {}",
            open.id,
            open.began_at.strftime("%Y-%m-%d %H:%M UTC")
        ));
    }
    for entry in state.entries.iter().filter(|entry| entry.written_at >= since) {
        match &entry.event {
            Event::Recovered(recovered) => alarms.push(format!(
                "entry {}: a write was cut off; {} bytes set aside",
                entry.seq, recovered.bytes
            )),
            Event::AttemptEnd(end) if !end.cleanup.is_clean() => {
                alarms.push(format!("entry {}: the attempt left something running", entry.seq));
            }
            Event::Preflight(preflight) if !preflight.passed => alarms.push(format!(
                "entry {}: preflight of {} failed: {}",
                entry.seq,
                preflight.runtime,
                preflight.failed.join(", ")
            )),
            _ => {}
        }
    }
    alarms
}

fn nearly(state: &State<'_>) -> Option<String> {
    let budget = state.budget();
    let parts = [
        ("wall time", budget.spent.wall_s, budget.limit.wall_s),
        ("GPU time", budget.spent.gpu_s, budget.limit.gpu_s),
        ("money", budget.spent.spend_usd, budget.limit.spend_usd),
    ];
    let name = parts
        .into_iter()
        .find_map(|(name, spent, limit)| (spent?.get() >= NEARLY * limit?.get()).then_some(name))?;
    Some(format!("less than a tenth of the {name} is left"))
}
