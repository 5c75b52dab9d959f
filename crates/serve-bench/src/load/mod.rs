//! One run at one load level: requests go out, records come back. Nothing is judged here.

mod closed_loop;
mod collector;
mod heartbeat;
mod open_loop;
pub(crate) mod process;
mod stop;
mod timer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use contracts::serve_bench::record::{Phase, RequestRecord};
use contracts::serve_bench::result::{Arrival, LoadInfo, LoadMode};
use contracts::serve_bench::workload::Turn;
use engine_client::{Call, Endpoint, Headers, RecordContext, Slot};
use jiff::Timestamp;

use crate::fold::ClientSamples;
use collector::Collector;
pub use collector::{Event, Sink};
use stop::Stop;

/// A request ready to be sent.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Number in the workload.
    pub index: u64,
    /// Its place in a conversation.
    pub turn: Option<Turn>,
    /// The body, model name included.
    pub body: Bytes,
    /// When it is due, from the start of the run; `None` in a closed loop.
    pub due: Option<Duration>,
    /// Output tokens asked for.
    pub output_len: Option<u64>,
    /// Whether the body asks for `ignore_eos`.
    pub ignore_eos: bool,
}

impl Prepared {
    /// How long the user thinks before it.
    fn think(&self) -> Duration {
        let think = self
            .turn
            .and_then(|turn| Duration::try_from_secs_f64(turn.think_ms.get() / 1e3).ok());
        think.unwrap_or_default()
    }
}

/// Everything a run needs that does not change between runs.
#[derive(Clone)]
pub struct Level {
    /// The server.
    pub endpoint: Endpoint,
    /// Headers of every request.
    pub headers: Headers,
    /// Path below the base URL.
    pub path: &'static str,
    /// Requests in order; the first `info.warmup_requests` are warm-up.
    pub requests: Arc<[Prepared]>,
    /// The load.
    pub info: LoadInfo,
    /// When to begin, by this machine's clock; `None` is at once.
    pub start_at: Option<Timestamp>,
    /// Longest a request may take.
    pub timeout: Option<Duration>,
    /// Runtime threads of the client.
    pub threads: usize,
    /// Counts the tokens of a text when the server does not.
    pub count_tokens: Option<TokenCounter>,
}

/// Counts the tokens of a text.
pub type TokenCounter = Arc<dyn Fn(&str) -> usize + Send + Sync>;

/// What a run brought.
pub struct Finished {
    /// One record per request that was started.
    pub records: Vec<RequestRecord>,
    /// What the client sampled of itself.
    pub samples: ClientSamples,
    /// The wall-clock time from which record times count.
    pub epoch_at: Timestamp,
    /// False when it was interrupted.
    pub complete: bool,
}

/// A closed loop of `concurrency`, all prompts sent.
pub fn closed_loop_info(concurrency: u32, warmup_requests: u64) -> LoadInfo {
    LoadInfo {
        mode: LoadMode::ClosedLoop,
        concurrency: Some(concurrency),
        request_rate_rps: None,
        arrival: None::<Arrival>,
        burstiness: None,
        speedup: None,
        max_concurrency: None,
        warmup_requests,
        duration_s: None,
    }
}

