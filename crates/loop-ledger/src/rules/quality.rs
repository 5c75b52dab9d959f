//! Which changes may alter answers, and whether it was shown that they do not. A faster server that answers worse is not faster. Pure.

use cli_kit::Failure;
use contracts::loop_ledger::event::ChangeKind;
use contracts::loop_ledger::status::Need;
use contracts::quality_gate::result;
use contracts::quality_gate::verdict::Verdict;
use contracts::{Exit, NextAction, argv};

use super::{change, need, offer};
use crate::state::State;

/// Parts of the names of flags, variables and files that decide with which numbers an engine computes: quantization, types
/// of weights and of the cache, speculation, kernels.
const NUMERIC: [&str; 22] = [
    "quant",
    "dtype",
    "precision",
    "fp8",
    "fp4",
    "int8",
    "int4",
    "awq",
    "gptq",
    "cache-type",
    "speculative",
    "spec-",
    "draft",
    "eagle",
    "attention-backend",
    "flash-attn",
    "moe-runner",
    "gemm-backend",
    "sampling-backend",
    "rope",
    "kernel",
    "triton",
];
/// No verdict at all.
const MISSING: &str = "quality-missing";
/// A verdict that is none.
const UNDECIDED: &str = "quality-undecided";
/// Endings of files with device code.
const DEVICE_CODE: [&str; 6] = [".cu", ".cuh", ".hip", ".metal", ".ptx", ".cl"];

/// What of the open attempt may alter answers; empty where nothing does.
fn numeric(state: &State<'_>) -> Vec<String> {
    let Some(open) = state.open_attempt() else {
        return Vec::new();
    };
    let begin = open.begin;
    if begin.kind == ChangeKind::Kernel {
        return vec!["a kernel".to_owned()];
    }
    let mut words = change::named(&begin.change);
    words.extend(state.changed_settings.iter().cloned());
    if let Some(subject) = &begin.subject {
        let before = state.best_subject();
        let as_before = |name: &str, value: &str| {
            before.is_some_and(|before| before.env.get(name).is_some_and(|known| known == value))
        };
        let env = subject.env.iter().filter(|(name, value)| !as_before(name, value));
        words.extend(env.map(|(name, _)| name.clone()));
    }
    if let Some(before) = state.best_argv() {
        let launched = state
            .benchmarks()
            .filter(|accepted| accepted.attempt == Some(open.id))
            .filter_map(|accepted| accepted.facts.sides.first()?.launch_argv.as_deref());
        for now in launched {
            words.extend(argv::differing_flags(before, now));
        }
    }
    let files = state
        .patches
        .iter()
        .filter(|(attempt, _)| *attempt == Some(open.id))
        .flat_map(|(_, patch)| patch.changed_files.iter());
    words.extend(files.cloned());
    let mut found: Vec<String> = words.into_iter().filter(|word| is_numeric(word)).collect();
    found.sort();
    found.dedup();
    found
}

fn is_numeric(word: &str) -> bool {
    let word = word.to_lowercase().replace('_', "-");
    NUMERIC.iter().any(|part| word.contains(part)) || DEVICE_CODE.iter().any(|end| word.ends_with(end))
}

/// A change that may alter answers stays only with a verdict that it does not.
///
/// # Errors
/// The verdict is missing, or is none that passes.
pub(super) fn answers(state: &State<'_>) -> Result<(), Failure> {
    let found = numeric(state);
    if found.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = found
        .iter()
        .take(4)
        .map(|word| contracts::text::clean(word, 80))
        .collect();
    let names = names.join(", ");
    let latest = state.attempt_quality;
    let (exit, code, what) = match latest {
        Some(Verdict::Pass) => return Ok(()),
        Some(Verdict::Fail) => (
            Exit::GateNotMet,
            "quality-failed",
            format!("it changes {names}, and answers worse than before"),
        ),
        Some(_) => (
            Exit::Undecided,
            UNDECIDED,
            format!("it changes {names}, and the verdict on its answers is none"),
        ),
        None => (
            Exit::GateNotMet,
            MISSING,
            format!("it changes {names}, and nothing shows that it answers as well as before"),
        ),
    };
    let hint = match latest {
        Some(Verdict::Fail) => "end the attempt as reverted: faster and worse is not faster",
        Some(_) => {
            "a larger suite on both launches, judged again: `data.needed_items` of the verdict says how large"
        }
        None => {
            "ask the launch from before and this one the same suite (`--for` names the comparison), judge, append all three"
        }
    };
    let mut failure = Failure::new(exit, code, format!("failed to keep the change: {what}")).hint(hint);
    if latest != Some(Verdict::Fail) {
        for action in offered(state) {
            failure = failure.next(action);
        }
    }
    Err(failure)
}

