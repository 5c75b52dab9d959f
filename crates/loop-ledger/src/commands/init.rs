//! `init` and `retarget`: the contract, once and for all.

use std::collections::BTreeMap;
use std::path::Path;

use cli_kit::{Failure, Report};
use contracts::loop_ledger::entry::Evidence;
use contracts::loop_ledger::event::{Event, Init, Supersedes};
use contracts::loop_ledger::lock::{self, LockedScenario, LockedWorkload, TargetLock};
use contracts::serve_bench::result::EngineKind;
use contracts::serve_bench::workload::{self, Purpose, StreamHash, WorkloadHeader, WorkloadRequest};
use contracts::target::Target;
use contracts::{Exit, FieldSet, Finite, Input};
use jiff::Timestamp;

use super::receipt;
use crate::accept::objectives::Objective;
use crate::cli::{InitArgs, RetargetArgs};
use crate::error::LedgerError;
use crate::ledger::{Ledger, Root, Writer, lock_bytes, objects, refuse_existing};

/// Largest workload that is locked.
const WORKLOAD_CAP: u64 = 1 << 30;

pub(crate) fn init(root: &Root, args: &InitArgs) -> Result<Report, Failure> {
    begin(root, args, None, None)
}

pub(crate) fn retarget(root: &Root, args: &RetargetArgs) -> Result<Report, Failure> {
    super::said("--why", &args.why)?;
    let left = Ledger::read(&Root::new(&args.supersedes))?;
    let supersedes = Supersedes {
        lock_sha256: contracts::fields::sha256_hex(&lock_bytes(&left.lock)),
        head: left.chain.head().to_owned(),
        why: super::typed(&args.why),
    };
    begin(root, &args.init, Some(supersedes), Some(&left))
}

/// Whether a contract asks for nothing new: a second root of the same would only be a fresh budget.
fn is_same(left: &Ledger, new: &TargetLock) -> bool {
    let streams = |lock: &TargetLock| {
        let mut streams: Vec<String> = lock
            .scenarios
            .iter()
            .map(|scenario| scenario.request_stream_sha256.clone())
            .collect();
        streams.sort();
        streams
    };
    left.lock.target == new.target && streams(&left.lock) == streams(new)
}

fn begin(
    root: &Root,
    args: &InitArgs,
    supersedes: Option<Supersedes>,
    left: Option<&Ledger>,
) -> Result<Report, Failure> {
    refuse_existing(root)?;
    let (target, target_input, target_bytes): (Target, Input, _) =
        cli_kit::load_yaml_bytes(&args.target, Target::SCHEMA)?;
    check_target(&target)?;
    let mut workloads = Vec::new();
    let mut scenarios: Vec<LockedScenario> = Vec::new();
    // All is read before anything is written: what is refused leaves no folder behind.
    let mut files: Vec<(&Path, Vec<u8>, &str)> = Vec::new();
    for path in &args.workload {
        let bytes = cli_kit::read_bounded(path, WORKLOAD_CAP)?;
        let (locked, of_file) = read_workload(root, path, &bytes)?;
        for scenario in &of_file {
            if scenarios.iter().any(|known| known.scenario == scenario.scenario) {
                return Err(Failure::new(
                    Exit::BadInput,
                    "scenario-twice",
                    format!("two workloads have a scenario {}", scenario.scenario),
                )
                .hint("freeze them under different names"));
            }
        }
        scenarios.extend(of_file);
        files.push((path, bytes, workload::SCHEMA));
        workloads.push(locked);
    }
    files.push((&args.target, target_bytes, Target::SCHEMA));
    let lock = TargetLock {
        schema: lock::SCHEMA.to_owned(),
        created_at: Timestamp::now(),
        contract: FieldSet::new(target.contract_fields()),
        target,
        target_sha256: target_input.sha256,
        scenarios,
        workloads,
    };
    if let Some(left) = left.filter(|left| is_same(left, &lock)) {
        return Err(Failure::new(
            Exit::BadInput,
            "target-unchanged",
            format!(
                "failed to begin another campaign: target and workloads are those of {}",
                left.root.path().display()
            ),
        )
        .hint("go on there with `loop-ledger status`: the same campaign has one budget"));
    }
    let first = Event::Init(Init {
        lock_sha256: contracts::fields::sha256_hex(&lock_bytes(&lock)),
        budget: lock.target.campaign.clone().unwrap_or_default().budget,
        supersedes,
    });
    std::fs::create_dir_all(root.path()).map_err(|error| LedgerError::io("create", root.path(), &error))?;
    let mut evidence = Vec::new();
    for (path, bytes, schema) in &files {
        evidence.push(store(root, path, bytes, schema)?);
    }
    let writer = Writer::create(root, lock, first, evidence)?;
    let entries = writer.ledger.entries().to_vec();
    Ok(receipt(&writer.ledger, entries, false, Vec::new()))
}

