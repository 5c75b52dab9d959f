//! Names of closed sets as people type them: `-` and `_` are one, and a wrong name lists the right ones.

use contracts::loop_ledger::event::{ChangeKind, Outcome};
use contracts::loop_ledger::{Phase, Terminal};

pub(crate) fn phase(text: &str) -> Result<Phase, String> {
    let wanted = text.replace('-', "_");
    Phase::ALL
        .into_iter()
        .find(|phase| phase.name() == wanted)
        .ok_or_else(|| one_of(Phase::ALL.iter().map(|phase| phase.name())))
}

pub(crate) fn terminal(text: &str) -> Result<Terminal, String> {
    let wanted = text.replace('-', "_");
    Terminal::ALL
        .into_iter()
        .find(|state| state.name() == wanted)
        .ok_or_else(|| one_of(Terminal::ALL.iter().map(|state| state.name())))
}

pub(crate) fn change_kind(text: &str) -> Result<ChangeKind, String> {
    let all = [
        ChangeKind::Flags,
        ChangeKind::Env,
        ChangeKind::Config,
        ChangeKind::Patch,
        ChangeKind::Kernel,
    ];
    all.into_iter()
        .find(|kind| kind.name() == text)
        .ok_or_else(|| one_of(all.iter().map(|kind| kind.name())))
}

pub(crate) fn outcome(text: &str) -> Result<Outcome, String> {
    let all = [
        Outcome::Kept,
        Outcome::Reverted,
        Outcome::Failed,
        Outcome::Interrupted,
    ];
    all.into_iter()
        .find(|outcome| outcome.name() == text)
        .ok_or_else(|| one_of(all.iter().map(|outcome| outcome.name())))
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("one of {}", names.collect::<Vec<_>>().join(", "))
}
