//! `round-N-contract.md`: what the round is held to, from the open attempt or the phase that comes next.

use contracts::loop_ledger::phase::Phase;

use super::{criteria, line, round_of};
use crate::rules;
use crate::state::State;

/// The contract of the current round, or of round `round` in Humanize's count.
pub(crate) fn contract(state: &State<'_>, head: &str, round: Option<u32>) -> String {
    let round = round.unwrap_or_else(|| round_of(state));
    let phase = rules::next_phase(state);
    let (objective, acs, success) = match state.open_attempt() {
        Some(open) => (
            format!(
                "attempt {}, {}: {}. Hypothesis: {}.{}",
                open.id,
                open.begin.kind.name(),
                line(&open.begin.change),
                line(&open.begin.hypothesis),
                open.begin
                    .predicted_pct
                    .map(|pct| format!(" Predicted: {:+.2} %.", pct.get()))
                    .unwrap_or_default()
            ),
            criteria::of_phase(Phase::Revalidate),
            "`loop-ledger may revalidate` exits 0, compare and decision are appended, `loop-ledger end` exits 0".to_owned(),
        ),
        None => (
            objective(phase),
            criteria::of_phase(phase),
            match phase {
                Phase::Done => "`loop-ledger done` exits 0".to_owned(),
                phase => format!(
                    "`loop-ledger may {}` exits 0, and its evidence is appended",
                    phase.name()
                ),
            },
        ),
    };
    let mut blocking: Vec<String> = rules::missing(state, phase)
        .iter()
        .map(|need| line(&need.what))
        .collect();
    blocking.truncate(4);
    let mut queued: Vec<String> = state
        .blockers
        .iter()
        .map(|blocker| {
            let word = crate::view::blocked(blocker.phase);
            format!("{} is {word}: {}", blocker.phase.name(), line(&blocker.what))
        })
        .chain(
            state
                .ideas
                .iter()
                .rev()
                .take(3)
                .map(|(seq, idea)| format!("idea of entry {seq}: {}", line(&idea.idea))),
        )
        .collect();
    queued.truncate(6);
    format!(
        "\
# Round {round} Contract

- Mainline Objective: {objective}
- Target ACs: {acs}
- Blocking Side Issues In Scope: {blocking}
- Queued Side Issues Out of Scope: {queued}
- Success Criteria: {success}
- Ledger-Head: {head}
",
        blocking = or_none(&blocking),
        queued = or_none(&queued),
    )
}

fn or_none(lines: &[String]) -> String {
    if lines.is_empty() {
        "none".to_owned()
    } else {
        lines.join("; ")
    }
}

fn objective(phase: Phase) -> String {
    match phase {
        Phase::History => "notes on what others changed for this model",
        Phase::Baseline => "the fixed benchmark, every scenario against every framework",
        Phase::Decide => "a gap verdict from interleaved repeats",
        Phase::Profile => "ours and every framework that is ahead, profiled at the slow scenario's lengths",
        Phase::RootCause => "a root cause that cites rows of stored documents",
        Phase::Pipeline => "the layer pipeline of the current round",
        Phase::Kernel => "kernel counters of one family with a share of the time",
        Phase::Tune | Phase::Patch => {
            "one change, one hypothesis: begin an attempt, then render this contract again"
        }
        Phase::Revalidate => "the open attempt, measured again",
        Phase::Done => "the end of the campaign with its evidence",
    }
    .to_owned()
}
