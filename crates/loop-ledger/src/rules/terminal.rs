//! In which states the campaign may end, and what each still needs. Pure.

use contracts::NextAction;
use contracts::gap_decide::decision::{Decision, Verdict};
use contracts::loop_ledger::done::TerminalState;
use contracts::loop_ledger::event::Blocker;
use contracts::loop_ledger::phase::{Phase, Terminal};
use contracts::loop_ledger::status::Need;

use super::{STOP_AFTER, need, next_phase, offer, open_attempt};
use crate::state::State;

/// Share of the limit from which a rate is near it: no kernel reads the memory as fast as its data sheet says.
const NEAR_LIMIT_RATIO: f64 = 0.8;

/// What the terminal state that is nearest still needs; nothing when one is reached.
pub(super) fn nearest(state: &State<'_>) -> Vec<Need> {
    if state.stop.is_some() {
        return Vec::new();
    }
    let states = terminal_states(state, None);
    if states.iter().any(|known| known.reached) {
        return Vec::new();
    }
    states
        .into_iter()
        .map(|known| known.missing)
        .min_by_key(Vec::len)
        .unwrap_or_default()
}

/// Every terminal state and what it needs. Those that only a person or an agent can know of have to be asked for.
pub fn terminal_states(state: &State<'_>, asked: Option<Terminal>) -> Vec<TerminalState> {
    Terminal::ALL
        .into_iter()
        .map(|terminal| {
            // First of all: whatever else is missing, nothing ends in the middle of an attempt.
            let mut missing: Vec<Need> = open_attempt(state, "nothing ends in the middle of one")
                .into_iter()
                .collect();
            missing.extend(of_terminal(state, terminal, asked == Some(terminal)));
            TerminalState {
                terminal,
                reached: missing.is_empty(),
                missing,
            }
        })
        .collect()
}

fn of_terminal(state: &State<'_>, terminal: Terminal, is_asked: bool) -> Vec<Need> {
    match terminal {
        Terminal::TargetMet => settled(state, true),
        Terminal::Tied => settled(state, false),
        Terminal::WeakProgress => {
            let weak = state.weak_rounds();
            (weak < STOP_AFTER)
                .then(|| {
                    need(
                        "progress",
                        format!("{weak} of {} weak rounds in a row", STOP_AFTER),
                        None,
                    )
                })
                .into_iter()
                .collect()
        }
        Terminal::BudgetExhausted => {
            let is_spent = !state.budget().exhausted.is_empty();
            (!is_spent)
                .then(|| need("budget-left", "the budget is not spent", None))
                .into_iter()
                .collect()
        }
        Terminal::HumanStop => (!state.stop_asked)
            .then(|| need("no-stop-file", "no STOP file lies in the root", None))
            .into_iter()
            .collect(),
        Terminal::Blocked => declared(
            is_asked,
            blocking(state).is_none(),
            "no blocker says why the next phase cannot go on, or a campaign can do without its evidence",
        ),
        Terminal::NearLimit => declared(
            is_asked,
            state.current_decision().is_none() || !is_near_limit(state),
            "it needs a verdict, a target that declares the physical limit (hardware.memory_bandwidth_bytes_per_s, model.active_weight_bytes), and a request of ours that decodes at 80 % of it",
        ),
        Terminal::EvidenceUntrusted => declared(
            is_asked,
            !state
                .blockers
                .iter()
                .any(|blocker| matches!(blocker.phase, Phase::Baseline | Phase::Decide | Phase::Revalidate)),
            "no blocker of a phase that measures or decides says what cannot be trusted and which command showed it",
        ),
        Terminal::NoDefensibleChange => declared(
            is_asked,
            state.current_decision().is_none() || !state.ideas.iter().any(|(_, idea)| idea.source.is_some()),
            "it needs a verdict, and an idea with a source that was looked into",
        ),
    }
}

/// The blocker of the phase that comes next, where nothing can stand for its evidence. After the last verdict that is
/// the winner, measured again.
fn blocking<'a>(state: &State<'a>) -> Option<&'a Blocker> {
    let next = match next_phase(state) {
        Phase::Done => Phase::Revalidate,
        next => next,
    };
    let mut known = state.blockers.iter().rev().filter(|_| !next.can_be_downgraded());
    known.find(|blocker| blocker.phase == next).copied()
}

