//! Pools of a rank and what each is for.

use contracts::capacity_plan::report::Pool;

use crate::bytes::whole;
use crate::facts::{Facts, KvPool, PoolKind, RankFacts};

fn name(kind: PoolKind) -> &'static str {
    match kind {
        PoolKind::Kv => "kv",
        PoolKind::Window => "window",
        PoolKind::Index => "index",
        PoolKind::Draft => "draft",
    }
}

/// The pools of a rank with their kinds: what the engine calls them, else by their tokens. The first pool with the tokens of the engine's last line is the main one (without
/// that line the first), the one with the tokens of the window is that, and every other one is a draft's.
pub(crate) fn kinds<'a>(facts: &Facts, of: &'a RankFacts) -> Vec<(PoolKind, &'a KvPool)> {
    let with = |tokens: Option<u64>, not: Option<usize>| {
        let tokens = tokens?;
        let mut pools = of.pools.iter().enumerate();
        pools
            .find(|(at, pool)| pool.kind.is_none() && pool.tokens == Some(tokens) && Some(*at) != not)
            .map(|(at, _)| at)
    };
    let without_name = || of.pools.iter().position(|pool| pool.kind.is_none());
    let is_named = |kind| of.pools.iter().any(|pool| pool.kind == Some(kind));
    let main = with(facts.full_layer_tokens.or(facts.tokens), None)
        .or_else(without_name)
        .filter(|_| !is_named(PoolKind::Kv));
    let window = with(facts.window_pool_tokens, main).filter(|_| !is_named(PoolKind::Window));
    let kind = |at: usize, pool: &KvPool| match Some(at) {
        _ if pool.kind.is_some() => pool.kind.unwrap_or(PoolKind::Kv),
        at if at == main => PoolKind::Kv,
        at if at == window => PoolKind::Window,
        _ => PoolKind::Draft,
    };
    of.pools
        .iter()
        .enumerate()
        .map(|(at, pool)| (kind(at, pool), pool))
        .collect()
}

/// All pools of all ranks.
pub(crate) fn rows(facts: &Facts) -> Vec<Pool> {
    let of_rank = |(rank, of): (&crate::facts::Rank, &RankFacts)| {
        let mut rows: Vec<Pool> = kinds(facts, of)
            .into_iter()
            .map(|(kind, pool)| Pool {
                rank: rank.name(),
                kind: name(kind).to_owned(),
                tokens: pool.tokens,
                slots: None,
                k_bytes: pool.keys.and_then(whole),
                bytes: pool.all.and_then(whole),
                dtype: pool.dtype.clone(),
            })
            .collect();
        rows.extend(of.states.map(|states| Pool {
            rank: rank.name(),
            kind: "state".to_owned(),
            tokens: None,
            slots: Some(states.slots),
            k_bytes: None,
            bytes: whole(states.all),
            dtype: None,
        }));
        rows
    };
    facts.ranks.iter().flat_map(of_rank).collect()
}
