//! One file a command: read, check, add, print.

pub(crate) mod append;
pub(crate) mod attempt;
pub(crate) mod best;
pub(crate) mod digest;
pub(crate) mod done;
pub(crate) mod hook;
pub(crate) mod humanize;
pub(crate) mod init;
pub(crate) mod note;
pub(crate) mod pr_text;
pub(crate) mod preflight;
pub(crate) mod prompt;
pub(crate) mod render;
pub(crate) mod report;
pub(crate) mod session;
pub(crate) mod status;
pub(crate) mod verify;
pub(crate) mod watch;

use cli_kit::{DocumentParts, Failure, Report};
use contracts::loop_ledger::entry::Entry;
use contracts::loop_ledger::event::Event;
use contracts::loop_ledger::receipt::{self, ReceiptData};
use contracts::loop_ledger::status::Need;
use contracts::{Exit, NextAction, Warning};

use crate::ledger::{Ledger, Root};
use crate::rules;
use crate::state::State;
use crate::{TOOL, view};

/// The document of a command that added entries.
pub(crate) fn receipt(ledger: &Ledger, entries: Vec<Entry>, already: bool, warnings: Vec<Warning>) -> Report {
    let state = State::now(ledger);
    let summary = match entries.as_slice() {
        [] => "Nothing was added.".to_owned(),
        [only] if already => sentence(&format!(
            "Entry {} says so already: {}",
            only.seq,
            describe(&only.event)
        )),
        entries => entries
            .iter()
            .map(|entry| sentence(&format!("Entry {}: {}", entry.seq, describe(&entry.event))))
            .collect::<Vec<_>>()
            .join(" "),
    };
    let parts = DocumentParts {
        summary,
        simulated: state.accepted.iter().any(|accepted| accepted.facts.simulated),
        next_actions: at_root(&ledger.root, next_actions(&state)),
        warnings,
        ..DocumentParts::new(receipt::SCHEMA)
    };
    let data = ReceiptData {
        root: ledger.root.path().display().to_string(),
        entries,
        already,
        head: ledger.chain.head().to_owned(),
        budget: state.budget(),
    };
    let document = cli_kit::document(&TOOL, parts, data);
    Report::new(&document, view::receipt(&document), Exit::Ok)
}

/// What leads on from here, three commands at most.
pub(crate) fn next_actions(state: &State<'_>) -> Vec<NextAction> {
    let phase = rules::next_phase(state);
    let mut actions: Vec<NextAction> = Vec::new();
    let mut add = |action: Option<NextAction>| {
        if let Some(action) = action.filter(|action| !actions.contains(action)) {
            actions.push(action);
        }
    };
    add(rules::blocked_end(state));
    for need in rules::missing(state, phase) {
        add(need.command);
    }
    for need in rules::wanted(state, phase) {
        add(need.command);
    }
    actions.truncate(3);
    actions
}

/// The same commands for a campaign that does not lie in the current folder.
pub(crate) fn at_root(root: &Root, mut actions: Vec<NextAction>) -> Vec<NextAction> {
    actions.iter_mut().for_each(|action| name_root(root, action));
    actions
}

/// The same needs, with commands for a campaign that does not lie in the current folder.
pub(crate) fn needs_at_root(root: &Root, needs: &mut [Need]) {
    let commands = needs.iter_mut().filter_map(|need| need.command.as_mut());
    commands.for_each(|action| name_root(root, action));
}

fn name_root(root: &Root, action: &mut NextAction) {
    let is_here = root.path() == std::path::Path::new(".");
    if !is_here && action.command.first().is_some_and(|tool| tool == TOOL.name) {
        let root = root.path().display().to_string();
        action.command.splice(1..1, ["--root".to_owned(), root]);
    }
}

/// The text with a full stop, unless it has an end of its own.
fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// What an event says, in a line.
pub(crate) fn describe(event: &Event) -> String {
    match event {
        Event::Init(init) if init.supersedes.is_some() => {
            "the campaign began, in place of another".to_owned()
        }
        Event::Init(_) => "the campaign began".to_owned(),
        Event::Preflight(preflight) => format!(
            "preflight of {} {}",
            preflight.runtime,
            if preflight.passed { "passed" } else { "failed" }
        ),
        Event::AttemptBegin(begin) => format!("round {} began: {}", begin.round, begin.change),
        Event::AttemptEnd(end) => match end.improvement_pct {
            Some(gain) => format!("{} ({:+.2} %): {}", end.outcome.name(), gain.get(), end.learned),
            None => format!("{}: {}", end.outcome.name(), end.learned),
        },
        Event::Evidence(facts) => format!("{} for {}: {}", facts.schema, facts.phase.name(), facts.summary),
        Event::Idea(idea) => format!("idea: {}", idea.idea),
        Event::Patch(patch) => format!(
            "patch of {} files, +{} -{}",
            patch.changed_files.len(),
            patch.lines_added,
            patch.lines_removed
        ),
        Event::Blocker(blocker) => {
            let word = view::blocked(blocker.phase);
            format!("{} is {word}: {}", blocker.phase.name(), blocker.what)
        }
        Event::Session(session) => format!("session {}", session.file),
        Event::Recovered(recovered) => format!("{} torn bytes set aside", recovered.bytes),
        Event::Stop(stop) => format!("the campaign ended: {}: {}", stop.terminal.name(), stop.why),
    }
}

/// A text that an entry cannot be without.
pub(crate) fn said(flag: &str, text: &str) -> Result<(), Failure> {
    if typed(text).is_empty() {
        return Err(
            Failure::new(Exit::Usage, "text-empty", format!("{flag} says nothing"))
                .hint("one sentence that somebody else can learn from"),
        );
    }
    Ok(())
}

/// Text that a person or an agent typed, fit for a line.
pub(crate) fn typed(text: &str) -> String {
    contracts::text::clean(text, 2000)
}
