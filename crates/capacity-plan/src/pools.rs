//! Pools of a rank and what each is for.

use contracts::capacity_plan::report::Pool;

use crate::bytes::whole;
use crate::facts::{Facts, KvPool, RankFacts};

/// What a pool of keys and values is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PoolKind {
    /// Layers that keep all tokens.
    Kv,
    /// Layers with a window.
    Window,
    /// A draft model, or layers for multi-token prediction.
    Draft,
}

impl PoolKind {
    fn name(self) -> &'static str {
        match self {
            PoolKind::Kv => "kv",
            PoolKind::Window => "window",
            PoolKind::Draft => "draft",
        }
    }
}

/// The pools of a rank with their kinds. The first pool with the tokens of the engine's last line is the main one (without
/// that line the first), the one with the tokens of the window is that, and every other one is a draft's.
pub(crate) fn kinds<'a>(facts: &Facts, of: &'a RankFacts) -> Vec<(PoolKind, &'a KvPool)> {
    let with = |tokens: Option<u64>, not: Option<usize>| {
        let tokens = tokens?;
        let mut pools = of.pools.iter().enumerate();
        pools
            .find(|(at, pool)| pool.tokens == Some(tokens) && Some(*at) != not)
            .map(|(at, _)| at)
    };
    let main = with(facts.full_layer_tokens.or(facts.tokens), None).unwrap_or(0);
    let window = with(facts.window_pool_tokens, Some(main));
    let kind = |at: usize| match at {
        _ if at == main => PoolKind::Kv,
        _ if Some(at) == window => PoolKind::Window,
        _ => PoolKind::Draft,
    };
    of.pools
        .iter()
        .enumerate()
        .map(|(at, pool)| (kind(at), pool))
        .collect()
}

/// All pools of all ranks.
pub(crate) fn rows(facts: &Facts) -> Vec<Pool> {
    let of_rank = |(rank, of): (&crate::facts::Rank, &RankFacts)| {
        let mut rows: Vec<Pool> = kinds(facts, of)
            .into_iter()
            .map(|(kind, pool)| Pool {
                rank: rank.name(),
                kind: kind.name().to_owned(),
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
