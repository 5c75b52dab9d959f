//! Whether the change of the open attempt may stay. Pure.

use cli_kit::Failure;
use contracts::gap_decide::decision::Decision;
use contracts::loop_ledger::facts::DecisionFacts;
use contracts::{Exit, NextAction};

use super::quality;
use crate::state::State;

/// Effect of the open attempt's decision over the one before it, percent.
pub fn improvement(state: &State<'_>) -> Option<f64> {
    let new = state.attempt_decision()?.1.effect_pct?.get();
    let old = state.current_decision()?.1.effect_pct?.get();
    let gain = ((1.0 + new / 100.0) / (1.0 + old / 100.0) - 1.0) * 100.0;
    gain.is_finite().then_some(gain)
}

/// A change stays when it was measured on the contract, shows in what was launched, and makes nothing worse.
///
/// # Errors
/// Why it may not.
pub fn may_keep(state: &State<'_>) -> Result<(), Failure> {
    let improvement = improvement(state);
    let Some((_, new)) = state.attempt_decision() else {
        return Err(Failure::new(
            Exit::GateNotMet,
            "revalidation-missing",
            "failed to keep the change: no decision on the same contract was made in this attempt",
        )
        .hint("relaunch, compare on the locked workloads, decide, append both, then end the attempt")
        .next(NextAction::new("what is missing", &["loop-ledger", "status"])));
    };
    if is_unchanged(state) {
        return Err(Failure::new(
            Exit::GateNotMet,
            "same-subject",
            "failed to keep the change: what was measured is the launch from before it",
        )
        .hint("relaunch with the change; a patch shows as engine.commit or engine.diff_sha256 in the subject file"));
    }
    let old = state.current_decision().map(|(_, decision)| decision);
    if new.decision == Decision::FixSlo && old.is_some_and(|old| old.decision != Decision::FixSlo) {
        return Err(Failure::new(
            Exit::GateNotMet,
            "slo-broken",
            "failed to keep the change: with it ours misses a service-level objective that it met before",
        )
        .hint("end the attempt as reverted: speed that breaks the objective is none"));
    }
    if !is_clearly_better(new, old) {
        if new.decision == Decision::Repeat {
            return Err(Failure::new(
                Exit::Undecided,
                "undecided",
                "failed to keep the change: the comparison cannot tell yet",
            )
            .hint("more pairs (`serve-bench compare --resume`), or end the attempt as reverted"));
        }
        if improvement.is_none_or(|gain| gain < -state.margin_pct()) {
            return Err(Failure::new(
                Exit::GateNotMet,
                "no-improvement",
                format!(
                    "failed to keep the change: it makes the result worse by {:.2} %",
                    -improvement.unwrap_or(0.0)
                ),
            )
            .hint("end the attempt as reverted: what does not work is a result too"));
        }
    }
    quality::answers(state)
}

/// The whole interval lies above the effect from before.
fn is_clearly_better(new: &DecisionFacts, old: Option<&DecisionFacts>) -> bool {
    let old = old.and_then(|old| old.effect_pct);
    matches!((new.ci_low_pct, old), (Some(low), Some(old)) if low.get() > old.get())
}

/// Whether the verdict of the attempt rests on the launch that ours had before, or on one that nobody described.
fn is_unchanged(state: &State<'_>) -> bool {
    let (Some(open), Some((decision, _))) = (state.open_attempt(), state.attempt_decision()) else {
        return false;
    };
    let parent = open.begin.parent_subject.as_deref();
    decision
        .facts
        .inputs
        .iter()
        .filter_map(|input| state.by_hash(input))
        .filter(|benchmark| benchmark.facts.sides.len() == 2)
        .map(|benchmark| benchmark.facts.sides[0].subject.as_deref())
        .any(|subject| subject.is_none() || subject == parent)
}
