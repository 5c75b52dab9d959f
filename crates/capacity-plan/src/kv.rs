//! What a token takes: as the engine says it, and by the formula.

use contracts::capacity_plan::report::Kv;

use crate::bytes::finite;
use crate::facts::{Facts, PoolKind, RankFacts};
use crate::model::Formula;
use crate::pools::kinds;
use crate::size::Size;

/// vLLM's block where nothing names another one (0.33: `CacheConfig.DEFAULT_BLOCK_SIZE`, read).
const VLLM_BLOCK: u64 = 16;

/// Tokens of the pool of one scheduler, and where the number comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) tokens: u64,
    /// How much of it rounding can hide, as a ratio.
    pub(crate) rounding: f64,
    pub(crate) source: TokenSource,
}

/// Where the number of tokens comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TokenSource {
    /// The engine names it.
    Named,
    /// vLLM's blocks times a block.
    Blocks {
        /// Whether the size of a block is vLLM's default, because nothing names it.
        is_default: bool,
    },
    /// vLLM names another number than concurrency times length: its groups of layers share the pool.
    Concurrency {
        /// The number that it names.
        named: u64,
    },
}

/// Tokens of the pool of one scheduler.
pub(crate) fn tokens(facts: &Facts) -> Option<Tokens> {
    let page = |tokens: u64| 1.0 / tokens.max(1) as f64;
    let named = facts
        .full_layer_tokens
        .or(facts.tokens)
        .or_else(|| main_pool_tokens(facts));
    if let (Some(named), Some((length, times, half_digit))) = (named, facts.concurrency) {
        let by_tokens = named as f64 / length.max(1) as f64;
        // A page at the end of a request is no contradiction.
        if (by_tokens - times).abs() > half_digit + 0.005 * times {
            return Some(Tokens {
                tokens: (times * length as f64) as u64,
                rounding: half_digit / times.max(half_digit),
                source: TokenSource::Concurrency { named },
            });
        }
    }
    if let Some(named) = named {
        return Some(Tokens {
            tokens: named,
            rounding: facts.page.unwrap_or(1) as f64 * page(named),
            source: TokenSource::Named,
        });
    }
    let blocks = facts.blocks?;
    let by_concurrency = facts.concurrency.and_then(|(length, times, _)| {
        let block = times * length as f64 / blocks.max(1) as f64;
        (block >= 0.99).then(|| block.round() as u64)
    });
    let block = facts.page.or(by_concurrency);
    let tokens = blocks.checked_mul(block.unwrap_or(VLLM_BLOCK))?;
    Some(Tokens {
        tokens,
        rounding: page(blocks),
        source: TokenSource::Blocks {
            is_default: block.is_none(),
        },
    })
}

fn main_pool_tokens(facts: &Facts) -> Option<u64> {
    let tokens = facts.ranks.values().filter_map(|of| main_pool(facts, of)?.tokens);
    // A scheduler can give no more than its smallest rank has.
    tokens.min()
}

/// The pool of the layers that keep all tokens.
pub(crate) fn main_pool<'a>(facts: &Facts, of: &'a RankFacts) -> Option<&'a crate::facts::KvPool> {
    let pools = kinds(facts, of);
    pools
        .iter()
        .find(|(kind, _)| *kind == PoolKind::Kv)
        .map(|(_, pool)| *pool)
}

/// Bytes of a token, with what rounding can hide of it, as a ratio.
fn per_token(all: Size, tokens: u64, rounding: f64) -> Option<(f64, f64)> {
    (tokens > 0 && all.bytes > 0.0)
        .then(|| (all.bytes / tokens as f64, all.half_digit / all.bytes + rounding))
}

/// Bytes of a token as the engine says it, on the first rank that does.
fn said(facts: &Facts, tokens: Option<Tokens>) -> Option<(f64, f64)> {
    let of_pool = |of: &RankFacts| {
        let pool = main_pool(facts, of)?;
        per_token(
            pool.all?,
            pool.tokens.or(tokens.map(|tokens| tokens.tokens))?,
            0.0,
        )
    };
    let of_share = |of: &RankFacts| {
        let tokens = tokens.filter(|_| facts.format.is_some_and(|format| format.is_vllm()))?;
        per_token(of.for_pools?, tokens.tokens, tokens.rounding)
    };
    let announced = || Some((facts.announced_token_bytes?, 0.0));
    let mut ranks = facts.ranks.values();
    ranks
        .find_map(|of| of_pool(of).or_else(|| of_share(of)))
        .or_else(announced)
}

