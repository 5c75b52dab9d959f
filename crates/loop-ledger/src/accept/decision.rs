//! Decisions: never believed. The same command on the stored comparisons has to say the same.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use contracts::gap_decide::decision::{Decision, DecisionData, ScenarioVerdict, Verdict};
use contracts::loop_ledger::facts::{DecisionFacts, DecisionRow, Facts};
use contracts::loop_ledger::phase::Phase;
use contracts::serve_bench::compare::CompareData;
use contracts::{Document, ErrorDocument};
use serde_json::Value;

use super::subject::first_difference;
use super::{Context, Refusal, pooled};
use crate::state::MIN_PAIRS;

/// Confidence of all verdicts together that a verdict needs; what gap-decide has by itself.
const MIN_CONFIDENCE: f64 = 0.95;

pub(crate) fn decision(context: &Context<'_>, document: &Document<DecisionData>) -> Result<Facts, Refusal> {
    let data = &document.data;
    let mut facts = context.head(document, phase(context));
    let compared = compared(context, document)?;
    if context.is_new {
        same_rules(context, data)?;
        same_launches(context, &compared)?;
        pooled::whole(context, document, &compared)?;
        recompute(context, document, &compared)?;
    }
    if data.decision == Decision::Rebaseline {
        return Err(context.invalid(
            "measurement-invalid",
            format!("its measurements cannot be used: {}", data.reasons.join("; ")),
        ));
    }
    facts.decision = Some(facts_of(context, data, &compared));
    covers_all(context, &facts)?;
    few_pairs(context, data)?;
    Ok(facts)
}

fn phase(context: &Context<'_>) -> Phase {
    if context.is_new && context.state.open_attempt().is_some() {
        Phase::Revalidate
    } else {
        Phase::Decide
    }
}

/// The stored comparisons that it read. In an attempt they have to be of that attempt.
fn compared(context: &Context<'_>, document: &Document<DecisionData>) -> Result<Vec<Facts>, Refusal> {
    let paths = document
        .data
        .plan
        .pointer("/sources/compare/documents")
        .and_then(Value::as_array);
    let Some(paths) = paths else {
        return Err(context.invalid(
            "not-interleaved",
            "it rests on results that were not interleaved".to_owned(),
        ));
    };
    if document.data.plan.pointer("/sources/compare/ours_is_b") == Some(&Value::Bool(true)) {
        return Err(context.unreadable(
            "ours-is-b",
            "side A of every comparison has to be ours".to_owned(),
        ));
    }
    let wanted: Vec<&str> = paths.iter().filter_map(Value::as_str).collect();
    let mut found = Vec::new();
    for input in document
        .inputs
        .iter()
        .filter(|input| wanted.contains(&input.path.as_str()))
    {
        let Some(accepted) = context.state.by_hash(&input.sha256) else {
            return Err(context.drift(
                "evidence-unknown",
                format!(
                    "it rests on {} with {}, which is not stored: append the comparison first; if it was, it has been replaced since",
                    contracts::text::clean(&input.path, 200),
                    crate::ledger::short(&input.sha256)
                ),
            ));
        };
        if let Some(open) = context.state.open_attempt().filter(|_| context.is_new)
            && accepted.attempt != Some(open.id)
        {
            return Err(context.drift(
                "evidence-copied",
                format!(
                    "it rests on entry {}, which is not of attempt {}",
                    accepted.seq, open.id
                ),
            ));
        }
        found.push(accepted.facts.clone());
    }
    if found.len() != wanted.len() || found.is_empty() {
        return Err(context.unreadable(
            "input-malformed",
            "its inputs are not the comparisons of its plan".to_owned(),
        ));
    }
    Ok(found)
}

