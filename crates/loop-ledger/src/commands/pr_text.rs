//! `pr-text`: what goes into a pull request, for a remote that the target allows.

use cli_kit::{Block, Failure, Report, View};
use contracts::Exit;

use super::render::{document, with_source};
use crate::ledger::{Ledger, Root};
use crate::render;

pub(crate) fn pr_text(root: &Root, remote: &str) -> Result<Report, Failure> {
    let ledger = Ledger::read(root)?;
    let allowed = ledger
        .lock
        .target
        .campaign
        .as_ref()
        .map_or(&[][..], |campaign| campaign.push_remotes.as_slice());
    if !allowed.iter().any(|listed| listed == remote) {
        let listed = if allowed.is_empty() {
            "it lists none".to_owned()
        } else {
            format!("it lists {}", allowed.join(", "))
        };
        return Err(Failure::new(
            Exit::GateNotMet,
            "remote-not-listed",
            format!(
                "failed to write a text for {}: the target's push_remotes do not list it; {listed}",
                contracts::text::clean(remote, 200)
            ),
        )
        .hint("only a person adds a remote, in a new target: `loop-ledger retarget`"));
    }
    let (text, simulated) = with_source(&ledger, |source| (render::pr_text(source), source.simulated()));
    let summary = "Text of a pull request, without hosts, users and paths of this machine.".to_owned();
    let document = document(
        &ledger,
        "pr-text",
        summary,
        Some(text.clone()),
        Vec::new(),
        simulated,
    );
    Ok(Report::new(&document, View::new().with(Block::Verbatim(text)), Exit::Ok).text_first())
}
