//! What could make a reader draw a wrong conclusion.

use capacity::{GIB, Limits};
use contracts::Warning;
use contracts::capacity_plan::report::{Capacity, Headroom, Kv, Memory};

use crate::bytes::{counted, gib, grouped};
use crate::capacity_rows;
use crate::facts::Facts;
use crate::headroom;
use crate::kv::{TokenSource, tokens};
use crate::model::Formula;
use crate::startup_log::StartupLog;

/// Above this the engine and the formula disagree, percent.
pub(crate) const DISAGREE_PCT: f64 = 1.0;

/// All of them.
pub(crate) fn warnings(
    facts: &Facts,
    formula: Option<&Formula<'_>>,
    kv: &Kv,
    memory: &[Memory],
    headroom: Option<&Headroom>,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    warnings.extend(disagreement(kv));
    warnings.extend(pool(facts, kv));
    warnings.extend(states(facts, kv));
    warnings.extend(formula.and_then(partial));
    warnings.extend(implausible(kv, memory));
    warnings.extend(headroom.and_then(skew));
    warnings.extend(contradiction(memory));
    warnings.extend(headroom::overdrawn(facts).map(|bytes| {
        Warning::new(
            "share-overdrawn",
            format!(
                "the engine's share of the device and its graphs are {} more than was free at its start: nothing is left over, and large steps may run out of memory",
                gib(bytes)
            ),
        )
    }));
    if facts.offered_kv_bytes.is_some() {
        warnings.push(Warning::new(
            "offered-kv-memory",
            "the log offers a value for --kv-cache-memory; releases that count graphs twice there offer too little (vllm#57936): it is not repeated here",
        ));
    }
    warnings
}

/// `rounding_pct`: what the printed digits of the engine's number hide.
fn differs(code: &str, what: &str, log: f64, formula: f64, rounding_pct: f64) -> Option<Warning> {
    let pct = 100.0 * (log - formula) / formula;
    (pct.abs() > DISAGREE_PCT.max(rounding_pct)).then(|| {
        Warning::new(
            code,
            format!("{what}: {log:.1} bytes by the engine, {formula:.1} by the formula ({pct:+.2} %): another config.json, other ranks or another type of keys and values than the engine's?"),
        )
    })
}

fn disagreement(kv: &Kv) -> Vec<Warning> {
    let both = |log: Option<contracts::Finite>, formula: Option<contracts::Finite>| {
        Some((log?.get(), formula?.get()))
    };
    let token = both(kv.bytes_per_token_log, kv.bytes_per_token_formula).and_then(|(log, formula)| {
        let rounding = kv.rounding_pct.map_or(0.0, contracts::Finite::get);
        differs("kv-bytes-disagree", "a token on one rank", log, formula, rounding)
    });
    let draft =
        both(kv.draft_bytes_per_token_log, kv.draft_bytes_per_token_formula).and_then(|(log, formula)| {
            differs(
                "draft-bytes-disagree",
                "a token in the draft's pool",
                log,
                formula,
                0.0,
            )
        });
    token.into_iter().chain(draft).collect()
}

/// How the number of tokens came about.
fn pool(facts: &Facts, kv: &Kv) -> Vec<Warning> {
    let mut warnings = Vec::new();
    match tokens(facts).map(|tokens| tokens.source) {
        Some(TokenSource::Concurrency { named }) => warnings.push(Warning::new(
            "kv-tokens-hybrid",
            format!(
                "the log names a pool of {} tokens, and a concurrency that needs {}: layers of several kinds share the pool, and the concurrency is right",
                grouped(named),
                kv.tokens.map_or_else(String::new, grouped),
            ),
        )),
        Some(TokenSource::Blocks { is_default: true }) => warnings.push(Warning::new(
            "block-size-assumed",
            "the log names blocks and not their size: 16 tokens, vLLM's default, is taken",
        )),
        _ => {}
    }
    if let Some(layers) = facts.padding_layers {
        warnings.push(Warning::new(
            "kv-pool-hybrid",
            format!(
                "the engine added {} to make groups of layers equal: layers of several kinds share the pool, so tokens are concurrency times length, and hold for that length",
                counted(layers, "padding layer")
            ),
        ));
    }
    warnings
}

