//! `idea`, `patch` and `blocker`: what is tried, where it comes from, and what is missing.

use cli_kit::{Failure, Report};
use contracts::Exit;
use contracts::loop_ledger::Phase;
use contracts::loop_ledger::entry::Evidence;
use contracts::loop_ledger::event::{Blocker, Event, Idea, Patch, Provenance};

use super::{receipt, said, typed};
use crate::accept::Refusal;
use crate::cli::{BlockerArgs, IdeaArgs, PatchArgs};
use crate::error::LedgerError;
use crate::ledger::{Root, Writer, objects};
use crate::state::State;

/// Largest diff that is stored.
const DIFF_CAP: u64 = 64 << 20;

pub(crate) fn idea(root: &Root, args: IdeaArgs) -> Result<Report, Failure> {
    said("--idea", &args.idea)?;
    for (flag, text) in [("--source", &args.source), ("--license", &args.license)] {
        text.as_deref().map_or(Ok(()), |text| said(flag, text))?;
    }
    let mut writer = Writer::open(root)?;
    not_ended(&writer, "record an idea")?;
    let attempt = open_attempt(&writer);
    let idea = Idea {
        idea: typed(&args.idea),
        source: args.source.as_deref().map(typed),
        license: args.license.as_deref().map(typed),
        rows: args.row.iter().map(|row| typed(row)).collect(),
    };
    let entry = writer.append(attempt, Event::Idea(idea), Vec::new())?;
    Ok(receipt(&writer.ledger, vec![entry], false, Vec::new()))
}

pub(crate) fn patch(root: &Root, args: &PatchArgs) -> Result<Report, Failure> {
    let bytes = cli_kit::read_bounded(&args.diff, DIFF_CAP)?;
    let text = String::from_utf8_lossy(&bytes);
    let diff = Diff::read(&text);
    if diff.files.is_empty() {
        return Err(Failure::new(
            Exit::BadInput,
            "diff-empty",
            format!("{} changes no file", args.diff.display()),
        )
        .hint("write it with `git diff BASE > patch.diff`"));
    }
    let provenance = args
        .provenance
        .iter()
        .map(|text| match text.rsplit_once('=') {
            Some((source, license)) if !source.is_empty() && !license.is_empty() => Ok(Provenance {
                source: typed(source),
                license: typed(license),
            }),
            _ => Err(Failure::new(
                Exit::Usage,
                "provenance",
                format!("cannot read `{text}` as SOURCE=LICENSE"),
            )
            .hint("for example --provenance \"vllm-project/vllm#5678=Apache-2.0\"")),
        })
        .collect::<Result<Vec<Provenance>, Failure>>()?;
    let mut writer = Writer::open(root)?;
    let Some(attempt) = open_attempt(&writer) else {
        return Err(Failure::new(
            Exit::GateNotMet,
            "no-attempt",
            "failed to record a patch: no attempt is open",
        )
        .hint("begin one: `loop-ledger begin --kind patch …`"));
    };
    let sha256 = objects::put(root, &bytes).map_err(|error| LedgerError::io("store", &args.diff, &error))?;
    let patch = Patch {
        diff_sha256: sha256.clone(),
        base_commit: args.base_commit.as_deref().map(typed),
        changed_files: diff.files,
        lines_added: diff.added,
        lines_removed: diff.removed,
        provenance,
        tests: args.test.iter().map(|test| typed(test)).collect(),
    };
    let evidence = Evidence {
        path: args.diff.display().to_string(),
        sha256,
        bytes: bytes.len() as u64,
        schema: None,
        schema_sha256: None,
        stored: true,
    };
    let entry = writer.append(Some(attempt), Event::Patch(patch), vec![evidence])?;
    Ok(receipt(&writer.ledger, vec![entry], false, Vec::new()))
}

pub(crate) fn blocker(root: &Root, args: BlockerArgs) -> Result<Report, Failure> {
    said("--what", &args.what)?;
    said("COMMAND", &args.failed.join(" "))?;
    let mut writer = Writer::open(root)?;
    let blocker = Blocker {
        phase: args.phase,
        what: typed(&args.what),
        command: contracts::argv::redacted(&args.failed)
            .iter()
            .map(|word| typed(word))
            .collect(),
        exit_code: args.exit_code,
    };
    let known = writer
        .ledger
        .entries()
        .iter()
        .find(|entry| entry.event == Event::Blocker(blocker.clone()));
    if let Some(entry) = known.cloned() {
        return Ok(receipt(&writer.ledger, vec![entry], true, Vec::new()));
    }
    not_ended(&writer, "record a blocker")?;
    if args.phase == Phase::Done {
        return Err(Failure::new(
            Exit::GateNotMet,
            "not-blockable",
            "the end of a campaign is no phase that an instrument could be missing for",
        )
        .hint("record the blocker for the phase that cannot go on, then `loop-ledger done --state blocked --why TEXT`"));
    }
    let attempt = open_attempt(&writer);
    let entry = writer.append(attempt, Event::Blocker(blocker), Vec::new())?;
    Ok(receipt(&writer.ledger, vec![entry], false, Vec::new()))
}

/// What was not known before the end did not count for it.
fn not_ended(writer: &Writer, action: &str) -> Result<(), Failure> {
    let state = State::now(&writer.ledger);
    let ended = state.stop.and_then(|_| crate::rules::ends(&state));
    match ended {
        Some(need) => Err(Refusal::Gate {
            action: action.to_owned(),
            need: Box::new(need),
        }
        .into()),
        None => Ok(()),
    }
}

fn open_attempt(writer: &Writer) -> Option<String> {
    State::now(&writer.ledger)
        .open_attempt()
        .map(|open| open.id.to_owned())
}

/// What a unified diff changes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Diff {
    files: Vec<String>,
    added: u64,
    removed: u64,
}

impl Diff {
    fn read(text: &str) -> Diff {
        let mut diff = Diff::default();
        let mut before = None;
        for line in text.lines() {
            if let Some(path) = line.strip_prefix("--- ") {
                before = Some(path);
            } else if let (Some(path), Some(old)) = (line.strip_prefix("+++ "), before.take()) {
                let path = if path.starts_with("/dev/null") { old } else { path };
                let path = path.split('\t').next().unwrap_or(path);
                let path = path
                    .strip_prefix("a/")
                    .or_else(|| path.strip_prefix("b/"))
                    .unwrap_or(path);
                diff.files.push(contracts::text::clean(path, 300));
            } else if line.starts_with('+') {
                diff.added += 1;
            } else if line.starts_with('-') {
                diff.removed += 1;
            }
        }
        diff.files.sort();
        diff.files.dedup();
        diff
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_diff_says_which_files_and_how_many_lines() {
        let text = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d\n--- a/gone.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-z\n";
        assert_eq!(
            Diff::read(text),
            Diff {
                files: vec!["gone.py".to_owned(), "x.py".to_owned()],
                added: 2,
                removed: 2,
            }
        );
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in ".{0,300}") {
            let _ = Diff::read(&text);
        }
    }
}
