//! The order of the loop, as rules: what has to come before a phase, and the command that brings it. Pure.

mod attempt;
mod change;
mod coverage;
mod explain;
mod keep;
mod offer;
mod pool;
mod quality;
mod terminal;

use contracts::NextAction;
use contracts::gap_decide::decision::{Decision, Verdict};
use contracts::loop_ledger::phase::Phase;
use contracts::loop_ledger::status::{Need, PhaseState};

use crate::state::State;
pub use attempt::open_attempt;
pub use change::differs as change_differs;
pub use coverage::uncovered;
use coverage::{slower_competitor, untuned};
pub use explain::unprofiled;
use explain::{family_share, pipeline, profiled, root_cause};
pub use keep::{improvement, may_keep};
pub(crate) use pool::pool;
pub use terminal::{blocked_end, terminal_states};

/// Weak rounds in a row after which the next attempt needs a new idea.
pub const EXPAND_AFTER: u32 = 2;
/// Weak rounds in a row after which the campaign stops.
pub const STOP_AFTER: u32 = 4;
/// Share of the time that a kernel family needs before counters are worth it, percent.
pub const KERNEL_SHARE_PCT: f64 = 1.0;

/// Names of everything that can be missing; the error code of a command that is refused for it is one of these.
const GATES: [&str; 28] = [
    "attempt",
    "attempt-open",
    "baseline-missing",
    "budget-exhausted",
    "budget-left",
    "campaign-ended",
    "decision-missing",
    "done",
    "evidence-missing",
    "gap-open",
    "history-missing",
    "kernel-share",
    "no-attempt",
    "no-stop-file",
    "not-declared",
    "other-verdict",
    "pipeline-missing",
    "profile-missing",
    "progress",
    "quality-missing",
    "research-missing",
    "revalidation-missing",
    "root-cause-missing",
    "stop-asked",
    "undecided",
    "untuned-competitor",
    "weak-progress",
    "winner-not-relaunched",
];

/// The stable name of a gate.
pub(crate) fn gate(code: &str) -> &'static str {
    let known = GATES.into_iter().find(|known| *known == code);
    known.expect("every need is named in the list of gates")
}

/// Something that is missing.
pub fn need(code: &str, what: impl Into<String>, command: Option<NextAction>) -> Need {
    Need {
        code: gate(code).to_owned(),
        what: what.into(),
        command,
    }
}

/// Every phase as it stands.
pub fn phases(state: &State<'_>) -> Vec<PhaseState> {
    let shared = Shared::of(state);
    Phase::ALL
        .into_iter()
        .map(|phase| {
            let missing = shared.before(state, phase);
            PhaseState {
                phase,
                open: missing.is_empty(),
                satisfied: is_satisfied(state, phase),
                downgraded: state.is_downgraded(phase),
                missing,
            }
        })
        .collect()
}

/// The phase that comes next: the first one that is open and has no evidence yet.
pub fn next_phase(state: &State<'_>) -> Phase {
    if state.stop.is_some() {
        return Phase::Done;
    }
    if state.open_attempt().is_some() {
        return Phase::Revalidate;
    }
    let settled = state
        .current_decision()
        .is_some_and(|(_, decision)| decision.decision == Decision::StopReached);
    for phase in [Phase::History, Phase::Baseline, Phase::Decide] {
        if !stands(state, phase) {
            return phase;
        }
    }
    if settled || ends(state).is_some() {
        return Phase::Done;
    }
    [Phase::Profile, Phase::RootCause, Phase::Pipeline]
        .into_iter()
        .find(|phase| !stands(state, *phase))
        .unwrap_or(Phase::Tune)
}

/// Whether a phase has its evidence, or a blocker in its place.
fn stands(state: &State<'_>, phase: Phase) -> bool {
    is_satisfied(state, phase) || state.is_downgraded(phase)
}

/// Whether the evidence of a phase is there, for the current round.
pub fn is_satisfied(state: &State<'_>, phase: Phase) -> bool {
    match phase {
        Phase::History => state.of_phase(Phase::History).next().is_some(),
        Phase::Baseline => uncovered(state).is_empty(),
        Phase::Decide => state
            .current_decision()
            .is_some_and(|(_, decision)| decision.decision != Decision::Repeat),
        Phase::Profile => unprofiled(state).is_empty() && state.of_phase(Phase::Profile).next().is_some(),
        Phase::RootCause => state.current_decision().is_some_and(|(decision, _)| {
            state
                .of_phase(Phase::RootCause)
                .any(|accepted| accepted.seq > decision.seq)
        }),
        Phase::Pipeline | Phase::Kernel => {
            let start = state.round_start();
            state.of_phase(phase).any(|accepted| accepted.seq > start)
        }
        Phase::Tune => state.attempts.iter().any(|a| a.begin.kind.phase() == Phase::Tune),
        Phase::Patch => state
            .attempts
            .iter()
            .any(|a| a.begin.kind.phase() == Phase::Patch),
        Phase::Revalidate => state.attempt_decision().is_some(),
        Phase::Done => state.stop.is_some(),
    }
}

/// What has to come before a phase.
pub fn missing(state: &State<'_>, phase: Phase) -> Vec<Need> {
    Shared::of(state).before(state, phase)
}

/// What several phases wait for, worked out once.
struct Shared {
    ends: Option<Need>,
    of_decide: Vec<Need>,
    decided: Vec<Need>,
    profiled: Vec<Need>,
}

impl Shared {
    fn of(state: &State<'_>) -> Shared {
        let of_decide = missing_of_decide(state);
        Shared {
            ends: ends(state),
            decided: undecided(state, of_decide.clone()),
            of_decide,
            profiled: profiled(state),
        }
    }

