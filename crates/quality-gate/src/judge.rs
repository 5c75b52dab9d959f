//! `quality-gate judge`: two results in, verdict out. [`judge`] is pure.

use cli_kit::{Cli as _, DocumentParts, Failure, Report, load_document};
use contracts::quality_gate::result::{self, Check, CheckStatus, RatioInterval, ResultData};
use contracts::quality_gate::verdict::{Pairs, SCHEMA, Verdict, VerdictData};
use contracts::{Document, Exit, Finite, NextAction};

use crate::cli::{Args, FailOn, JudgeArgs};
use crate::error::QualityError;
use crate::{against, agreement, checks, paired, render};

pub(crate) fn run(args: &JudgeArgs) -> Result<Report, Failure> {
    if !(args.at_least > 0.0 && args.at_least <= 1.0) {
        return Err(QualityError::AtLeast(args.at_least).into());
    }
    if let Some(least) = args.min_agreement.filter(|least| !(*least > 0.0 && *least < 1.0)) {
        return Err(QualityError::MinAgreement(least).into());
    }
    let baseline = load_document::<ResultData>(&args.baseline, result::SCHEMA)?;
    let candidate = load_document::<ResultData>(&args.candidate, result::SCHEMA)?;
    // What is held against itself always passes.
    if baseline.input.sha256 == candidate.input.sha256 {
        return Err(QualityError::SameResult.into());
    }
    let mut differing = differences(&baseline.document, &candidate.document);
    let sides = [&baseline.document, &candidate.document];
    if args.min_agreement.is_some() && sides.iter().any(|side| side.data.prompts.is_none()) {
        differing.push("prompts: a side has none, run it with --workload".to_owned());
    }
    if !differing.is_empty() {
        return Err(QualityError::NotComparable(differing).into());
    }
    let mut parts = DocumentParts::new(SCHEMA);
    let data = judge(
        &baseline.document,
        &candidate.document,
        args.at_least,
        args.min_agreement,
    );
    parts.inputs = vec![baseline.input, candidate.input];
    // The verdict is about the candidate.
    parts.simulated = candidate.document.simulated;
    parts.contract = candidate.document.contract;
    parts.environment = candidate.document.environment;
    parts.subject = candidate.document.subject;
    parts.summary = summary(&data);
    if data.verdict == Verdict::Inconclusive {
        let url = &candidate.document.data.url;
        let prompts = data.needed_prompts.map(|prompts| prompts.to_string());
        let mut command = vec!["quality-gate", "run", "--url", url.as_str()];
        if data.needed_items.is_some() || prompts.is_none() {
            command.extend(["--suite", "larger.jsonl"]);
        }
        if let Some(prompts) = &prompts {
            command.extend(["--workload", "larger.workload.jsonl", "--prompts", prompts]);
        }
        command.extend(["-o", "candidate.json"]);
        parts.next_actions = vec![NextAction::new("more of them, on both sides", &command)];
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
    if let (Some(a), Some(b)) = (&a.prompts, &b.prompts) {
        names.extend(against::differences(a, b));
    }
    names.sort();
    names.dedup();
    names
}

/// Judges two comparable results. Answers are compared anew with what is right, and with each other: counts of the
/// documents are not believed. Agreement decides only where there is a `min_agreement`; the graver verdict stands.
pub fn judge(
    baseline: &Document<ResultData>,
    candidate: &Document<ResultData>,
    at_least: f64,
    min_agreement: Option<f64>,
) -> VerdictData {
    let both_said = baseline
        .data
        .prompts
        .as_ref()
        .zip(candidate.data.prompts.as_ref());
    let mut checks = vec![tokenizer(&baseline.data, &candidate.data)];
    checks.extend(both_said.map(|(a, b)| against::tokenizer(a, b)));
    let mut reasons = Vec::new();
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
        reasons.extend(gaps(side, document));
    }
    let failed = checks.iter().filter(|check| check.status == CheckStatus::Fail);
    reasons.extend(failed.map(|check| format!("{}: {}", check.name, check.evidence)));
    let is_evidence = reasons.is_empty();
    let pairs = Pairs::of(&baseline.data, &candidate.data);
    let ratio = paired::ratio(&pairs);
    let agreement = both_said.map(|(a, b)| agreement::compare(a, b));
    let least = agreement.as_ref().zip(min_agreement);
    // Without a suite agreement can decide alone.
    let of_ratio = (baseline.data.suite.items > 0 || least.is_none()).then(|| side_of(ratio, at_least));
    let of_agreement = least.map(|(found, least)| side_of(found.exact, least));
    let verdict = match of_ratio.into_iter().chain(of_agreement).min() {
        Some(verdict) if is_evidence => verdict,
        _ => Verdict::Invalid,
    };
    if is_evidence {
        reasons.extend(of_ratio.map(|_| said("ratio", ratio, at_least)));
        reasons.extend(least.map(|(found, least)| said("share of equal answers", found.exact, least)));
    }
    let is_open = |part: Option<Verdict>| is_evidence && part == Some(Verdict::Inconclusive);
    VerdictData {
        verdict,
        reasons,
        at_least_ratio: Finite::new(at_least).expect("a limit between 0 and 1"),
        ratio,
        pairs,
        needed_items: is_open(of_ratio)
            .then(|| paired::needed_items(&pairs, at_least))
            .flatten(),
        needed_prompts: least
            .filter(|_| is_open(of_agreement))
            .and_then(|(found, least)| agreement::needed_prompts(found, least)),
        agreement,
        min_agreement_ratio: min_agreement.and_then(Finite::new),
        checks,
    }
}

