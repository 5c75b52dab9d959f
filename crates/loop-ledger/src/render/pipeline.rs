//! `analysis/layer-pipeline.md`: the layer pipeline of the current round, or what stands in for it.

use cli_kit::View;
use contracts::loop_ledger::phase::Phase;

use super::digests::entries;
use super::words::downgraded;
use super::{Source, page};

/// The file.
pub(crate) fn layer_pipeline(source: &Source<'_>) -> String {
    let state = source.state;
    let start = state.round_start();
    let is_current = |seq: u64| seq > start;
    let mut body = View::new().list(downgraded(state, Phase::Pipeline));
    if !state
        .of_phase(Phase::Pipeline)
        .any(|accepted| is_current(accepted.seq))
    {
        body = body.text("No layer pipeline of the current round.");
    }
    let current = state.of_phase(Phase::Pipeline).filter(|a| is_current(a.seq));
    let earlier = state.of_phase(Phase::Pipeline).filter(|a| !is_current(a.seq));
    for (title, rows) in [
        ("Current round", entries(current)),
        ("Earlier rounds", entries(earlier)),
    ] {
        if !rows.rows.is_empty() {
            body = body.heading(title).table(rows);
        }
    }
    page(source, "Layer pipeline", body)
}
