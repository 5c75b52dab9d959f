//! Whether a decision rests on all that was measured for it: what is left out was left out for its result.

use contracts::gap_decide::decision::DecisionData;
use contracts::loop_ledger::facts::Facts;
use contracts::{Document, Input};
use jiff::Timestamp;
use serde_json::Value;

use super::{Context, Refusal};
use crate::rules;
use crate::state::Accepted;

/// The latest comparison of every scenario and framework is among those that were compared, and with it all that were
/// measured of the same launches.
pub(super) fn whole(
    context: &Context<'_>,
    document: &Document<DecisionData>,
    compared: &[Facts],
) -> Result<(), Refusal> {
    let state = context.state;
    let attempt = state.open_attempt().map(|open| open.id);
    let chose: Vec<Timestamp> = chosen_by(document)
        .filter_map(|input| start(state.by_hash(&input.sha256)?.facts))
        .collect();
    for facts in compared {
        let (Some(scenario), Some(other)) = (facts.scenario.as_deref(), facts.sides.get(1)) else {
            continue;
        };
        let pool = rules::pool(state, attempt, scenario, &other.framework);
        for (age, wanted) in pool.iter().rev().enumerate() {
            let is_there = compared.iter().any(|facts| facts.sha256 == wanted.facts.sha256);
            // The pairs count that did not choose; a resumed comparison begins with those that it had before.
            let has_chosen = start(wanted.facts).is_some_and(|start| chose.contains(&start));
            let is_screen = age > 0 && age + 1 == pool.len() && had_choice(context, wanted);
            let is_fair = if has_chosen { is_screen } else { is_there };
            if is_fair {
                continue;
            }
            let (code, which) = match age {
                0 => ("newer-comparison", "the latest comparison"),
                _ => ("comparison-left-out", "a comparison of the same launches"),
            };
            return Err(context.drift(
                code,
                format!("it leaves out entry {}, {which} of {scenario}", wanted.seq),
            ));
        }
    }
    Ok(())
}

/// The documents whose pairs it leaves out because they chose a candidate.
pub(super) fn chosen_by(document: &Document<DecisionData>) -> impl Iterator<Item = &Input> {
    let paths = document.data.plan.get("chosen_by").and_then(Value::as_array);
    paths
        .into_iter()
        .flatten()
        .filter_map(|path| document.inputs.iter().find(|input| path == input.path.as_str()))
}

/// Whether another launch of ours was measured beside this one: what chose among one chose nothing.
fn had_choice(context: &Context<'_>, screened: &Accepted<'_>) -> bool {
    let state = context.state;
    let ours = &screened.facts.sides[0];
    state
        .benchmarks()
        .filter(|accepted| accepted.attempt == screened.attempt)
        .filter_map(|accepted| accepted.facts.sides.first())
        .any(|side| side.framework == ours.framework && side.subject != ours.subject)
}

fn start(facts: &Facts) -> Option<Timestamp> {
    facts.measured_at.as_ref().map(|measured| measured.start_at)
}
