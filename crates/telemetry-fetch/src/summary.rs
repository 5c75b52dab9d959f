//! What a reader can act on: what limits throughput, as far as the engine says, and what to look at next.

use contracts::serve_bench::result::EngineKind;
use contracts::telemetry_fetch::incident::IncidentKind;
use contracts::telemetry_fetch::source::SourceKind;
use contracts::telemetry_fetch::window::WindowData;
use contracts::{Finite, NextAction};

use crate::limit::Limit;
use crate::observed::Observed;
use crate::plan::WindowPlan;

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
        n => format!(" {n} check(s) failed: see the warnings before using a number."),
    };
    let facts = if facts.is_empty() && !data.log_series.is_empty() {
        log_words(data)
    } else if facts.is_empty() && data.metrics.is_empty() {
        "no metric that is known here".to_owned()
    } else if facts.is_empty() {
        format!(
            "{} metrics, and none of them makes a rate or a mean",
            data.metrics.len()
        )
    } else {
        facts.join(", ")
    };
    format!(
        "{name} over {span:.1} s: {facts}. {}{}{}{audit}",
        Limit::words(data),
        trouble_words(data),
        incident_words(data)
    )
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

/// What explains more than any limit.
fn trouble_words(data: &WindowData) -> String {
    let of = |kind| {
        data.incidents
            .iter()
            .filter(move |incident| incident.kind == kind)
    };
    let restarts: u64 = of(IncidentKind::Restart).map(|incident| incident.count).sum();
    let mut words = String::new();
    if restarts > 0 {
        words.push_str(&format!(
            " It restarted {restarts} time(s): no benchmark spans that."
        ));
    }
    if of(IncidentKind::Stalled).next().is_some() {
        words.push_str(
            " It stood still for a part of the window, which explains more than a limit: see the warnings.",
        );
    }
    words
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
    if role.is_some() {
        return Vec::new();
    }
    // Other engines do not say where their memory went.
    let says_memory = matches!(
        data.engine.kind,
        Some(EngineKind::Sglang | EngineKind::Vllm | EngineKind::Tokenspeed)
    );
    let result = result.display().to_string();
    let action = |why: &str, words: &[&str]| vec![NextAction::new(why, words)];
    match limit {
        Limit::KvCache | Limit::Admission | Limit::Queue if says_memory => action(
            "How many of these requests fit, and which limit is in the way",
            &["capacity-plan", "live", "--url", url, "--lengths", &result],
        ),
        Limit::Steps | Limit::Scheduler => action(
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
        ),
        Limit::Stalled
        | Limit::KvCache
        | Limit::Admission
        | Limit::Queue
        | Limit::Load
        | Limit::Idle
        | Limit::Unknown => Vec::new(),
    }
}
