//! The model's configuration, and how the engine divides the model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use capacity::model_config::ModelConfig;
use capacity::{KvCache, KvDtype, Parallel};
use cli_kit::Failure;
use contracts::{Input, Warning};

use crate::cli::CheckArgs;
use crate::error::CapacityError;
use crate::facts::{Facts, Rank};

/// Longest file that is read; the reader of configurations has its own, smaller limit.
const FILE_CAP: u64 = 64 << 20;

/// A configuration with its file.
pub(crate) struct Config {
    pub(crate) path: String,
    pub(crate) model: ModelConfig,
    pub(crate) input: Input,
}

/// Reads a config.json.
pub(crate) fn load(path: &Path) -> Result<Config, Failure> {
    let bytes = cli_kit::read_bounded(path, FILE_CAP)?;
    let path_text = path.display().to_string();
    let model = ModelConfig::from_slice(&bytes).map_err(|source| CapacityError::Config {
        path: path_text.clone(),
        source,
    })?;
    Ok(Config {
        path: path_text,
        model,
        input: cli_kit::input_of(path, &bytes),
    })
}

/// Reads an hf_quant_config.json.
pub(crate) fn load_quantization(
    path: &Path,
) -> Result<(capacity::model_config::Quantization, Input), Failure> {
    let bytes = cli_kit::read_bounded(path, FILE_CAP)?;
    let name = path.display().to_string();
    let read = ModelConfig::quantization_from_slice(&bytes).map_err(|source| CapacityError::Config {
        path: name.clone(),
        source,
    })?;
    let quantization = read.ok_or(CapacityError::NoQuantization(name))?;
    Ok((quantization, cli_kit::input_of(path, &bytes)))
}

impl Config {
    /// What the reader did not understand.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = Warning> {
        let warnings = self.model.warnings.iter();
        warnings.map(|warning| Warning::new(warning.code(), warning.to_string()))
    }
}

/// How the engine divides the model: as typed, as it says, or as many ranks as speak. Several replicas whose tensor
/// parallel ranks have different numbers are replicas of attention alone.
pub(crate) fn parallel(facts: &Facts, args: &CheckArgs) -> Parallel {
    let seen = |of: fn(&Rank) -> Option<u32>| {
        let numbers = facts.ranks.keys().filter_map(of);
        numbers.max().map(|most| u64::from(most) + 1)
    };
    // vLLM says most things once, on its first rank: one name is no number of ranks.
    let is_vllm = facts.format.is_some_and(|format| format.is_vllm());
    let ranks = || seen(|rank| rank.tp).filter(|ranks| !is_vllm || *ranks > 1);
    let tp = args.tp.or(facts.tp).or_else(ranks);
    let dp = facts.dp.or_else(|| seen(|rank| rank.dp)).unwrap_or(1);
    let attention_dp = if facts.has_dp_attention || has_disjoint_ranks(facts) {
        dp
    } else {
        1
    };
    Parallel {
        tp: tp.unwrap_or(1),
        pp: args.pp.or(facts.pp).or_else(|| seen(|rank| rank.pp)).unwrap_or(1),
        attention_dp: args.attention_dp.unwrap_or(attention_dp),
        ep: facts.ep.unwrap_or(1),
    }
}

/// Ranks that were typed, and that the engine says otherwise.
pub(crate) fn other_ranks(facts: &Facts, args: &CheckArgs) -> Option<Warning> {
    let seen = facts.ranks.keys().filter_map(|rank| rank.tp).max();
    // One name of vLLM is no number of ranks; one of SGLang is the first of those that wrote the log.
    let seen = seen.map(|most| u64::from(most) + 1).filter(|ranks| *ranks > 1);
    let (typed, said) = (args.tp?, facts.tp.or(seen)?);
    (typed != said).then(|| {
        Warning::new(
            "ranks-disagree",
            format!("--tp is {typed}, and the engine speaks of {said} tensor parallel ranks: the formula is of {typed}"),
        )
    })
}

fn has_disjoint_ranks(facts: &Facts) -> bool {
    let mut of_replica: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    for rank in facts.ranks.keys() {
        if let (Some(dp), Some(tp)) = (rank.dp, rank.tp) {
            of_replica.entry(dp).or_default().insert(tp);
        }
    }
    let all: usize = of_replica.values().map(BTreeSet::len).sum();
    let distinct: BTreeSet<u32> = of_replica.values().flatten().copied().collect();
    of_replica.len() > 1 && distinct.len() == all
}

/// What the formula is of.
pub(crate) struct Formula<'a> {
    pub(crate) config: &'a Config,
    pub(crate) parallel: Parallel,
    pub(crate) dtype: KvDtype,
    pub(crate) cache: KvCache,
    /// Bytes of a token in the pool of a draft.
    pub(crate) draft_token_bytes: Option<f64>,
}

impl<'a> Formula<'a> {
    /// Whether no layer has a width, so that there is nothing to compute.
    pub(crate) fn is_empty(&self) -> bool {
        self.cache.all_kept_bytes() + self.cache.state_bytes <= 0.0
    }

    /// Of a configuration; the draft is a model of its own, or the model's own layers for multi-token prediction.
    pub(crate) fn new(
        config: &'a Config,
        draft: Option<&Config>,
        parallel: Parallel,
        dtype: KvDtype,
    ) -> Formula<'a> {
        let of_draft = draft.map(|draft| KvCache::of(&draft.model, parallel, dtype).all_kept_bytes());
        Formula {
            config,
            parallel,
            dtype,
            cache: KvCache::of(&config.model, parallel, dtype),
            draft_token_bytes: of_draft.or_else(|| KvCache::of_mtp(&config.model, parallel, dtype)),
        }
    }
}