/// Whether a request of ours decodes nearly as fast as the weights can be read, by gap-decide's limit.
fn is_near_limit(state: &State<'_>) -> bool {
    let target = &state.lock.target;
    let (Some(bandwidth), Some(weights)) = (
        target.hardware.memory_bandwidth_bytes_per_s,
        target.model.active_weight_bytes,
    ) else {
        return false;
    };
    let limit_tps = bandwidth as f64 / weights as f64;
    let fastest = state.precedents.iter().filter_map(|one| one.decode_tps);
    fastest.fold(0.0, f64::max) >= NEAR_LIMIT_RATIO * limit_tps
}

/// A state that has to be asked for with a reason.
fn declared(is_asked: bool, lacks_evidence: bool, what: &str) -> Vec<Need> {
    let mut needs = Vec::new();
    if lacks_evidence {
        needs.push(need("evidence-missing", what, None));
    }
    if !is_asked {
        needs.push(need(
            "not-declared",
            "it has to be declared: `loop-ledger done --state … --why …`",
            None,
        ));
    }
    needs
}

/// The verdict, and the winner relaunched from a cleared environment and measured again.
fn settled(state: &State<'_>, wants_ahead: bool) -> Vec<Need> {
    let Some((accepted, decision)) = state.current_decision() else {
        return vec![need("decision-missing", "there is no gap verdict", None)];
    };
    let mut needs = Vec::new();
    if decision.decision != Decision::StopReached {
        needs.push(need(
            "gap-open",
            format!("the latest verdict is {}", decision.decision.name()),
            None,
        ));
        return needs;
    }
    let is_ahead = decision
        .rows
        .iter()
        .any(|row| matches!(row.verdict, Verdict::Ahead | Verdict::TheirsFailsSlo));
    if is_ahead != wants_ahead {
        needs.push(need(
            "other-verdict",
            if wants_ahead {
                "ours is ahead nowhere"
            } else {
                "ours is ahead somewhere"
            },
            None,
        ));
        return needs;
    }
    let is_clean = !accepted.facts.inputs.is_empty()
        && accepted
            .facts
            .inputs
            .iter()
            .filter_map(|input| state.by_hash(input))
            .filter(|benchmark| benchmark.facts.sides.len() == 2)
            .all(|benchmark| benchmark.facts.sides[0].relaunched_clean);
    if !is_clean {
        needs.push(need(
            "winner-not-relaunched",
            "the winner was not relaunched from a cleared environment for the verdict that ends the campaign",
            Some(relaunch(state, accepted.seq)),
        ));
    }
    needs
}

/// The next comparison of the winner from a cleared environment, one a scenario and framework; after them the decision.
fn relaunch(state: &State<'_>, decided: u64) -> NextAction {
    for scenario in &state.lock.scenarios {
        for framework in &state.campaign.comparison {
            let is_there = state.benchmarks().any(|accepted| {
                accepted.seq > decided
                    && accepted.compares(&scenario.scenario, framework)
                    && accepted.facts.sides[0].relaunched_clean
            });
            if !is_there {
                let output = offer::file("final", scenario, framework, state);
                return offer::action(
                    "relaunch the winner, compare, append; once for every scenario, then decide",
                    offer::relaunched(state, scenario, framework, &output),
                );
            }
        }
    }
    offer::action(
        "decide, then append",
        offer::decide(state, None, "final.gap.json"),
    )
}

/// The way out of a phase that cannot go on and cannot be done without: its blocker is recorded, and there is nothing
/// that would stand for its evidence.
pub fn blocked_end(state: &State<'_>) -> Option<NextAction> {
    if state.stop.is_some() || state.open_attempt().is_some() {
        return None;
    }
    let blocker = blocking(state)?;
    let why = contracts::text::clean(&blocker.what, 200);
    let command = ["loop-ledger", "done", "--state", "blocked", "--why", &why];
    Some(NextAction::new(
        format!("end the campaign, if {} cannot go on", blocker.phase.name()),
        &command,
    ))
}
