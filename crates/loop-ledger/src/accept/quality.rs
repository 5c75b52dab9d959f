//! Answers: results of a suite, bound to a benchmark as profiles are, and the verdict on a changed engine. The verdict is worked
//! out again from the stored answers; what the document says of itself counts for nothing.

use contracts::Document;
use contracts::loop_ledger::facts::Facts;
use contracts::quality_gate::result::{self, Check, CheckStatus, ResultData};
use contracts::quality_gate::verdict::{Pairs, Verdict, VerdictData};
use serde_json::Value;
use stats::paired_ratio;

use super::{Context, Refusal, benchmark, bound};
use crate::ledger::objects;

/// Least share of the baseline's accuracy that lets a change stay.
const AT_LEAST: f64 = 0.95;

pub(crate) fn result(context: &Context<'_>, document: &Document<Value>) -> Result<Facts, Refusal> {
    bound::bound(context, benchmark::phase(context), document)
}

pub(crate) fn verdict(context: &Context<'_>, document: &Document<VerdictData>) -> Result<Facts, Refusal> {
    let mut facts = context.head(document, benchmark::phase(context));
    let [baseline, candidate] = facts.inputs.as_slice() else {
        return Err(context.drift("other-run", "it does not name two results".to_owned()));
    };
    let (base, _) = answers(context, baseline)?;
    let (changed, side) = answers(context, candidate)?;
    if document.subject.fingerprint != changed.subject.fingerprint {
        return Err(context.drift(
            "other-run",
            "its subject is not the one of the candidate's answers".to_owned(),
        ));
    }
    if base.subject.fingerprint == changed.subject.fingerprint {
        return Err(context.drift(
            "same-subject",
            "baseline and candidate answered from the same launch: nothing was changed".to_owned(),
        ));
    }
    if base.data.suite != changed.data.suite || base.data.settings != changed.data.settings {
        return Err(context.drift(
            "other-suite",
            "the two results answer other questions, or were asked otherwise".to_owned(),
        ));
    }
    // It may be stricter than the answers alone (`--min-agreement`), and never kinder.
    let found = judged(&base, &changed);
    if rank(document.data.verdict) > rank(found) {
        return Err(context.drift(
            "edited-numbers",
            format!(
                "it says {}, and the stored answers with a limit of {AT_LEAST} give {}",
                name(document.data.verdict),
                name(found)
            ),
        ));
    }
    facts.sides = side;
    Ok(facts)
}

/// A stored result, and the side that it was bound to.
fn answers(
    context: &Context<'_>,
    sha256: &str,
) -> Result<
    (
        Document<ResultData>,
        Vec<contracts::loop_ledger::facts::SideFacts>,
    ),
    Refusal,
> {
    let stored = context
        .state
        .by_hash(sha256)
        .filter(|accepted| accepted.facts.schema == result::SCHEMA);
    let bytes = objects::get(&context.ledger.root, sha256).ok().flatten();
    let document = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match (stored, document) {
        (Some(accepted), Some(document)) => Ok((document, accepted.facts.sides.clone())),
        _ => Err(context.drift(
            "other-run",
            "a result that it judges is not stored: append both results before it".to_owned(),
        )),
    }
}

/// The verdict of the stored answers. A candidate that has no whole answer, or fails a check of its own, is no evidence.
fn judged(base: &Document<ResultData>, candidate: &Document<ResultData>) -> Verdict {
    let is_faulty = |document: &Document<ResultData>| {
        let data = &document.data;
        let failed = |check: &Check| check.status == CheckStatus::Fail;
        !document.complete
            || data.items.len() as u64 != data.suite.items
            || data.unanswered() > 0
            || data.checks.iter().any(failed)
    };
    let counted = base
        .data
        .probe_tokens
        .as_ref()
        .zip(candidate.data.probe_tokens.as_ref());
    if is_faulty(base) || is_faulty(candidate) || counted.is_some_and(|(a, b)| a != b) {
        return Verdict::Invalid;
    }
    let pairs = Pairs::of(&base.data, &candidate.data);
    let pairs = paired_ratio::Pairs {
        both: pairs.both,
        only_first: pairs.only_baseline,
        only_second: pairs.only_candidate,
    };
    match paired_ratio::ratio_interval(pairs) {
        Some(ratio) if ratio.low > AT_LEAST => Verdict::Pass,
        Some(ratio) if ratio.high < AT_LEAST => Verdict::Fail,
        _ => Verdict::Inconclusive,
    }
}

/// The gravest first.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Invalid => 0,
        Verdict::Fail => 1,
        Verdict::Inconclusive => 2,
        Verdict::Pass => 3,
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Invalid => "invalid",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Pass => "pass",
    }
}
