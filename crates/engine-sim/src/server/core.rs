//! The engine in real time: steps that begin when the one before has ended, tokens that leave when a step ends.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::connection::{Peer, Work};
use super::deadlines::Subject;
use super::profile::{ProfileSetup, Profiler};
use super::serve::Server;
use crate::engine::{Noise, Scheduler, Step};
use crate::engine_log::EngineLog;
use crate::flavor::{Flavor, Launch, startup_lines};
use crate::metrics::{Counts, Finished, Gauges, render};
use crate::profile::StepRecord;
use crate::reply::Events;

/// A step that should have ended this long ago is not caught up with: the machine was elsewhere.
const BEHIND_NS: u64 = 50_000_000;
/// Unwritten bytes at which a client that does not read is given up.
const GIVEN_UP: usize = 64 << 20;

/// What an engine is started with.
#[derive(Clone, Debug)]
pub(crate) struct EngineSetup {
    pub(crate) launch: Launch,
    /// Every step takes this many times as long.
    pub(crate) stretch: f64,
    pub(crate) noise: Noise,
    /// No log.
    pub(crate) quiet: bool,
    /// Where traces go.
    pub(crate) profile: ProfileSetup,
}

/// The engine between requests.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) launch: Launch,
    pub(super) scheduler: Scheduler,
    pub(super) counts: Counts,
    pub(super) log: EngineLog,
    pub(super) profiler: Profiler,
    jobs: HashMap<u64, usize>,
    next_id: u64,
    step: Option<(Step, u64)>,
    events: Events,
    pub(super) decode_steps: u64,
    pub(super) window: Window,
    pub(super) throughput: f64,
    pub(super) hit_rate: f64,
}

/// What happened since the last log line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Window {
    pub(super) from_ns: u64,
    pub(super) prompt: u64,
    pub(super) generated: u64,
}

impl Core {
    pub(super) fn start(setup: EngineSetup) -> Core {
        let EngineSetup {
            launch,
            stretch,
            noise,
            quiet,
            profile,
        } = setup;
        let log = EngineLog::start(launch.flavor, quiet);
        startup_lines(&launch).iter().for_each(|line| log.line(line));
        let (model, hardware) = (launch.cost.model.name, launch.cost.hardware.name);
        Core {
            profiler: Profiler::new(profile, launch.flavor, model, hardware),
            scheduler: Scheduler::new(launch.settings, launch.cost, stretch, noise),
            counts: Counts::new(launch.flavor),
            launch,
            log,
            jobs: HashMap::new(),
            next_id: 0,
            step: None,
            events: Events::default(),
            decode_steps: 0,
            window: Window::default(),
            throughput: 0.0,
            hit_rate: 0.0,
        }
    }

    /// A number for the next job, whose tokens go to this connection.
    pub(super) fn register(&mut self, key: usize) -> u64 {
        self.next_id += 1;
        self.jobs.insert(self.next_id, key);
        self.next_id
    }

    /// Drops a job whose client went away.
    pub(super) fn abort(&mut self, id: u64) {
        self.jobs.remove(&id);
        if self.scheduler.abort(id) {
            self.counts.aborted += 1;
        }
    }

    pub(super) fn gauges(&self) -> Gauges {
        let (running, waiting) = self.scheduler.load();
        let (kv_used, kv_tokens) = self.scheduler.kv_tokens();
        // An engine without work reports no throughput.
        let throughput = if running == 0 { 0.0 } else { self.throughput };
        Gauges {
            running,
            waiting,
            kv_used,
            kv_tokens,
            throughput,
            hit_rate: self.hit_rate,
        }
    }

    /// The text of `/metrics`.
    pub(super) fn metrics(&self) -> String {
        render(&self.launch, &self.counts, &self.gauges())
    }

    /// State inside the engine, as `/server_info` reports it.
    pub(super) fn internal(&self) -> Value {
        let gib = |bytes: u64| (bytes as f64 / (1u64 << 30) as f64 * 100.0).round() / 100.0;
        let memory = &self.launch.memory;
        let gauges = self.gauges();
        json!({
            "memory_usage": {
                "weight": gib(memory.weights), "kvcache": gib(memory.kv), "graph": gib(memory.graphs),
                "token_capacity": gauges.kv_tokens,
            },
            "last_gen_throughput": (self.throughput * 100.0).round() / 100.0,
            "scheduler_overhead_fitted": {
                "round_us": self.launch.cost.overhead.round_ns / 1e3,
                "step_us": self.launch.cost.overhead.step_ns / 1e3,
                "sequence_us": self.launch.cost.overhead.sequence_ns / 1e3,
            },
        })
    }

    /// Forgets prefixes; false while requests are in the engine, as SGLang refuses then.
    pub(super) fn flush(&mut self) -> bool {
        let idle = self.scheduler.load() == (0, 0);
        if idle {
            self.scheduler.flush_cache();
        }
        idle
    }

    /// Takes the next step if there is work and none is under way; returns when it ends.
    fn begin(&mut self, start_ns: u64) -> Option<u64> {
        if self.step.is_some() {
            return None;
        }
        let step = self.scheduler.step()?;
        let due_ns = start_ns + step.duration_ns;
        self.account(&step, start_ns, due_ns);
        self.profile_step(StepRecord::of(&step));
        self.step = Some((step, due_ns));
        Some(due_ns)
    }

