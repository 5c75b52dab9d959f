//! A decision from documents: contract, validity, statistics, decision, in this order.

use std::collections::BTreeMap;

use cli_kit::{Cli as _, DocumentParts, Failure, Report};
use contracts::fields::contract_field;
use contracts::gap_decide::decision::{self as document, DecisionData, ScenarioVerdict, Verdict};
use contracts::metric::Metric;
use contracts::target::Target;
use contracts::{FieldSet, Finite, Warning};
use stats::group_sequential::Design;
use stats::holm;

use crate::contract_check::{self, Agreement};
use crate::effect::{Estimate, Sample};
use crate::error::{EvidenceError, PlanError};
use crate::evidence::{Matchup, Pairing};
use crate::load::{self, Evidence};
use crate::plan::DecidePlan;
use crate::slo::SloOutcome;
use crate::validity::Usable;
use crate::verdict::{Bounds, severity};
use crate::{decision, next_action, physical_limit, render, scenario, slo, summary, validity, warnings};

/// Default threshold and margin where neither the target nor a flag says anything.
const DEFAULT_RATIO: f64 = 0.01;

/// Threshold and margin that hold for all scenarios.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rules {
    /// Smallest gap that counts.
    pub(crate) threshold_ratio: f64,
    /// Half-width within which engines are tied.
    pub(crate) margin_ratio: f64,
}

impl Rules {
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds::new(self.threshold_ratio, self.margin_ratio)
    }
}

/// One comparison with everything that was found out about it.
#[derive(Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) matchup: &'a Matchup,
    pub(crate) agreement: &'a Agreement,
    pub(crate) usable: Usable,
    pub(crate) slo_ours: SloOutcome,
    pub(crate) slo_other: SloOutcome,
    pub(crate) sample: Sample,
    pub(crate) estimate: Estimate,
    /// The looks at the share of the error that it was last tried with.
    pub(crate) design: &'a Design,
    pub(crate) verdict: Verdict,
}

impl Judged<'_> {
    /// The verdict that needs no statistics.
    fn without_statistics(usable: &Usable, ours: &SloOutcome, other: &SloOutcome) -> Option<Verdict> {
        if !usable.invalid.is_empty() {
            Some(Verdict::Invalid)
        } else if !ours.failed.is_empty() {
            Some(Verdict::OursFailsSlo)
        } else if !other.failed.is_empty() {
            Some(Verdict::TheirsFailsSlo)
        } else {
            None
        }
    }

    /// Whether the verdict may compare unlike things.
    pub(crate) fn provisional(&self) -> bool {
        !self.agreement.unknown_fields.is_empty() || self.matchup.imported()
    }
}

/// Reads, judges and reports.
pub(crate) fn run(plan: &DecidePlan, top: usize) -> Result<Report, Failure> {
    let metric = Metric::parse(&plan.metric).map_err(PlanError::from)?;
    let mut inputs = Vec::new();
    let target = match &plan.target {
        Some(path) => {
            let (target, input) = cli_kit::load_yaml::<Target>(path, Target::SCHEMA)?;
            inputs.push(input);
            Some(target)
        }
        None => None,
    };
    let evidence = load::load(plan)?;
    inputs.extend(evidence.inputs.iter().cloned());
    let agreements = agreements(&evidence, target.as_ref())?;
    let rules = rules(plan, &agreements)?;
    let limit = physical_limit::limit_tps(target.as_ref());
    let designs = Design::family(1.0 - plan.confidence_ratio, evidence.matchups.len().max(1));
    let judged = judge(&evidence, &agreements, &designs, &metric, rules, limit);
    let data = data(plan, &metric, rules, limit, &designs[0], &judged);
    let mut parts = DocumentParts::new(document::SCHEMA);
    parts.simulated = evidence.matchups.iter().any(|m| m.ours.parts[0].simulated);
    parts.summary = summary::summary(&data);
    parts.next_actions = next_action::after(&data, plan, &evidence.matchups);
    parts.warnings = warnings(&evidence, &judged);
    parts.contract = agreements
        .first()
        .map_or_else(FieldSet::none, |a| shared_contract(a, agreements.len()));
    parts.environment = evidence
        .matchups
        .first()
        .map_or_else(FieldSet::none, |m| m.ours.parts[0].environment.clone());
    parts.subject = evidence
        .matchups
        .first()
        .map_or_else(FieldSet::none, |m| m.ours.parts[0].subject.clone());
    parts.inputs = inputs;
    let exit = decision::exit(&data.scenarios, &plan.fail_on);
    let document = cli_kit::document(&crate::cli::Args::TOOL, parts, data);
    let view = render::view(&document, top);
    Ok(Report::new(&document, view, exit))
}

fn agreements(evidence: &Evidence, target: Option<&Target>) -> Result<Vec<Agreement>, EvidenceError> {
    let agreements: Vec<Agreement> = evidence
        .matchups
        .iter()
        .map(|matchup| contract_check::check(matchup, target))
        .collect::<Result<_, _>>()?;
    contract_check::check_across(&evidence.matchups, &agreements)?;
    Ok(agreements)
}

/// The fields that hold for every scenario; with several scenarios the request streams differ and are left out.
fn shared_contract(agreement: &Agreement, comparisons: usize) -> FieldSet {
    let mut fields = agreement.contract.fields.clone();
    if comparisons > 1 {
        fields.remove(contract_field::REQUEST_STREAM);
        fields.remove(contract_field::LOAD);
        fields.remove(contract_field::SAMPLING);
    }
    FieldSet::new(fields)
}

