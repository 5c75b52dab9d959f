//! The text of a pull request: benchmark, accuracy and reproduction, and where every borrowed part comes from.

use cli_kit::{Align, Table, View};
use contracts::loop_ledger::event::{Outcome, Patch};

use super::benchmark::{compared, fixed, table};
use super::words::{blocker, effect, plain, verdict};
use super::{Source, code, page, scrub};
use crate::commands::best;
use crate::ledger::{Root, short};

/// The text, scrubbed of everything that names a machine.
pub(crate) fn pr_text(source: &Source<'_>) -> String {
    let state = source.state;
    let first = fixed(state);
    let last = state.current_decision();
    let mut body = View::new()
        .text(verdict(state))
        .list(state.blockers.iter().map(|known| blocker(known)).collect())
        .heading("Benchmark")
        .text("Before:")
        .table(table(source, &compared(state, first)));
    if let Some((_, decision)) = first {
        body = body.text(format!("{}.", effect(decision)));
    }
    if let (Some((first, _)), Some((last, decision))) = (first, last)
        && first.seq != last.seq
    {
        body = body
            .text("After:")
            .table(table(source, &compared(state, Some((last, decision)))))
            .text(format!("{}.", effect(decision)))
            .table(crate::view::verdicts(decision));
    }
    body = accuracy(source, body.heading("Accuracy"));
    body = reproduction(source, body.heading("Reproduction"));
    body = provenance(source, body.heading("Borrowed parts"));
    let title = format!("Faster {} on {}", state.campaign.framework, model(source));
    scrub::scrub(&page(source, &title, body))
}

fn model(source: &Source<'_>) -> String {
    plain(
        source
            .state
            .lock
            .target
            .model
            .id
            .as_deref()
            .unwrap_or("an unknown model"),
    )
}

/// Diffs of attempts that were kept, in order.
fn kept<'s>(source: &'s Source<'_>) -> impl Iterator<Item = &'s Patch> {
    let state = source.state;
    state
        .patches
        .iter()
        .filter(|(of, _)| {
            state.attempts.iter().any(|attempt| {
                Some(attempt.id) == *of && attempt.end.is_some_and(|(end, _)| end.outcome == Outcome::Kept)
            })
        })
        .map(|(_, patch)| *patch)
}

fn accuracy(source: &Source<'_>, body: View) -> View {
    let mut rows = Table::new(&[
        ("entry", Align::Right),
        ("document", Align::Left),
        ("says", Align::Left),
    ]);
    for accepted in &source.state.accepted {
        if accepted.facts.schema.starts_with("quality-gate.") {
            rows.row(vec![
                accepted.seq.to_string(),
                short(&accepted.facts.sha256).to_owned(),
                plain(&accepted.facts.summary),
            ]);
        }
    }
    let body = if rows.rows.is_empty() {
        body.text("no accuracy evidence: nothing shows that the answers are as good as before.")
    } else {
        body.table(rows)
    };
    let tests: Vec<String> = kept(source)
        .flat_map(|patch| &patch.tests)
        .map(|test| format!("test: {}", plain(test)))
        .collect();
    body.list(tests)
}

fn reproduction(source: &Source<'_>, body: View) -> View {
    let state = source.state;
    let target = &state.lock.target;
    let mut facts = Table::new(&[("what", Align::Left), ("value", Align::Left)]);
    let mut fact = |name: &str, value: String| facts.row(vec![name.to_owned(), value]);
    let text = |value: &Option<String>| plain(value.as_deref().unwrap_or("not declared"));
    fact(
        "model",
        format!("{} at {}", text(&target.model.id), text(&target.model.revision)),
    );
    fact("precision", text(&target.model.precision));
    fact(
        "hardware",
        format!(
            "{} x {}",
            target.hardware.gpu_count.unwrap_or(0),
            text(&target.hardware.class)
        ),
    );
    for scenario in &state.lock.scenarios {
        fact(
            &format!("scenario {}", plain(&scenario.scenario)),
            format!(
                "{} requests, stream {}",
                scenario.num_prompts, scenario.request_stream_sha256
            ),
        );
    }
    for workload in &state.lock.workloads {
        fact(
            &format!("workload {}", plain(&workload.name)),
            workload.sha256.clone(),
        );
    }
    for patch in kept(source) {
        fact(
            "diff",
            format!(
                "{} on {}, +{} -{}",
                patch.diff_sha256,
                plain(patch.base_commit.as_deref().unwrap_or("an unknown commit")),
                patch.lines_added,
                patch.lines_removed
            ),
        );
    }
    let body = body.table(facts);
    let winner = best::winner(&Root::new(""), state);
    let Some(argv) = winner.argv else {
        return body.text("No stored document says how ours was launched.");
    };
    let mut words: Vec<String> = winner
        .env
        .iter()
        .map(|(name, value)| format!("{name}={}", cli_kit::shell_words(&[scrub::scrub(value)])))
        .collect();
    words.push(cli_kit::shell_words(&scrub::argv(&argv)));
    body.text("Launch:").with(code("sh", &words.join(" \\\n  ")))
}

fn provenance(source: &Source<'_>, body: View) -> View {
    let mut rows = Table::new(&[
        ("source", Align::Left),
        ("licence", Align::Left),
        ("what", Align::Left),
    ]);
    for patch in kept(source) {
        for part in &patch.provenance {
            rows.row(vec![
                plain(&part.source),
                plain(&part.license),
                format!("part of {}", plain(&patch.changed_files.join(", "))),
            ]);
        }
    }
    for (_, idea) in &source.state.ideas {
        if let Some(from) = &idea.source {
            rows.row(vec![
                plain(from),
                plain(idea.license.as_deref().unwrap_or("not stated")),
                format!("idea: {}", plain(&idea.idea)),
            ]);
        }
    }
    if rows.rows.is_empty() {
        body.text("None recorded.")
    } else {
        body.table(rows)
    }
}
