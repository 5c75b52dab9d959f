//! From flags and a workload to a load level.

use std::sync::Arc;
use std::time::Duration;

use cli_kit::Failure;
use contracts::serve_bench::result::{Arrival, LoadInfo, LoadMode};
use contracts::serve_bench::workload::{StreamHash, WorkloadRequest};
use contracts::{Exit, Finite};

use crate::cli::LoadShapeArgs;
use crate::load::{Level, Prepared, closed_loop_info};
use crate::server::Server;
use crate::source::{Selected, arrival_plan, check_shape};
use crate::workload::arrival::{ArrivalPlan, Offsets, sped_up};
use crate::workload::body_bytes;

/// The level of a load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rate {
    /// Closed loop.
    Concurrency(u32),
    /// Open loop, requests per second.
    PerSecond(f64),
    /// The arrivals of the workload.
    Trace,
}

/// What the flags, the workload and its preset say, in this order.
pub(crate) fn choose_rate(
    concurrency: Option<u32>,
    request_rate: Option<f64>,
    selected: &Selected,
    default: u32,
) -> Rate {
    if let Some(concurrency) = concurrency {
        return Rate::Concurrency(concurrency);
    }
    if let Some(rate) = request_rate {
        return Rate::PerSecond(rate);
    }
    if selected
        .requests
        .iter()
        .all(|request| request.arrival_offset_ms.is_some())
    {
        return Rate::Trace;
    }
    match &selected.hint {
        Some(hint) => match (hint.concurrency, &hint.arrival) {
            (Some(concurrency), _) => Rate::Concurrency(concurrency),
            (None, Some(arrival)) => Rate::PerSecond(arrival.request_rate_rps.get()),
            (None, None) => Rate::Concurrency(default),
        },
        None => Rate::Concurrency(default),
    }
}

/// Warm-up requests when the flag is silent: none of a frozen workload, else one per slot.
pub(crate) fn default_warmup(rate: Rate, frozen: bool) -> u64 {
    match (frozen, rate) {
        (false, Rate::Concurrency(concurrency)) => u64::from(concurrency),
        _ => 0,
    }
}

/// Puts a level together. `selected` gets the hash of what will really be sent.
pub(crate) fn level(
    server: &Server,
    selected: &mut Selected,
    rate: Rate,
    shape: &LoadShapeArgs,
    warmup: u64,
    timeout_s: f64,
) -> Result<Level, Failure> {
    check_shape(shape)?;
    if warmup >= selected.requests.len() as u64 {
        return Err(Failure::new(
            Exit::Usage,
            "warmup-too-long",
            format!(
                "--warmup {warmup} leaves none of {} requests to measure",
                selected.requests.len()
            ),
        )
        .hint("lower --warmup or raise --num-prompts"));
    }
    let info = info(rate, shape, warmup, selected)?;
    arrivals(&info, selected, shape)?;
    raise_open_files(info.concurrency.or(info.max_concurrency).unwrap_or(1024))?;
    let asks_ignore_eos = |request: &WorkloadRequest| {
        request
            .body
            .get("ignore_eos")
            .and_then(serde_json::Value::as_bool)
    };
    Ok(Level {
        endpoint: server.endpoint.clone(),
        headers: server.headers.clone(),
        path: selected.endpoint.path(),
        requests: prepare(selected, server),
        info,
        timeout: (timeout_s.is_finite() && timeout_s > 0.0).then(|| Duration::from_secs_f64(timeout_s)),
        ignore_eos: selected
            .requests
            .first()
            .and_then(asks_ignore_eos)
            .unwrap_or(false),
        threads: usize::from(shape.threads),
        count_tokens: None,
    })
}

/// The same level on another server: only the model's name in the bodies differs.
pub(crate) fn on_server(level: &Level, server: &Server, selected: &Selected) -> Level {
    Level {
        endpoint: server.endpoint.clone(),
        headers: server.headers.clone(),
        requests: prepare(selected, server),
        ..level.clone()
    }
}

