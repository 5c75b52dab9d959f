//! The verdict, and what to run next.

use capacity::{GIB, Parallel};
use contracts::NextAction;
use contracts::capacity_plan::report::{BindingLimit, Capacity, Fit, FitVerdict, ReportData};

use crate::advice::SMALLER_KEYS;
use crate::bytes::{counted, gib, grouped};
use crate::caveats::DISAGREE_PCT;

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
        // Where all layers have a window, a token costs nothing beside it.
        let bytes = bytes.filter(|bytes| bytes.get() > 0.0);
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
        (FitVerdict::No, None, Some(why)) => Some(format!(
            "It does not fit: a request of {} tokens is asked for, and {why}.",
            grouped(fit.length_tokens)
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

/// What the estimate that leads on takes over from this reading.
pub(crate) struct Given<'a> {
    pub(crate) config: &'a str,
    pub(crate) draft_config: Option<&'a str>,
    pub(crate) parallel: Parallel,
    pub(crate) shared: Option<u64>,
}

/// Commands that lead on: what smaller keys would give, where they are advised and the formula is this model's.
pub(crate) fn next_actions(data: &ReportData, given: Option<&Given<'_>>) -> Vec<NextAction> {
    let (Some(given), Some(memory)) = (given, data.memory.first()) else {
        return Vec::new();
    };
    // What an estimate starts from is the whole device.
    let (Some(total), Some(weights)) = (memory.total_bytes, memory.weights_bytes) else {
        return Vec::new();
    };
    let is_advised = data.advice.iter().any(|advice| advice.code == SMALLER_KEYS);
    let agrees = |pct: contracts::Finite| pct.get().abs() <= DISAGREE_PCT;
    if !is_advised || !data.kv.difference_pct.is_none_or(agrees) {
        return Vec::new();
    }
    let mut command: Vec<String> = ["capacity-plan", "estimate", "--config", given.config]
        .map(str::to_owned)
        .into();
    // The pool as it was, so that keys are all that differs: the fraction of the engine, or what weights and pool are of the
    // device where its fraction is of something else.
    let (total_gib, weights_gib) = (total as f64 / GIB, weights as f64 / GIB);
    let taken = memory.kv_bytes.map(|kv| weights_gib + kv as f64 / GIB);
    let fraction = data.engine.memory_fraction_ratio.map(contracts::Finite::get);
    let fraction = match (fraction, taken) {
        (Some(fraction), Some(taken)) if total_gib * fraction < taken => Some(taken / total_gib),
        (None, Some(taken)) => Some(taken / total_gib),
        (fraction, _) => fraction,
    };
    let reserve = fraction
        .zip(taken)
        .map(|(fraction, taken)| (total_gib * fraction - taken).max(0.0));
    let above_one = |count: u64| (count > 1).then(|| count.to_string());
    let mut lengths: Vec<String> = data
        .capacity
        .iter()
        .map(|row| row.length_tokens.to_string())
        .collect();
    lengths.dedup();
    let flags = [
        ("--draft-config", given.draft_config.map(str::to_owned)),
        ("--gpu-memory-gib", Some(format!("{:.2}", total as f64 / GIB))),
        ("--tp", Some(given.parallel.tp.to_string())),
        ("--pp", above_one(given.parallel.pp)),
        ("--attention-dp", above_one(given.parallel.attention_dp)),
        ("--kv-dtype", Some("fp8".to_owned())),
        ("--weights-gib", Some(format!("{:.2}", weights as f64 / GIB))),
        (
            "--memory-fraction",
            fraction.map(|fraction| format!("{}", (fraction * 1e4).round() / 1e4)),
        ),
        ("--reserve-gib", reserve.map(|gib| format!("{gib:.2}"))),
        (
            "--page-size",
            data.engine
                .page_tokens
                .filter(|page| *page > 0)
                .map(|page| page.to_string()),
        ),
        (
            "--max-running-requests",
            data.engine
                .max_running_requests
                .filter(|most| *most > 0)
                .map(|most| most.to_string()),
        ),
        ("--lengths", (!lengths.is_empty()).then(|| lengths.join(","))),
        ("--shared-prefix", given.shared.map(|shared| shared.to_string())),
        ("--format", Some("markdown".to_owned())),
    ];
    for (flag, value) in flags {
        command.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value]));
    }
    if data.kv.windows_kept_whole == Some(true) {
        command.push("--windows-kept-whole".to_owned());
    }
    vec![NextAction {
        why: "how many requests would fit with keys and values in fp8".to_owned(),
        command,
    }]
}
