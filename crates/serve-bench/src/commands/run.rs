//! `run`: one load level, once or several times.

use std::path::Path;

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::serve_bench::record::{self, RecordHeader};
use contracts::serve_bench::result::{LoadInfo, LoadMode, ResultData, SCHEMA};
use contracts::serve_bench::shard::Shard;
use contracts::{Field, NextAction, Warning};
use serde_json::json;

use crate::cache::{self, Flushed};
use crate::cli::{Args, RunArgs};
use crate::fold::aggregate;
use crate::identity::{self, Declared};
use crate::level::{choose, level};
use crate::measure::{Name, exit_with, list_records, measure, open_records, rules};
use crate::server::Server;
use crate::source::Selected;
use crate::{shard, sizing, verdict, view};

/// A load that asks for more at once than there is to send: what it is called is not what it is.
fn too_few(load: &LoadInfo, selected: &Selected) -> Option<Warning> {
    let asked = load.concurrency?;
    let firsts = selected
        .requests
        .iter()
        .filter(|request| request.turn.is_none_or(|turn| turn.number == 0));
    let there = (firsts.count() as u64).saturating_sub(load.warmup_requests);
    let what = match load.mode {
        LoadMode::Conversations => "conversations",
        _ => "requests",
    };
    (there < u64::from(asked)).then(|| {
        Warning::new(
            "concurrency-above-workload",
            format!("--concurrency {asked} asks for more at once than the {there} {what} of the workload"),
        )
    })
}

