//! The Stop hook: a session goes on while its campaign is not done, but never for ever. It reads the ledger and writes
//! nothing to it.

use std::path::Path;

use cli_kit::ToolError as _;

use super::Answer;
use super::anchor::Anchor;
use super::event::Event;
use super::memory::Memory;
use crate::error::LedgerError;
use crate::ledger::{Ledger, Root};
use crate::state::State;

/// Blocks for one head of the ledger: a session that adds nothing to it in that many turns will not in the next.
const BLOCKS: u32 = 3;

/// The answer for a campaign, an event, and the plugin's data folder if there is one.
pub(super) fn stop(path: &Path, event: &Event, data: Option<&Path>) -> Answer {
    let root = Root::new(path);
    if event.has_background_tasks || root.stop_file().exists() {
        return Answer::Silent;
    }
    let anchor = data.map(|data| Anchor::of(&root, data));
    let ledger = match Ledger::read(&root) {
        Ok(ledger) => ledger,
        Err(LedgerError::NoCampaign(_)) => {
            let Some((anchor, gone)) = anchor.and_then(|anchor| anchor.gone().map(|gone| (anchor, gone)))
            else {
                return Answer::Silent;
            };
            let reason = format!(
                "{}: {gone}. Restore it from a copy, or tell the user; nothing that was measured there can be claimed.",
                root.path().display()
            );
            let memory = Memory::at(&anchor.memory(), "gone");
            return limited(memory, event, reason);
        }
        Err(error) => {
            let hint = error.hint().unwrap_or_default();
            let reason = format!(
                "loop-ledger: {error}. Hint: {hint}. See `loop-ledger --root {} verify`.",
                root.path().display()
            );
            return limited(Memory::at(&memory_file(&root), error.code()), event, reason);
        }
    };
    let memory = Memory::at(&memory_file(&root), ledger.chain.head());
    let state = State::now(&ledger);
    if let Some(anchor) = anchor {
        if let Some(fault) = anchor.fault(&ledger) {
            let reason = format!(
                "{fault}. Restore `ledger.jsonl` from a copy, or tell the user; this campaign cannot be done.\n\n{}",
                crate::commands::status::brief(&ledger, &state)
            );
            return limited(memory, event, reason);
        }
        anchor.keep(&ledger);
    }
    if state.stop.is_some() {
        return Answer::Silent;
    }
    let spent = state.spent();
    if !spent.is_empty() {
        return Answer::Allow(format!(
            "loop-ledger: the budget is spent ({}); `loop-ledger done` ends the campaign",
            spent.join(", ")
        ));
    }
    let reason = format!(
        "The campaign is not done: `loop-ledger done` does not exit 0 yet. Run the next command below; if it cannot be run, record why with `loop-ledger blocker`, and end with `loop-ledger done --state blocked --why …` if nothing else is left.\n\n{}",
        crate::commands::status::brief(&ledger, &state)
    );
    limited(memory, event, reason)
}

fn memory_file(root: &Root) -> std::path::PathBuf {
    root.path().join("hook.json")
}

/// A block, unless there were enough of them, or they cannot be counted.
fn limited(mut memory: Memory, event: &Event, reason: String) -> Answer {
    if memory.blocks(&event.session) >= BLOCKS {
        return Answer::Allow(format!(
            "loop-ledger: the campaign is not done, and {BLOCKS} turns added nothing to its ledger; the session may stop. `loop-ledger status` says what is missing."
        ));
    }
    match memory.count(&event.session) {
        Ok(()) => Answer::Block(reason),
        Err(error) => Answer::Allow(format!(
            "loop-ledger: the campaign is not done, and its root cannot be written to ({error})"
        )),
    }
}

#[cfg(test)]
mod tests {
    use contracts::loop_ledger::event::{ChangeKind, Outcome};

    use super::*;
    use crate::tests::campaign::Campaign;

    /// A campaign in the last attempt that its budget has.
    fn in_its_last_attempt() -> Campaign {
        let mut campaign = Campaign::behind();
        for _ in 0..5 {
            campaign.begin(ChangeKind::Flags, "--x", None, None);
            campaign.end(Outcome::Failed, "does not start", None);
        }
        campaign.begin(ChangeKind::Flags, "--y", None, None);
        campaign
    }

    #[test]
    fn the_last_attempt_of_a_budget_is_not_left_open() {
        let event = Event::read(b"{}");
        let campaign = in_its_last_attempt().today().write();
        let Answer::Block(reason) = stop(campaign.root.path(), &event, None) else {
            panic!("the attempt is charged, and not done")
        };
        assert!(reason.contains("a-0006"), "{reason}");
        let mut ended = in_its_last_attempt();
        ended.end(Outcome::Failed, "does not start", None);
        let ended = ended.today().write();
        let Answer::Allow(why) = stop(ended.root.path(), &event, None) else {
            panic!("nothing is left")
        };
        assert!(why.contains("the budget is spent (gpu_s, attempts)"), "{why}");
    }
}
