//! Benchmarks: comparisons and results of serve-bench, against the contract, the clock and what was stored before.

use std::collections::BTreeSet;

use contracts::fields::{canonical, contract_field};
use contracts::loop_ledger::facts::{Facts, MeasuredAt, SideFacts};
use contracts::loop_ledger::lock::LockedScenario;
use contracts::loop_ledger::phase::Phase;
use contracts::metric::Metric;
use contracts::serve_bench::compare::{CompareData, LaunchEnv, Side};
use contracts::serve_bench::result::{ResultData, TargetInfo, WorkloadInfo};
use contracts::serve_bench::run::Run;
use contracts::{Document, FieldSet, Finite};
use serde_json::Value;

use super::{Context, Refusal, objectives, subject};

/// Share of requests that have to succeed.
const MIN_SUCCESS_RATIO: f64 = 0.99;
/// Share of prompt tokens that may come from a cache where the scenario shares no prefixes: chat templates do.
const MAX_CACHED_RATIO: f64 = 0.1;
/// Share of runs that may be invalid; leaving out more would itself be a selection.
const MAX_INVALID_RATIO: f64 = 0.1;
/// How far a stated rate may be from the one that its own tokens and window give.
const MAX_RATE_ERROR: f64 = 0.02;

pub(crate) fn compare(context: &Context<'_>, document: &Document<CompareData>) -> Result<Facts, Refusal> {
    let data = &document.data;
    let scenario = agree(context, &document.contract, &data.workload)?;
    for side in [&data.a, &data.b] {
        let difference = document.contract.compare(&side.contract);
        if let Some((field, _, _)) = difference.differing.first() {
            return Err(context.drift(
                "contract-drift",
                format!("its side {} differs in {field} from the document", side.name),
            ));
        }
        served_model(context, &side.target)?;
    }
    compared_frameworks(context, data)?;
    let a: Vec<&Run> = data.blocks.iter().map(|block| &block.a).collect();
    let b: Vec<&Run> = data.blocks.iter().map(|block| &block.b).collect();
    for (side, runs) in [(&data.a, &a), (&data.b, &b)] {
        believable(context, &side.name, runs, scenario)?;
    }
    one_after_the_other(context, a.iter().chain(&b).copied())?;
    whole(context, data)?;
    let mut facts = context.head(document, phase(context));
    facts.scenario = Some(data.workload.scenario.clone());
    let argv = |side: &contracts::serve_bench::compare::Side| {
        let launched = side.launch_argv.as_deref().map(contracts::argv::redacted);
        launched.or_else(|| declared_argv(&side.subject))
    };
    facts.sides = [(&data.a, &a), (&data.b, &b)]
        .into_iter()
        .map(|(side, runs)| SideFacts {
            framework: side.target.engine.kind.name().to_owned(),
            subject: side.subject.fingerprint.clone(),
            launch_argv: argv(side),
            relaunched_clean: side.launch_argv.is_some() && side.launch_env == Some(LaunchEnv::Cleared),
            output_tps: mean_rate(runs),
            runs: valid(runs),
        })
        .collect();
    facts.measured_at = measured(a.iter().chain(&b).copied());
    in_its_time(context, &facts)?;
    our_launch(context, &data.a)?;
    Ok(facts)
}

pub(crate) fn result(context: &Context<'_>, document: &Document<ResultData>) -> Result<Facts, Refusal> {
    let data = &document.data;
    if let Some(tool) = &data.imported_from {
        return Err(context.invalid(
            "imported-result",
            format!("it was imported from {tool}: somebody else's clock is no evidence"),
        ));
    }
    let scenario = agree(context, &document.contract, &data.workload)?;
    served_model(context, &data.target)?;
    let runs: Vec<&Run> = data.runs.iter().collect();
    believable(context, data.target.engine.kind.name(), &runs, scenario)?;
    one_after_the_other(context, runs.iter().copied())?;
    let mut facts = context.head(document, phase(context));
    facts.scenario = Some(data.workload.scenario.clone());
    facts.sides = vec![SideFacts {
        framework: data.target.engine.kind.name().to_owned(),
        subject: document.subject.fingerprint.clone(),
        launch_argv: declared_argv(&document.subject),
        relaunched_clean: false,
        output_tps: mean_rate(&runs),
        runs: valid(&runs),
    }];
    facts.measured_at = measured(runs.iter().copied());
    in_its_time(context, &facts)?;
    Ok(facts)
}

/// A benchmark inside an attempt revalidates it; outside it is the fixed benchmark.
pub(super) fn phase(context: &Context<'_>) -> Phase {
    if context.is_new && context.state.open_attempt().is_some() {
        Phase::Revalidate
    } else {
        Phase::Baseline
    }
}

