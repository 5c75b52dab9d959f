//! What an attempt needs before it begins, and what it needs to end. Pure.

use contracts::loop_ledger::event::Outcome;
use contracts::loop_ledger::status::Need;
use contracts::{Finite, NextAction};

use super::{EXPAND_AFTER, keep, need, offer, quality};
use crate::state::{Attempt, State};

/// One attempt at a time, and new research after two weak rounds.
pub(super) fn gate(state: &State<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    needs.extend(open_attempt(state, "one change at a time"));
    if state.weak_rounds() >= EXPAND_AFTER {
        let last_judged = state.round_start();
        if !state
            .ideas
            .iter()
            .any(|(seq, idea)| *seq > last_judged && idea.source.is_some())
        {
            needs.push(need(
                "research-missing",
                format!(
                    "{} rounds in a row brought less than {:.2} %: look into code and pull requests before the next change",
                    state.weak_rounds(),
                    state.threshold_pct()
                ),
                Some(offer::words(
                    "record what was found",
                    &[
                        "loop-ledger", "idea", "--idea", "IDEA", "--source", "REPOSITORY#NUMBER", "--license", "LICENSE",
                    ],
                )),
            ));
        }
    }
    needs
}

/// The command that opens the next attempt.
pub(super) fn begin(state: &State<'_>) -> NextAction {
    let subject = format!("subject-{}.yaml", state.attempts.len() + 1);
    let mut command: Vec<String> = [
        "loop-ledger",
        "begin",
        "--kind",
        "flags",
        "--change",
        "CHANGE",
        "--hypothesis",
        "WHY",
        "--subject",
        &subject,
    ]
    .map(str::to_owned)
    .into();
    // What a budget limits has to be charged: as much as the last time, or an even share.
    let last = state.attempts.last().map(|attempt| &attempt.begin.charge);
    let budget = &state.campaign.budget;
    let share = |limit: Finite| Finite::ratio(limit.get(), f64::from(budget.attempts?));
    let has_gpus = state.lock.target.hardware.gpu_count.unwrap_or(0) > 0;
    for (flag, limit, charged) in [
        (
            "--gpu-s",
            budget.gpu_s.filter(|_| has_gpus),
            last.and_then(|charge| charge.gpu_s),
        ),
        (
            "--spend-usd",
            budget.spend_usd,
            last.and_then(|charge| charge.spend_usd),
        ),
    ] {
        if let Some(limit) = limit {
            let charge = charged.or_else(|| share(limit));
            let charge = charge.map_or_else(|| "CHARGE".to_owned(), |charge| charge.to_string());
            command.extend([flag.to_owned(), charge]);
        }
    }
    offer::action(
        &format!("one change, one hypothesis, after you wrote the new launch into {subject}"),
        command,
    )
}

/// The attempt that has to end first. One that has its verdict was judged, and cannot have been interrupted.
pub fn open_attempt(state: &State<'_>, why: &str) -> Option<Need> {
    let open = state.open_attempt()?;
    Some(need(
        "attempt-open",
        format!("attempt {} is open: {why}", open.id),
        Some(end(state)),
    ))
}

/// How the open attempt may end, as its verdict says.
fn end(state: &State<'_>) -> NextAction {
    let (outcome, learned) = match state.attempt_decision() {
        None => (Outcome::Interrupted, "the session ended in the middle"),
        Some(_) if keep::may_keep(state).is_ok() => (Outcome::Kept, "WHAT_WAS_LEARNED"),
        Some(_) => (Outcome::Reverted, "WHAT_WAS_LEARNED"),
    };
    let why = match outcome {
        Outcome::Interrupted => "end it first",
        Outcome::Kept => "end it: its verdict lets the change stay",
        _ => "end it: its verdict does not let the change stay",
    };
    let mut command = [
        "loop-ledger",
        "end",
        "--outcome",
        outcome.name(),
        "--learned",
        learned,
    ]
    .map(str::to_owned)
    .to_vec();
    if outcome == Outcome::Interrupted || state.served_at.is_empty() {
        return offer::action(why, command);
    }
    command.push("--port".to_owned());
    command.extend(state.served_at.iter().map(u16::to_string));
    offer::action(&format!("{why}, once its server is stopped"), command)
}

/// What leads an open attempt to its end: its comparisons, its decision, the end.
pub(super) fn revalidation(state: &State<'_>) -> Vec<Need> {
    let Some(open) = state.open_attempt() else {
        return Vec::new();
    };
    if state.attempt_decision().is_some() {
        return match keep::may_keep(state) {
            // All but its answers speak for it.
            Err(failure) if quality::is_open(&failure) => quality::needs(state),
            _ => open_attempt(state, "it has its verdict").into_iter().collect(),
        };
    }
    let mut needs = unmeasured(state, open);
    // While the launch from before still runs: afterwards nobody can ask it.
    if !needs.is_empty() {
        needs.splice(0..0, quality::before(state));
    }
    if needs.is_empty() {
        let output = format!("{}.gap.json", open.id);
        needs.push(revalidate(offer::action(
            "decide, then append",
            offer::decide(state, Some(open.id), &output),
        )));
    }
    needs
}

fn unmeasured(state: &State<'_>, open: &Attempt<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    for scenario in &state.lock.scenarios {
        for framework in &state.campaign.comparison {
            let is_measured = state.benchmarks().any(|accepted| {
                accepted.attempt == Some(open.id) && accepted.compares(&scenario.scenario, framework)
            });
            if !is_measured {
                let output = offer::file(open.id, scenario, framework, state);
                let command = offer::changed(state, open, scenario, framework, &output);
                needs.push(revalidate(offer::action(
                    "relaunch with the change, compare, then append",
                    command,
                )));
            }
        }
    }
    needs
}

fn revalidate(command: NextAction) -> Need {
    need(
        "revalidation-missing",
        "the open attempt has no decision yet",
        Some(command),
    )
}
