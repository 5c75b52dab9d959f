//! `done`: the campaign ends in a terminal state with its evidence, or it does not end.

use cli_kit::{DocumentParts, Failure, Report};
use contracts::loop_ledger::done::{self, DoneData, TerminalState};
use contracts::loop_ledger::event::{Event, Stop};
use contracts::loop_ledger::phase::Terminal;
use contracts::{Exit, NextAction};

use super::{said, typed};
use crate::cli::DoneArgs;
use crate::ledger::{Ledger, Root, Writer};
use crate::rules;
use crate::state::State;
use crate::{TOOL, view};

pub(crate) fn done(root: &Root, args: &DoneArgs) -> Result<Report, Failure> {
    if let Some(why) = &args.why {
        said("--why", why)?;
    }
    let mut writer = Writer::open(root)?;
    let state = State::now(&writer.ledger);
    let mut states = rules::terminal_states(&state, args.state);
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
    mut states: Vec<TerminalState>,
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
    for known in &mut states {
        super::needs_at_root(&ledger.root, &mut known.missing);
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
