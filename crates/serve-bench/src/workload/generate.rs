//! From a plan to a workload.

use contracts::serve_bench::result::LengthRange;
use contracts::serve_bench::workload::{SCHEMA, ScenarioInfo, StreamHash, WorkloadHeader, WorkloadRequest};
use contracts::{Finite, Warning};

use super::arrival::Offsets;
use super::body::{Template, asked_output_len};
use super::compose::Composer;
use super::draft::Draft;
use super::plan::{Dataset, MAX_OUTPUT_LEN, MAX_PROMPTS, ScenarioPlan};
use super::sizer::PromptSizer;
use super::{
    Workload, WorkloadError, WorkloadPlan, azure, burstgpt, jsonl, mooncake, random, sharegpt, turns,
};

/// Makes the requests of a plan.
///
/// # Errors
/// [`WorkloadError`] when the plan cannot be granted, a data set does not read, or the tokenizer does not answer.
pub fn generate(plan: &WorkloadPlan, sizer: &mut dyn PromptSizer) -> Result<Workload, WorkloadError> {
    let refuse = |reason: String| Err(WorkloadError::Plan { reason });
    if plan.scenarios.is_empty() {
        return refuse("it has no scenario".to_owned());
    }
    for (number, scenario) in plan.scenarios.iter().enumerate() {
        let name = &scenario.scenario;
        if name.is_empty() || name.len() > 80 || contracts::text::clean(name, 80) != *name {
            return refuse("a scenario needs a plain name of at most 80 bytes".to_owned());
        }
        if plan.scenarios[..number]
            .iter()
            .any(|other| other.scenario == *name)
        {
            return refuse(format!("it has two scenarios `{name}`"));
        }
        if scenario
            .num_prompts
            .is_some_and(|count| !(1..=MAX_PROMPTS).contains(&count))
        {
            return refuse(format!("--num-prompts is not within 1 to {MAX_PROMPTS}"));
        }
    }
    let mut composer = Composer::new(sizer);
    let mut whole = StreamHash::default();
    let mut workload = Workload {
        header: WorkloadHeader {
            schema: SCHEMA.to_owned(),
            name: plan.name.clone(),
            model: plan.model.clone(),
            tokenizer: composer.tokenizer(),
            request_stream_sha256: String::new(),
            scenarios: Vec::new(),
        },
        requests: Vec::new(),
        notes: Vec::new(),
    };
    for scenario in &plan.scenarios {
        let requests = requests(scenario, &mut composer, &mut workload.notes)?;
        let mut own = StreamHash::default();
        for request in &requests {
            own.add(request);
            whole.add(request);
        }
        workload.header.scenarios.push(ScenarioInfo {
            scenario: scenario.scenario.clone(),
            purpose: scenario.purpose,
            num_prompts: requests.len() as u64,
            seed: seed(scenario),
            dataset: scenario.dataset.name().to_owned(),
            prompt_unit: composer.unit().name().to_owned(),
            endpoint: scenario.endpoint.name().to_owned(),
            input_len: range(requests.iter().map(|request| request.input_len)),
            output_len: range(requests.iter().map(|request| request.output_len)),
            request_stream_sha256: own.finish(),
        });
        workload.requests.extend(requests);
    }
    workload.header.request_stream_sha256 = whole.finish();
    Ok(workload)
}

fn requests(
    plan: &ScenarioPlan,
    composer: &mut Composer<'_>,
    notes: &mut Vec<Warning>,
) -> Result<Vec<WorkloadRequest>, WorkloadError> {
    turns::check(plan)?;
    let mut drafts = match &plan.dataset {
        Dataset::Random(random) => random::drafts(plan, random, composer)?,
        Dataset::Sharegpt { path, output_len } => {
            sharegpt::drafts(plan, path, checked(*output_len)?, composer, notes)?
        }
        Dataset::Jsonl { path, output_len } => jsonl::drafts(plan, path, checked(*output_len)?, composer)?,
        Dataset::Azure { path } => azure::drafts(plan, path, composer)?,
        Dataset::Burstgpt { path } => burstgpt::drafts(plan, path, composer, notes)?,
        Dataset::Mooncake { path } => mooncake::drafts(plan, path, composer)?,
    };
    let arrivals = arrivals(plan, &mut drafts)?;
    let turns = turns::unfold(plan, &mut drafts);
    let template = Template {
        endpoint: plan.endpoint,
        ignore_eos: plan.ignore_eos,
        extra: plan.extra_body.as_ref(),
    };
    drafts
        .into_iter()
        .zip(arrivals.into_iter().zip(turns))
        .enumerate()
        .map(|(index, (draft, (arrival_offset_ms, turn)))| {
            let body = template
                .body(draft.prompt, draft.output_len, draft.extra_body.as_ref())
                .map_err(|reason| refused(plan, draft.line, reason))?;
            Ok(WorkloadRequest {
                scenario: plan.scenario.clone(),
                index: index as u64,
                arrival_offset_ms,
                input_len: draft.input_len,
                output_len: asked_output_len(&body),
                prefix_group: draft.prefix_group,
                turn,
                body,
            })
        })
        .collect()
}

