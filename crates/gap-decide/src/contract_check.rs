//! Contracts are compared field by field: what differs ends the comparison, what is unknown makes it provisional.

use std::collections::{BTreeMap, BTreeSet};

use contracts::fields::{canonical, contract_field as name};
use contracts::target::Target;
use contracts::{Field, FieldSet};
use serde_json::Value;

use crate::error::EvidenceError;
use crate::evidence::{Matchup, Part};

/// Fields that say how to judge, not what was measured: they never make a verdict provisional by their absence.
const JUDGING: [&str; 2] = [name::THRESHOLD, name::MARGIN];

/// Fields that differ from scenario to scenario.
const PER_SCENARIO: [&str; 3] = [name::REQUEST_STREAM, name::LOAD, name::SAMPLING];

/// A comparison whose contracts do not contradict each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Agreement {
    /// What both sides agree on, with what the target declares.
    pub(crate) contract: FieldSet,
    /// Fields that are unknown on a side.
    pub(crate) unknown_fields: Vec<String>,
}

/// Compares every document of a comparison with the first of ours, each completed by what the target declares.
pub(crate) fn check(matchup: &Matchup, target: Option<&Target>) -> Result<Agreement, EvidenceError> {
    let declared = target.map(declared_fields).unwrap_or_default();
    let first = &matchup.ours.parts[0];
    let reference = complete(first, &declared)?;
    let mut unknown: BTreeSet<String> = missing(&reference);
    let mut agreed = reference.fields.clone();
    for part in matchup.sides().iter().flat_map(|side| &side.parts) {
        same_kind(first, part)?;
        let contract = complete(part, &declared)?;
        unknown.extend(missing(&contract));
        let comparison = reference.compare(&contract);
        if !comparison.differing.is_empty() {
            return Err(differs(&first.label, &part.label, &comparison.differing));
        }
        unknown.extend(
            comparison
                .unknown
                .into_iter()
                .filter(|field| !JUDGING.contains(&field.as_str())),
        );
        for field in JUDGING {
            if let (None, Some(value)) = (reference.known(field), contract.fields.get(field)) {
                agreed.insert(field.to_owned(), value.clone());
            }
        }
    }
    for field in &unknown {
        agreed.insert(field.clone(), Field::unknown());
    }
    for side in matchup.sides() {
        same_subject(&side.parts)?;
    }
    Ok(Agreement {
        contract: FieldSet::new(agreed),
        unknown_fields: unknown.iter().map(|field| shown(field)).collect(),
    })
}

/// Scenarios of one decision share model, hardware and judging rules.
pub(crate) fn check_across(matchups: &[Matchup], agreements: &[Agreement]) -> Result<(), EvidenceError> {
    let (Some(first), Some(agreement)) = (matchups.first(), agreements.first()) else {
        return Ok(());
    };
    for (matchup, other) in matchups.iter().zip(agreements).skip(1) {
        let mut differing = agreement.contract.compare(&other.contract).differing;
        differing.retain(|(field, _, _)| {
            !PER_SCENARIO.contains(&field.as_str()) || matchup.scenario == first.scenario
        });
        if !differing.is_empty() {
            return Err(differs(
                &first.ours.parts[0].label,
                &matchup.ours.parts[0].label,
                &differing,
            ));
        }
    }
    Ok(())
}

/// What the target says about the measurement. An empty SLO declares nothing.
fn declared_fields(target: &Target) -> BTreeMap<String, Field> {
    let mut fields = target.contract_fields();
    if target.slo.is_empty() {
        fields.remove(name::SLO);
    }
    fields
}

/// A contract with its unknown fields filled from the target. What was measured contradicting what is declared is an
/// error. Objectives cannot be declared afterwards: a run that did not check them leaves them unknown.
fn complete(part: &Part, declared: &BTreeMap<String, Field>) -> Result<FieldSet, EvidenceError> {
    let mut fields = part.contract.fields.clone();
    let mut differing = Vec::new();
    for (field, declaration) in declared {
        match part.contract.known(field) {
            Some(value) if canonical(value) == canonical(&declaration.value) => {}
            Some(value) => differing.push((field.clone(), value.clone(), declaration.value.clone())),
            None if field == name::SLO => {
                fields.insert(field.clone(), Field::unknown());
            }
            None => {
                fields.insert(field.clone(), declaration.clone());
            }
        }
    }
    if differing.is_empty() {
        Ok(FieldSet::new(fields))
    } else {
        Err(differs(&part.label, "the target file", &differing))
    }
}

fn missing(contract: &FieldSet) -> BTreeSet<String> {
    let unknown = contract
        .fields
        .keys()
        .map(String::as_str)
        .filter(|field| !JUDGING.contains(field));
    name::REQUIRED
        .into_iter()
        .chain(unknown)
        .filter(|field| contract.known(field).is_none())
        .map(str::to_owned)
        .collect()
}

fn same_kind(first: &Part, part: &Part) -> Result<(), EvidenceError> {
    let (simulated, real) = match (first.simulated, part.simulated) {
        (true, false) => (first, part),
        (false, true) => (part, first),
        _ => return Ok(()),
    };
    Err(EvidenceError::SimulatedAndReal {
        simulated: simulated.label.clone(),
        real: real.label.clone(),
    })
}

/// Documents pooled as one side measured the same engine with the same settings.
fn same_subject(parts: &[Part]) -> Result<(), EvidenceError> {
    let Some((first, rest)) = parts.split_first() else {
        return Ok(());
    };
    for part in rest {
        let differing = first.subject.compare(&part.subject).differing;
        if !differing.is_empty() {
            return Err(EvidenceError::SubjectDiffers {
                left: first.label.clone(),
                right: part.label.clone(),
                fields: in_words(&differing),
            });
        }
    }
    Ok(())
}

fn differs(left: &str, right: &str, differing: &[(String, Value, Value)]) -> EvidenceError {
    EvidenceError::ContractDiffers {
        left: left.to_owned(),
        right: right.to_owned(),
        fields: in_words(differing),
    }
}

fn in_words(differing: &[(String, Value, Value)]) -> Vec<String> {
    let short = |value: &Value| shown(&canonical(value));
    differing
        .iter()
        .map(|(field, a, b)| format!("{}: {} against {}", shown(field), short(a), short(b)))
        .collect()
}

/// Names and values of fields come from documents, and documents from anywhere.
pub(crate) fn shown(text: &str) -> String {
    contracts::text::clean(text, 120)
}