/// Whether a change is not kept only because nothing is known of its answers.
pub(super) fn is_open(failure: &Failure) -> bool {
    [MISSING, UNDECIDED].contains(&failure.document.code.as_str())
}

/// What shows how it answers.
pub(super) fn needs(state: &State<'_>) -> Vec<Need> {
    let what = "the change may alter answers, and no verdict shows that it does not";
    let actions = offered(state).into_iter();
    actions.map(|action| need(MISSING, what, Some(action))).collect()
}

/// What has to be asked before a change that may alter answers is launched; none where the attempt has answers already.
pub(super) fn before(state: &State<'_>) -> Option<Need> {
    let open = state.open_attempt()?;
    let is_asked = state
        .accepted
        .iter()
        .any(|accepted| accepted.attempt == Some(open.id) && accepted.facts.schema == result::SCHEMA);
    let action = offered(state).into_iter().next().filter(|_| !is_asked)?;
    (!numeric(state).is_empty()).then(|| {
        need(
            MISSING,
            "the change may alter answers: the launch from before is asked first, while it runs",
            Some(action),
        )
    })
}

/// The commands that bring the verdict.
fn offered(state: &State<'_>) -> Vec<NextAction> {
    let compared = |in_attempt: bool| {
        let open = state.open_attempt().map(|open| open.id);
        let found = state
            .benchmarks()
            .rfind(|accepted| accepted.facts.sides.len() == 2 && (accepted.attempt == open) == in_attempt);
        found.and_then(|accepted| offer::stored_as(state, accepted))
    };
    let run = |why: &str, url: &str, compare: Option<String>, output: &str| {
        let compare = compare.unwrap_or_else(|| "COMPARE".to_owned());
        let words = [
            "quality-gate",
            "run",
            "--url",
            url,
            "--suite",
            "SUITE",
            "--for",
            &compare,
            "--side",
            "a",
            "-o",
            output,
        ];
        offer::words(why, &words)
    };
    vec![
        run(
            "the launch from before the change answers a suite",
            "URL_OF_OURS",
            compared(false),
            "before.quality.json",
        ),
        run(
            "the changed launch answers the same suite",
            "URL_OF_OURS",
            compared(true),
            "after.quality.json",
        ),
        offer::words(
            "judge, then append the three",
            &[
                "quality-gate",
                "judge",
                "before.quality.json",
                "after.quality.json",
                "-o",
                "quality.verdict.json",
            ],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_alter_answers_are_known() {
        for word in [
            "--kv-cache-dtype",
            "--quantization",
            "--speculative-algorithm",
            "--cache-type-k",
            "--spec-type",
            "--attention-backend",
            "--flash-attn",
            "VLLM_ATTENTION_BACKEND",
            "csrc/rope.cu",
            "python/sglang/srt/layers/quantization/fp8.py",
        ] {
            assert!(is_numeric(word), "{word}");
        }
        for word in [
            "--num-continuous-decode-steps",
            "--schedule-policy",
            "--max-num-seqs",
            "--tp",
            "NCCL_DEBUG",
            "python/sglang/srt/managers/scheduler.py",
        ] {
            assert!(!is_numeric(word), "{word}");
        }
    }
}