/// The contract, field by field, and the scenario.
fn agree<'a>(
    context: &'a Context<'_>,
    contract: &FieldSet,
    workload: &WorkloadInfo,
) -> Result<&'a LockedScenario, Refusal> {
    let locked = &context.ledger.lock;
    let difference = locked.contract.compare(contract);
    if let Some((field, wanted, found)) = difference.differing.first() {
        return Err(context.drift(
            "contract-drift",
            format!(
                "{field} is {}, and the campaign has {}",
                canonical(found),
                canonical(wanted)
            ),
        ));
    }
    let unknown: Vec<&str> = locked
        .contract
        .fields
        .keys()
        .map(String::as_str)
        .filter(|field| contract.known(field).is_none())
        .collect();
    if !unknown.is_empty() {
        return Err(context.unreadable(
            "contract-unknown",
            format!(
                "its contract does not say {}; measure with --target",
                unknown.join(", ")
            ),
        ));
    }
    let stream = contract
        .known(contract_field::REQUEST_STREAM)
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let scenario = locked
        .scenarios
        .iter()
        .find(|scenario| scenario.request_stream_sha256 == stream)
        .ok_or_else(|| {
            context.drift(
                "contract-drift",
                format!(
                    "{} is {stream}, which is no locked scenario: another workload or another seed",
                    contract_field::REQUEST_STREAM
                ),
            )
        })?;
    if scenario.scenario != workload.scenario || scenario.purpose != workload.purpose {
        return Err(context.drift(
            "contract-drift",
            format!(
                "it calls the scenario {} what was locked as {}: the header of the workload was edited",
                workload.scenario, scenario.scenario
            ),
        ));
    }
    same_as_first(context, contract, &scenario.scenario)?;
    Ok(scenario)
}

/// The first benchmark of a scenario fixes what the target leaves open: load, sampling, simulated or real.
fn same_as_first(context: &Context<'_>, contract: &FieldSet, scenario: &str) -> Result<(), Refusal> {
    let first = context
        .state
        .benchmarks()
        .find(|accepted| accepted.facts.scenario.as_deref() == Some(scenario));
    let Some(first) = first.filter(|first| first.facts.contract != contract.fingerprint) else {
        return Ok(());
    };
    let stored = crate::ledger::objects::get(&context.ledger.root, &first.facts.sha256)
        .ok()
        .flatten();
    let stored: Option<Document<serde_json::Value>> =
        stored.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let differences = stored.map(|stored| stored.contract.compare(contract));
    let mut what: Vec<String> = Vec::new();
    for (field, before, now) in differences.iter().flat_map(|found| &found.differing) {
        what.extend(values(field, before, now));
    }
    let unknown = differences.iter().flat_map(|found| &found.unknown);
    what.extend(unknown.map(|field| format!("{field} is not said by both")));
    Err(context.drift(
        "contract-drift",
        format!(
            "its contract is not the one of the first benchmark of {scenario} (entry {}): {}",
            first.seq,
            what.join("; ")
        ),
    ))
}

/// Both values of a field; of one with fields of its own those that differ.
fn values(field: &str, before: &Value, now: &Value) -> Vec<String> {
    let shown = |value: &Value| contracts::text::clean(&canonical(value), 120);
    let (Some(was), Some(is)) = (before.as_object(), now.as_object()) else {
        return vec![format!("{field} is {}, and was {}", shown(now), shown(before))];
    };
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let of =
        |object: &serde_json::Map<String, Value>, name: &str| object.get(name).cloned().unwrap_or_default();
    names
        .into_iter()
        .map(|name| (name, of(was, name), of(is, name)))
        .filter(|(_, was, is)| canonical(was) != canonical(is))
        .map(|(name, was, is)| format!("{field}.{name} is {}, and was {}", shown(&is), shown(&was)))
        .collect()
}

/// The model that answered is the one that was asked for.
fn served_model(context: &Context<'_>, target: &TargetInfo) -> Result<(), Refusal> {
    let model = &context.ledger.lock.target.model;
    let Some(served) = &target.served_model else {
        return Ok(());
    };
    if model.is_served_as(served) {
        return Ok(());
    }
    Err(context.drift(
        "served-model",
        format!(
            "the server answered as {}, which is neither {} nor one of model.served_names",
            contracts::text::clean(served, 100),
            model.id.as_deref().unwrap_or("a declared model")
        ),
    ))
}