/// Why a side is no evidence, apart from its checks.
fn gaps(side: &str, document: &Document<ResultData>) -> Vec<String> {
    let data = &document.data;
    let mut gaps = Vec::new();
    let unanswered = data.unanswered();
    if unanswered > 0 {
        gaps.push(format!("{side}: {unanswered} items have no whole answer"));
    }
    if !document.complete || data.items.len() as u64 != data.suite.items {
        gaps.push(format!("{side}: not all items were asked"));
    }
    let said = data.prompts.iter().flat_map(|prompts| &prompts.answers);
    let unsaid = said.filter(|answer| answer.error.is_some()).count();
    if unsaid > 0 {
        gaps.push(format!("{side}: {unsaid} prompts have no whole answer"));
    }
    gaps
}

/// On which side of a limit a whole interval lies.
fn side_of(interval: Option<RatioInterval>, limit: f64) -> Verdict {
    match interval {
        Some(interval) if interval.ci_low_ratio.get() > limit => Verdict::Pass,
        Some(interval) if interval.ci_high_ratio.get() < limit => Verdict::Fail,
        _ => Verdict::Inconclusive,
    }
}

fn said(name: &str, interval: Option<RatioInterval>, limit: f64) -> String {
    match interval {
        Some(interval) => format!(
            "the {name} lies between {:.3} and {:.3}, the limit is {limit}",
            interval.ci_low_ratio.get(),
            interval.ci_high_ratio.get()
        ),
        None => format!("there is no {name}: a side has no answer that counts"),
    }
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
    let needed = match (data.needed_items, data.needed_prompts) {
        (None, None) => String::new(),
        (Some(items), None) => format!("; about {items} items would decide"),
        (None, Some(prompts)) => format!("; about {prompts} prompts would decide"),
        (Some(items), Some(prompts)) => format!("; about {items} items and {prompts} prompts would decide"),
    };
    let same = data.agreement.as_ref().map(|found| {
        format!(
            " {} of {} prompts have the same answer.",
            found.same, found.prompts
        )
    });
    format!("{verdict}: {reason}{needed}.{}", same.unwrap_or_default())
}
