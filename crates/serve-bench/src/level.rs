//! From flags and a workload to a load level.

use std::sync::Arc;
use std::time::Duration;

use cli_kit::Failure;
use contracts::serve_bench::result::{Arrival, LoadInfo, LoadMode};
use contracts::serve_bench::workload::{StreamHash, WorkloadRequest};
use contracts::{Exit, Finite};

use crate::cli::{LoadArgs, LoadShapeArgs, WorkloadSourceArgs};
use crate::load::{Level, Prepared, closed_loop_info};
use crate::server::Server;
use crate::source::{Selected, arrival_plan, check_shape, select};
use crate::workload::arrival::{ArrivalPlan, Offsets, sped_up};
use crate::workload::body_bytes;
use crate::workload::preset::LoadHint;

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
fn choose_rate(
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
    hinted_rate(selected.hint.as_ref(), default)
}

fn hinted_rate(hint: Option<&LoadHint>, default: u32) -> Rate {
    match hint.map(|hint| (hint.concurrency, &hint.arrival)) {
        Some((Some(concurrency), _)) => Rate::Concurrency(concurrency),
        Some((None, Some(arrival))) => Rate::PerSecond(arrival.request_rate_rps.get()),
        Some((None, None)) | None => Rate::Concurrency(default),
    }
}

/// Warm-up requests of a workload that is made now, when the flag is silent: one per slot, and what its preset needs.
fn default_warmup(rate: Rate, hint: Option<&LoadHint>) -> u64 {
    let slots = match rate {
        Rate::Concurrency(concurrency) => u64::from(concurrency),
        Rate::PerSecond(_) | Rate::Trace => 0,
    };
    slots.max(hint.map_or(0, |hint| hint.warmup_requests))
}

/// Workload, level and warm-up of a command with one level. `default` is the concurrency when nothing is said.
pub(crate) fn choose(
    load: &LoadArgs,
    workload: &WorkloadSourceArgs,
    server: &Server,
    default: u32,
    default_prompts: Option<u64>,
) -> Result<(Selected, Rate, u64), Failure> {
    let hint = crate::source::hint(workload)?;
    let guess = match (load.concurrency, load.request_rate) {
        (Some(concurrency), _) => Rate::Concurrency(concurrency),
        (None, Some(rate)) => Rate::PerSecond(rate),
        (None, None) => hinted_rate(hint.as_ref(), default),
    };
    let asked = load.shape.warmup;
    let extra = asked.unwrap_or_else(|| default_warmup(guess, hint.as_ref()));
    let selected = select(workload, server, extra, default_prompts)?;
    let rate = choose_rate(load.concurrency, load.request_rate, &selected, default);
    let made_here_random = !selected.frozen && selected.info.dataset == "random";
    let warmup = asked.unwrap_or(if made_here_random { extra } else { 0 });
    Ok((selected, rate, warmup))
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
    raise_open_files(connections(&info, selected.requests.len()))?;
    Ok(Level {
        endpoint: server.endpoint.clone(),
        headers: server.headers.clone(),
        path: selected.endpoint.path(),
        requests: prepare(selected, server)?,
        info,
        start_at: None,
        timeout: limit(timeout_s),
        threads: usize::from(shape.threads),
        count_tokens: selected.count_tokens.clone(),
    })
}

/// The same level on another server: only the model's name in the bodies differs.
pub(crate) fn on_server(level: &Level, server: &Server, selected: &Selected) -> Result<Level, Failure> {
    Ok(Level {
        endpoint: server.endpoint.clone(),
        headers: server.headers.clone(),
        requests: prepare(selected, server)?,
        ..level.clone()
    })
}

/// Nobody waits longer; a clock can count further, but not to every number that can be typed.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// `--timeout`: what is no positive number of seconds, or longer than a year, is no limit.
fn limit(timeout_s: f64) -> Option<Duration> {
    let limit = Duration::try_from_secs_f64(timeout_s).ok()?;
    (!limit.is_zero() && limit <= LONGEST).then_some(limit)
}

fn prepare(selected: &Selected, server: &Server) -> Result<Arc<[Prepared]>, Failure> {
    let due = |request: &WorkloadRequest| {
        let Some(offset) = request.arrival_offset_ms else {
            return Ok(None);
        };
        let due = Duration::try_from_secs_f64(offset.get() / 1e3).ok();
        due.filter(|due| *due <= LONGEST).map(Some).ok_or_else(|| {
            Failure::new(
                Exit::BadInput,
                "arrival-too-late",
                format!(
                    "request {} is due {} ms after the start",
                    request.index,
                    offset.get()
                ),
            )
            .hint("raise --request-rate or --speedup; a year is the longest run")
        })
    };
    let asks_ignore_eos = |request: &WorkloadRequest| {
        let asked = request.body.get("ignore_eos");
        asked.and_then(serde_json::Value::as_bool).unwrap_or(false)
    };
    selected
        .requests
        .iter()
        .map(|request| {
            Ok(Prepared {
                index: request.index,
                turn: request.turn,
                body: body_bytes(request, &server.served_model),
                due: due(request)?,
                output_len: request.output_len,
                ignore_eos: asks_ignore_eos(request),
            })
        })
        .collect()
}