/// The offsets to freeze: those of the asked process, else those of the data set, else none. Requests of a trace are
/// put in the order of their time stamps; the first arrives at 0.
fn arrivals(plan: &ScenarioPlan, drafts: &mut [Draft]) -> Result<Vec<Option<Finite>>, WorkloadError> {
    if let Some(asked) = plan.arrival {
        let offsets = Offsets::new(asked, plan.seed, &plan.scenario)?;
        return Ok(offsets.take(drafts.len()).map(Some).collect());
    }
    let Some(first) = drafts.first().map(|draft| draft.timestamp_ms.is_some()) else {
        return Ok(Vec::new());
    };
    if let Some(odd) = drafts.iter().find(|draft| draft.timestamp_ms.is_some() != first) {
        let reason = if first {
            "no `timestamp_ms`, but the rows before have one"
        } else {
            "a `timestamp_ms`, but the rows before have none"
        };
        return Err(refused(plan, odd.line, reason.to_owned()));
    }
    if !first {
        return Ok(vec![None; drafts.len()]);
    }
    // Stable: requests of one time stamp keep their order.
    drafts.sort_by(|a, b| {
        let (a, b) = (a.timestamp_ms.unwrap_or(0.0), b.timestamp_ms.unwrap_or(0.0));
        a.total_cmp(&b)
    });
    let origin = drafts.first().and_then(|draft| draft.timestamp_ms).unwrap_or(0.0);
    drafts
        .iter()
        .map(|draft| {
            let at = draft.timestamp_ms.unwrap_or(origin) - origin;
            match Finite::new(at) {
                Some(at) => Ok(Some(at)),
                None => Err(refused(
                    plan,
                    draft.line,
                    "the time stamp is out of range".to_owned(),
                )),
            }
        })
        .collect()
}

fn checked(output_len: Option<u64>) -> Result<Option<u64>, WorkloadError> {
    match output_len {
        Some(length) if !(1..=MAX_OUTPUT_LEN).contains(&length) => Err(WorkloadError::Plan {
            reason: format!("--output-len is {length}, not within 1 to {MAX_OUTPUT_LEN}"),
        }),
        other => Ok(other),
    }
}

/// A body that cannot be frozen: the row's fault where there is a row, else the plan's.
fn refused(plan: &ScenarioPlan, line: u64, reason: String) -> WorkloadError {
    match &plan.dataset {
        Dataset::Sharegpt { path, .. }
        | Dataset::Jsonl { path, .. }
        | Dataset::Azure { path }
        | Dataset::Burstgpt { path }
        | Dataset::Mooncake { path }
            if line > 0 =>
        {
            WorkloadError::DatasetRow {
                path: path.clone(),
                line,
                reason,
            }
        }
        _ => WorkloadError::Plan { reason },
    }
}

/// A seed that changes nothing is not named.
fn seed(plan: &ScenarioPlan) -> Option<u64> {
    match plan.dataset {
        Dataset::Jsonl { .. } if plan.arrival.is_none() => None,
        _ => Some(plan.seed),
    }
}

/// Smallest, mean and largest; none when one is unknown.
fn range(lengths: impl Iterator<Item = Option<u64>>) -> Option<LengthRange> {
    let all: Vec<u64> = lengths.collect::<Option<_>>()?;
    let sum: u64 = all.iter().sum();
    Some(LengthRange {
        min: *all.iter().min()?,
        mean: Finite::ratio(sum as f64, all.len() as f64)?,
        max: *all.iter().max()?,
    })
}
