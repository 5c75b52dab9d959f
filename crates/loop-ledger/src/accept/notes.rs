//! What people and agents write themselves: history notes and root causes. A claim is worth the stored value it cites.

use contracts::loop_ledger::facts::Facts;
use contracts::loop_ledger::history::{self, History};
use contracts::loop_ledger::phase::Phase;
use contracts::loop_ledger::root_cause::{self, Claim, RootCause};
use serde_json::Value;

use super::{Context, Refusal};
use crate::ledger::objects;

/// Fewest hexadecimal digits that name a document.
const MIN_DIGITS: usize = 8;

pub(crate) fn history(context: &Context<'_>, notes: &History) -> Result<Facts, Refusal> {
    for (field, text) in [
        ("model", &notes.model),
        ("baseline_commit", &notes.baseline_commit),
    ] {
        if text.trim().is_empty() {
            return Err(context.unreadable("history-incomplete", format!("{field} is empty")));
        }
    }
    if notes.sources.is_empty() {
        return Err(context.unreadable(
            "history-incomplete",
            "it does not say where was looked".to_owned(),
        ));
    }
    if notes.changes.is_empty() && notes.none_found.as_ref().is_none_or(|why| why.trim().is_empty()) {
        return Err(context.unreadable(
            "history-incomplete",
            "it lists no change and does not say why (`none_found`)".to_owned(),
        ));
    }
    let summary = format!(
        "{}: {} changes looked at on {}, from commit {}",
        notes.model,
        notes.changes.len(),
        notes.checked_on,
        notes.baseline_commit
    );
    Ok(context.blank(Phase::History, history::SCHEMA, &summary))
}

pub(crate) fn root_cause(context: &Context<'_>, notes: &RootCause) -> Result<Facts, Refusal> {
    if notes.claims.is_empty() || notes.cause.trim().is_empty() {
        return Err(context.unreadable(
            "root-cause-incomplete",
            "a root cause needs a sentence and one claim at least".to_owned(),
        ));
    }
    let is_known = |scenario: &str| {
        context
            .state
            .lock
            .scenarios
            .iter()
            .any(|locked| locked.scenario == scenario)
    };
    if !is_known(&notes.scenario) {
        return Err(context.drift(
            "scenario-unknown",
            format!(
                "{} is no locked scenario",
                contracts::text::clean(&notes.scenario, 80)
            ),
        ));
    }
    let mut inputs = Vec::new();
    for claim in &notes.claims {
        inputs.push(cited(context, claim)?);
    }
    let mut facts = context.blank(Phase::RootCause, root_cause::SCHEMA, &notes.cause);
    facts.scenario = Some(notes.scenario.clone());
    facts.inputs = inputs;
    Ok(facts)
}

/// The hash of the document that a claim cites, when the value stands there.
fn cited(context: &Context<'_>, claim: &Claim) -> Result<String, Refusal> {
    let unfounded = |what: String| context.drift("claim-unfounded", format!("\"{}\": {what}", claim.claim));
    let digits = claim.document.strip_prefix("sha256:").unwrap_or(&claim.document);
    if digits.len() < MIN_DIGITS {
        return Err(unfounded(format!(
            "{MIN_DIGITS} digits of a hash are needed to name a document"
        )));
    }
    let stored: Vec<&str> = context
        .state
        .accepted
        .iter()
        .map(|accepted| accepted.facts.sha256.as_str())
        .filter(|sha256| {
            sha256
                .strip_prefix("sha256:")
                .is_some_and(|hex| hex.starts_with(digits))
        })
        .collect();
    let [sha256] = stored.as_slice() else {
        return Err(unfounded(format!(
            "{} stored documents begin with {digits}",
            stored.len()
        )));
    };
    let document: Value = objects::get(&context.ledger.root, sha256)
        .ok()
        .flatten()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| unfounded("the stored document is gone or replaced".to_owned()))?;
    match document.pointer(&claim.pointer) {
        Some(found) if same(found, &claim.value) => Ok((*sha256).to_owned()),
        Some(found) => Err(unfounded(format!(
            "{} is {found}, not {}",
            claim.pointer, claim.value
        ))),
        None => Err(unfounded(format!("{} is not in that document", claim.pointer))),
    }
}

/// Equal, with numbers compared as numbers: 6 and 6.0 are one value.
fn same(found: &Value, claimed: &Value) -> bool {
    match (found.as_f64(), claimed.as_f64()) {
        (Some(found), Some(claimed)) => found == claimed,
        _ => found == claimed,
    }
}