fn info(rate: Rate, shape: &LoadShapeArgs, warmup: u64, selected: &Selected) -> Result<LoadInfo, Failure> {
    let mut info = closed_loop_info(0, warmup);
    info.concurrency = None;
    info.duration_s = shape.duration.and_then(Finite::new);
    let hinted_cap = selected.hint.as_ref().and_then(|hint| hint.max_concurrency);
    let converses = selected.requests.iter().any(|request| request.turn.is_some());
    if converses && !matches!(rate, Rate::Concurrency(_)) {
        return Err(Failure::new(
            Exit::Usage,
            "turns-open-loop",
            "the next turn of a conversation is sent after the answer before, and not at a time of its own"
                .to_owned(),
        )
        .hint("give --concurrency: conversations at once"));
    }
    match rate {
        Rate::Concurrency(concurrency) => {
            info.concurrency = Some(concurrency);
            if converses {
                info.mode = LoadMode::Conversations;
            }
        }
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
        LoadMode::ClosedLoop | LoadMode::Conversations => return Ok(()),
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
pub(crate) const OTHER_FILES: u64 = 64;

/// Connections that a level may open at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Connections {
    most: u64,
    /// Whether it asks for so many; an open loop without a cap has as many as the server leaves open.
    is_asked: bool,
}

fn connections(info: &LoadInfo, requests: usize) -> Connections {
    let asked = info.concurrency.or(info.max_concurrency).map(u64::from);
    Connections {
        most: asked.unwrap_or(u64::MAX).min(requests as u64),
        is_asked: asked.is_some(),
    }
}

/// Raises the soft limit of open files as far as is needed and allowed; too low is an error where the load was asked for.
fn raise_open_files(connections: Connections) -> Result<(), Failure> {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let needed = connections.most + OTHER_FILES;
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    limit.current = Some(limit.maximum.map_or(needed, |maximum| maximum.min(needed)));
    let raised = setrlimit(Resource::Nofile, limit).is_ok();
    if !connections.is_asked || raised && limit.current.is_some_and(|current| current >= needed) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Unavailable,
        "open-file-limit",
        format!(
            "{} connections need {needed} open files, the limit is {}",
            connections.most,
            limit.current.unwrap_or(0)
        ),
    )
    .hint(format!(
        "run `ulimit -n {needed}` before, or lower --concurrency / --max-concurrency"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::preset::Preset;

    #[test]
    fn a_preset_warms_up_as_many_as_it_needs() {
        let load = |preset: &str, scenario: usize| {
            let preset = Preset::find(preset, 0).unwrap();
            preset.scenarios[scenario].load.clone()
        };
        for (hint, default, warmup) in [
            (Some(load("prefix-repeat", 1)), 8, 16),
            (Some(load("prefix-repeat", 0)), 8, 4),
            (Some(load("chat", 0)), 8, 16),
            (Some(load("inferencebench-c", 1)), 8, 0),
            (None, 8, 8),
        ] {
            let rate = hinted_rate(hint.as_ref(), default);
            assert_eq!(default_warmup(rate, hint.as_ref()), warmup, "{hint:?}");
        }
        // A higher load than the preset's has more slots to warm up.
        let hint = load("prefix-repeat", 1);
        assert_eq!(default_warmup(Rate::Concurrency(32), Some(&hint)), 32);
    }

    #[test]
    fn no_more_connections_than_requests() {
        let mut info = closed_loop_info(1024, 0);
        let most = |info: &LoadInfo| {
            let Connections { most, is_asked } = connections(info, 10);
            (most, is_asked)
        };
        assert_eq!(most(&info), (10, true));
        info.concurrency = None;
        assert_eq!(
            most(&info),
            (10, false),
            "an open loop is not refused for what it might need"
        );
        info.max_concurrency = Some(4);
        assert_eq!(most(&info), (4, true));
    }

    #[test]
    fn a_time_limit_of_any_number_is_no_panic() {
        assert_eq!(limit(1.5), Some(Duration::from_millis(1500)));
        for none in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 1e18] {
            assert_eq!(limit(none), None, "{none}");
        }
    }
}
