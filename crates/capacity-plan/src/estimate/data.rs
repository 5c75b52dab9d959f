//! An estimate as its document has it.

use capacity::GIB;
use contracts::Finite;
use contracts::capacity_plan::report::{Capacity, Engine, Fit, Kv, Memory, ReportData, Source};

use super::pool::EstimatedPool;
use crate::bytes::finite;
use crate::cli::EstimateArgs;
use crate::kv;
use crate::load::Load;
use crate::model::Formula;

/// `device` and `weights` are bytes of one rank.
pub(super) fn data(
    args: &EstimateArgs,
    formula: &Formula<'_>,
    pool: &EstimatedPool,
    device: f64,
    weights: f64,
    load: &Load,
    fit: Fit,
) -> ReportData {
    let cache = &formula.cache;
    let config = &formula.config.model;
    let schedulers = args.attention_dp;
    let row = |(length, of): (u64, &'static str)| {
        let (requests, limit) = pool.requests(length, 0);
        let shared = load.shared.filter(|shared| *shared < length);
        let with_it = shared.map(|shared| pool.requests(length, shared));
        Capacity {
            length_tokens: length,
            of: of.to_owned(),
            requests: Some(requests.saturating_mul(schedulers)),
            binding_limit: Some(limit),
            shared_tokens: shared,
            requests_shared: with_it.map(|(requests, _)| requests.saturating_mul(schedulers)),
            binding_limit_shared: with_it.map(|(_, limit)| limit),
        }
    };
    ReportData {
        source: Source::Estimate,
        engine: Engine {
            kind: None,
            format: None,
            version: None,
            model: None,
            tp: Some(args.tp),
            pp: Some(args.pp),
            dp: Some(args.attention_dp),
            kv_dtype: Some(formula.dtype.name().to_owned()),
            page_tokens: Some(args.page_size),
            context_tokens: pool.context,
            max_running_requests: args.max_running_requests,
            memory_fraction_ratio: Finite::new(args.memory_fraction),
        },
        kv: Kv {
            tokens: Some(pool.tokens()),
            tokens_hold_for: pool.tokens_hold_for(),
            bytes_per_token_log: None,
            rounding_pct: None,
            bytes_per_token_formula: finite(pool.cache.token_bytes()),
            difference_pct: None,
            attention: config.attention.map(|kind| kind.name().to_owned()),
            copies: Some(kv::copies(formula)),
            token_layers: Some(cache.token_layers),
            window_layers: Some(cache.window_layers),
            window_tokens: Some(cache.window_tokens).filter(|tokens| *tokens > 0),
            windows_kept_whole: (cache.window_layers > 0).then_some(args.windows_kept_whole),
            state_layers: Some(cache.state_layers),
            state_bytes_log: None,
            state_bytes_formula: Some(cache.state_bytes)
                .filter(|bytes| *bytes > 0.0)
                .and_then(finite),
            draft_bytes_per_token_log: None,
            draft_bytes_per_token_formula: Some(pool.drafted).filter(|bytes| *bytes > 0.0).and_then(finite),
        },
        fit: Some(fit),
        capacity: load.or_typical(pool.context).into_iter().map(row).collect(),
        headroom: None,
        advice: Vec::new(),
        memory: vec![memory(device, weights, pool.bytes, args.reserve_gib * GIB)],
        pools: Vec::new(),
        failures: Vec::new(),
        log: None,
    }
}

/// What is left of the device beside weights, pool and reserve is free; `None` where these are more than it has.
fn memory(device: f64, weights: f64, pool: f64, reserve: f64) -> Memory {
    let whole = |bytes: f64| bytes.max(0.0).round() as u64;
    let (total, parts) = (whole(device), [weights, pool, reserve].map(whole));
    let free = total.checked_sub(parts.iter().sum());
    let [weights, pool, reserve] = parts.map(Some);
    Memory {
        rank: None,
        total_bytes: Some(total),
        weights_bytes: weights,
        kv_bytes: pool,
        state_bytes: None,
        graph_bytes: None,
        activation_bytes: reserve,
        other_bytes: free.map(|_| 0),
        free_bytes: free,
    }
}
