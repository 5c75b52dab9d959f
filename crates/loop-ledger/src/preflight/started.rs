//! After the start: is the runtime's own loop active. What cannot be seen from outside is said to be not checked.

use std::path::Path;

use contracts::loop_ledger::event::Event;
use contracts::loop_ledger::preflight::Check;

use super::{Context, failed, not_checked, passed, variable, warning};
use crate::cli::Runtime;
use crate::ledger::Ledger;

/// Largest state file that is read.
const STATE_CAP: u64 = 1 << 20;

pub(super) fn checks(context: &Context<'_>) -> Vec<Check> {
    match context.runtime {
        Runtime::Humanize => humanize(context.project),
        Runtime::Redeploy => vec![work(context).unwrap_or_else(|| {
            failed(
                "loop-works",
                "no attempt is open, and nothing was written since the preflight".to_owned(),
                "start the session with the text of `loop-ledger prompt --runtime redeploy`",
            )
        })],
        Runtime::CodexGoal => {
            let why = "Codex keeps goals in a database of its own; /goal shows it";
            vec![goal(context, "codex", &["CODEX_THREAD_ID", "CODEX_SANDBOX"], why)]
        }
        Runtime::ClaudeGoal => {
            let why = "Claude Code keeps the goal in its session; /goal shows it";
            vec![goal(context, "claude", &["CLAUDECODE"], why)]
        }
    }
}

/// An active loop of Humanize.
pub(super) struct Loop {
    /// Name of its folder.
    pub(super) name: String,
    /// Its state file.
    state: String,
    /// Whether the prompt of its first round is there.
    has_prompt: bool,
}

/// Loops of a project that have not ended. Humanize renames the state file when one ends; the file of a loop in its last
/// steps has a name of its own.
pub(super) fn loops(project: &Path) -> Vec<Loop> {
    let folder = project.join(".humanize/rlcr");
    let mut found: Vec<Loop> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .take(1000)
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let state = ["state.md", "finalize-state.md", "methodology-analysis-state.md"]
                .into_iter()
                .find_map(|name| cli_kit::read_bounded(&path.join(name), STATE_CAP).ok())?;
            Some(Loop {
                name: contracts::text::clean(&path.file_name()?.to_string_lossy(), 60),
                state: String::from_utf8_lossy(&state).into_owned(),
                has_prompt: std::fs::metadata(path.join("round-0-prompt.md"))
                    .is_ok_and(|file| file.len() > 0),
            })
        })
        .collect();
    found.sort_by(|a, b| b.name.cmp(&a.name));
    found
}

fn humanize(project: &Path) -> Vec<Check> {
    let fix = "run scripts/setup-rlcr-loop.sh with the plan and --yolo, and read what it refuses";
    let loops = loops(project);
    let Some(active) = loops.first() else {
        return vec![failed(
            "loop-active",
            "no .humanize/rlcr/*/state.md".to_owned(),
            fix,
        )];
    };
    let mut checks = vec![if loops.len() == 1 {
        passed("loop-active", active.name.clone())
    } else {
        failed(
            "loop-active",
            format!("{} loops are active", loops.len()),
            "finish or cancel all but one",
        )
    }];
    for (key, wanted, fix) in [
        (
            "current_round",
            "0",
            "the loop has gone on already: ask before it starts its first round",
        ),
        (
            "ask_codex_question",
            "false",
            "start it with --yolo: nobody is there to answer",
        ),
    ] {
        let name = format!("loop-{}", key.replace('_', "-"));
        checks.push(match front_matter(&active.state, key) {
            Some(value) if value == wanted => passed(&name, value.to_owned()),
            Some(value) => failed(&name, value.to_owned(), fix),
            None => failed(
                &name,
                format!("state.md has no {key}"),
                "this is no state of Humanize; set the loop up anew",
            ),
        });
    }
    checks.push(if active.has_prompt {
        passed("loop-prompt", "round-0-prompt.md is there".to_owned())
    } else {
        failed("loop-prompt", "no round-0-prompt.md".to_owned(), fix)
    });
    checks
}

/// A value of the YAML between the first two `---` lines; plain values alone, as Humanize writes them.
fn front_matter<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    if lines.next()?.trim_end() != "---" {
        return None;
    }
    lines
        .take_while(|line| line.trim_end() != "---")
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
        .map(|value| value.trim().trim_matches('"'))
}

/// A goal cannot be seen from outside; what it does can.
fn goal(context: &Context<'_>, runtime: &str, inside: &[&str], why: &str) -> Check {
    if let Some(check) = work(context) {
        return check;
    }
    if inside.iter().any(|name| variable(name).is_some()) {
        return warning(
            "loop-works",
            format!("this is a session of {runtime}; {why}, and nothing was written since the preflight"),
            "run this again after the first entry of the loop",
        );
    }
    not_checked("loop-works", why.to_owned())
}

/// Signs of work in the ledger: an open attempt, or an entry since the preflight of this runtime.
fn work(context: &Context<'_>) -> Option<Check> {
    let ledger = context.ledger?;
    if let Some(open) = open_attempt(ledger) {
        return Some(passed("loop-works", format!("attempt {open} is open")));
    }
    let checked = ledger.entries().iter().rposition(|entry| {
        matches!(&entry.event, Event::Preflight(preflight)
            if preflight.runtime == context.runtime.name() && !preflight.after_start)
    })?;
    let since = ledger.entries()[checked + 1..]
        .iter()
        .find(|entry| !matches!(entry.event, Event::Preflight(_)))?;
    Some(passed(
        "loop-works",
        format!(
            "entry {} was written by {} since the preflight",
            since.seq, since.actor.runtime
        ),
    ))
}

fn open_attempt(ledger: &Ledger) -> Option<&str> {
    ledger
        .entries()
        .iter()
        .rev()
        .find_map(|entry| match &entry.event {
            Event::AttemptBegin(_) => Some(entry.attempt.as_deref()),
            Event::AttemptEnd(_) => Some(None),
            _ => None,
        })
        .flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn front_matter_is_read_between_its_lines() {
        let state =
            "---\ncurrent_round: 0\nask_codex_question: false\nstarted_at: \"2026\"\n---\ncurrent_round: 9\n";
        assert_eq!(front_matter(state, "current_round"), Some("0"));
        assert_eq!(front_matter(state, "started_at"), Some("2026"));
        assert_eq!(front_matter(state, "current"), None);
        assert_eq!(front_matter("---\na: 1\n---\nb: 2\n", "b"), None);
        assert_eq!(front_matter("current_round: 0\n", "current_round"), None);
    }

    proptest! {
        #[test]
        fn any_state_file_is_read(text in "(.|\n){0,200}", key in "[a-z_]{1,10}", value in "[a-z0-9]{1,8}") {
            let _ = front_matter(&text, &key);
            let state = format!("---\nother: {value}x\n{key}: {value}\n---\n{text}");
            prop_assert_eq!(front_matter(&state, &key), Some(if key == "other" { &state[11..12 + value.len()] } else { &value }));
        }
    }
}
