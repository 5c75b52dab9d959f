//! Which object describes the language model, and how many layers it has.

use serde_json::{Map, Value};

use crate::error::ConfigError;
use crate::json::{flag, list, number};

/// Most layers that are read; the deepest model seen has 126.
const MAX_LAYERS: u64 = 4096;

/// Where a model of several parts keeps its language model: key of the part, and key within it.
const NESTED: [&[&str]; 7] = [
    &["text_config"],
    &["llm_config"],
    &["language_config"],
    &["language_model_config"],
    &["thinker_config", "text_config"],
    &["text_model_config"],
    &["decoder"],
];

/// The object that names the layers: a nested one before the top, which in such files may repeat other parts' numbers.
pub(crate) fn language_model(top: &Map<String, Value>) -> &Map<String, Value> {
    NESTED
        .iter()
        .filter_map(|path| {
            path.iter()
                .try_fold(top, |object, key| object.get(*key)?.as_object())
        })
        .find(|object| count(object).is_some())
        .unwrap_or(top)
}

/// Layers of the model, without those of multi-token prediction.
pub(crate) fn layer_count(object: &Map<String, Value>) -> Result<usize, ConfigError> {
    let layers = count(object).ok_or_else(|| {
        let quantization = object.get("quantization").is_some_and(Value::is_object);
        if quantization {
            ConfigError::Quantization
        } else {
            ConfigError::NoLayerCount
        }
    })?;
    match usize::try_from(layers) {
        Ok(count) if (1..=MAX_LAYERS).contains(&layers) => Ok(count),
        _ => Err(ConfigError::LayerCount {
            layers,
            limit: MAX_LAYERS,
        }),
    }
}

/// The number that is named, else one layer for each entry of a list of layers.
fn count(object: &Map<String, Value>) -> Option<u64> {
    number(
        object,
        &["num_hidden_layers", "n_layer", "n_layers", "num_layers"],
    )
    .or_else(|| Some(object.get("hybrid_override_pattern")?.as_str()?.chars().count() as u64))
    .or_else(|| {
        ["layers_block_type", "layer_types", "block_configs"]
            .iter()
            .find_map(|key| Some(list(object, key)?.len() as u64))
    })
}

/// Layers that predict further tokens and are no part of the layer count; `None` where none are named.
pub(crate) fn mtp_layers(object: &Map<String, Value>) -> Option<u64> {
    let modules = || {
        let modules = number(object, &["num_mtp_modules"])?;
        let each = number(object, &["mtp_transformer_layers"]).unwrap_or(1);
        Some(if flag(object, "use_mtp") == Some(false) {
            0
        } else {
            modules.saturating_mul(each)
        })
    };
    number(
        object,
        &[
            "num_nextn_predict_layers",
            "mtp_num_hidden_layers",
            "num_mtp_layers",
        ],
    )
    .or_else(modules)
}
