//! The plan for `setup-rlcr-loop.sh`. Goal and criteria first and short, everything else below them.

use std::path::Path;

use super::{criteria, goal, line};
use crate::prompt;
use crate::state::State;

/// The plan of the campaign that lies at `root`. It stays on the machine that it names.
pub(crate) fn plan(state: &State<'_>, root: &Path) -> String {
    let target = &state.lock.target;
    let campaign = &state.campaign;
    let criteria: String = criteria::ALL
        .iter()
        .map(|criterion| format!("- {}: {}\n", criterion.name, criterion.text))
        .collect();
    let scenarios: String = state
        .lock
        .scenarios
        .iter()
        .map(|scenario| format!("- {}\n", line(&prompt::scenario(scenario))))
        .collect();
    let listed = |words: &[String], none: &str| {
        if words.is_empty() {
            none.to_owned()
        } else {
            line(&words.join(", "))
        }
    };
    let excluded: Vec<String> = campaign
        .excluded
        .iter()
        .map(|one| format!("{} ({})", one.framework, one.why))
        .collect();
    format!(
        "\
# Plan: {framework} to the state of the art

## Goal Description

{goal}
Workloads, objectives and budget are locked in the ledger; a claim without an entry there does not count.
The campaign is over when `loop-ledger done` exits 0, and not before.

## Acceptance Criteria

{criteria}
## Rounds

A round is one optimisation attempt: one hypothesis, one change, measured again on the locked workloads, kept or taken
back, its attempt ended in the ledger. A round is complete when that attempt has ended; it is not the whole plan, and an
attempt that was reverted advances the campaign as much as one that was kept, because the ledger knows more than before.
The first round may be the fixed benchmark and its verdict alone. Two weak rounds ask for new research, four end it.

Order inside the campaign: history notes, fixed benchmark, verdict; then per round profile, root cause, layer pipeline, one
change, revalidation. Every step begins with its gate, `loop-ledger may PHASE`; what the gate prints is done first. A tool
or resource that is missing is recorded with `loop-ledger blocker`.

## Reviewer

Run `loop-ledger verify && loop-ledger status`. If it exits non-zero the verdict is REGRESSED, whatever the summary says. Compare
the `Ledger-Head` line of the round's summary with the head that `loop-ledger status` shows: it has to be an entry of the chain
(`loop-ledger verify --anchor HASH`). The artifact root is `{root}`: LOOP_LEDGER_ROOT or --root names it. ADVANCED: the attempt of the round has ended with a document behind it. STALLED: no new
attempt has ended. COMPLETE only after `loop-ledger done` exits 0.

## Contract

- Metric: {metric}; a gap counts from {threshold:.2} %, a tie is within {margin:.2} %
- Objectives: {slo}
- Compared with: {comparison}, {candidates} configurations each at least; left out by the user: {excluded}
- Look first at: {focus}
- Budget: {budget}; charged when an attempt begins, never given back
- Push and propose only to: {remotes}

Workloads, frozen:

{scenarios}
## Task Breakdown

| Task | Target AC | Tag |
|---|---|---|
| Notes on merged and open pull requests for this model, stored | AC-2 | coding |
| Fixed benchmark: every scenario against every framework, every framework tuned | AC-2, AC-3 | coding |
| Gap verdict from interleaved repeats, stored | AC-3, AC-4 | coding |
| Where the gap comes from: profiles, root cause, layer pipeline, with rows of stored documents | AC-5, AC-6 | analyze |
| Which one change the evidence defends, and the number it predicts | AC-7, AC-8 | analyze |
| That change, behind its gate, with a diff and its provenance where it is code | AC-7, AC-8 | coding |
| Revalidation on the locked workloads; attempt ended with proof that nothing was left running | AC-9, AC-10 | coding |
| Does the stored evidence carry the verdict of the round | AC-1, AC-9 | analyze |
| Winner relaunched from a cleared environment, verdict, end | AC-11 | coding |

## Boundaries

- One commit a round, on the line of work that this loop began on. A large change is committed in pieces below 2000 lines a file.
- Comments in code explain the code; they name no criterion, round or milestone of this plan.
- Never: another workload, seed, objective, threshold, model or precision after a look; cached or pre-made answers; a
  dropped scenario; an untuned competitor; an edited lock, ledger or document; a process ended that this campaign did not
  start; a verdict from one repeat, an invalid run or a microbenchmark.
- Every round: `loop-ledger humanize contract` gives its contract after the attempt began, `loop-ledger humanize summary` its
  summary after the attempt ended.
",
        framework = line(&campaign.framework),
        goal = goal(state),
        root = line(&root.display().to_string()),
        metric = line(state.metric()),
        threshold = state.threshold_pct(),
        margin = state.margin_pct(),
        slo = listed(&target.slo, "none declared"),
        comparison = listed(&campaign.comparison, "none"),
        candidates = state.candidates_needed(),
        excluded = listed(&excluded, "none"),
        focus = listed(&campaign.focus, "what the profile shows"),
        budget = prompt::budget(&campaign.budget),
        remotes = listed(&campaign.push_remotes, "no remote"),
    )
}