/// A campaign without these would compare unlike things, or nothing.
fn check_target(target: &Target) -> Result<(), Failure> {
    let incomplete = |what: &str| {
        Failure::new(Exit::BadInput, "target-incomplete", format!("the target does not say {what}"))
            .hint("see examples/targets for whole ones; a field that nobody knows is declared as such, for example `revision: unknown-local-build`")
    };
    let model = &target.model;
    for (known, what) in [
        (model.id.is_some(), "model.id"),
        (model.revision.is_some(), "model.revision"),
        (model.tokenizer.is_some(), "model.tokenizer"),
        (model.precision.is_some(), "model.precision"),
        (target.hardware.class.is_some(), "hardware.class"),
        (target.hardware.gpu_count.is_some(), "hardware.gpu_count"),
        (target.threshold_ratio.is_some(), "threshold_ratio"),
        (target.margin_ratio.is_some(), "margin_ratio"),
    ] {
        if !known {
            return Err(incomplete(what));
        }
    }
    let Some(campaign) = &target.campaign else {
        return Err(incomplete("campaign (framework, comparison, budget)"));
    };
    if campaign.framework.is_empty() {
        return Err(incomplete("campaign.framework"));
    }
    if campaign.comparison.is_empty() {
        return Err(incomplete("campaign.comparison"));
    }
    let contradicts = |what: String| {
        Failure::new(Exit::BadInput, "target-contradicts", what)
            .hint("mend the target before the campaign begins: the contract cannot be changed later")
    };
    for rule in &target.slo {
        if Objective::read(rule).is_none() {
            return Err(contradicts(format!(
                "`{}` is no objective: METRIC<=NUMBER or METRIC>=NUMBER",
                contracts::text::clean(rule, 80)
            )));
        }
    }
    for (name, ratio) in [
        ("threshold_ratio", target.threshold_ratio),
        ("margin_ratio", target.margin_ratio),
    ] {
        // With another value every verdict would be refused, and the contract cannot be mended later.
        if let Some(ratio) = ratio
            .map(Finite::get)
            .filter(|ratio| !(*ratio > 0.0 && *ratio < 1.0))
        {
            return Err(contradicts(format!(
                "{name} is {ratio}, and has to lie between 0 and 1"
            )));
        }
    }
    for framework in campaign.comparison.iter().chain([&campaign.framework]) {
        let known = serde_json::from_value::<EngineKind>(framework.clone().into());
        if known.is_err() {
            return Err(contradicts(format!(
                "`{}` is no framework that a benchmark could name",
                contracts::text::clean(framework, 80)
            ))
            .hint("sglang, vllm, tensorrt-llm, tokenspeed, llama.cpp, other"));
        }
    }
    if let Some(both) = campaign
        .excluded
        .iter()
        .find(|excluded| campaign.comparison.contains(&excluded.framework))
    {
        return Err(Failure::new(
            Exit::BadInput,
            "target-contradicts",
            format!("{} is compared and excluded", both.framework),
        )
        .hint("leave it out of one of the two"));
    }
    if let (Some(least), Some(count)) = (campaign.minimum_gpu_count, target.hardware.gpu_count)
        && count < least
    {
        return Err(Failure::new(
            Exit::BadInput,
            "target-contradicts",
            format!("hardware.gpu_count is {count}, and the model needs {least}"),
        )
        .hint("take a machine with as many, or declare what the model needs"));
    }
    let metric = campaign.metric.as_deref().unwrap_or(crate::state::DEFAULT_METRIC);
    if let Err(error) = contracts::metric::Metric::parse(metric) {
        return Err(Failure::new(
            Exit::BadInput,
            "target-metric",
            format!("campaign.metric: {error}"),
        )
        .hint("a throughput such as output_tps, or a latency such as p50_ttft_ms"));
    }
    Ok(())
}