    fn account(&mut self, step: &Step, start_ns: u64, due_ns: u64) {
        let emitted = step.emissions.len() as u64;
        self.counts.preempted += step.preempted;
        self.counts.cached_tokens += step.cached_tokens;
        self.counts
            .step_tokens
            .observe((step.prefill_tokens + step.decodes) as f64);
        if !step.admitted.is_empty() {
            let seen = step.cached_tokens + step.prefill_tokens;
            self.hit_rate = step.cached_tokens as f64 / seen.max(1) as f64;
        }
        if self.window.generated == 0 && self.window.prompt == 0 {
            self.window.from_ns = start_ns;
        }
        self.window.prompt += step.prefill_tokens;
        self.window.generated += emitted;
        match self.launch.flavor {
            Flavor::Sglang => self.log_sglang(step, due_ns),
            Flavor::Vllm => self.log_vllm(due_ns),
        }
    }

    pub(super) fn close_window(&mut self, now_ns: u64) {
        let elapsed_ns = now_ns.saturating_sub(self.window.from_ns).max(1);
        self.throughput = self.window.generated as f64 / elapsed_ns as f64 * 1e9;
        self.window = Window {
            from_ns: now_ns,
            prompt: 0,
            generated: 0,
        };
    }
}

impl Server {
    /// Begins a step unless one is under way.
    pub(super) fn begin_step(&mut self, start_ns: u64) {
        if let Some(core) = &mut self.core
            && let Some(due_ns) = core.begin(start_ns)
        {
            self.deadlines.push(due_ns, Subject::Step);
        }
    }

    /// The step has ended: its tokens go out, and the next one begins where it ended.
    pub(super) fn end_step(&mut self, now_ns: u64) -> u64 {
        let Some((step, due_ns)) = self.core.as_mut().and_then(|core| core.step.take()) else {
            return now_ns;
        };
        for &id in &step.admitted {
            let key = self.core.as_ref().and_then(|core| core.jobs.get(&id).copied());
            if let Some(key) = key
                && let Some(connection) = self.connections.get_mut(key)
                && let Work::Live { live, .. } = &mut connection.work
            {
                live.admitted_ns
                    .get_or_insert(due_ns.saturating_sub(step.duration_ns));
            }
        }
        // The engine computes while its tokens are on their way.
        self.begin_step(due_ns.max(now_ns.saturating_sub(BEHIND_NS)));
        let mut now_ns = now_ns;
        for emission in &step.emissions {
            now_ns = self.emit(emission.id, due_ns, emission.last, emission.cached);
        }
        now_ns
    }

    fn emit(&mut self, id: u64, due_ns: u64, last: bool, cached: u64) -> u64 {
        let now_ns = self.clock.now_ns();
        let Some(core) = &mut self.core else { return now_ns };
        let Some(&key) = core.jobs.get(&id) else {
            return now_ns;
        };
        let Some(connection) = self.connections.get_mut(key) else {
            return now_ns;
        };
        let mut bytes = std::mem::take(&mut self.bursts);
        bytes.clear();
        let Work::Live { live, .. } = &mut connection.work else {
            return now_ns;
        };
        core.counts.generation_tokens += 1;
        let seconds = |from_ns: u64| due_ns.saturating_sub(from_ns) as f64 / 1e9;
        if live.first_ns.is_none() {
            live.first_ns = Some(due_ns);
            live.cached(cached);
            core.counts.ttft.observe(seconds(live.received_ns));
        } else {
            core.counts.itl.observe(seconds(live.last_ns));
        }
        live.last_ns = due_ns;
        if last {
            core.jobs.remove(&id);
            let (prompt, answer) = live.tokens();
            let since = |at_ns: u64| at_ns.saturating_sub(live.received_ns) as f64 / 1e9;
            core.counts.finish(Finished {
                prompt,
                answer,
                queue: since(live.admitted_ns.unwrap_or(live.received_ns)),
                first: since(live.first_ns.unwrap_or(due_ns)),
                whole: since(due_ns),
            });
        }
        let burst = live.token(due_ns, last, &mut core.events, &mut bytes);
        connection.out().extend_from_slice(&bytes);
        self.bursts = bytes;
        if connection.backlog() > GIVEN_UP {
            self.gone(key);
            return now_ns;
        }
        self.write(key, burst)
    }

    /// Answers `/metrics`, `/flush_cache` and its like; `None` for every other path.
    pub(super) fn engine_control(&mut self, path: &str) -> Option<crate::http::Answer> {
        use crate::http::Answer;
        let core = self.core.as_mut()?;
        let flavor = core.launch.flavor;
        match (path, flavor) {
            ("/metrics", _) => {
                let mut answer = Answer::text(200, core.metrics());
                answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
                Some(answer)
            }
            ("/flush_cache", _) | ("/reset_prefix_cache", Flavor::Vllm) => Some(if core.flush() {
                Answer::text(200, "Cache flushed.\n")
            } else {
                Answer::text(400, "Cache not flushed: there are running or waiting requests.\n")
            }),
            _ => None,
        }
    }

    /// True when a client can still be written to; used before work is begun for it.
    pub(super) fn flushes(&mut self, key: usize) -> bool {
        let Some(connection) = self.connections.get_mut(key) else {
            return false;
        };
        connection.flush() == Peer::Here
    }
}
