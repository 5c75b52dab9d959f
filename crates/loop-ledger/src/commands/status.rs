//! `status` and `may`: where the campaign stands, and whether a phase may begin.

use cli_kit::{DocumentParts, Failure, Report, View};
use contracts::loop_ledger::facts::DecisionFacts;
use contracts::loop_ledger::phase::Phase;
use contracts::loop_ledger::status::{self, CandidateCount, OpenAttempt, StatusData};
use contracts::{Document, Exit, Finite, NextAction};

use crate::ledger::{Ledger, Root};
use crate::rules;
use crate::state::{State, exit_of};
use crate::{TOOL, view};

/// Longest `status --brief`, in characters.
pub(crate) const BRIEF_CAP: usize = 1500;

pub(crate) fn status(root: &Root, is_brief: bool) -> Result<Report, Failure> {
    let ledger = Ledger::read(root)?;
    let state = State::now(&ledger);
    let (document, shown) = shown(&ledger, &state, is_brief);
    Ok(Report::new(&document, shown, Exit::Ok))
}

/// What `status --brief` prints.
pub(crate) fn brief(ledger: &Ledger, state: &State<'_>) -> String {
    shown(ledger, state, true).1.to_markdown()
}

fn shown(ledger: &Ledger, state: &State<'_>, is_brief: bool) -> (Document<StatusData>, View) {
    let parts = DocumentParts {
        summary: summary(state),
        simulated: state.accepted.iter().any(|accepted| accepted.facts.simulated),
        next_actions: super::at_root(&ledger.root, super::next_actions(state)),
        ..DocumentParts::new(status::SCHEMA)
    };
    let mut document = cli_kit::document(&TOOL, parts, data(ledger, state, None));
    let mut shown = if is_brief {
        view::brief(&document)
    } else {
        view::status(&document, 20)
    };
    // A brief status is a promise: fewer commands rather than more characters.
    while is_brief && shown.to_markdown().chars().count() > BRIEF_CAP && !document.next_actions.is_empty() {
        document.next_actions.pop();
        shown = view::brief(&document);
    }
    (document, shown)
}

pub(crate) fn may(root: &Root, phase: Phase) -> Result<Report, Failure> {
    let ledger = Ledger::read(root)?;
    let state = State::now(&ledger);
    let mut missing = rules::missing(&state, phase);
    super::needs_at_root(root, &mut missing);
    let exit = missing.first().map_or(Exit::Ok, |need| exit_of(&need.code));
    let summary = match missing.as_slice() {
        [] => format!("Yes: {} may begin.", phase.name()),
        needs => format!(
            "No: {} has to wait: {}.",
            phase.name(),
            needs
                .iter()
                .map(|need| need.what.as_str())
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    let mut next_actions: Vec<NextAction> = Vec::new();
    for need in &missing {
        next_actions.extend(
            need.command
                .clone()
                .filter(|action| !next_actions.contains(action)),
        );
    }
    next_actions.truncate(5);
    let parts = DocumentParts {
        summary,
        next_actions,
        ..DocumentParts::new(status::SCHEMA)
    };
    let mut data = data(&ledger, &state, Some((phase, missing.is_empty())));
    data.phases.retain(|known| known.phase == phase);
    if let Some(asked) = data.phases.first_mut() {
        asked.open = missing.is_empty();
        asked.missing = missing;
    }
    let document = cli_kit::document(&TOOL, parts, data);
    let shown = view::brief(&document);
    Ok(Report::new(&document, shown, exit))
}

fn data(ledger: &Ledger, state: &State<'_>, asked: Option<(Phase, bool)>) -> StatusData {
    let candidates = state.candidates();
    let mut phases = rules::phases(state);
    for phase in &mut phases {
        super::needs_at_root(&ledger.root, &mut phase.missing);
    }
    let mut frameworks: Vec<&String> = state.campaign.comparison.iter().collect();
    frameworks.insert(0, &state.campaign.framework);
    frameworks.dedup();
    StatusData {
        root: ledger.root.path().display().to_string(),
        entries: ledger.entries().len() as u64,
        head: ledger.chain.head().to_owned(),
        phase: rules::next_phase(state),
        asked: asked.map(|(phase, _)| phase),
        allowed: asked.map(|(_, allowed)| allowed),
        phases,
        attempt: state.open_attempt().map(|open| OpenAttempt {
            attempt: open.id.to_owned(),
            begin: open.begin.clone(),
            wall_s: Finite::new(state.now.duration_since(open.began_at).as_secs_f64().max(0.0))
                .unwrap_or_else(|| Finite::from(0)),
            decision: state.attempt_decision().map(|(_, decision)| decision.clone()),
        }),
        rounds: state.rounds(),
        weak_rounds: state.weak_rounds(),
        decision: state.current_decision().map(|(_, decision)| decision.clone()),
        best_effect_pct: state
            .current_decision()
            .and_then(|(_, decision)| decision.effect_pct),
        candidates: frameworks
            .into_iter()
            .map(|framework| CandidateCount {
                framework: framework.clone(),
                configurations: candidates.get(framework).copied().unwrap_or(0),
                needed: if state.campaign.comparison.contains(framework) {
                    state.candidates_needed()
                } else {
                    0
                },
            })
            .collect(),
        blockers: state.blockers.iter().map(|blocker| (*blocker).clone()).collect(),
        budget: state.budget(),
        terminal: state.stop.map(|stop| stop.terminal),
    }
}

/// Where the campaign stands, in two sentences.
pub(crate) fn summary(state: &State<'_>) -> String {
    if let Some(stop) = state.stop {
        return format!("The campaign ended: {}: {}", stop.terminal.name(), stop.why);
    }
    let gap = state.current_decision().map_or_else(
        || "no gap verdict yet".to_owned(),
        |(_, decision)| verdict(decision),
    );
    let attempt = match (state.open_attempt(), state.attempt_decision()) {
        (Some(open), Some((_, decision))) => format!(
            " Attempt {} is open: {}: its verdict is {}.",
            open.id,
            open.begin.change,
            verdict(decision)
        ),
        (Some(open), None) => format!(" Attempt {} is open: {}.", open.id, open.begin.change),
        (None, _) => String::new(),
    };
    let weak = match state.weak_rounds() {
        0 => String::new(),
        count => format!(" {count} weak in a row."),
    };
    format!(
        "Next: {}. {} rounds, {gap}.{weak}{attempt}",
        rules::next_phase(state).name(),
        state.rounds()
    )
}

fn verdict(decision: &DecisionFacts) -> String {
    format!(
        "{}: {} % {} on {}",
        decision.decision.name(),
        view::signed(decision.effect_pct),
        view::interval(decision.ci_low_pct, decision.ci_high_pct),
        decision.metric
    )
}
