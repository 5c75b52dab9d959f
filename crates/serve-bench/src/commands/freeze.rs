//! `freeze`: a workload file.

use cli_kit::{Cli as _, DocumentParts, Failure, OutputArgs, Report};
use contracts::serve_bench::freeze::{FreezeData, SCHEMA};
use contracts::{Artifact, Exit, NextAction, Warning};

use crate::cli::{Args, FreezeArgs};
use crate::identity::Declared;
use crate::server::Server;
use crate::source::{arrival_plan, make, plan};
use crate::view;

pub(crate) fn freeze(args: &FreezeArgs, _output: &OutputArgs) -> Result<Report, Failure> {
    let declared = Declared::from_paths(args.target.as_deref(), None)?;
    let server = args
        .url
        .as_deref()
        .map(|url| Server::connect(url, &args.request))
        .transpose()?;
    let model = declared.model(None);
    let (mut plan, hint) = plan(&args.workload, None, model.clone())?;
    if let Some(name) = &args.name {
        plan.name.clone_from(name);
        // A dataset is one scenario and has no name of its own: a campaign of several files tells them apart by this.
        if let [scenario] = plan.scenarios.as_mut_slice()
            && args.workload.preset.is_empty()
        {
            scenario.scenario.clone_from(name);
        }
    }
    if let Some(rate) = args.request_rate {
        for scenario in &mut plan.scenarios {
            scenario.arrival = Some(arrival_plan(rate, args.arrival, args.burstiness)?);
        }
    }
    let (workload, prompt_check) = make(&plan, &args.workload, server.as_ref())?;
    workload.write(&args.out)?;
    let bytes = cli_kit::read_bounded(&args.out, u64::MAX - 1)?;
    let path = args.out.display().to_string();

    let mut parts = DocumentParts::new(SCHEMA);
    parts.inputs = declared.inputs;
    parts.warnings = workload.notes.clone();
    if model.is_none() {
        parts.warnings.push(Warning::new(
            "model-not-declared",
            "no canonical model id: two servers that name the model differently will not compare; declare it with --target",
        ));
    }
    let scenarios = workload.header.scenarios.len();
    let requests = workload.requests.len();
    parts.summary = format!(
        "{requests} requests in {scenarios} scenario(s) frozen in {path}, request stream {}",
        workload.header.request_stream_sha256
    );
    parts.artifacts.push(Artifact {
        kind: "workload".to_owned(),
        path: path.clone(),
        sha256: Some(contracts::fields::sha256_hex(&bytes)),
        bytes: bytes.len() as u64,
    });
    // A server that nobody named is not guessed.
    let url = args.url.as_deref().unwrap_or("URL_OF_SERVER");
    let mut command = vec!["serve-bench", "run", "--url", url, "--workload", &path];
    if scenarios > 1
        && let Some(first) = workload.header.scenarios.first()
    {
        command.extend(["--scenario", &first.scenario]);
    }
    let concurrency = hint
        .and_then(|hint| hint.concurrency)
        .map(|concurrency| concurrency.to_string());
    if let Some(concurrency) = &concurrency {
        command.extend(["--concurrency", concurrency]);
    }
    let target = args.target.as_deref().and_then(std::path::Path::to_str);
    command.extend(target.iter().flat_map(|target| ["--target", target]));
    command.extend(["-o", "result.json"]);
    let why = if args.url.is_some() {
        "measure the server on it"
    } else {
        "measure a server on it; replace URL_OF_SERVER"
    };
    parts.next_actions.push(NextAction::new(why, &command));
    let data = FreezeData {
        path,
        workload: workload.header,
        prompt_check,
    };
    let document = cli_kit::document(&Args::TOOL, parts, data);
    Ok(Report::new(&document, view::freeze(&document), Exit::Ok))
}
