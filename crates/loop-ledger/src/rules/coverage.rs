//! Whether the fixed benchmark is whole and fair: every scenario against every framework, and every framework tuned. Pure.

use contracts::loop_ledger::status::Need;
use contracts::{Finite, NextAction};

use super::need;
use crate::state::State;

/// How much faster another configuration of a competitor has to be before the comparison has to be with that one: single
/// runs scatter.
const FASTER_RATIO: f64 = 1.05;

/// Scenarios that some comparison framework was not measured on, interleaved with ours.
pub fn uncovered(state: &State<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    for scenario in &state.lock.scenarios {
        for framework in &state.campaign.comparison {
            let is_covered = state.benchmarks().any(|accepted| {
                accepted.facts.sides.len() == 2
                    && accepted.facts.scenario.as_deref() == Some(&scenario.scenario)
                    && accepted.facts.sides[1].framework == *framework
            });
            if !is_covered {
                needs.push(need(
                    "baseline-missing",
                    format!(
                        "{} is not measured against {framework} on scenario {}",
                        state.campaign.framework, scenario.scenario
                    ),
                    Some(NextAction::new(
                        "compare, then append",
                        &[
                            "serve-bench",
                            "compare",
                            "--a",
                            "URL_OF_OURS",
                            "--b",
                            "URL_OF_THEIRS",
                            "--workload",
                            &scenario.workload,
                            "--scenario",
                            &scenario.scenario,
                            "--target",
                            "target.yaml",
                            "-o",
                            "round0.compare.json",
                        ],
                    )),
                ));
            }
        }
    }
    needs
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
                    Some(NextAction::new(
                        "measure another configuration of it, then append",
                        &["serve-bench", "run", "--url", "URL_OF_THEIRS", "--target", "target.yaml", "-o", "theirs.json"],
                    )),
                )
            })
        })
        .collect()
}

/// Competitors that were faster in another configuration than in the one that ours is compared with.
pub(super) fn slower_competitor(state: &State<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    // Facts keep the throughput alone; where something else decides, the fastest need not be the best.
    if !state.metric().ends_with("_tps") && !state.metric().ends_with("_rps") {
        return needs;
    }
    for scenario in &state.lock.scenarios {
        for framework in &state.campaign.comparison {
            let compared = state
                .benchmarks()
                .rfind(|accepted| {
                    accepted.facts.sides.len() == 2
                        && state.counts(accepted)
                        && accepted.facts.scenario.as_deref() == Some(&scenario.scenario)
                        && accepted.facts.sides[1].framework == *framework
                })
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
                    Some(NextAction::new(
                        "compare with its fastest configuration",
                        &["serve-bench", "compare", "--a", "URL_OF_OURS", "--b", "URL_OF_THEIRS", "--target", "target.yaml", "-o", "round0.compare.json"],
                    )),
                ));
            }
        }
    }
    needs
}
