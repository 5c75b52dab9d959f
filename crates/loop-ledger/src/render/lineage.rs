//! `humanize/lineage.jsonl`: which launch came from which, by subject fingerprint.

use serde_json::json;

use super::Source;
use super::rounds::outcome;

/// One line an attempt: the launch it began from, and the one that was measured in it.
pub(crate) fn lines(source: &Source<'_>) -> String {
    let state = source.state;
    let mut text = String::new();
    for attempt in &state.attempts {
        let child = state
            .benchmarks()
            .rfind(|benchmark| benchmark.attempt == Some(attempt.id))
            .and_then(|benchmark| benchmark.facts.sides.first())
            .and_then(|side| side.subject.as_deref());
        let patches: Vec<&str> = state
            .patches
            .iter()
            .filter(|(of, _)| *of == Some(attempt.id))
            .map(|(_, patch)| patch.diff_sha256.as_str())
            .collect();
        let line = json!({
            "attempt": attempt.id,
            "parent": attempt.begin.parent_subject,
            "child": child,
            "kind": attempt.begin.kind,
            "outcome": outcome(attempt),
            "improvement_pct": attempt.end.and_then(|(end, _)| end.improvement_pct),
            "patches": patches,
        });
        text.push_str(&line.to_string());
        text.push('\n');
    }
    text
}