/// Header and hashes of a workload file, computed and not believed.
fn read_workload(
    root: &Root,
    path: &Path,
    bytes: &[u8],
) -> Result<(LockedWorkload, Vec<LockedScenario>), Failure> {
    let name = path.display().to_string();
    let bad = |code: &str, message: String| {
        Failure::new(Exit::BadInput, code, format!("{name}: {message}"))
            .hint("freeze it with `serve-bench freeze`")
    };
    if let Some(other) = crate::accept::schema_of(bytes).filter(|schema| schema != workload::SCHEMA) {
        let other = contracts::text::clean(&other, 80);
        return Err(bad(
            "input-schema",
            format!("it is a `{other}`, and a campaign is begun on frozen workloads"),
        ));
    }
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let header: WorkloadHeader = lines
        .next()
        .ok_or_else(|| bad("input-empty", "it is empty".to_owned()))
        .and_then(|line| {
            serde_json::from_slice(line).map_err(|error| {
                bad(
                    "input-malformed",
                    format!("line 1 is no header of a workload: {error}"),
                )
            })
        })?;
    let mut streams: BTreeMap<String, (StreamHash, bool)> = BTreeMap::new();
    for (number, line) in lines.enumerate() {
        let request: WorkloadRequest = serde_json::from_slice(line)
            .map_err(|error| bad("input-malformed", format!("line {}: {error}", number + 2)))?;
        let (stream, shares) = streams.entry(request.scenario.clone()).or_default();
        stream.add(&request);
        *shares |= request.prefix_group.is_some();
    }
    let mut scenarios = Vec::new();
    for info in header.scenarios {
        let (stream, shares_prefixes) = streams.remove(&info.scenario).unwrap_or_default();
        let computed = stream.finish();
        if computed != info.request_stream_sha256 {
            return Err(Failure::new(
                Exit::Drift,
                "workload-hash-mismatch",
                format!(
                    "{name}: scenario {} does not have the hash that its header says",
                    info.scenario
                ),
            )
            .hint("take the frozen file, or freeze anew before the campaign begins"));
        }
        if info.purpose != Purpose::Evidence {
            return Err(bad(
                "workload-diagnostic",
                format!(
                    "scenario {} is diagnostic: it explains a gap and never decides one",
                    info.scenario
                ),
            ));
        }
        scenarios.push(LockedScenario {
            workload: name.clone(),
            scenario: info.scenario,
            purpose: info.purpose,
            num_prompts: info.num_prompts,
            seed: info.seed,
            input_len: info.input_len,
            output_len: info.output_len,
            shares_prefixes,
            request_stream_sha256: computed,
        });
    }
    let locked = LockedWorkload {
        name: header.name,
        path: root.way_to(path).display().to_string(),
        sha256: contracts::fields::sha256_hex(bytes),
        bytes: bytes.len() as u64,
    };
    Ok((locked, scenarios))
}

fn store(root: &Root, path: &Path, bytes: &[u8], schema: &str) -> Result<Evidence, LedgerError> {
    let sha256 = objects::put(root, bytes).map_err(|error| LedgerError::io("store", path, &error))?;
    Ok(Evidence {
        path: path.display().to_string(),
        sha256,
        bytes: bytes.len() as u64,
        schema: Some(schema.to_owned()),
        schema_sha256: None,
        stored: true,
    })
}
