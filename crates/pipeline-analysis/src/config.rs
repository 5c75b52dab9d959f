//! The model's configuration: read, and held against what the trace shows.

use std::path::Path;

use cli_kit::Failure;
use contracts::{Input, Warning};
use model_config::{Ffn, LayerType, Mixer, ModelConfig};
use torch_trace::Family;
use trace_layers::{Expected, Layer};

use crate::error::PipelineError;
use crate::layers::has;
use crate::stream::Stream;

/// Longest file that is read; the reader of configurations has its own, smaller limit.
const FILE_CAP: u64 = 64 << 20;

/// A configuration with its file.
pub(crate) struct Config {
    pub(crate) model: ModelConfig,
    pub(crate) input: Input,
}

/// Reads a config.json.
pub(crate) fn load(path: &Path) -> Result<Config, Failure> {
    let bytes = cli_kit::read_bounded(path, FILE_CAP)?;
    let model = ModelConfig::from_slice(&bytes).map_err(|source| PipelineError::Config {
        path: path.display().to_string(),
        source,
    })?;
    Ok(Config {
        model,
        input: cli_kit::input_of(path, &bytes),
    })
}

impl Config {
    /// What the search for layers is told. A file that names no architecture says how many layers there are, and of no
    /// layer what it is.
    pub(crate) fn expected(&self) -> Expected<'_> {
        let model = &self.model;
        let named = model.architecture.is_some() || model.model_type.is_some() || !model.is_uniform();
        Expected {
            num_hidden_layers: Some(model.num_hidden_layers()),
            layer_types: if named { &model.layer_types } else { &[] },
        }
    }

    /// What the reader did not understand.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = Warning> {
        let warnings = self.model.warnings.iter();
        warnings.map(|warning| Warning::new(warning.code(), warning.to_string()))
    }
}

/// Layers whose kernels are not of the type that the configuration gives them.
pub(crate) fn types_disagree(stream: &Stream<'_>, layers: &[Layer]) -> Vec<Warning> {
    type IsOf = fn(LayerType) -> bool;
    let kinds: [(&str, IsOf, &[Family]); 3] = [
        (
            "attention",
            |of| of.mixer.is_attention(),
            &[Family::Attention, Family::Mla],
        ),
        (
            "linear attention or a state space",
            |of| matches!(of.mixer, Mixer::Linear | Mixer::Mamba | Mixer::AttentionMamba),
            &[Family::LinearAttention],
        ),
        (
            "a mixture of experts",
            |of| matches!(of.ffn, Ffn::Moe | Ffn::HashMoe),
            &[Family::Moe],
        ),
    ];
    let mut warnings = Vec::new();
    for (what, is_of, families) in kinds {
        let typed: Vec<(bool, bool)> = layers
            .iter()
            .filter_map(|layer| Some((is_of(layer.layer_type?), has(stream, layer, families))))
            .collect();
        if typed.iter().all(|(config, trace)| config == trace) {
            continue;
        }
        let configured = typed.iter().filter(|(config, _)| *config).count();
        let shown = typed.iter().filter(|(_, trace)| *trace).count();
        let wrong = typed.iter().filter(|(config, trace)| config != trace).count();
        warnings.push(Warning::new(
            "layer-types-disagree",
            format!(
                "the configuration has {configured} layers with {what}, {shown} layers of the trace have such kernels, and {wrong} layers differ: is it the configuration of this model?"
            ),
        ));
    }
    warnings
}
