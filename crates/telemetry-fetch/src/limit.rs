//! What limits throughput, as far as the engine says.

use contracts::Finite;
use contracts::telemetry_fetch::engine::EngineFacts;
use contracts::telemetry_fetch::window::{Derived, RoleDerived, WindowData};

use crate::render::NO_ROLE;

/// A cache that is fuller has no room for another request.
const FULL: f64 = 0.95;
/// Room for so many requests of the average size is room for a long one too.
const ROOMY: f64 = 4.0;
/// Requests that wait on average are a queue from here.
const QUEUE: f64 = 0.5;
/// Requests that spend more than this share of their time in the queue wait for each other.
const QUEUE_SHARE: f64 = 0.3;
/// A scheduler that takes more than this share keeps the device waiting.
const BUSY_SCHEDULER: f64 = 0.3;
/// Settings that limit running requests, as engines read them back.
const REQUEST_LIMITS: [&str; 4] = [
    "max_running_requests",
    "max_num_seqs",
    "scheduler_config.max_num_seqs",
    "total_slots",
];

/// What the engine says holds requests up, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    /// Requests are there, and nothing comes of them.
    Stalled,
    /// Requests lose their cache, or it has no room for another one while others wait.
    KvCache,
    /// Requests wait, and the cache is not known to be full.
    Admission,
    /// Requests wait, and nothing that was read says for what.
    Queue,
    /// The scheduler's own work.
    Scheduler,
    /// None of these: the steps themselves.
    Steps,
    /// The load: the engine idles.
    Load,
    /// No request came.
    Idle,
    /// It does not say.
    Unknown,
}

impl Limit {
    /// Of all that was read; of several roles that of the one that is held up most.
    pub(crate) fn of(data: &WindowData) -> (Limit, Option<&RoleDerived>) {
        let worst = data
            .roles
            .iter()
            .min_by_key(|role| Limit::of_derived(&role.derived));
        (
            Limit::of_derived(worst.map_or(&data.derived, |role| &role.derived)),
            worst,
        )
    }

    fn of_derived(derived: &Derived) -> Limit {
        let is_over = |value: Option<Finite>, limit: f64| value.is_some_and(|value| value.get() > limit);
        let waits = is_over(derived.mean_waiting, QUEUE);
        let is_full = is_over(derived.kv_usage_max, FULL) || has_no_room(derived);
        let none = |value: Option<Finite>| value.is_some_and(|value| value.get() == 0.0);
        let is_there = is_over(derived.mean_running, 0.0) || is_over(derived.mean_waiting, 0.0);
        let comes = is_over(derived.input_tps, 0.0) || is_over(derived.request_rps, 0.0);
        if none(derived.output_tps) && is_there && !comes {
            Limit::Stalled
        } else if is_over(derived.preemptions, 0.0) || (waits && is_full) {
            Limit::KvCache
        } else if waits {
            Limit::Admission
        } else if is_over(derived.queue_share_ratio, QUEUE_SHARE) {
            Limit::Queue
        } else if is_over(derived.scheduler_share_ratio, BUSY_SCHEDULER) {
            Limit::Scheduler
        } else if is_over(derived.scheduler_idle_ratio, 0.5)
            || derived.mean_running.is_some_and(is_mostly_idle)
        {
            Limit::Load
        } else if is_over(derived.mean_running, 0.0) {
            Limit::Steps
        } else if [derived.output_tps, derived.request_rps]
            .into_iter()
            .flatten()
            .all(|rate| rate.get() == 0.0)
            && derived.mean_running.is_some()
        {
            Limit::Idle
        } else {
            Limit::Unknown
        }
    }

    /// In words, with the numbers that it rests on.
    pub(crate) fn words(data: &WindowData) -> String {
        let (limit, role) = Limit::of(data);
        let derived = role.map_or(&data.derived, |role| &role.derived);
        let words = limit.words_of(derived, &data.engine);
        match role {
            Some(role) => format!("{}: {words}", role.role.as_deref().unwrap_or(NO_ROLE)),
            None => words,
        }
    }

    fn words_of(self, derived: &Derived, engine: &EngineFacts) -> String {
        match self {
            Limit::KvCache => {
                let each = share(derived).map_or_else(String::new, |(share, usage)| {
                    format!(" ({:.0} % used at most, about {:.0} % a request)", usage * 100.0, share * 100.0)
                });
                format!("The KV cache limits{each}: more of it, a smaller type, or fewer requests at once.")
            }
            Limit::Admission => admission(derived, engine),
            Limit::Queue => {
                "Requests spend much of their time in the queue: look at the limit on running requests and at the KV cache, with readings inside the window."
                    .to_owned()
            }
            Limit::Stalled => "Requests are there, and not one token came of them in the window: the engine hangs, or a step takes longer than the window.".to_owned(),
            Limit::Scheduler => "The scheduler itself takes much of the time: the device waits for the CPU.".to_owned(),
            Limit::Load => {
                "The engine idles for more than half of the time: the load, not the engine, limits.".to_owned()
            }
            Limit::Steps => {
                format!("Nothing queues (at most {QUEUE} requests wait on average): the engine keeps up with the load, and what a token takes is inside the steps; a profile says what.")
            }
            Limit::Idle => "No request ran in the window: there is nothing to explain.".to_owned(),
            Limit::Unknown => "What limits cannot be told from these sources.".to_owned(),
        }
    }
}

/// Of the time no more can be busy than requests run on average; without one the load asks for nothing.
fn is_mostly_idle(mean_running: Finite) -> bool {
    mean_running.get() > 0.0 && mean_running.get() < 0.5
}