    fn before(&self, state: &State<'_>, phase: Phase) -> Vec<Need> {
        let mut needs = Vec::new();
        if phase != Phase::Done {
            needs.extend(self.ends.clone());
        }
        match phase {
            Phase::History => {}
            Phase::Baseline => needs.extend(history(state)),
            Phase::Decide => {
                needs.extend(self.of_decide.clone());
            }
            Phase::Profile => needs.extend(self.decided.clone()),
            Phase::RootCause => {
                needs.extend(self.decided.clone());
                needs.extend(self.profiled.clone());
            }
            Phase::Pipeline => {
                needs.extend(self.decided.clone());
                needs.extend(self.profiled.clone());
            }
            Phase::Kernel => {
                needs.extend(self.decided.clone());
                needs.extend(self.profiled.clone());
                needs.extend(pipeline(state));
                needs.extend(family_share(state));
            }
            Phase::Tune => {
                needs.extend(self.decided.clone());
                needs.extend(attempt::gate(state));
            }
            Phase::Patch => {
                needs.extend(self.decided.clone());
                if state.is_behind() {
                    needs.extend(self.profiled.clone());
                    needs.extend(root_cause(state));
                }
                needs.extend(pipeline(state));
                needs.extend(attempt::gate(state));
            }
            Phase::Revalidate => {
                if state.open_attempt().is_none() {
                    needs.push(need(
                        "no-attempt",
                        "no attempt is open",
                        Some(attempt::begin(state)),
                    ));
                }
            }
            Phase::Done => needs.extend(terminal::nearest(state)),
        }
        needs
    }
}

/// Why nothing but the end is left.
pub fn ends(state: &State<'_>) -> Option<Need> {
    let finish = || Some(NextAction::new("end the campaign", &["loop-ledger", "done"]));
    if let Some(stop) = state.stop {
        return Some(need(
            "campaign-ended",
            format!("the campaign ended: {}", stop.terminal.name()),
            Some(NextAction::new("read the result", &["loop-ledger", "report"])),
        ));
    }
    if state.stop_asked {
        return Some(need(
            "stop-asked",
            "a person put a STOP file into the root",
            finish(),
        ));
    }
    let spent = state.spent();
    if !spent.is_empty() {
        return Some(need(
            "budget-exhausted",
            format!("the budget is spent: {}", spent.join(", ")),
            finish(),
        ));
    }
    if state.weak_rounds() >= STOP_AFTER {
        return Some(need(
            "weak-progress",
            format!(
                "{} rounds in a row brought less than {:.2} %",
                state.weak_rounds(),
                state.threshold_pct()
            ),
            finish(),
        ));
    }
    None
}

fn history(state: &State<'_>) -> Option<Need> {
    (!stands(state, Phase::History)).then(|| {
        need(
            "history-missing",
            "notes on what others changed for this model (`loop-ledger.history/1`) come before the fixed benchmark",
            Some(NextAction::new(
                "write history.yaml (`loop-ledger --schema history`), then",
                &["loop-ledger", "append", "history.yaml"],
            )),
        )
    })
}

fn decided(state: &State<'_>) -> Vec<Need> {
    undecided(state, missing_of_decide(state))
}

/// What a verdict still needs; where nothing else is missing, the verdict itself.
fn undecided(state: &State<'_>, mut needs: Vec<Need>) -> Vec<Need> {
    if !needs.is_empty() || is_satisfied(state, Phase::Decide) {
        return needs;
    }
    let what = "no gap verdict from repeats on the fixed benchmark";
    let Some((_, decision)) = state.current_decision() else {
        let command = offer::decide(state, None, "round0.gap.json");
        let command = offer::action("decide, then append", command);
        return vec![need("decision-missing", what, Some(command))];
    };
    // The same pairs would say the same again.
    for row in decision
        .rows
        .iter()
        .filter(|row| row.verdict == Verdict::Inconclusive)
    {
        let command = offer::more_pairs(state, row).map(|command| {
            offer::action(
                "more pairs, append them, then decide again and append that",
                command,
            )
        });
        needs.push(need(
            "undecided",
            format!("{what}: {} pairs of {} cannot tell", row.pairs, row.scenario),
            command,
        ));
    }
    if needs.is_empty() {
        needs.push(need("undecided", what, None));
    }
    needs
}

fn missing_of_decide(state: &State<'_>) -> Vec<Need> {
    let mut needs: Vec<Need> = history(state).into_iter().collect();
    needs.extend(uncovered(state));
    needs.extend(untuned(state));
    needs.extend(slower_competitor(state));
    needs
}

/// What would bring the evidence of an open phase.
pub fn wanted(state: &State<'_>, phase: Phase) -> Vec<Need> {
    if phase == Phase::Revalidate {
        return attempt::revalidation(state);
    }
    if stands(state, phase) {
        return Vec::new();
    }
    match phase {
        Phase::History => history(state).into_iter().collect(),
        Phase::Baseline => uncovered(state),
        Phase::Decide => {
            let mut needs = untuned(state);
            needs.extend(decided(state));
            needs
        }
        Phase::Profile => profiled(state),
        Phase::RootCause => root_cause(state).into_iter().collect(),
        Phase::Pipeline => pipeline(state).into_iter().collect(),
        Phase::Kernel | Phase::Tune | Phase::Patch => {
            vec![need(
                "attempt",
                "one change, one hypothesis",
                Some(attempt::begin(state)),
            )]
        }
        Phase::Revalidate => Vec::new(),
        Phase::Done => vec![need(
            "done",
            "nothing is behind",
            Some(NextAction::new("may it end", &["loop-ledger", "done"])),
        )],
    }
}
