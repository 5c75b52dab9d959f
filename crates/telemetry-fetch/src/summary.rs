//! What a reader can act on: what limits throughput, as far as the engine says, and what to look at next.

use contracts::telemetry_fetch::metric::MetricKind;
use contracts::telemetry_fetch::source::SourceKind;
use contracts::telemetry_fetch::window::{Derived, RoleDerived, WindowData};
use contracts::{Finite, NextAction};

use crate::fold::gauge::FEWEST;
use crate::observed::Observed;
use crate::plan::WindowPlan;
use crate::render::NO_ROLE;

/// A cache that is fuller has no room for another request.
const FULL: f64 = 0.95;
/// Requests that wait on average are a queue from here.
const QUEUE: f64 = 0.5;
/// Requests that spend more than this share of their time in the queue wait for each other.
const QUEUE_SHARE: f64 = 0.3;
/// A scheduler that takes more than this share keeps the device waiting.
const BUSY_SCHEDULER: f64 = 0.3;

/// What the engine says holds requests up, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    /// Requests lose their cache, or it is full while others wait.
    KvCache,
    /// Requests wait though there is cache for them.
    Admission,
    /// Requests wait, and nothing that was read says for what.
    Queue,
    /// The scheduler's own work.
    Scheduler,
    /// None of these: the steps themselves.
    Steps,
    /// The load: the engine idles.
    Load,
    /// It does not say.
    Unknown,
}

impl Limit {
    /// Of all that was read; of several roles that of the one that is held up most, and its name.
    pub(crate) fn of(data: &WindowData) -> (Limit, Option<&str>) {
        let gauges = gauges_say(data);
        let of_role = |of: &'_ RoleDerived| Limit::of_derived(&of.derived, gauges);
        let worst = data.roles.iter().min_by_key(|role| of_role(role));
        match worst {
            Some(worst) => (of_role(worst), Some(worst.role.as_deref().unwrap_or(NO_ROLE))),
            None => (Limit::of_derived(&data.derived, gauges), None),
        }
    }

    fn of_derived(derived: &Derived, gauges: bool) -> Limit {
        let is_over = |value: Option<Finite>, limit: f64| value.is_some_and(|value| value.get() > limit);
        let waits = gauges && is_over(derived.mean_waiting, QUEUE);
        if is_over(derived.preemptions, 0.0) || (waits && is_over(derived.kv_usage_max, FULL)) {
            Limit::KvCache
        } else if waits {
            Limit::Admission
        } else if is_over(derived.queue_share_ratio, QUEUE_SHARE) {
            Limit::Queue
        } else if is_over(derived.scheduler_share_ratio, BUSY_SCHEDULER) {
            Limit::Scheduler
        } else if is_over(derived.scheduler_idle_ratio, 0.5) {
            Limit::Load
        } else if gauges && is_over(derived.mean_running, 0.0) {
            Limit::Steps
        } else {
            Limit::Unknown
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Limit::KvCache => "The KV cache limits: more of it, a smaller type, or fewer requests at once.",
            Limit::Admission => {
                "Requests wait though the cache has room: look at the limit on running requests and at the prefill budget."
            }
            Limit::Queue => {
                "Requests spend much of their time in the queue: look at the limit on running requests and at the KV cache, with readings inside the window."
            }
            Limit::Scheduler => "The scheduler itself takes much of the time: the device waits for the CPU.",
            Limit::Load => {
                "The engine idles for more than half of the time: the load, not the engine, limits."
            }
            Limit::Steps => "Nothing queues: what limits is inside the steps; a profile says what.",
            Limit::Unknown => "What limits cannot be told from these sources.",
        }
    }
}

/// Whether gauges were read often enough: two readings, one at each end, know nothing of what lies between them.
fn gauges_say(data: &WindowData) -> bool {
    let gauges = || data.metrics.iter().filter(|row| row.kind == MetricKind::Gauge);
    gauges().all(|row| row.count.is_none_or(|readings| readings >= FEWEST as u64))
}

