//! What a reader can act on: what limits throughput, as far as the engine says, and what to look at next.

use contracts::telemetry_fetch::window::WindowData;
use contracts::{Finite, NextAction};

use crate::observed::Observed;
use crate::plan::WindowPlan;

/// A cache that is fuller has no room for another request.
const FULL: f64 = 0.95;
/// Requests that wait on average are a queue from here.
const QUEUE: f64 = 0.5;
/// A scheduler that takes more than this share keeps the device waiting.
const BUSY_SCHEDULER: f64 = 0.3;

/// What the engine says holds requests up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// Requests lose their cache, or it is full while others wait.
    KvCache,
    /// Requests wait though there is cache for them.
    Admission,
    /// The scheduler's own work.
    Scheduler,
    /// The load: the engine idles.
    Load,
    /// None of these: the steps themselves.
    Steps,
    /// It does not say.
    Unknown,
}

impl Limit {
    pub(crate) fn of(data: &WindowData) -> Limit {
        let derived = &data.derived;
        let is_over = |value: Option<Finite>, limit: f64| value.is_some_and(|value| value.get() > limit);
        let waits = is_over(derived.mean_waiting, QUEUE);
        if is_over(derived.preemptions, 0.0) || (waits && is_over(derived.kv_usage_max, FULL)) {
            Limit::KvCache
        } else if waits {
            Limit::Admission
        } else if is_over(derived.scheduler_share_ratio, BUSY_SCHEDULER) {
            Limit::Scheduler
        } else if is_over(derived.scheduler_idle_ratio, 0.5) {
            Limit::Load
        } else if is_over(derived.mean_running, 0.0) {
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
            Limit::Scheduler => "The scheduler itself takes much of the time: the device waits for the CPU.",
            Limit::Load => {
                "The engine idles for more than half of the time: the load, not the engine, limits."
            }
            Limit::Steps => "Nothing queues: what limits is inside the steps; a profile says what.",
            Limit::Unknown => "What limits cannot be told from these sources.",
        }
    }
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
    say(derived.mean_running, &|n| format!("{n:.1} running"));
    say(derived.mean_waiting, &|n| format!("{n:.1} waiting"));
    say(derived.kv_usage_max, &|ratio| {
        format!("KV cache at most {:.0} %", ratio * 100.0)
    });
    say(derived.prefix_hit_ratio, &|ratio| {
        format!("prefix hits {:.0} %", ratio * 100.0)
    });
    say(derived.preemptions, &|n| format!("{n:.0} preemptions"));
    let name = data.engine.kind.map_or("exporter", |kind| kind.name());
    let failed = data
        .audit
        .iter()
        .filter(|check| check.passed == Some(false))
        .count();
    let audit = match failed {
        0 => String::new(),
        n => format!(" {n} check(s) against the benchmark failed: see the warnings before using a number."),
    };
    let facts = if facts.is_empty() {
        "no metric that is known here".to_owned()
    } else {
        facts.join(", ")
    };
    format!(
        "{name} over {span:.1} s: {facts}. {}{audit}",
        Limit::of(data).words()
    )
}

pub(crate) fn next_actions(data: &WindowData, plan: &WindowPlan, observed: &Observed) -> Vec<NextAction> {
    let (Some(result), Some(url)) = (&plan.bind.for_result, &observed.engine_url) else {
        return Vec::new();
    };
    if !matches!(Limit::of(data), Limit::Steps | Limit::Scheduler) {
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