/// Side A is ours and side B one that the campaign compares with.
fn compared_frameworks(context: &Context<'_>, data: &CompareData) -> Result<(), Refusal> {
    let campaign = &context.state.campaign;
    let [a, b] = [&data.a, &data.b].map(|side| side.target.engine.kind.name());
    if a != campaign.framework {
        return Err(context.drift(
            "framework-drift",
            format!(
                "its side A is {a}, and the campaign makes {} faster",
                campaign.framework
            ),
        ));
    }
    if !campaign.comparison.iter().any(|framework| framework == b) {
        return Err(context.drift(
            "framework-drift",
            format!(
                "its side B is {b}, and the campaign compares with {}",
                campaign.comparison.join(", ")
            ),
        ));
    }
    Ok(())
}

/// The launch of ours changes in attempts, which are charged and judged, and nowhere else.
fn our_launch(context: &Context<'_>, ours: &Side) -> Result<(), Refusal> {
    // Until there is a verdict the first launch is still looked for.
    let is_fixed = context.state.current_decision().is_some();
    if !context.is_new || !is_fixed || context.state.open_attempt().is_some() {
        return Ok(());
    }
    let current = context
        .state
        .benchmarks()
        .rfind(|accepted| accepted.facts.sides.len() == 2 && context.state.counts(accepted))
        .and_then(|accepted| super::stored_compare(context, &accepted.facts.sha256));
    let Some(current) = current.map(|data| data.a.subject) else {
        return Ok(());
    };
    match subject::first_difference(&current, &ours.subject) {
        Some(what) => Err(context.drift(
            "change-outside-attempt",
            format!("ours is not launched as the campaign has it now: {what}; `loop-ledger begin` opens an attempt"),
        )),
        None => Ok(()),
    }
}

/// Blocks are all there and numbered as they were measured: leaving some out is a selection.
fn whole(context: &Context<'_>, data: &CompareData) -> Result<(), Refusal> {
    let missing = data
        .blocks
        .iter()
        .enumerate()
        .find(|(index, block)| block.block as usize != *index);
    match missing {
        Some((index, _)) => Err(context.drift(
            "blocks-missing",
            format!("block {index} is not there: a comparison is taken whole"),
        )),
        None => Ok(()),
    }
}

/// Runs of one document are measured one after the other: the same moments twice are one run, copied.
fn one_after_the_other<'a>(
    context: &Context<'_>,
    runs: impl Iterator<Item = &'a Run>,
) -> Result<(), Refusal> {
    let mut windows: Vec<_> = runs.filter_map(|run| run.windows.full.as_ref()).collect();
    windows.sort_by_key(|window| (window.start_at, window.end_at));
    match windows.windows(2).find(|two| two[1].start_at < two[0].end_at) {
        Some(two) => Err(context.drift(
            "runs-overlap",
            format!(
                "two of its runs were measured at the same time ({})",
                two[1].start_at
            ),
        )),
        None => Ok(()),
    }
}

/// Runs that measure the engine, not a trick or a fault.
fn believable(
    context: &Context<'_>,
    side: &str,
    runs: &[&Run],
    scenario: &LockedScenario,
) -> Result<(), Refusal> {
    if runs.is_empty() {
        return Err(context.invalid("no-runs", format!("{side} has no run")));
    }
    let invalid = runs.len() - valid(runs) as usize;
    if invalid as f64 > runs.len() as f64 * MAX_INVALID_RATIO {
        let reason = runs
            .iter()
            .find_map(|run| run.invalid_reasons.first())
            .map_or("", String::as_str);
        return Err(context.invalid(
            "invalid-runs",
            format!("{invalid} of {} runs of {side} are invalid: {reason}", runs.len()),
        ));
    }
    for run in runs.iter().filter(|run| run.valid) {
        let sent = run.requests.sent.max(1) as f64;
        let success = run.requests.succeeded as f64 / sent;
        if success < MIN_SUCCESS_RATIO {
            return Err(context.invalid(
                "success-rate",
                format!(
                    "{side}: {} of {} requests succeeded in run {}",
                    run.requests.succeeded, run.requests.sent, run.run
                ),
            ));
        }
        let cached = run.tokens.cached.unwrap_or(0) as f64;
        let input = run.tokens.input.unwrap_or(0).max(1) as f64;
        if !scenario.shares_prefixes && cached / input > MAX_CACHED_RATIO {
            return Err(context.invalid(
                "cached-prompts",
                format!(
                    "{side}: {:.0} % of the prompt tokens of run {} came from a cache, and {} shares no prefixes",
                    100.0 * cached / input,
                    run.run,
                    scenario.scenario
                ),
            ));
        }
        if run.windows.full.is_none() || run.throughput.output_tps.is_none() {
            return Err(context.invalid(
                "no-window",
                format!(
                    "{side}: run {} does not say when it was measured, or how fast",
                    run.run
                ),
            ));
        }
        if let Some(what) = inconsistent(run, scenario) {
            return Err(context.drift("edited-numbers", format!("{side}, run {}: {what}", run.run)));
        }
        objectives::answered(context, side, run)?;
    }
    Ok(())
}