/// Makes the load and collects the records. `sink` hears when the clock starts, and sees every record as its request ends.
///
/// # Errors
/// Those of starting the runtime; a failing request is a record, not an error.
pub fn run(level: &Level, run: u32, sink: Sink) -> std::io::Result<Finished> {
    let mut builder = match level.threads {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        threads => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    let runtime = builder.enable_all().build()?;
    let slots = match level.info.mode {
        LoadMode::ClosedLoop | LoadMode::Conversations => runtime.block_on(closed_loop::open_slots(level)),
        LoadMode::OpenLoop | LoadMode::Trace => Vec::new(),
    };
    let opened_before: u64 = slots.iter().map(Slot::connections_opened).sum();
    if let Some(start_at) = level.start_at {
        wait_until(start_at);
    }
    let cpu_before = process::cpu_s();
    let epoch_at = Timestamp::now();
    let epoch = Instant::now();
    let collector = Collector::start(sink, epoch_at);
    let shared = Arc::new(Shared {
        level: level.clone(),
        run,
        epoch,
        stop: Stop::default(),
        connections: AtomicU64::new(opened_before),
        records: collector.sender(),
    });
    let poll_delay_ms = runtime.block_on(async {
        let heart = tokio::spawn(heartbeat::heartbeat(shared.stop.clone()));
        match level.info.mode {
            LoadMode::ClosedLoop | LoadMode::Conversations => closed_loop::run(&shared, slots).await,
            LoadMode::OpenLoop | LoadMode::Trace => open_loop::run(&shared).await,
        }
        shared.stop.finish();
        heart.await.unwrap_or_default()
    });
    let wall_s = epoch.elapsed().as_secs_f64();
    let cpu_s = process::cpu_s() - cpu_before;
    let complete = !shared.stop.cancel.is_cancelled();
    let connections_opened = shared.connections.load(Ordering::Relaxed);
    drop(shared);
    drop(runtime);
    let (mut records, dispatch_lag_ms) = collector.finish();
    // Requests end in any order; documents are deterministic.
    records.sort_by_key(|record| record.index);
    let available = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let samples = ClientSamples {
        dispatch_lag_ms,
        poll_delay_ms,
        cpu_s: Some(cpu_s),
        wall_s,
        cores: u32::try_from(available.min(level.threads.max(1))).unwrap_or(u32::MAX),
        connections_opened,
        peak_rss_bytes: process::peak_rss_bytes(),
    };
    Ok(Finished {
        records,
        samples,
        epoch_at,
        complete,
    })
}

/// Waits for a moment, or for Ctrl-C; the last bit awake, since a sleep ends late.
fn wait_until(at: Timestamp) {
    const AWAKE: Duration = Duration::from_millis(2);
    const LOOK: Duration = Duration::from_millis(50);
    while !cli_kit::interrupted() {
        let Ok(left) = Duration::try_from(at.duration_since(Timestamp::now())) else {
            return;
        };
        match left.checked_sub(AWAKE) {
            Some(long) if !long.is_zero() => std::thread::sleep(long.min(LOOK)),
            _ if left.is_zero() => return,
            _ => std::hint::spin_loop(),
        }
    }
}

/// What the slots of a run share.
struct Shared {
    level: Level,
    run: u32,
    epoch: Instant,
    stop: Stop,
    connections: AtomicU64,
    records: collector::Sender,
}

/// When a request was due, and what kept it.
struct Dispatch {
    /// Scheduled send of an open loop.
    scheduled: Option<Instant>,
    /// The moment from which only the client itself delays it.
    ready: Instant,
    /// Time it waited for `--max-concurrency`.
    queued: Option<Duration>,
}

impl Shared {
    fn slot(&self) -> Slot {
        Slot::new(self.level.endpoint.clone(), self.level.headers.clone())
    }

    /// Past `--duration` nothing more is sent.
    fn sending(&self) -> bool {
        self.lasts_until(self.epoch.elapsed()) && !self.stop.cancel.is_cancelled()
    }

    /// Waits for a moment; false when the run was stopped meanwhile.
    async fn pause_until(&self, at: Instant) -> bool {
        tokio::select! {
            () = tokio::time::sleep_until(at.into()) => true,
            () = self.stop.cancel.cancelled() => false,
        }
    }

    /// Whether requests are still sent so long after the start.
    fn lasts_until(&self, offset: Duration) -> bool {
        let limit = self.level.info.duration_s;
        limit.is_none_or(|limit| offset.as_secs_f64() < limit.get())
    }

    /// Sends one request and hands its record on.
    async fn send(&self, slot: &mut Slot, position: usize, dispatch: Dispatch) {
        let request = &self.level.requests[position];
        let observation = slot
            .send(&Call {
                path: self.level.path,
                body: request.body.clone(),
                timeout: self.level.timeout,
                ignore_eos: request.ignore_eos,
                requested_output_tokens: request.output_len,
                count_tokens: self.level.count_tokens.as_deref(),
                cancel: Some(&self.stop.cancel),
            })
            .await;
        if observation.opened_connection {
            self.connections.fetch_add(1, Ordering::Relaxed);
        }
        let lag = observation.start.saturating_duration_since(dispatch.ready);
        let warmup = (position as u64) < self.level.info.warmup_requests;
        let record = observation.into_record(RecordContext {
            run: self.run,
            index: request.index,
            turn: request.turn,
            phase: if warmup { Phase::Warmup } else { Phase::Measured },
            epoch: self.epoch,
            scheduled: dispatch.scheduled,
            queued: dispatch.queued,
            requested_output_tokens: request.output_len,
        });
        self.records.send(record, lag);
    }
}