/// Threshold and margin: declared before the gap was seen, else the flag, else 1 %.
fn rules(plan: &DecidePlan, agreements: &[Agreement]) -> Result<Rules, EvidenceError> {
    let declared = |field: &str| agreements.iter().find_map(|a| a.contract.known(field)?.as_f64());
    let choose = |flag: &'static str, given: Option<f64>, declared: Option<f64>| match (given, declared) {
        (Some(given), Some(declared)) if (given - declared).abs() > 1e-9 => {
            Err(EvidenceError::FlagContradictsTarget {
                flag,
                given,
                declared,
            })
        }
        (given, declared) => Ok(declared.or(given).unwrap_or(DEFAULT_RATIO)),
    };
    Ok(Rules {
        threshold_ratio: choose(
            "--threshold",
            plan.threshold_ratio,
            declared(contract_field::THRESHOLD),
        )?,
        margin_ratio: choose("--margin", plan.margin_ratio, declared(contract_field::MARGIN))?,
    })
}

fn judge<'a>(
    evidence: &'a Evidence,
    agreements: &'a [Agreement],
    designs: &'a [Design],
    metric: &Metric,
    rules: Rules,
    limit: Option<f64>,
) -> Vec<Judged<'a>> {
    let bounds = rules.bounds();
    let mut judged: Vec<Judged<'_>> = evidence
        .matchups
        .iter()
        .zip(agreements)
        .map(|(matchup, agreement)| {
            let usable = validity::judge(matchup, metric, limit);
            let (slo_ours, slo_other) = (
                slo::outcome(matchup.ours.runs.iter()),
                slo::outcome(matchup.other.runs.iter()),
            );
            let sample = Sample::new(&usable, matchup.pairing, metric.higher_is_better());
            let estimate = sample.estimate(&designs[0]);
            let verdict =
                Judged::without_statistics(&usable, &slo_ours, &slo_other).unwrap_or(Verdict::Inconclusive);
            Judged {
                matchup,
                agreement,
                usable,
                slo_ours,
                slo_other,
                sample,
                estimate,
                design: &designs[0],
                verdict,
            }
        })
        .collect();
    // Comparisons that validity or an objective has decided take no share of the error.
    let open: Vec<usize> = (0..judged.len())
        .filter(|&i| judged[i].verdict == Verdict::Inconclusive)
        .collect();
    holm::step_down(open.len(), designs[0].alpha(), |index, level| {
        let one = &mut judged[open[index]];
        one.design = designs
            .iter()
            .find(|design| design.alpha() == level)
            .expect("Holm's levels are the family's");
        one.estimate = one.sample.estimate(one.design);
        one.verdict = one
            .estimate
            .interval
            .map_or(Verdict::Inconclusive, |(low, high)| bounds.judge(low, high));
        one.verdict != Verdict::Inconclusive
    });
    judged
}

fn data(
    plan: &DecidePlan,
    metric: &Metric,
    rules: Rules,
    limit: Option<f64>,
    design: &Design,
    judged: &[Judged<'_>],
) -> DecisionData {
    let mut by_scenario: BTreeMap<&str, Vec<&Judged<'_>>> = BTreeMap::new();
    for one in judged {
        by_scenario.entry(&one.matchup.scenario).or_default().push(one);
    }
    let mut effects = Vec::new();
    let mut reasons = Vec::new();
    let scenarios: Vec<ScenarioVerdict> = by_scenario
        .into_values()
        .map(|others| {
            let worst = *others
                .iter()
                .min_by(|a, b| worse_first(a, b))
                .expect("a scenario has a comparison");
            // The mean over scenarios is one question of its own: its interval takes the whole error.
            let whole = worst.sample.estimate(design);
            effects.push((whole.effect, whole.interval));
            let row = scenario::row(worst, &others, metric, rules, limit, plan.max_pairs as usize);
            reasons.extend(scenario::reasons(&row, worst, plan.max_pairs));
            row
        })
        .collect();
    let decision = decision::decide(&scenarios);
    reasons.sort_by_key(|(rank, _)| *rank);
    DecisionData {
        decision,
        reasons: reasons.into_iter().map(|(_, reason)| reason).collect(),
        geomean: decision::geomean(&effects),
        scenarios,
        metric: metric.name().to_owned(),
        confidence_ratio: Finite::new(plan.confidence_ratio).expect("the plan checked the confidence"),
        max_pairs: plan.max_pairs,
        plan: serde_json::to_value(plan).expect("a plan has string keys and finite numbers"),
    }
}

/// Worst verdict first, then lowest effect: the engine that ours has to beat.
fn worse_first(a: &Judged<'_>, b: &Judged<'_>) -> std::cmp::Ordering {
    let effect = |one: &Judged<'_>| one.estimate.effect.unwrap_or(f64::INFINITY);
    severity(a.verdict)
        .cmp(&severity(b.verdict))
        .then(effect(a).total_cmp(&effect(b)))
}

fn warnings(evidence: &Evidence, judged: &[Judged<'_>]) -> Vec<Warning> {
    let mut all = evidence.warnings.clone();
    all.extend(warnings::all(judged));
    if judged
        .iter()
        .any(|one| matches!(one.matchup.pairing, Pairing::Apart))
    {
        all.push(Warning::new(
            "unpaired",
            "the sides were not interleaved: whatever changed between the two measurements counts as a gap; `serve-bench compare` is stronger",
        ));
    }
    all
}