/// The campaign's metric, and no less confidence than everybody gets: a looser rule finds a verdict in any noise.
fn same_rules(context: &Context<'_>, data: &DecisionData) -> Result<(), Refusal> {
    if data.metric != context.state.metric() {
        return Err(context.drift(
            "other-metric",
            format!(
                "it is about {}, and the campaign decides by {}",
                contracts::text::clean(&data.metric, 80),
                context.state.metric()
            ),
        ));
    }
    let confidence = data.confidence_ratio.get();
    if confidence < MIN_CONFIDENCE {
        return Err(context.drift(
            "low-confidence",
            format!("its confidence is {confidence}, and a verdict needs {MIN_CONFIDENCE}"),
        ));
    }
    Ok(())
}

/// One launch of ours for all scenarios; in an attempt the launches of the others that the verdict before it had.
fn same_launches(context: &Context<'_>, compared: &[Facts]) -> Result<(), Refusal> {
    let now: Vec<CompareData> = compared
        .iter()
        .filter_map(|facts| super::stored_compare(context, &facts.sha256))
        .collect();
    for (first, other) in now.iter().zip(now.iter().skip(1)) {
        if let Some(what) = first_difference(&first.a.subject, &other.a.subject) {
            return Err(context.drift(
                "mixed-launches",
                format!("ours was launched otherwise for another scenario: {what}"),
            ));
        }
    }
    if context.state.open_attempt().is_none() {
        return Ok(());
    }
    let Some((before, _)) = context.state.current_decision() else {
        return Ok(());
    };
    let before: Vec<CompareData> = before
        .facts
        .inputs
        .iter()
        .filter_map(|sha256| super::stored_compare(context, sha256))
        .collect();
    for new in &now {
        let is_pair = |old: &&CompareData| {
            old.workload.scenario == new.workload.scenario
                && old.b.target.engine.kind == new.b.target.engine.kind
        };
        let what = before
            .iter()
            .find(is_pair)
            .and_then(|old| first_difference(&old.b.subject, &new.b.subject));
        if let Some(what) = what {
            return Err(context.drift(
                "competitor-changed",
                format!("{} was launched otherwise before: {what}", new.b.name),
            ));
        }
    }
    Ok(())
}

/// Runs gap-decide on what is stored and compares.
fn recompute(
    context: &Context<'_>,
    document: &Document<DecisionData>,
    compared: &[Facts],
) -> Result<(), Refusal> {
    let root = &context.ledger.root;
    let unavailable = |what: String| context.unreadable("verdict-not-computed", what);
    let gap_decide = cli_kit::find_companion("gap-decide").map_err(|failure| {
        unavailable(format!(
            "{}: a verdict is computed again before it is stored",
            failure.document.message
        ))
    })?;
    let mut command = Command::new(gap_decide);
    command.arg("--compare");
    command.args(compared.iter().map(|facts| root.object(&facts.sha256)));
    let chosen: Vec<PathBuf> = pooled::chosen_by(document)
        .map(|input| match context.state.by_hash(&input.sha256) {
            Some(stored) => Ok(root.object(&stored.facts.sha256)),
            None => Err(context.drift(
                "evidence-unknown",
                format!(
                    "it leaves out pairs because of {}, which is not stored",
                    contracts::text::clean(&input.path, 200)
                ),
            )),
        })
        .collect::<Result<_, Refusal>>()?;
    if !chosen.is_empty() {
        command.arg("--chosen-by").args(&chosen);
    }
    command
        .arg("--target")
        .arg(root.object(&context.ledger.lock.target_sha256));
    command.args(["--metric", &document.data.metric, "--format", "json"]);
    command.args(["--max-pairs", &document.data.max_pairs.to_string()]);
    command.args(["--confidence", &document.data.confidence_ratio.to_string()]);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .map_err(|error| unavailable(format!("gap-decide does not start: {error}")))?;
    let again: Document<DecisionData> = serde_json::from_slice(&output.stdout).map_err(|_| {
        let why = serde_json::from_slice::<ErrorDocument>(&output.stdout).map_or_else(
            |_| "gap-decide printed no document".to_owned(),
            |error| format!("gap-decide says {}: {}", error.code, error.message),
        );
        context.drift("verdict-refused", format!("with the locked target, {why}"))
    })?;
    let theirs = &document.data;
    let ours = &again.data;
    if ours.decision != theirs.decision
        || verdicts(ours) != verdicts(theirs)
        || ours.geomean != theirs.geomean
    {
        return Err(context.drift(
            "verdict-edited",
            format!(
                "it says {}, and the stored comparisons give {} by the same command",
                theirs.decision.name(),
                ours.decision.name()
            ),
        ));
    }
    Ok(())
}

