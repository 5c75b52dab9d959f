//! Evidence that explains a benchmark: profiles, layer pipelines, kernel counters, telemetry. It has to be of the same
//! run: same contract, same subject, and the benchmark among its inputs (`--for RESULT`).

use contracts::kernel_gate::verdict;
use contracts::loop_ledger::facts::{Facts, FamilyShare, SideFacts};
use contracts::loop_ledger::phase::Phase;
use contracts::profile_tables::diff;
use contracts::{Document, Finite};
use serde_json::Value;

use super::{Context, Refusal};
use crate::state::Accepted;

/// The phase that a tool's documents are evidence of.
pub(crate) fn phase_of(schema: &str) -> Option<Phase> {
    let (tool, _) = schema.split_once('.')?;
    match tool {
        "telemetry-fetch" | "capacity-plan" | "profile-tables" => Some(Phase::Profile),
        "pipeline-analysis" => Some(Phase::Pipeline),
        "ncu-digest" | "kernel-gate" => Some(Phase::Kernel),
        _ => None,
    }
}

pub(crate) fn bound(
    context: &Context<'_>,
    phase: Phase,
    document: &Document<Value>,
) -> Result<Facts, Refusal> {
    if let Some(warning) = forced(document) {
        return Err(context.invalid(
            "forced-pair",
            format!("it compares what cannot be compared (`{warning}`): --force-pair is for looking, not for evidence"),
        ));
    }
    if document.schema == verdict::SCHEMA && document.data.get("verdict") == Some(&Value::from("invalid")) {
        return Err(context.invalid(
            "kernel-evidence-invalid",
            "its own verdict is `invalid`: mend the measurement and judge it again".to_owned(),
        ));
    }
    let mut facts = context.head(document, phase);
    let Some(contract) = &facts.contract else {
        return Err(context.unreadable(
            "not-bound",
            "it has no contract; run the tool with --for RESULT.json".to_owned(),
        ));
    };
    let benchmark = facts
        .inputs
        .iter()
        .filter_map(|input| context.state.by_hash(input))
        .find(|accepted| accepted.facts.measured_at.is_some());
    let Some(benchmark) = benchmark else {
        return Err(context.drift(
            "other-run",
            "none of its inputs is a stored benchmark: it explains another run".to_owned(),
        ));
    };
    let subject = document.subject.fingerprint.as_deref();
    let side = benchmark
        .facts
        .sides
        .iter()
        .find(|side| side.subject.as_deref() == subject && subject.is_some());
    let Some(side) = side else {
        return Err(context.drift(
            "other-run",
            format!(
                "its subject is on no side of the benchmark that it names (entry {})",
                benchmark.seq
            ),
        ));
    };
    if !is_contract_of(context, benchmark, contract, subject) {
        return Err(context.drift(
            "other-run",
            format!(
                "its contract is not the one of the benchmark that it names (entry {})",
                benchmark.seq
            ),
        ));
    }
    facts.scenario = benchmark.facts.scenario.clone();
    facts.sides = vec![SideFacts {
        output_tps: None,
        runs: 0,
        ..side.clone()
    }];
    facts.family_shares = family_shares(&document.data);
    Ok(facts)
}

/// The contract of a comparison is that of its side A; a side may know a field that the other one does not.
fn is_contract_of(
    context: &Context<'_>,
    benchmark: &Accepted<'_>,
    contract: &str,
    subject: Option<&str>,
) -> bool {
    if benchmark.facts.contract.as_deref() == Some(contract) {
        return true;
    }
    super::stored_compare(context, &benchmark.facts.sha256).is_some_and(|data| {
        [&data.a, &data.b].into_iter().any(|side| {
            side.subject.fingerprint.as_deref() == subject
                && side.contract.fingerprint.as_deref() == Some(contract)
        })
    })
}

/// What `profile-tables diff --force-pair` was told to overlook.
fn forced(document: &Document<Value>) -> Option<&'static str> {
    if document.schema != diff::SCHEMA {
        return None;
    }
    let warned = |code: &str| document.warnings.iter().any(|warning| warning.code == code);
    let named = [diff::DIFFERENT_MODEL, diff::DIFFERENT_STAGE]
        .into_iter()
        .find(|code| warned(code));
    let fits = document.data.get("forced") == Some(&Value::Bool(false));
    named.or_else(|| (!fits).then_some("forced"))
}

/// Shares of the kernel families, summed over the kernels of a stage and the largest of the stages, from
/// `profile-tables.report/1`.
fn family_shares(data: &Value) -> Vec<FamilyShare> {
    let mut shares: Vec<(String, f64)> = Vec::new();
    let stages = data.get("stages").and_then(Value::as_array).into_iter().flatten();
    for stage in stages {
        let mut of_stage: std::collections::BTreeMap<&str, f64> = std::collections::BTreeMap::new();
        let rows = stage
            .get("kernel_table")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for row in rows {
            let family = row.get("family").and_then(Value::as_str);
            let share = row.get("share_pct").and_then(Value::as_f64);
            if let (Some(family), Some(share)) = (family, share) {
                *of_stage.entry(family).or_default() += share;
            }
        }
        for (family, share) in of_stage {
            match shares.iter_mut().find(|(known, _)| known == family) {
                Some((_, largest)) => *largest = largest.max(share),
                None => shares.push((contracts::text::clean(family, 60), share)),
            }
        }
    }
    shares.sort_by(|(left_name, left), (right_name, right)| {
        right.total_cmp(left).then_with(|| left_name.cmp(right_name))
    });
    shares
        .into_iter()
        .filter_map(|(family, share)| {
            Some(FamilyShare {
                family,
                share_pct: Finite::new(share)?,
            })
        })
        .collect()
}
