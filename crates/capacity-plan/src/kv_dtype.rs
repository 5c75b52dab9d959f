//! The type of keys and values. The nearest to the pool that names one decides; a name that is not known is no other type:
//! to take one for it would be a wrong number.

use capacity::KvDtype;
use capacity::model_config::{ModelConfig, Quantization};
use contracts::Warning;
use contracts::text::clean;

use crate::error::CapacityError;
use crate::facts::Facts;
use crate::kv::main_pool;
use crate::model::Config;

/// As typed.
pub(crate) fn typed(name: Option<&str>) -> Result<Option<KvDtype>, CapacityError> {
    let parse = |name: &str| KvDtype::parse(name).ok_or_else(|| CapacityError::KvDtype(name.to_owned()));
    name.map(parse).transpose()
}

/// Of a running engine: as typed, else as it is named.
pub(crate) fn of_engine(facts: &Facts, config: Option<&Config>, typed: Option<KvDtype>) -> Option<KvDtype> {
    let model = config.map(|config| &config.model);
    typed.or_else(|| match named(facts, model) {
        Some(name) => KvDtype::parse(name),
        // What is not quantized and has no name is in two bytes.
        None => config.map(|_| KvDtype::Bf16),
    })
}

/// Of a checkpoint: as typed, else what its quantization asks for, else its own.
pub(crate) fn of_checkpoint(
    config: &Config,
    quantization: Option<&Quantization>,
    typed: Option<KvDtype>,
) -> Result<KvDtype, CapacityError> {
    let asked = quantization.and_then(|how| how.kv_cache.as_deref());
    let mut names = [asked, config.model.weights.dtype.as_deref()].into_iter();
    let Some(name) = names.find_map(|name| name.filter(is_a_type)) else {
        return Ok(typed.unwrap_or(KvDtype::Bf16));
    };
    let unknown = || CapacityError::KvDtypeOfModel {
        path: config.path.clone(),
        name: name.to_owned(),
    };
    typed.or_else(|| KvDtype::parse(name)).ok_or_else(unknown)
}

/// A name that no formula here is for.
pub(crate) fn warning(facts: &Facts, config: &Config) -> Option<Warning> {
    let name = named(facts, Some(&config.model))?;
    Some(Warning::new(
        "kv-dtype-not-known",
        format!(
            "keys and values are kept as `{}`, which has no formula here: give the nearest one with --kv-dtype",
            clean(name, 60)
        ),
    ))
}

/// The main pool, then what the engine was told, then the model's own type as the engine or the configuration has it.
fn named<'a>(facts: &'a Facts, model: Option<&'a ModelConfig>) -> Option<&'a str> {
    let pool = facts
        .ranks
        .values()
        .find_map(|of| main_pool(facts, of)?.dtype.as_deref());
    let own = model.and_then(|model| model.weights.dtype.as_deref());
    let names = [pool, facts.kv_dtype.as_deref(), facts.dtype.as_deref(), own];
    names.into_iter().find_map(|name| name.filter(is_a_type))
}

/// `auto` is what the next one has.
fn is_a_type(name: &&str) -> bool {
    !matches!(name.trim().to_ascii_lowercase().as_str(), "auto" | "none" | "")
}