fn states(facts: &Facts, kv: &Kv) -> Option<Warning> {
    let pool = facts.ranks.values().find_map(|of| of.states)?;
    let of_request = kv.state_bytes_log?.get();
    if let Some(warning) = kv.state_bytes_formula.and_then(|formula| {
        differs(
            "state-bytes-disagree",
            "the state of a request",
            of_request,
            formula.get(),
            0.0,
        )
    }) {
        return Some(warning);
    }
    Some(Warning::new(
        "kv-pool-hybrid",
        format!(
            "a request takes {:.1} MiB of state beside its tokens, however short it is, and {} slots hold {}",
            of_request / 1_048_576.0,
            pool.slots,
            gib(pool.all.bytes)
        ),
    ))
}

/// A configuration without a width of keys and values.
pub(crate) fn no_formula() -> Warning {
    Warning::new(
        "kv-formula-missing",
        "the configuration gives no layer a width of keys and values: there is no formula beside the engine's number",
    )
}

pub(crate) fn partial(formula: &Formula<'_>) -> Option<Warning> {
    let layers = formula.cache.partial_layers;
    (layers > 0).then(|| {
        Warning::new(
            "kv-formula-partial",
            format!(
                "{layers} layers keep something that the configuration gives no width of (compressed context, selected blocks, an unknown kind): the formula is a lower bound"
            ),
        )
    })
}

/// A pool that is tiny beside what is free.
fn implausible(kv: &Kv, memory: &[Memory]) -> Option<Warning> {
    let row = memory.iter().find(|row| {
        let pools = row.kv_bytes.map(|kv| kv + row.state_bytes.unwrap_or(0));
        matches!((pools, row.free_bytes), (Some(pools), Some(free)) if pools.saturating_mul(10) < free && free as f64 > 4.0 * GIB)
    })?;
    Some(Warning::new(
        "pool-implausible",
        format!(
            "a pool of {} tokens ({}) while {} are free: something made the engine size it wrongly (a limit on tokens, another process while it measured)",
            kv.tokens.map_or_else(|| "unknown".to_owned(), grouped),
            row.kv_bytes.map_or_else(String::new, |bytes| gib(bytes as f64)),
            row.free_bytes.map_or_else(String::new, |bytes| gib(bytes as f64)),
        ),
    ))
}

/// The rank with least sets the pool of all.
fn skew(headroom: &Headroom) -> Option<Warning> {
    (headroom.skew_bytes as f64 > 0.5 * GIB).then(|| {
        Warning::new(
            "rank-skew",
            format!(
                "ranks differ by {} in what is free, {} has least: something else runs on its device, or the model is divided unevenly",
                gib(headroom.skew_bytes as f64),
                headroom.rank.as_deref().unwrap_or("one"),
            ),
        )
    })
}

/// Parts that are more than the whole, by more than rounding.
fn contradiction(memory: &[Memory]) -> Option<Warning> {
    let least = memory.iter().filter_map(|row| row.other_bytes).min()?;
    ((least as f64) < -0.1 * GIB).then(|| {
        Warning::new(
            "memory-contradicts",
            format!(
                "the parts that the engine names are {} more than its total: memory came back after it was measured (what loading needed for a while), or the log is of two starts, or cut",
                gib(-(least as f64))
            ),
        )
    })
}

/// Several starts in one log, told apart or not.
pub(crate) fn starts(log: &StartupLog) -> Vec<Warning> {
    let several = (log.starts > 1).then(|| {
        Warning::new(
            "several-starts",
            format!(
                "the log holds {} starts of a server: all numbers are of the last, from line {} on",
                log.starts, log.last_start_line
            ),
        )
    });
    let mixed = log.doubt.map(|doubt| {
        Warning::new(
            "starts-not-told-apart",
            format!(
                "at line {} {}: the log may go on with another start, and numbers of both be mixed; give the log of one start",
                doubt.line, doubt.sign
            ),
        )
    });
    several.into_iter().chain(mixed).collect()
}

/// Requests that only the pool limits, where nobody says how many the engine lets run.
pub(crate) fn request_limit(
    facts: &Facts,
    limits: &Limits,
    capacity: &[Capacity],
    schedulers: u64,
) -> Option<Warning> {
    let by_itself = match facts.format {
        Some(format) if format.is_vllm() => " (vLLM by itself: 128 to 1,024)",
        _ => "",
    };
    let most = capacity
        .iter()
        .filter(|row| capacity_rows::is_upper_bound(row, limits, schedulers))
        .filter_map(|row| row.requests)
        .max()?;
    Some(Warning::new(
        "request-limit-unknown",
        format!(
            "nothing names the limit on running requests, which may be lower than the {} that the pool holds{by_itself}: take them for an upper bound",
            grouped(most)
        ),
    ))
}
