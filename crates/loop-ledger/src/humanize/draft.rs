//! The draft for Humanize's plan generator, for whoever wants its plan instead of ours.

use super::{criteria, goal};
use crate::prompt;
use crate::state::State;

/// The draft of a campaign.
pub(crate) fn draft(state: &State<'_>) -> String {
    let scenarios: Vec<String> = state.lock.scenarios.iter().map(prompt::scenario).collect();
    let criteria: String = criteria::ALL
        .iter()
        .map(|criterion| format!("- {}: {}\n", criterion.name, criterion.text))
        .collect();
    format!(
        "\
# Draft

{goal}

Fixed: model, precision, hardware, the locked workloads ({scenarios}), objectives, threshold and budget ({budget}). Free: launch
flags, environment, configuration, engine source. State and evidence live in the ledger of `loop-ledger`; its gates are exit
codes, and the plan has to be made of them.

What the plan must keep, one line each, at most 24 lines in all under `## Acceptance Criteria`, because longer lists are cut:

{criteria}
What else it must say:

- A round is one optimisation attempt, not the whole plan.
- The reviewer runs `loop-ledger verify && loop-ledger status` and answers REGRESSED when it exits non-zero.
- A `## Task Breakdown` table with the tags `coding` and `analyze`.
- The goal in at most nine lines.
- No task that moves to another line of work in git.
",
        goal = goal(state),
        scenarios = super::line(&scenarios.join(", ")),
        budget = prompt::budget(&state.campaign.budget),
    )
}