fn prepare(selected: &Selected, server: &Server) -> Arc<[Prepared]> {
    let due = |request: &WorkloadRequest| {
        request
            .arrival_offset_ms
            .map(|offset| Duration::from_secs_f64(offset.get() / 1e3))
    };
    selected
        .requests
        .iter()
        .map(|request| Prepared {
            index: request.index,
            body: body_bytes(request, &server.served_model),
            due: due(request),
            output_len: request.output_len,
        })
        .collect()
}

fn info(rate: Rate, shape: &LoadShapeArgs, warmup: u64, selected: &Selected) -> Result<LoadInfo, Failure> {
    let mut info = closed_loop_info(0, warmup);
    info.concurrency = None;
    info.duration_s = shape.duration.and_then(Finite::new);
    let hinted_cap = selected.hint.as_ref().and_then(|hint| hint.max_concurrency);
    match rate {
        Rate::Concurrency(concurrency) => info.concurrency = Some(concurrency),
        Rate::PerSecond(rate) => {
            let plan = hinted(selected, rate)
                .map_or_else(|| arrival_plan(rate, shape.arrival, shape.burstiness), Ok)?;
            info.mode = LoadMode::OpenLoop;
            info.request_rate_rps = Some(plan.request_rate_rps);
            info.arrival = Some(plan.arrival);
            info.burstiness = (plan.arrival == Arrival::Gamma).then_some(plan.burstiness);
            info.max_concurrency = shape.max_concurrency.or(hinted_cap);
        }
        Rate::Trace => {
            info.mode = LoadMode::Trace;
            info.arrival = Some(Arrival::Trace);
            info.speedup = Finite::new(shape.speedup);
            info.max_concurrency = shape.max_concurrency.or(hinted_cap);
        }
    }
    Ok(info)
}

/// The arrival process of a preset, as long as its rate was not overridden.
fn hinted(selected: &Selected, rate: f64) -> Option<ArrivalPlan> {
    selected
        .hint
        .as_ref()?
        .arrival
        .filter(|plan| plan.request_rate_rps.get() == rate)
}

/// Gives every request its arrival, and the stream its hash.
fn arrivals(info: &LoadInfo, selected: &mut Selected, shape: &LoadShapeArgs) -> Result<(), Failure> {
    match info.mode {
        LoadMode::ClosedLoop => return Ok(()),
        LoadMode::OpenLoop => {
            let plan = ArrivalPlan {
                arrival: info.arrival.unwrap_or(Arrival::Poisson),
                request_rate_rps: info.request_rate_rps.unwrap_or_else(|| Finite::from(1)),
                burstiness: info.burstiness.unwrap_or_else(|| Finite::from(1)),
            };
            let offsets = Offsets::new(plan, selected.info.seed.unwrap_or(0), &selected.info.scenario)?;
            for (request, offset) in selected.requests.iter_mut().zip(offsets) {
                request.arrival_offset_ms = Some(offset);
            }
        }
        LoadMode::Trace if shape.speedup != 1.0 => {
            for request in &mut selected.requests {
                request.arrival_offset_ms = request
                    .arrival_offset_ms
                    .and_then(|offset| sped_up(offset, shape.speedup));
            }
        }
        LoadMode::Trace => return Ok(()),
    }
    let mut hash = StreamHash::default();
    for request in &selected.requests {
        hash.add(request);
    }
    selected.info.request_stream_sha256 = hash.finish();
    Ok(())
}

/// Files beside the sockets: records, runtime, libraries.
const OTHER_FILES: u64 = 64;

/// Raises the soft limit of open files as far as is needed.
fn raise_open_files(connections: u32) -> Result<(), Failure> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let needed = u64::from(connections) + OTHER_FILES;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    limit.current = Some(limit.maximum.map_or(needed, |maximum| maximum.min(needed)));
    let raised = setrlimit(Resource::Nofile, limit).is_ok();
    if raised && limit.current.is_some_and(|current| current >= needed) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Unavailable,
        "open-file-limit",
        format!(
            "{connections} connections need {needed} open files, the limit is {}",
            limit.current.unwrap_or(0)
        ),
    )
    .hint(format!(
        "run `ulimit -n {needed}` before, or lower --concurrency / --max-concurrency"
    )))
}
