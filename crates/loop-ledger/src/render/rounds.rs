//! The attempts as rounds: `rounds/NNNN/` with contract, summary and diff. NNNN is the number of the attempt.

use cli_kit::View;
use serde_json::json;

use super::benchmark::table;
use super::words::{effect, plain};
use super::{File, Source, page};
use crate::state::{Accepted, Attempt};

/// How an attempt ended, or that it is open.
pub(crate) fn outcome(attempt: &Attempt<'_>) -> &'static str {
    attempt.end.map_or("open", |(end, _)| end.outcome.name())
}

/// Number of an attempt: 7 for `a-0007`.
pub(crate) fn number<'a>(attempt: &Attempt<'a>) -> &'a str {
    attempt.id.strip_prefix("a-").unwrap_or(attempt.id)
}

/// The folders of all attempts.
pub(crate) fn files(source: &Source<'_>) -> Vec<File> {
    let mut files = Vec::new();
    for attempt in &source.state.attempts {
        // The id is the ledger's own, but it comes from a file: it names a folder and nothing else.
        if !number(attempt).chars().all(|c| c.is_ascii_digit()) {
            continue;
        }
        let folder = format!("rounds/{}", number(attempt));
        files.push(File::text(
            format!("{folder}/contract.json"),
            contract(source, attempt),
        ));
        files.push(File::text(
            format!("{folder}/summary.md"),
            summary(source, attempt),
        ));
        let mut diffs = source
            .state
            .patches
            .iter()
            .filter(|(of, _)| *of == Some(attempt.id))
            .filter_map(|(_, patch)| source.documents.diffs.get(&patch.diff_sha256));
        if let Some(diff) = diffs.next_back() {
            files.push(File {
                path: format!("{folder}/patch.diff"),
                bytes: diff.clone(),
            });
        }
    }
    files
}

/// What the attempt was allowed to change, and what not.
fn contract(source: &Source<'_>, attempt: &Attempt<'_>) -> String {
    let lock = source.state.lock;
    let value = json!({
        "attempt": attempt.id,
        "entry": attempt.begin_seq,
        "began_at": attempt.began_at,
        "one_change": attempt.begin,
        "contract": lock.contract,
        "scenarios": lock.scenarios,
        "threshold_pct": source.state.threshold_pct(),
        "margin_pct": source.state.margin_pct(),
        "metric": source.state.metric(),
    });
    format!("{value:#}\n")
}

fn summary(source: &Source<'_>, attempt: &Attempt<'_>) -> String {
    let state = source.state;
    let begin = attempt.begin;
    let mut lines = vec![
        format!("change ({}): {}", begin.kind.name(), plain(&begin.change)),
        format!("hypothesis: {}", plain(&begin.hypothesis)),
        format!("predicted: {} %", crate::view::signed(begin.predicted_pct)),
        format!("outcome: {}", outcome(attempt)),
    ];
    if let Some((end, _)) = attempt.end {
        lines.push(format!(
            "improvement over the best before: {} %",
            crate::view::signed(end.improvement_pct)
        ));
        lines.push(format!("learned: {}", plain(&end.learned)));
        lines.push(format!(
            "left running: {}",
            if end.cleanup.is_clean() {
                "nothing"
            } else {
                "see the entry"
            }
        ));
    }
    let mut body = View::new().list(lines);
    let patches: Vec<String> = state
        .patches
        .iter()
        .filter(|(of, _)| *of == Some(attempt.id))
        .flat_map(|(_, patch)| &patch.changed_files)
        .map(|file| plain(file))
        .collect();
    if !patches.is_empty() {
        body = body.heading("Files changed").list(patches);
    }
    let benchmarks: Vec<&Accepted<'_>> = state
        .benchmarks()
        .filter(|benchmark| benchmark.attempt == Some(attempt.id))
        .collect();
    if !benchmarks.is_empty() {
        body = body.heading("Measured").table(table(source, &benchmarks));
    }
    if let Some((accepted, decision)) = state.decision_of(attempt) {
        body = body
            .text(format!("Entry {}: {}.", accepted.seq, effect(decision)))
            .table(crate::view::verdicts(decision));
    }
    page(
        source,
        &format!("Round {}, attempt {}", begin.round, attempt.id),
        body,
    )
}
