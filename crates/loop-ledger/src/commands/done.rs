//! `done`: the campaign ends in a terminal state with its evidence, or it does not end.

use cli_kit::{DocumentParts, Failure, Report};
use contracts::gap_decide::decision::{Decision, Verdict};
use contracts::loop_ledger::done::{self, DoneData, TerminalState};
use contracts::loop_ledger::event::{Event, Stop};
use contracts::loop_ledger::phase::Terminal;
use contracts::loop_ledger::status::Need;
use contracts::{Exit, NextAction};

use super::typed;
use crate::cli::DoneArgs;
use crate::ledger::{Ledger, Root, Writer};
use crate::rules::{self, need};
use crate::state::State;
use crate::{TOOL, view};

pub(crate) fn done(root: &Root, args: &DoneArgs) -> Result<Report, Failure> {
    let mut writer = Writer::open(root)?;
    let state = State::now(&writer.ledger);
    let mut states = terminal_states(&state, args.state);
    let already = state.stop.map(|stop| stop.terminal);
    let reached = already.or_else(|| {
        states
            .iter()
            .find(|known| known.reached && args.state.is_none_or(|asked| asked == known.terminal))
            .map(|known| known.terminal)
    });
    if let (Some(terminal), None) = (reached, already) {
        let stop = Stop {
            terminal,
            why: args.why.as_deref().map_or_else(|| why(&state, terminal), typed),
        };
        writer.append(None, Event::Stop(stop), Vec::new())?;
    }
    let state = State::now(&writer.ledger);
    if already.is_some() {
        states.retain(|known| Some(known.terminal) == already);
    }
    report(&writer.ledger, &state, reached, states, args.state)
}

fn report(
    ledger: &Ledger,
    state: &State<'_>,
    terminal: Option<Terminal>,
    states: Vec<TerminalState>,
    asked: Option<Terminal>,
) -> Result<Report, Failure> {
    let closest = states
        .iter()
        .filter(|known| !known.reached && asked.is_none_or(|asked| asked == known.terminal))
        .min_by_key(|known| known.missing.len());
    let mut next_actions: Vec<NextAction> = Vec::new();
    let summary = match (terminal, closest) {
        (Some(terminal), _) => {
            next_actions.push(NextAction::new(
                "the page and the final report",
                &["loop-ledger", "report"],
            ));
            format!("Done: {}.", terminal.name())
        }
        (None, Some(closest)) => {
            next_actions.extend(closest.missing.iter().filter_map(|need| need.command.clone()));
            let missing: Vec<&str> = closest.missing.iter().map(|need| need.what.as_str()).collect();
            format!(
                "Not done. Nearest is {}: {}.",
                closest.terminal.name(),
                missing.join("; ")
            )
        }
        (None, None) => "Not done.".to_owned(),
    };
    if terminal.is_none() {
        next_actions.extend(super::next_actions(state));
        next_actions.truncate(3);
    }
    let parts = DocumentParts {
        summary,
        simulated: state.accepted.iter().any(|accepted| accepted.facts.simulated),
        next_actions: super::at_root(&ledger.root, next_actions),
        ..DocumentParts::new(done::SCHEMA)
    };
    let data = DoneData {
        root: ledger.root.path().display().to_string(),
        done: terminal.is_some(),
        terminal,
        states,
        head: ledger.chain.head().to_owned(),
    };
    let exit = if data.done { Exit::Ok } else { Exit::GateNotMet };
    let document = cli_kit::document(&TOOL, parts, data);
    let shown = view::done(&document);
    Ok(Report::new(&document, shown, exit))
}

/// What the terminal state that is nearest still needs; nothing when one is reached.
pub(crate) fn nearest(state: &State<'_>) -> Vec<Need> {
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
fn terminal_states(state: &State<'_>, asked: Option<Terminal>) -> Vec<TerminalState> {
    Terminal::ALL
        .into_iter()
        .map(|terminal| {
            let mut missing = of_terminal(state, terminal, asked == Some(terminal));
            missing.extend(rules::open_attempt(state, "nothing ends in the middle of one"));
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
            (weak < rules::STOP_AFTER)
                .then(|| {
                    need(
                        "progress",
                        format!("{weak} of {} weak rounds in a row", rules::STOP_AFTER),
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
        Terminal::Blocked => declared(is_asked, state.blockers.is_empty(), "no blocker is recorded"),
        Terminal::NearLimit => declared(
            is_asked,
            state.current_decision().is_none()
                || state.lock.target.hardware.memory_bandwidth_bytes_per_s.is_none()
                || state.lock.target.model.active_weight_bytes.is_none(),
            "it needs a verdict, and a target that declares the physical limit (hardware.memory_bandwidth_bytes_per_s, model.active_weight_bytes)",
        ),
        Terminal::EvidenceUntrusted => declared(
            is_asked,
            state.blockers.is_empty(),
            "no blocker says what cannot be trusted and which command showed it",
        ),
        Terminal::NoDefensibleChange => declared(
            is_asked,
            state.current_decision().is_none() || !state.ideas.iter().any(|(_, idea)| idea.source.is_some()),
            "it needs a verdict, and an idea with a source that was looked into",
        ),
    }
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
            Some(NextAction::new(
                "relaunch it, compare, decide, append",
                &[
                    "serve-bench",
                    "compare",
                    "--swap",
                    "--clear-env",
                    "--a-cmd",
                    "ARGV_OF_BEST",
                    "--b-cmd",
                    "ARGV_OF_THEIRS",
                    "--workload",
                    "WORKLOAD",
                    "--target",
                    "target.yaml",
                    "-o",
                    "final.compare.json",
                ],
            )),
        ));
    }
    needs
}

fn why(state: &State<'_>, terminal: Terminal) -> String {
    match (terminal, state.current_decision()) {
        (Terminal::TargetMet | Terminal::Tied, Some((accepted, decision))) => format!(
            "{} % {} after {} rounds, by {}",
            view::signed(decision.effect_pct),
            view::interval(decision.ci_low_pct, decision.ci_high_pct),
            state.rounds(),
            crate::ledger::short(&accepted.facts.sha256)
        ),
        (Terminal::BudgetExhausted, _) => state.budget().exhausted.join(", "),
        (Terminal::WeakProgress, _) => format!("{} weak rounds in a row", state.weak_rounds()),
        (Terminal::HumanStop, _) => "the file STOP".to_owned(),
        _ => String::new(),
    }
}