pub(crate) fn summary(data: &WindowData) -> String {
    let span = data
        .window
        .end_at
        .duration_since(data.window.start_at)
        .as_secs_f64();
    let derived = &data.derived;
    let mut facts = Vec::new();
    let mut say = |value: Option<Finite>, words: &dyn Fn(f64) -> String| {
        facts.extend(value.map(|value| words(value.get())));
    };
    say(derived.output_tps, &|tps| format!("{tps:.0} output tokens/s"));
    let often = gauges_say(data);
    say(derived.mean_running.filter(|_| often), &|n| {
        format!("{n:.1} running")
    });
    say(derived.mean_waiting.filter(|_| often), &|n| {
        format!("{n:.1} waiting")
    });
    say(derived.kv_usage_max.filter(|_| often), &|ratio| {
        format!("KV cache at most {:.0} %", ratio * 100.0)
    });
    say(derived.prefix_hit_ratio, &|ratio| {
        format!("prefix hits {:.0} %", ratio * 100.0)
    });
    say(derived.preemptions, &|n| format!("{n:.0} preemptions"));
    let of_logs = data.sources.iter().all(|source| source.kind == SourceKind::Log);
    let name = match data.engine.kind {
        Some(kind) => kind.name(),
        None if of_logs => "logs",
        None => "exporter",
    };
    let failed = data
        .audit
        .iter()
        .filter(|check| check.passed == Some(false))
        .count();
    let audit = match failed {
        0 => String::new(),
        n => format!(" {n} check(s) against the benchmark failed: see the warnings before using a number."),
    };
    let facts = if facts.is_empty() && !data.log_series.is_empty() {
        log_words(data)
    } else if facts.is_empty() {
        "no metric that is known here".to_owned()
    } else {
        facts.join(", ")
    };
    format!(
        "{name} over {span:.1} s: {facts}. {}{}{audit}",
        limit_words(data),
        incident_words(data)
    )
}

fn limit_words(data: &WindowData) -> String {
    match Limit::of(data) {
        (limit, Some(role)) => format!("{role}: {}", limit.words()),
        (limit, None) => limit.words().to_owned(),
    }
}

/// What the logs' own numbers say, for want of metrics; of several ranks those of the first, by its name.
fn log_words(data: &WindowData) -> String {
    let of = |id: &str| {
        let mut all = data.log_series.iter().filter(|series| series.id == id);
        let first = all.next()?;
        let name = first.rank.as_ref().unwrap_or(&first.log);
        let whose = all.next().map_or(String::new(), |_| format!(" at {name}"));
        Some((first.mean.get(), whose))
    };
    let mut words = Vec::new();
    for (id, what) in [
        ("output_tps", "output tokens/s"),
        ("running_requests", "running"),
        ("waiting_requests", "waiting"),
    ] {
        words.extend(of(id).map(|(mean, whose)| format!("{mean:.1} {what}{whose}")));
    }
    format!("by its log {}", words.join(", "))
}

fn incident_words(data: &WindowData) -> String {
    let from_logs = || data.incidents.iter().filter(|incident| incident.sample.is_some());
    let count: u64 = from_logs().map(|incident| incident.count).sum();
    if count == 0 {
        return String::new();
    }
    let invalid = from_logs().filter(|incident| incident.invalidates).count();
    let invalid = match invalid {
        0 => String::new(),
        n => format!(", {n} of them invalidate the numbers"),
    };
    format!(
        " Logs: {count} message(s) of {} kind(s){invalid}.",
        from_logs().count()
    )
}

pub(crate) fn next_actions(data: &WindowData, plan: &WindowPlan, observed: &Observed) -> Vec<NextAction> {
    let (Some(result), Some(url)) = (&plan.bind.for_result, &observed.engine_url) else {
        return Vec::new();
    };
    let (limit, role) = Limit::of(data);
    // The URL is that of one role only.
    if role.is_some() || !matches!(limit, Limit::Steps | Limit::Scheduler) {
        return Vec::new();
    }
    let result = result.display().to_string();
    vec![NextAction::new(
        "Where the time of a step goes",
        &[
            "profile-tables",
            "capture",
            "--url",
            url,
            "--stage",
            "decode",
            "--for",
            &result,
        ],
    )]
}
