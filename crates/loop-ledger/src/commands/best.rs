//! `best`: the launch that won, so that anybody can run it.

use std::collections::BTreeMap;

use cli_kit::{DocumentParts, Failure, Report};
use contracts::Exit;
use contracts::loop_ledger::best::{self, BestData};

use crate::ledger::{Ledger, Root};
use crate::state::State;
use crate::{TOOL, view};

pub(crate) fn best(root: &Root) -> Result<Report, Failure> {
    let ledger = Ledger::read(root)?;
    let state = State::now(&ledger);
    let data = winner(&ledger.root, &state);
    let summary = match (&data.argv, &data.attempt) {
        (Some(_), Some(attempt)) => format!(
            "The change of {attempt} is the best so far: {} %.",
            view::signed(data.effect_pct)
        ),
        (Some(_), None) => format!(
            "The launch of the baseline is the best so far: {} %.",
            view::signed(data.effect_pct)
        ),
        (None, _) => "No stored document says how ours was launched: measure with --subject.".to_owned(),
    };
    let parts = DocumentParts {
        summary,
        simulated: state.accepted.iter().any(|accepted| accepted.facts.simulated),
        ..DocumentParts::new(best::SCHEMA)
    };
    let exit = if data.argv.is_some() {
        Exit::Ok
    } else {
        Exit::GateNotMet
    };
    let document = cli_kit::document(&TOOL, parts, data);
    let shown = view::best(&document);
    Ok(Report::new(&document, shown, exit))
}

/// The launch of the change that was kept last, else of the fixed benchmark.
pub(crate) fn winner(root: &Root, state: &State<'_>) -> BestData {
    let declared = state.best_subject();
    let decision = state.current_decision();
    BestData {
        root: root.path().display().to_string(),
        attempt: state.kept().next_back().map(|attempt| attempt.id.to_owned()),
        argv: state.best_argv().map(contracts::argv::redacted),
        env: declared.map_or_else(BTreeMap::new, |subject| {
            let public = subject
                .env
                .iter()
                .filter(|(name, _)| !contracts::secret::is_secret(name));
            public
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        }),
        subject: state.current_subject().map(str::to_owned),
        effect_pct: decision.and_then(|(_, decision)| decision.effect_pct),
        decision: decision.map(|(accepted, _)| accepted.facts.sha256.clone()),
        patches: state
            .patches
            .iter()
            .filter(|(attempt, _)| state.kept().any(|kept| Some(kept.id) == *attempt))
            .map(|(_, patch)| patch.diff_sha256.clone())
            .collect(),
    }
}