/// Everything but what is read from the records of the requests, which lie beside the original and not in the store.
fn verdicts(data: &DecisionData) -> Vec<ScenarioVerdict> {
    let without_records = |scenario: &ScenarioVerdict| ScenarioVerdict {
        within_run: Vec::new(),
        ..scenario.clone()
    };
    data.scenarios.iter().map(without_records).collect()
}

fn facts_of(context: &Context<'_>, data: &DecisionData, compared: &[Facts]) -> DecisionFacts {
    // Sides are named freely; the stored comparison of the scenario says which engine stood behind the name.
    let stored: Vec<CompareData> = compared
        .iter()
        .filter_map(|facts| super::stored_compare(context, &facts.sha256))
        .collect();
    let framework = |scenario: &str, name: &str| {
        stored
            .iter()
            .find(|data| data.workload.scenario == scenario && data.b.name == name)
            .map_or("", |data| data.b.target.engine.kind.name())
            .to_owned()
    };
    let rows = data
        .scenarios
        .iter()
        .flat_map(|scenario| {
            scenario.others.iter().map(|other| {
                let is_best = other.name == scenario.best_other.name;
                DecisionRow {
                    scenario: scenario.scenario.clone(),
                    other: contracts::text::clean(&other.name, 100),
                    other_framework: framework(&scenario.scenario, &other.name),
                    ours_value: scenario.ours.value,
                    other_value: if is_best { scenario.best_other.value } else { None },
                    effect_pct: other.effect_pct,
                    ci_low_pct: other.ci_low_pct,
                    ci_high_pct: other.ci_high_pct,
                    pairs: other.pairs,
                    verdict: other.verdict,
                }
            })
        })
        .collect();
    DecisionFacts {
        decision: data.decision,
        metric: data.metric.clone(),
        effect_pct: data.geomean.effect_pct,
        ci_low_pct: data.geomean.ci_low_pct,
        ci_high_pct: data.geomean.ci_high_pct,
        rows,
    }
}

/// Every locked scenario against every comparison framework.
fn covers_all(context: &Context<'_>, facts: &Facts) -> Result<(), Refusal> {
    let rows = facts.decision.iter().flat_map(|decision| &decision.rows);
    let rows: Vec<_> = rows.collect();
    for scenario in &context.state.lock.scenarios {
        for framework in &context.state.campaign.comparison {
            let is_there = rows
                .iter()
                .any(|row| row.scenario == scenario.scenario && row.other_framework == *framework);
            if !is_there {
                return Err(context.drift(
                    "scenario-dropped",
                    format!(
                        "it says nothing of scenario {} against {framework}, and the campaign has both",
                        scenario.scenario
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// One repeat is no verdict.
fn few_pairs(context: &Context<'_>, data: &DecisionData) -> Result<(), Refusal> {
    let few = data.scenarios.iter().find(|scenario| {
        scenario.pairs < MIN_PAIRS
            && !matches!(scenario.verdict, Verdict::OursFailsSlo | Verdict::TheirsFailsSlo)
    });
    match few {
        Some(scenario) => Err(context.invalid(
            "too-few-pairs",
            format!(
                "scenario {} has {} pairs; a verdict needs {MIN_PAIRS} at least",
                scenario.scenario, scenario.pairs
            ),
        )),
        None => Ok(()),
    }
}
