//! `analysis/root-cause.md`: why ours is behind, in claims and the stored values that they cite.

use cli_kit::{Align, Table, View};
use contracts::loop_ledger::phase::Phase;

use super::words::{downgraded, plain};
use super::{Source, page};
use crate::ledger::short;

/// All root causes, the newest first.
pub(crate) fn root_cause(source: &Source<'_>) -> String {
    let mut body = View::new().list(downgraded(source.state, Phase::RootCause));
    let mut any = false;
    for accepted in source.state.of_phase(Phase::RootCause).rev() {
        any = true;
        body = body.heading(format!(
            "Entry {}: scenario {}",
            accepted.seq,
            plain(accepted.facts.scenario.as_deref().unwrap_or("unknown"))
        ));
        let Some(cause) = source.documents.root_causes.get(&accepted.facts.sha256) else {
            body = body.text("The stored document is gone or replaced; `loop-ledger verify` says where.");
            continue;
        };
        let mut table = Table::new(&[
            ("claim", Align::Left),
            ("document", Align::Left),
            ("pointer", Align::Left),
            ("value", Align::Right),
        ]);
        for claim in &cause.claims {
            table.row(vec![
                plain(&claim.claim),
                short(&plain(&claim.document)).to_owned(),
                format!("`{}`", plain(&claim.pointer)),
                plain(&claim.value.to_string()),
            ]);
        }
        body = body
            .text(plain(&cause.cause))
            .text(format!(
                "Where it can be mended: {}.",
                plain(&cause.targets.join(", "))
            ))
            .table(table);
    }
    if !any {
        body = body.text("No root cause yet.");
    }
    page(source, "Root cause", body)
}
