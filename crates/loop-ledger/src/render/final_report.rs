//! `final_report.md`: what the campaign found, with the place of every piece of evidence.

use std::collections::BTreeSet;

use cli_kit::{Align, Table, View};
use contracts::loop_ledger::phase::Phase;

use super::benchmark::fixed_and_final;
use super::rounds::outcome;
use super::words::{blocker, downgraded, object, plain, reached, standing, verdict};
use super::{Source, page, winning};
use crate::view;

/// The file.
pub(crate) fn final_report(source: &Source<'_>) -> String {
    let state = source.state;
    let mut body = View::new()
        .text(verdict(state))
        .text(plain(&standing(state)))
        .text(reached(state))
        .list(state.blockers.iter().map(|known| blocker(known)).collect());
    body = fixed_and_final(source, body);
    body = winning::ours(state, body.heading("Winner"));
    body = body.heading("Rounds").table(rounds(source));
    body = evidence(source, body);
    body = changes(source, body);
    body = body.heading("Budget").text(view::budget(&state.budget()));
    page(source, "Final report", body)
}

fn rounds(source: &Source<'_>) -> Table {
    let mut table = Table::new(&[
        ("attempt", Align::Left),
        ("change", Align::Left),
        ("predicted, %", Align::Right),
        ("effect, %", Align::Right),
        ("interval, %", Align::Right),
        ("outcome", Align::Left),
        ("learned", Align::Left),
    ]);
    for attempt in &source.state.attempts {
        let decision = source.state.decision_of(attempt).map(|(_, decision)| decision);
        table.row(vec![
            attempt.id.to_owned(),
            plain(&attempt.begin.change),
            view::signed(attempt.begin.predicted_pct),
            view::signed(decision.and_then(|decision| decision.effect_pct)),
            decision.map_or_else(
                || "–".to_owned(),
                |decision| view::interval(decision.ci_low_pct, decision.ci_high_pct),
            ),
            outcome(attempt).to_owned(),
            plain(attempt.end.map_or("", |(end, _)| &end.learned)),
        ]);
    }
    table
}

/// Where the history, profile, pipeline and kernel evidence lies, or what stands in for it.
fn evidence(source: &Source<'_>, body: View) -> View {
    let mut body = body.heading("Evidence");
    for (phase, rendered) in [
        (Phase::History, "history/model-pr-history-notes.md"),
        (Phase::Profile, "profiles/README.md"),
        (Phase::RootCause, "analysis/root-cause.md"),
        (Phase::Pipeline, "analysis/layer-pipeline.md"),
        (Phase::Kernel, "kernel/ncu-digests/README.md"),
    ] {
        let mut lines = downgraded(source.state, phase);
        lines.extend(source.state.of_phase(phase).map(|accepted| {
            format!(
                "{}: entry {}, {}: {}",
                phase.name(),
                accepted.seq,
                plain(&accepted.facts.schema),
                object(&accepted.facts.sha256)
            )
        }));
        if lines.is_empty() {
            lines.push(format!("{}: none", phase.name()));
        } else {
            lines.push(format!("{}: rendered in {rendered}", phase.name()));
        }
        body = body.list(lines);
    }
    body
}

/// Files changed by what was kept, and the tests that were run on it.
fn changes(source: &Source<'_>, body: View) -> View {
    let state = source.state;
    let kept = |attempt: Option<&str>| {
        state
            .attempts
            .iter()
            .any(|known| Some(known.id) == attempt && outcome(known) == "kept")
    };
    let patches: Vec<_> = state.patches.iter().filter(|(of, _)| kept(*of)).collect();
    let files: BTreeSet<String> = patches
        .iter()
        .flat_map(|(_, patch)| &patch.changed_files)
        .map(|file| plain(file))
        .collect();
    let tests: Vec<String> = patches
        .iter()
        .flat_map(|(_, patch)| &patch.tests)
        .map(|test| plain(test))
        .collect();
    let or = |lines: Vec<String>, none: &str| {
        if lines.is_empty() {
            vec![none.to_owned()]
        } else {
            lines
        }
    };
    body.heading("Changed files")
        .list(or(files.into_iter().collect(), "none: no patch was kept"))
        .heading("Tests")
        .list(or(tests, "none recorded"))
}
