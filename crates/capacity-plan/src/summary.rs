//! The verdict, and what to run next.

use capacity::GIB;
use contracts::NextAction;
use contracts::capacity_plan::report::{BindingLimit, Capacity, Fit, FitVerdict, ReportData, Source};

use crate::bytes::{counted, gib, grouped};

/// What limits first, then what is left.
pub(crate) fn summary(data: &ReportData) -> String {
    let mut words = Vec::new();
    if let Some(failure) = data.failures.first() {
        words.push(format!(
            "Memory ran out ({}, line {}).",
            failure.phase, failure.line
        ));
    }
    words.extend(data.fit.as_ref().and_then(fit));
    let does_not_fit = data.fit.as_ref().is_some_and(|fit| fit.verdict == FitVerdict::No);
    match data.capacity.iter().find(|row| row.requests.is_some()) {
        _ if does_not_fit => {}
        // What is not counted takes more, and never less.
        Some(row) => words.push(limit(
            row,
            data.fit
                .as_ref()
                .is_some_and(|fit| fit.verdict == FitVerdict::Unknown),
        )),
        None => {
            words.push("How many requests fit is not known: nothing names the tokens of the pool.".to_owned())
        }
    }
    if let Some(tokens) = data.kv.tokens.filter(|tokens| *tokens > 0) {
        let bytes = data.kv.bytes_per_token_log.or(data.kv.bytes_per_token_formula);
        let each = bytes.map_or_else(String::new, |bytes| {
            format!(", {:.1} KiB a token and rank", bytes.get() / 1024.0)
        });
        let formula = data.kv.difference_pct.map_or_else(String::new, |pct| {
            format!(" ({:+.2} % against the formula)", pct.get())
        });
        let of = data.kv.tokens_hold_for.map_or_else(String::new, |length| {
            format!(" in requests of {}", grouped(length))
        });
        words.push(format!("Pool {}{of}{each}{formula}.", counted(tokens, "token")));
    }
    if let Some(headroom) = &data.headroom {
        let free = gib(headroom.min_free_bytes as f64);
        words.push(match headroom.when.as_str() {
            "startup" => format!("Outside of the engine's share: {free}."),
            "before_capture" => format!("Least free, before graphs: {free}."),
            "after_pools" => format!("Least free, after the pools: {free}."),
            _ => format!("Least free: {free}."),
        });
    }
    if let Some(advice) = data.advice.first() {
        words.push(format!("First: {}.", advice.code));
    }
    words.join(" ")
}

/// That it does not fit, or that nobody can say; that it does is what the number of requests says.
fn fit(fit: &Fit) -> Option<String> {
    let available = gib(fit.available_bytes as f64);
    match (fit.verdict, fit.needed_bytes, &fit.why) {
        (FitVerdict::No, Some(needed), _) => Some(format!(
            "It does not fit: with one request of {} tokens a rank needs {}, and may use {available}.",
            grouped(fit.length_tokens),
            gib(needed as f64)
        )),
        (FitVerdict::Unknown, _, Some(why)) => Some(format!("Whether it fits is not known: {why}.")),
        _ => None,
    }
}

fn limit(row: &Capacity, is_most: bool) -> String {
    let requests = row.requests.unwrap_or(0);
    let shared = row.requests_shared.filter(|shared| *shared != requests);
    let (from, most) = match shared {
        Some(shared) => (format!("{} to ", grouped(requests)), shared),
        None => (String::new(), requests),
    };
    format!(
        "{}{from}{} of {} {}; {} limits.",
        if is_most { "If so, at most " } else { "" },
        counted(most, "request"),
        counted(row.length_tokens, "token"),
        if most == 1 { "fits" } else { "fit" },
        row.binding_limit.map_or("nothing", BindingLimit::name)
    )
}

/// Commands that lead on: what the first advice would give, computed.
pub(crate) fn next_actions(data: &ReportData, config: Option<&str>) -> Vec<NextAction> {
    let (Some(config), Some(memory)) = (config, data.memory.first()) else {
        return Vec::new();
    };
    // What an estimate starts from is the whole device.
    let (Some(total), Some(weights)) = (memory.total_bytes, memory.weights_bytes) else {
        return Vec::new();
    };
    if data.source == Source::Estimate || data.engine.kv_dtype.as_deref() == Some("fp8") {
        return Vec::new();
    }
    let mut command: Vec<String> = ["capacity-plan", "estimate", "--config", config]
        .map(str::to_owned)
        .into();
    let mut flag = |name: &str, value: String| command.extend([name.to_owned(), value]);
    flag("--gpu-memory-gib", format!("{:.2}", total as f64 / GIB));
    flag("--tp", data.engine.tp.unwrap_or(1).to_string());
    flag("--kv-dtype", "fp8".to_owned());
    flag("--weights-gib", format!("{:.2}", weights as f64 / GIB));
    if let Some(fraction) = data.engine.memory_fraction_ratio {
        flag("--memory-fraction", fraction.get().to_string());
    }
    let lengths: Vec<String> = data
        .capacity
        .iter()
        .map(|row| row.length_tokens.to_string())
        .collect();
    if !lengths.is_empty() {
        flag("--lengths", lengths.join(","));
    }
    flag("--format", "markdown".to_owned());
    vec![NextAction {
        why: "how many requests would fit with keys and values in fp8".to_owned(),
        command,
    }]
}