/// Both, side by side.
pub(crate) fn kv(facts: &Facts, formula: Option<&Formula<'_>>) -> Kv {
    let tokens = tokens(facts);
    // Of several pools in one, none is bytes of a token.
    let sums_up = facts.pool_is_sum && formula.is_some_and(|formula| !formula.cache.is_uniform());
    let is_mixed = facts.pool_is_mixed || sums_up;
    let said = said(facts, tokens).filter(|_| !is_mixed);
    let is_whole = formula.and_then(|formula| windows_kept_whole(facts, formula, said));
    let computed = formula.map(|formula| computed(facts, formula, is_whole));
    let difference = said
        .zip(computed)
        .and_then(|((said, _), computed)| finite(100.0 * (said - computed) / computed));
    let cache = formula.map(|formula| formula.cache);
    let state = facts.ranks.values().find_map(|of| of.states);
    let draft = facts.ranks.values().find_map(|of| {
        let pools = kinds(facts, of);
        let (_, pool) = pools.iter().find(|(kind, _)| *kind == PoolKind::Draft)?;
        per_token(pool.all?, pool.tokens?, 0.0)
    });
    Kv {
        tokens: tokens.map(|tokens| tokens.tokens),
        tokens_hold_for: facts
            .concurrency
            .filter(|_| {
                let by_concurrency =
                    |tokens: &Tokens| matches!(tokens.source, TokenSource::Concurrency { .. });
                facts.padding_layers.is_some() || tokens.as_ref().is_some_and(by_concurrency)
            })
            .map(|(length, ..)| length),
        bytes_per_token_log: said.and_then(|(bytes, _)| finite(bytes)),
        rounding_pct: said.and_then(|(_, rounding)| finite(100.0 * rounding)),
        bytes_per_token_formula: computed.and_then(finite),
        difference_pct: difference,
        attention: formula
            .and_then(|formula| formula.config.model.attention)
            .map(|kind| kind.name().to_owned()),
        copies: formula.map(copies),
        token_layers: cache.map(|cache| cache.token_layers),
        window_layers: cache.map(|cache| cache.window_layers),
        window_tokens: cache
            .map(|cache| cache.window_tokens)
            .filter(|tokens| *tokens > 0),
        windows_kept_whole: is_whole,
        state_layers: cache.map(|cache| cache.state_layers),
        // One slot more than requests: the first is for padding (SGLang, read and seen in its sizes).
        state_bytes_log: state.and_then(|state| finite(state.all.bytes / (state.slots as f64 + 1.0))),
        state_bytes_formula: cache
            .map(|cache| cache.state_bytes)
            .filter(|bytes| *bytes > 0.0)
            .and_then(finite),
        draft_bytes_per_token_log: draft.and_then(|(bytes, _)| finite(bytes)),
        draft_bytes_per_token_formula: formula
            .and_then(|formula| formula.draft_token_bytes)
            .and_then(finite),
    }
}

/// How often keys and values are kept over the ranks of one attention.
pub(crate) fn copies(formula: &Formula<'_>) -> u64 {
    let model = &formula.config.model;
    let is_latent = model.kv_lora_rank.is_some_and(|rank| rank > 0);
    match model.cache.full {
        _ if is_latent => formula.parallel.attention_tp(),
        Some(heads) => formula.parallel.kv_copies(heads.kv_heads),
        None => 1,
    }
}

/// Whether layers with a window keep all tokens: not where they have a pool of their own, else what is nearer to the
/// engine's number.
fn windows_kept_whole(facts: &Facts, formula: &Formula<'_>, said: Option<(f64, f64)>) -> Option<bool> {
    let cache = &formula.cache;
    if cache.window_layers == 0 || facts.format.is_some_and(|format| format.is_vllm()) {
        return None;
    }
    if facts.window_pool_tokens.is_some() {
        return Some(false);
    }
    let (said, _) = said?;
    let far = |bytes: f64| (said - bytes).abs();
    Some(far(cache.all_kept_bytes()) < far(cache.token_bytes()))
}

/// The formula for what the engine's number is of. vLLM's groups of layers share one pool, so that of a hybrid model is of
/// a request of the length that it names.
fn computed(facts: &Facts, formula: &Formula<'_>, windows_kept_whole: Option<bool>) -> f64 {
    let cache = &formula.cache;
    let is_vllm = facts.format.is_some_and(|format| format.is_vllm());
    match facts.concurrency {
        Some((length, _, _)) if is_vllm && !cache.is_uniform() && length > 0 => {
            cache.request_bytes(length, facts.page.unwrap_or(VLLM_BLOCK)) / length as f64
        }
        _ if windows_kept_whole == Some(true) => cache.all_kept_bytes(),
        _ => cache.token_bytes(),
    }
}