/// The share of the cache that a running request takes where it is fullest, and how full that is.
fn share(derived: &Derived) -> Option<(f64, f64)> {
    let (usage, running) = (derived.kv_usage_max?.get(), derived.running_max?.get());
    (running >= 1.0).then_some((usage / running, usage))
}

/// Whether what is left of the cache is less than a request takes: a pool of four large requests is full at 86 %.
fn has_no_room(derived: &Derived) -> bool {
    share(derived).is_some_and(|(share, usage)| 1.0 - usage < share)
}

/// What the cache has left while requests wait, as far as it is told: the one that waits may be longer than the average.
fn room(derived: &Derived) -> String {
    match share(derived) {
        Some((share, usage)) if 1.0 - usage >= ROOMY * share => "the KV cache has room".to_owned(),
        Some((share, usage)) => format!(
            "the KV cache, at most {:.0} % full, has room for an average one ({:.0} %), but for a long one it may not",
            usage * 100.0,
            share * 100.0
        ),
        None => "how full the KV cache was is not told".to_owned(),
    }
}

/// Requests wait, and the cache is not known to have no room for one more.
fn admission(derived: &Derived, engine: &EngineFacts) -> String {
    let named = REQUEST_LIMITS
        .iter()
        .find_map(|name| Some((*name, engine.launch_args.get(*name)?.as_u64()?)));
    let most = derived.running_max.map(Finite::get);
    match (named, most) {
        (Some((name, limit)), Some(most)) if most >= limit as f64 => {
            format!(
                "The limit on running requests holds others back ({name} is {limit}); {}.",
                room(derived)
            )
        }
        (Some((name, limit)), Some(most)) => format!(
            "Requests wait below the limit on running ones ({most:.0} ran at most, {name} is {limit}), and {}: look at the longest requests, the prefill budget and how requests are scheduled.",
            room(derived)
        ),
        _ => format!(
            "Requests wait, and {}: look at the limit on running requests, the longest requests and the prefill budget.",
            room(derived)
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn queued(usage: f64, running: f64) -> Derived {
        Derived {
            kv_usage_max: Finite::new(usage),
            running_max: Finite::new(running),
            mean_running: Finite::new(running),
            mean_waiting: Finite::new(4.0),
            ..Derived::default()
        }
    }

    fn engine(settings: &[(&str, u64)]) -> EngineFacts {
        let settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).into()));
        EngineFacts {
            kind: None,
            version: None,
            model: None,
            launch_args: settings.collect(),
            startup_attributes: BTreeMap::new(),
        }
    }

    #[test]
    fn a_pool_without_room_for_one_more_is_full() {
        // Four requests take 86 %: a fifth needs 21.5 and finds 14.
        assert_eq!(Limit::of_derived(&queued(0.86, 4.0)), Limit::KvCache);
        // Of 86 small ones each takes 1 %.
        assert_eq!(Limit::of_derived(&queued(0.86, 86.0)), Limit::Admission);
        assert_eq!(Limit::of_derived(&queued(0.96, 500.0)), Limit::KvCache);
        let words = Limit::KvCache.words_of(&queued(0.86, 4.0), &engine(&[]));
        assert!(
            words.contains("about 22 % a request") || words.contains("about 21 % a request"),
            "{words}"
        );
    }

    #[test]
    fn the_limit_on_requests_is_named_where_it_is_reached() {
        let words =
            |settings: &[(&str, u64)]| Limit::Admission.words_of(&queued(0.4, 16.0), &engine(settings));
        assert!(words(&[("max_num_seqs", 16)]).contains("max_num_seqs is 16"));
        assert!(words(&[("max_running_requests", 64)]).contains("below the limit"));
        assert!(words(&[]).contains("look at the limit on running requests"));
    }

    #[test]
    fn room_is_said_where_it_is_known() {
        let words = |derived: &Derived| {
            Limit::Admission.words_of(derived, &engine(&[("max_num_seqs", 16), ("total_slots", 2)]))
        };
        assert!(words(&queued(0.4, 16.0)).ends_with("the KV cache has room."));
        // Six requests of mixed lengths take 69 %: what waits may be twice as long as the average.
        let mixed = words(&queued(0.69, 6.0));
        assert!(
            mixed.contains("69 % full") && mixed.contains("a long one it may not"),
            "{mixed}"
        );
        let untold = Derived {
            kv_usage_max: None,
            ..queued(0.0, 16.0)
        };
        assert!(words(&untold).contains("is not told"));
    }

    #[test]
    fn no_traffic_limits_nothing() {
        let nothing = Derived {
            mean_running: Finite::new(0.0),
            output_tps: Finite::new(0.0),
            ..Derived::default()
        };
        assert_eq!(Limit::of_derived(&nothing), Limit::Idle);
        assert_eq!(Limit::of_derived(&Derived::default()), Limit::Unknown);
        // Four short requests a second: a quarter of the time one runs.
        let seldom = Derived {
            mean_running: Finite::new(0.26),
            output_tps: Finite::new(200.0),
            ..Derived::default()
        };
        assert_eq!(Limit::of_derived(&seldom), Limit::Load);
    }

    #[test]
    fn an_engine_that_hangs_is_not_told_to_take_more() {
        let hangs = Derived {
            output_tps: Finite::new(0.0),
            input_tps: Finite::new(0.0),
            ..queued(0.4, 12.0)
        };
        assert_eq!(Limit::of_derived(&hangs), Limit::Stalled);
        // It reads a long prompt.
        let prefills = Derived {
            input_tps: Finite::new(9000.0),
            ..hangs
        };
        assert_eq!(Limit::of_derived(&prefills), Limit::Admission);
    }
}
