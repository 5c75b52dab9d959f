//! Whether the fixed benchmark is whole and fair: every scenario against every framework, and every framework tuned. Pure.

use contracts::argv;
use contracts::loop_ledger::lock::LockedScenario;
use contracts::loop_ledger::status::Need;
use contracts::{Finite, NextAction};

use super::{need, offer};
use crate::state::State;

/// How much faster another configuration of a competitor has to be before the comparison has to be with that one: single
/// runs scatter.
const FASTER_RATIO: f64 = 1.05;

/// Scenarios that some comparison framework was not measured on, interleaved with ours.
pub fn uncovered(state: &State<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    for scenario in &state.lock.scenarios {
        for framework in &state.campaign.comparison {
            let is_covered = state
                .benchmarks()
                .any(|accepted| accepted.compares(&scenario.scenario, framework));
            if !is_covered {
                needs.push(need(
                    "baseline-missing",
                    format!(
                        "{} is not measured against {framework} on scenario {}",
                        state.campaign.framework, scenario.scenario
                    ),
                    Some(measure(state, scenario, framework)),
                ));
            }
        }
    }
    needs
}

fn measure(state: &State<'_>, scenario: &LockedScenario, framework: &str) -> NextAction {
    let why = if offer::is_first(state, scenario) {
        "compare, then append; this fixes the load of the scenario: choose it (leave it out where the workload has its own arrivals)"
    } else {
        "compare, then append"
    };
    let output = offer::file("round0", scenario, framework, state);
    offer::action(why, offer::compare(state, scenario, framework, &output))
}

/// Comparison frameworks that got fewer configurations than the target promises them.
pub(super) fn untuned(state: &State<'_>) -> Vec<Need> {
    let found = state.candidates();
    let needed = state.candidates_needed();
    state
        .campaign
        .comparison
        .iter()
        .filter_map(|framework| {
            let count = found.get(framework).copied().unwrap_or(0);
            (count < needed).then(|| {
                need(
                    "untuned-competitor",
                    format!("{framework} was measured in {count} of {needed} configurations: a gap against an untuned engine is no gap"),
                    state.lock.scenarios.first().map(|scenario| {
                        offer::action(
                            "measure another configuration of it, then append",
                            offer::run(state, scenario, framework),
                        )
                    }),
                )
            })
        })
        .collect()
}

/// Competitors that were faster in another configuration than in the one that ours is compared with.
pub(super) fn slower_competitor(state: &State<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    // Facts keep the throughput alone; where something else decides, the fastest need not be the best.
    if !matches!(state.metric(), "output_tps" | "total_tps" | "request_rps") {
        return needs;
    }
    for scenario in &state.lock.scenarios {
        for framework in &state.campaign.comparison {
            let compared = state
                .benchmarks()
                .rfind(|accepted| state.counts(accepted) && accepted.compares(&scenario.scenario, framework))
                .map(|accepted| &accepted.facts.sides[1]);
            let Some((compared, rate)) = compared.and_then(|side| Some((side, side.output_tps?.get())))
            else {
                continue;
            };
            let faster = state
                .benchmarks()
                .filter(|accepted| accepted.facts.scenario.as_deref() == Some(&scenario.scenario))
                .filter_map(|accepted| accepted.facts.sides.last())
                .filter(|side| side.framework == *framework && side.subject != compared.subject)
                .filter_map(|side| side.output_tps)
                .map(Finite::get)
                .fold(0.0, f64::max);
            if faster > rate * FASTER_RATIO {
                needs.push(need(
                    "untuned-competitor",
                    format!("{framework} reached {faster:.0} output tokens/s on {} in another configuration than the one that is compared, which has {rate:.0}", scenario.scenario),
                    Some(fastest(state, scenario, framework)),
                ));
            }
        }
    }
    needs
}

fn fastest(state: &State<'_>, scenario: &LockedScenario, framework: &str) -> NextAction {
    let output = offer::file("round0", scenario, framework, state);
    let mut command = offer::compare(state, scenario, framework, &output);
    // What the precedent launched is what lost.
    for (flag, value) in [("--b", "URL_OF_THEIRS"), ("--b-cmd", "ARGV_OF_THEIRS")] {
        if argv::value(&command, flag).is_some() {
            argv::set(&mut command, flag, value);
        }
    }
    argv::set(&mut command, "--b-subject", "SUBJECT_OF_THEIRS");
    offer::action("compare with its fastest configuration, then append", command)
}