/// A rate that its own tokens and window do not give was written by somebody else.
fn inconsistent(run: &Run, scenario: &LockedScenario) -> Option<String> {
    let window = run.windows.full.as_ref()?;
    let seconds = window.end_at.duration_since(window.start_at).as_secs_f64();
    let stated = run.throughput.output_tps?.get();
    if seconds <= 0.0 {
        return Some("its window ends before it begins".to_owned());
    }
    let computed = run.tokens.output as f64 / seconds;
    let outcomes: u64 = run.requests.succeeded + run.requests.failed;
    if outcomes > run.requests.sent {
        return Some(format!(
            "{outcomes} requests ended and {} were sent",
            run.requests.sent
        ));
    }
    if run.requests.sent > scenario.num_prompts {
        return Some(format!(
            "{} requests were sent, and the scenario has {}",
            run.requests.sent, scenario.num_prompts
        ));
    }
    let longest = scenario.output_len.as_ref().map_or(u64::MAX, |length| length.max);
    if run.tokens.output > run.requests.sent.saturating_mul(longest) {
        return Some(format!(
            "{} tokens came of {} requests that asked for {longest} at most",
            run.tokens.output, run.requests.sent
        ));
    }
    let error = (stated - computed).abs() / computed.max(f64::MIN_POSITIVE);
    (error > MAX_RATE_ERROR)
        .then(|| format!("output_tps is {stated:.1}, but its tokens and its window give {computed:.1}"))
}

/// What was measured lies inside the open attempt (or the campaign), and was not stored before.
fn in_its_time(context: &Context<'_>, facts: &Facts) -> Result<(), Refusal> {
    if !context.is_new {
        return Ok(());
    }
    let Some(measured) = &facts.measured_at else {
        return Err(context.invalid("no-window", "no run says when it was measured".to_owned()));
    };
    let open = context.state.open_attempt();
    let (since, what) = match open {
        Some(attempt) => (attempt.began_at, format!("attempt {} began", attempt.id)),
        None => (context.state.began_at, "the campaign began".to_owned()),
    };
    if measured.start_at < since {
        return Err(context.drift(
            "evidence-copied",
            format!(
                "it was measured at {}, before {what} ({since})",
                measured.start_at
            ),
        ));
    }
    if measured.end_at > context.state.now {
        return Err(context.drift(
            "evidence-from-the-future",
            format!("it ends at {}", measured.end_at),
        ));
    }
    let of_attempt = context
        .state
        .attempts
        .iter()
        .filter_map(|attempt| Some((attempt, context.state.ended_at(attempt)?)))
        .find(|(attempt, ended_at)| measured.start_at < *ended_at && attempt.began_at < measured.end_at);
    if let Some((attempt, _)) = of_attempt {
        return Err(context.drift(
            "evidence-copied",
            format!(
                "it was measured while attempt {} was open, which has ended",
                attempt.id
            ),
        ));
    }
    let copied = context.state.benchmarks().find(|accepted| {
        accepted.facts.measured_at.as_ref() == Some(measured) && accepted.facts.sha256 != facts.sha256
    });
    match copied {
        Some(first) => Err(context.drift(
            "evidence-copied",
            format!("the same moments are those of entry {}", first.seq),
        )),
        None => Ok(()),
    }
}

fn measured<'a>(runs: impl Iterator<Item = &'a Run>) -> Option<MeasuredAt> {
    let windows: Vec<_> = runs.filter_map(|run| run.windows.full.as_ref()).collect();
    Some(MeasuredAt {
        start_at: windows.iter().map(|window| window.start_at).min()?,
        end_at: windows.iter().map(|window| window.end_at).max()?,
    })
}

fn mean_rate(runs: &[&Run]) -> Option<Finite> {
    let metric = Metric::parse("output_tps").ok()?;
    let rates: Vec<f64> = runs
        .iter()
        .filter(|run| run.valid)
        .filter_map(|run| metric.value(run))
        .map(Finite::get)
        .collect();
    Finite::ratio(rates.iter().sum(), rates.len() as f64)
}

fn valid(runs: &[&Run]) -> u32 {
    u32::try_from(runs.iter().filter(|run| run.valid).count()).unwrap_or(u32::MAX)
}

fn declared_argv(subject: &FieldSet) -> Option<Vec<String>> {
    serde_json::from_value(subject.known("launch.argv")?.clone()).ok()
}
