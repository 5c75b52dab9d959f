//! `round-N-summary.md`: what the round did, each line from an entry of the ledger.

use contracts::loop_ledger::entry::Entry;
use contracts::loop_ledger::event::Event;

use super::{line, of_round};
use crate::commands::describe;
use crate::ledger::short;
use crate::rules;
use crate::state::State;
use crate::view;

/// Entries that a summary lists.
const ENTRIES: usize = 40;

/// The summary of the current round, or of round `round` in Humanize's count.
pub(crate) fn summary(state: &State<'_>, head: &str, round: Option<u32>) -> String {
    let latest = state.attempts.last();
    let round = round.unwrap_or_else(|| latest.map_or(0, |attempt| attempt.begin.round.saturating_sub(1)));
    let entries = of_round(state);
    format!(
        "\
# Round {round} Summary

## What Was Implemented

{implemented}
## Files Changed

{files}
## Validation

{validation}
## Remaining Items

{remaining}
## BitLesson Delta

- Action: none
- Lesson ID(s): NONE
- Notes: {notes}

Ledger-Head: {head}
",
        implemented = implemented(state, entries),
        files = files(entries),
        validation = validation(state, entries, head),
        remaining = remaining(state),
        notes = latest.and_then(|attempt| attempt.end).map_or_else(
            || "nothing was learned yet that another round could use".to_owned(),
            |(end, seq)| format!("entry {seq} of the ledger: {}", line(&end.learned)),
        ),
    )
}

fn implemented(state: &State<'_>, entries: &[Entry]) -> String {
    let mut out = match state.attempts.last() {
        Some(attempt) => format!(
            "Attempt {} ({}): {}. Hypothesis: {}.{} {}\n\n",
            attempt.id,
            attempt.begin.kind.name(),
            line(&attempt.begin.change),
            line(&attempt.begin.hypothesis),
            attempt
                .begin
                .predicted_pct
                .map(|pct| format!(" Predicted: {:+.2} %.", pct.get()))
                .unwrap_or_default(),
            attempt.end.map_or_else(
                || "It is still open.".to_owned(),
                |(end, _)| match end.improvement_pct {
                    Some(gain) => format!(
                        "It was {}, {:+.2} % against the best before.",
                        end.outcome.name(),
                        gain.get()
                    ),
                    None => format!("It was {}; its effect was not measured.", end.outcome.name()),
                }
            )
        ),
        None => "No attempt yet: this round is the fixed benchmark and what comes before it.\n\n".to_owned(),
    };
    let skipped = entries.len().saturating_sub(ENTRIES);
    if skipped > 0 {
        out.push_str(&format!("- {skipped} earlier entries: `loop-ledger render`\n"));
    }
    for entry in &entries[skipped..] {
        out.push_str(&format!(
            "- entry {}: {}\n",
            entry.seq,
            line(&describe(&entry.event))
        ));
    }
    out
}

fn files(entries: &[Entry]) -> String {
    let mut out = String::new();
    for entry in entries {
        if let Event::Patch(patch) = &entry.event {
            for file in patch.changed_files.iter().take(ENTRIES) {
                out.push_str(&format!(
                    "- {} (diff {})\n",
                    line(file),
                    short(&patch.diff_sha256)
                ));
            }
        }
    }
    if out.is_empty() {
        out.push_str("- none: no diff is recorded in this round\n");
    }
    out
}

fn validation(state: &State<'_>, entries: &[Entry], head: &str) -> String {
    // What has to hold, for the reviewer to run: a summary proves nothing by saying so.
    let mut out = format!(
        "- has to exit 0: `loop-ledger verify --anchor {head}`\n- has to exit 0: `loop-ledger verify && loop-ledger status`\n"
    );
    for entry in entries {
        match &entry.event {
            Event::Evidence(facts) => {
                if let Some(decision) = &facts.decision {
                    for row in &decision.rows {
                        out.push_str(&format!(
                            "- {} against {} on {}: {} % {}, {} pairs, {} ({})\n",
                            line(&row.scenario),
                            line(&row.other),
                            line(&decision.metric),
                            view::signed(row.effect_pct),
                            view::interval(row.ci_low_pct, row.ci_high_pct),
                            row.pairs,
                            row.verdict.name(),
                            short(&facts.sha256)
                        ));
                    }
                }
                if facts.simulated {
                    out.push_str(&format!(
                        "- {} is simulated: no claim about a real engine\n",
                        short(&facts.sha256)
                    ));
                }
            }
            Event::AttemptEnd(end) => out.push_str(&format!(
                "- clean-up: {} of {} processes gone, {} of {} ports free, GPU memory {}\n",
                end.cleanup.pids.iter().filter(|pid| pid.gone).count(),
                end.cleanup.pids.len(),
                end.cleanup.ports.iter().filter(|port| port.free).count(),
                end.cleanup.ports.len(),
                end.cleanup
                    .gpu_note
                    .as_deref()
                    .map_or_else(|| "read".to_owned(), line)
            )),
            _ => {}
        }
    }
    for (_, patch) in state.patches.iter().rev().take(1) {
        for test in patch.tests.iter().take(6) {
            out.push_str(&format!("- test on the patch: {}\n", line(test)));
        }
    }
    out
}

fn remaining(state: &State<'_>) -> String {
    let phase = rules::next_phase(state);
    let mut out = format!("- next: {}\n", phase.name());
    for need in rules::missing(state, phase)
        .iter()
        .chain(&rules::wanted(state, phase))
        .take(6)
    {
        out.push_str(&format!("- {}\n", line(&need.what)));
    }
    for blocker in state.blockers.iter().take(6) {
        out.push_str(&format!(
            "- {} is {}: {}\n",
            blocker.phase.name(),
            view::blocked(blocker.phase),
            line(&blocker.what)
        ));
    }
    out.push_str(&format!("- {}\n", view::budget(&state.budget())));
    out
}
