//! `quality-gate judge`: two results in, verdict out. [`judge`] is pure.

use std::collections::BTreeMap;

use cli_kit::{Cli as _, DocumentParts, Failure, Report, load_document};
use contracts::quality_gate::result::{self, Check, CheckStatus, ResultData};
use contracts::quality_gate::verdict::{Pairs, SCHEMA, Verdict, VerdictData};
use contracts::{Document, Exit, Finite, NextAction};

use crate::cli::{Args, FailOn, JudgeArgs};
use crate::error::QualityError;
use crate::{checks, paired, render};

pub(crate) fn run(args: &JudgeArgs) -> Result<Report, Failure> {
    if !(args.at_least > 0.0 && args.at_least <= 1.0) {
        return Err(QualityError::AtLeast(args.at_least).into());
    }
    let baseline = load_document::<ResultData>(&args.baseline, result::SCHEMA)?;
    let candidate = load_document::<ResultData>(&args.candidate, result::SCHEMA)?;
    let differing = differences(&baseline.document, &candidate.document);
    if !differing.is_empty() {
        return Err(QualityError::NotComparable(differing).into());
    }
    let mut parts = DocumentParts::new(SCHEMA);
    let data = judge(&baseline.document, &candidate.document, args.at_least);
    parts.inputs = vec![baseline.input, candidate.input];
    // The verdict is about the candidate.
    parts.simulated = candidate.document.simulated;
    parts.contract = candidate.document.contract;
    parts.environment = candidate.document.environment;
    parts.subject = candidate.document.subject;
    parts.summary = summary(&data);
    if data.verdict == Verdict::Inconclusive {
        parts.next_actions = vec![NextAction::new(
            "more questions: both sides again with a larger suite",
            &[
                "quality-gate",
                "run",
                "--url",
                &candidate.document.data.url,
                "--suite",
                "larger.jsonl",
                "-o",
                "candidate.json",
            ],
        )];
    }
    let exit = match (data.verdict, args.fail_on) {
        (Verdict::Invalid | Verdict::Inconclusive, _) => Exit::Undecided,
        (Verdict::Fail, Some(FailOn::Fail)) => Exit::GateNotMet,
        _ => Exit::Ok,
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let view = render::verdict(&document);
    Ok(Report::new(&document, view, exit))
}

/// What keeps two results from being compared, by name.
fn differences(baseline: &Document<ResultData>, candidate: &Document<ResultData>) -> Vec<String> {
    let (a, b) = (&baseline.data, &candidate.data);
    let questions = |data: &ResultData| -> Vec<(String, String, String)> {
        let items = data.items.iter();
        items
            .map(|item| (item.id.clone(), item.prompt_sha256.clone(), item.expected.clone()))
            .collect()
    };
    let is_whole = |document: &Document<ResultData>| document.complete;
    let both_whole = is_whole(baseline) && is_whole(candidate);
    let mut names: Vec<String> = [
        ("model.id", a.model.id != b.model.id),
        (
            "suite",
            a.suite != b.suite || (both_whole && questions(a) != questions(b)),
        ),
        ("settings", a.settings != b.settings),
        ("simulated", baseline.simulated != candidate.simulated),
    ]
    .into_iter()
    .filter(|(_, differs)| *differs)
    .map(|(name, _)| name.to_owned())
    .collect();
    let fields = baseline.contract.compare(&candidate.contract).differing;
    names.extend(fields.into_iter().map(|(name, _, _)| format!("contract {name}")));
    names.sort();
    names.dedup();
    names
}

/// Judges two comparable results. Answers are compared anew with what is right: counts of the documents are not believed.
pub fn judge(
    baseline: &Document<ResultData>,
    candidate: &Document<ResultData>,
    at_least: f64,
) -> VerdictData {
    let mut reasons = Vec::new();
    let mut checks = vec![tokenizer(&baseline.data, &candidate.data)];
    for (side, document) in [("baseline", baseline), ("candidate", candidate)] {
        let failed = document.data.checks.iter();
        checks.extend(
            failed
                .filter(|check| check.status == CheckStatus::Fail)
                .map(|check| Check {
                    name: format!("{side} {}", check.name),
                    ..check.clone()
                }),
        );
        let unanswered = document
            .data
            .items
            .iter()
            .filter(|item| item.error.is_some())
            .count();
        if unanswered > 0 {
            reasons.push(format!("{side}: {unanswered} items have no whole answer"));
        }
        if !document.complete || document.data.items.len() as u64 != document.data.suite.items {
            reasons.push(format!("{side}: not all items were asked"));
        }
    }
    let failed = checks.iter().filter(|check| check.status == CheckStatus::Fail);
    reasons.extend(failed.map(|check| format!("{}: {}", check.name, check.evidence)));
    let pairs = pairs(&baseline.data, &candidate.data);
    let ratio = paired::ratio(&pairs);
    let verdict = match ratio {
        _ if !reasons.is_empty() => Verdict::Invalid,
        Some(ratio) if ratio.ci_low_ratio.get() > at_least => Verdict::Pass,
        Some(ratio) if ratio.ci_high_ratio.get() < at_least => Verdict::Fail,
        _ => Verdict::Inconclusive,
    };
    let needed_items = match verdict {
        Verdict::Inconclusive => paired::needed_items(&pairs, at_least),
        _ => None,
    };
    if let Some(ratio) = ratio.filter(|_| verdict != Verdict::Invalid) {
        let (low, high) = (ratio.ci_low_ratio.get(), ratio.ci_high_ratio.get());
        reasons.push(format!(
            "the ratio lies between {low:.3} and {high:.3}, the limit is {at_least}"
        ));
    } else if verdict == Verdict::Inconclusive {
        reasons.push("a side has no right answer: there is no ratio".to_owned());
    }
    VerdictData {
        verdict,
        reasons,
        at_least_ratio: Finite::new(at_least).expect("a limit between 0 and 1"),
        ratio,
        pairs,
        needed_items,
        checks,
    }
}

fn pairs(baseline: &ResultData, candidate: &ResultData) -> Pairs {
    let right = |data: &ResultData| -> BTreeMap<String, bool> {
        let whole = data.items.iter().filter(|item| item.error.is_none());
        whole
            .map(|item| (item.id.clone(), item.answer.as_ref() == Some(&item.expected)))
            .collect()
    };
    let other = right(candidate);
    let mut pairs = Pairs::default();
    for (id, base) in right(baseline) {
        match (base, other.get(&id)) {
            (true, Some(true)) => pairs.both += 1,
            (true, Some(false)) => pairs.only_baseline += 1,
            (false, Some(true)) => pairs.only_candidate += 1,
            (false, Some(false)) => pairs.neither += 1,
            (_, None) => {}
        }
    }
    pairs
}

fn tokenizer(baseline: &ResultData, candidate: &ResultData) -> Check {
    let both = baseline
        .probe_tokens
        .as_ref()
        .zip(candidate.probe_tokens.as_ref());
    let evidence = match both {
        None => "a server does not count the tokens of a prompt".to_owned(),
        Some((a, b)) => format!("tokens of the probe prompts: {a:?} and {b:?}"),
    };
    checks::check("tokenizer-equal", both.map(|(a, b)| a == b), evidence)
}

fn summary(data: &VerdictData) -> String {
    let reason = data.reasons.first().map_or("", String::as_str);
    let verdict = match data.verdict {
        Verdict::Pass => "Pass",
        Verdict::Fail => "Fail",
        Verdict::Inconclusive => "Inconclusive",
        Verdict::Invalid => "Invalid",
    };
    match data.needed_items {
        Some(needed) => format!("{verdict}: {reason}; about {needed} items would decide."),
        None => format!("{verdict}: {reason}."),
    }
}