pub(crate) fn run(args: &RunArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let declared = Declared::load(&args.contract)?;
    let slo = declared.slo(&args.contract);
    // Before anything is asked of the server.
    rules(&slo, &args.contract.goodput)?;
    let server = Server::connect(&args.server.url, &args.server.request)?;

    let sized = sizing::size(args, &server, output)?;
    let (mut selected, rate, warmup) = choose(
        &args.load,
        &args.workload,
        &server,
        sized.concurrency,
        sized.num_prompts,
    )?;
    let level = level(
        &server,
        &mut selected,
        rate,
        &args.load.shape,
        warmup,
        args.server.request.timeout,
    )?;
    crate::context::check(&selected.requests, &server)?;
    selected.info.num_prompts = selected.requests.len() as u64 - warmup;
    let whole = level.info.clone();
    let shard = shard::of(args, &whole)?;
    let level = match &shard {
        Some(shard) => shard::part(level, shard)?,
        None => level,
    };
    // A part of a load meets no rule of the whole.
    let slo = if shard.is_some() { Vec::new() } else { slo };
    let rules = rules(&slo, &args.contract.goodput)?;

    let mut parts = DocumentParts::new(SCHEMA);
    parts.simulated = server.probe.simulated;
    parts.inputs = [declared.inputs.clone(), selected.inputs.clone()].concat();
    parts.warnings = selected.warnings.clone();
    parts.warnings.extend(too_few(&whole, &selected));
    parts.warnings.extend(identity::served_model(
        &declared,
        &server.served_model,
        &server.probe,
    ));
    let requests: Vec<_> = selected.requests.iter().collect();
    parts.contract = identity::contract(
        &declared,
        selected.model.as_deref(),
        selected.tokenizer.as_deref(),
        &selected.info.request_stream_sha256,
        &whole,
        identity::sampling(&selected.info.endpoint, &requests),
        Field::observed(server.probe.simulated),
    );
    if let Some(shard) = &shard {
        parts.contract = shard::contract(parts.contract, shard);
    }
    parts.environment = cli_kit::environment();
    parts.subject = identity::subject(declared.subject.as_ref(), &server.probe, &mut parts.warnings);

    let target = server.target(declared.model(selected.model.as_deref()));
    let header = RecordHeader {
        schema: record::SCHEMA.to_owned(),
        tool: cli_kit::tool(&Args::TOOL),
        created_at: cli_kit::created_at(),
        contract: parts.contract.clone(),
        environment: parts.environment.clone(),
        subject: parts.subject.clone(),
        target: target.clone(),
        workload: selected.info.clone(),
        load: level.info.clone(),
        shard: shard.clone(),
        // Of the whole, for the merge.
        slo: declared.slo(&args.contract),
        goodput: args.contract.goodput.clone(),
    };
    let records = open_records(args.records.as_deref(), &header, false)?;

    let mut runs = Vec::new();
    let mut last_records = Vec::new();
    let mut was_warned = false;
    for number in 0..args.repeat {
        let label = if args.repeat > 1 {
            format!("run {}/{}", number + 1, args.repeat)
        } else {
            "run".to_owned()
        };
        // The same prompts again: a warm prefix cache would make this another measurement. A frozen workload was sent
        // before, by its nature.
        let is_again = number > 0 || args.workload.workload.is_some();
        if is_again && cache::flush(&server)? == Flushed::No && !was_warned {
            was_warned = true;
            parts.warnings.push(cache::warning(&server));
        }
        let name = Name {
            run: number,
            side: None,
            label: &label,
        };
        let measured = measure(&level, &rules, &name, records.as_ref(), output)?;
        runs.push(measured.run);
        last_records = measured.records;
        if let Some(shard) = &shard {
            parts.warnings.push(shard::partial(shard));
            parts.warnings.extend(shard::late(shard, measured.epoch_at, ""));
        }
        if !measured.complete {
            parts.complete = false;
            break;
        }
    }

    parts.summary = verdict::headline(&runs);
    parts.warnings.extend(verdict::warnings(
        verdict::numbered(&runs),
        &selected.info.prompt_unit,
    ));
    parts.next_actions = match &shard {
        Some(shard) => merging(args, shard),
        None => next_actions(args, &runs),
    };
    let exit = exit_with(records.as_ref(), verdict::exit(&runs, parts.complete));
    list_records(records.as_ref(), &mut parts);
    if let Some(failure) = crate::context::refused_by_server(&last_records, &server) {
        return Err(failure);
    }
    let data = ResultData {
        target,
        workload: selected.info.clone(),
        aggregate: aggregate(&runs),
        plan: json!({
            "repeat": args.repeat,
            "load": level.info,
            "threads": args.load.shape.threads,
            "timeout_s": args.server.request.timeout,
            "slo": slo,
            "goodput": args.contract.goodput,
            "sized": sized.why,
            "workload": args.workload.workload,
            "scenario": args.workload.scenario,
            "command": crate::command_line(),
        }),
        load: level.info.clone(),
        shard,
        imported_from: None,
        runs,
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    let mut view = view::result(&document, output.top);
    if let Some(peer) = args.compat {
        view = view.table(crate::compat::table(&last_records, peer));
    }
    Ok(Report::new(&document, view, exit))
}

/// A part leads to the others; what their files are called only their user knows.
fn merging(args: &RunArgs, shard: &Shard) -> Vec<NextAction> {
    let own = args.records.as_deref().and_then(Path::to_str);
    let why = format!(
        "the whole, when all {} parts are there: give the records of each",
        shard.of
    );
    let command = [
        "serve-bench",
        "merge",
        own.unwrap_or("RECORDS…"),
        "-o",
        "merged.json",
    ];
    vec![NextAction::new(&why, &command)]
}

/// What leads on from here.
fn next_actions(args: &RunArgs, runs: &[contracts::serve_bench::run::Run]) -> Vec<NextAction> {
    let mut actions = Vec::new();
    let url = args.server.url.as_str();
    if runs.iter().any(|run| run.client.client_limited) {
        actions.push(NextAction::new(
            "see what keeps the client from its work",
            &["serve-bench", "doctor"],
        ));
    }
    if args.workload.workload.is_none() {
        let mut command: Vec<&str> = "serve-bench freeze --preset chat --url".split(' ').collect();
        command.push(url);
        // Else the file would not say which model it is for.
        let target = args.contract.target.as_deref().and_then(Path::to_str);
        command.extend(target.iter().flat_map(|target| ["--target", target]));
        command.extend(["--out", "workload.jsonl"]);
        actions.push(NextAction::new(
            "freeze a workload, so that every later measurement sends the same bytes",
            &command,
        ));
    }
    if args.repeat == 1 && args.workload.workload.is_some() {
        actions.push(NextAction {
            why: "one run has no interval: repeat it".to_owned(),
            command: crate::command_with(&[("--repeat", "8"), (output_flag(), "repeated.json")]),
        });
    }
    actions
}

/// `-o` as it was typed, so that it is replaced and not given twice.
fn output_flag() -> &'static str {
    if std::env::args().any(|word| word == "--output" || word.starts_with("--output=")) {
        "--output"
    } else {
        "-o"
    }
}
