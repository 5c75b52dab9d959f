//! `profile-tables capture`: start the profiler of a running server, make it work, stop, and wait for the files.
//!
//! plan (`plan`, `engines`) -> is anybody else being served (`load`)? -> start, probe (`probe`), stop -> wait (`wait`)
//! -> document (`report`). The profiler is stopped whatever happens in between.

mod engines;
mod error;
mod lengths;
mod load;
mod plan;
mod probe;
mod report;
mod servers;
mod wait;

use std::time::Duration;

use cli_kit::{Failure, OutputArgs, Report};
use contracts::profile_tables::capture::{ProbeStage, Refusal, Sent, ServerLoad};
use contracts::serve_bench::probe::ProbeData;
use engine_client::{Endpoint, Headers, post_order, served_model};
use serde_json::Value;

use crate::cli::{CaptureArgs, CaptureStageArg};
use engines::Profiler;
use error::CaptureError;
use lengths::Lengths;
use plan::CapturePlan;
use probe::Probed;
use servers::Servers;
use wait::Watch;

/// What was not started is stopped at once.
const UNDO_LIMIT: Duration = Duration::from_secs(10);

/// Writing a large trace can take minutes, and the answer to the stop comes after it.
const STOP_LIMIT: Duration = Duration::from_secs(600);

/// Everything that a capture found out.
struct Captured {
    server: ProbeData,
    role: Option<String>,
    front_url: Option<String>,
    model: String,
    steps_asked: Option<u64>,
    load: ServerLoad,
    refused: Option<Refusal>,
    sent: Vec<Sent>,
    folder: std::path::PathBuf,
    probed: Option<Probed>,
    files: Vec<std::path::PathBuf>,
    /// Ranks of the server, one trace each.
    ranks: usize,
    interrupted: bool,
}

pub(crate) fn run(args: &CaptureArgs, output: &OutputArgs) -> Result<Report, Failure> {
    let stage = match args.stage {
        CaptureStageArg::Prefill => ProbeStage::Prefill,
        CaptureStageArg::Decode => ProbeStage::Decode,
    };
    let servers = Servers::of(&args.url, stage)?;
    let headers = headers(args)?;
    // Without handlers Ctrl-C would leave the profiler of the server running.
    cli_kit::install_interrupt().map_err(CaptureError::Signals)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(CaptureError::Runtime)?;
    let bar = cli_kit::spinner("capturing", output);
    let server = runtime.block_on(engine_client::probe(&servers.profiled, &headers))?;
    let binding = args
        .bind
        .read(Some(server.engine.kind.name()), server.simulated)?;
    let lengths = binding.as_ref().map(|binding| Lengths::of(&binding.workload));
    let plan = CapturePlan::new(args, lengths.as_ref())?;
    let captured = runtime.block_on(capture(&plan, &servers, &headers, server))?;
    bar.finish_and_clear();
    report::report(&plan, captured, binding)
}

async fn capture(
    plan: &CapturePlan,
    servers: &Servers,
    headers: &Headers,
    server: ProbeData,
) -> Result<Captured, Failure> {
    let endpoint = &servers.profiled;
    let profiler = Profiler::of(server.engine.kind)?;
    let model = served_model(&server, plan.model.as_deref())?;
    let folder = profiler.folder(plan, &server)?;
    plan.fits(&server)?;
    let mut load = load::load(endpoint, headers, server.engine.kind).await;
    for other in &servers.others {
        load = load::together(load, load::load(other, headers, server.engine.kind).await);
    }
    let mut captured = Captured {
        steps_asked: profiler.steps(plan),
        ranks: profiler.ranks(&server),
        server,
        role: servers.role.clone(),
        front_url: servers.front.as_ref().map(Endpoint::to_string),
        model,
        load,
        refused: None,
        sent: Vec::new(),
        folder,
        probed: None,
        files: Vec::new(),
        interrupted: false,
    };
    let (running, waiting) = (captured.load.running, captured.load.waiting);
    if running.unwrap_or(0).saturating_add(waiting.unwrap_or(0)) > 0 {
        captured.refused = Some(Refusal::ServerBusy);
        return Ok(captured);
    }
    let watch = Watch::begin(&captured.folder);
    let body = profiler.start_body(plan, &captured.folder);
    let started = order(&mut captured, endpoint, headers, "/start_profile", body).await;
    if started.is_err() {
        // Without an answer it may have begun all the same, and would slow down everything that comes after.
        let _ = post_order(endpoint, headers, "/stop_profile", None, UNDO_LIMIT).await;
    }
    let (status, reason) = started?;
    profiler.started(status, &reason)?;
    let probed = probe::probe(plan, servers.asked(), headers, &captured.model).await;
    // Steps that were counted to the end have written their file by now; what is left of the session ends here.
    let stopped = order(&mut captured, endpoint, headers, "/stop_profile", Value::Null).await;
    let probed = probed?;
    captured.interrupted = probed.interrupted;
    captured.probed = Some(probed);
    let stopped = stopped?;
    // A profiler that has counted to its end is not in progress any more, and SGLang says so with a 500.
    if stopped.0 != 200 && !(captured.steps_asked.is_some() && stopped.0 == 500) {
        return Err(CaptureError::StopRefused {
            status: stopped.0,
            reason: stopped.1,
        }
        .into());
    }
    if !captured.interrupted {
        captured.files = watch
            .files(plan.stage, captured.ranks, plan.wait, cli_kit::interrupted)
            .await?;
        captured.interrupted = cli_kit::interrupted();
    }
    Ok(captured)
}

/// Sends an order to the profiler and keeps it for the document.
async fn order(
    captured: &mut Captured,
    endpoint: &Endpoint,
    headers: &Headers,
    path: &str,
    body: Value,
) -> Result<(u16, String), Failure> {
    let sent = Some(&body).filter(|body| !body.is_null());
    let answered = post_order(endpoint, headers, path, sent, STOP_LIMIT).await?;
    captured.sent.push(Sent {
        path: path.to_owned(),
        body,
        status: answered.status,
    });
    Ok((answered.status, answered.text))
}

fn headers(args: &CaptureArgs) -> Result<Headers, Failure> {
    let mut headers = Headers::new();
    if let Some(variable) = &args.api_key_env {
        let key = std::env::var(variable).map_err(|_| CaptureError::KeyMissing(variable.clone()))?;
        headers.set_bearer(&key)?;
    }
    Ok(headers)
}
