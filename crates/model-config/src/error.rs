//! Why a text is no model configuration.

/// A text that gives no layer count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Longer than any real configuration.
    #[error("the model configuration has {bytes} bytes; the limit is {limit}")]
    TooLarge {
        /// Length of the text.
        bytes: usize,
        /// Longest text that is read.
        limit: usize,
    },
    /// Not JSON.
    #[error("the model configuration is not JSON: {reason} (line {line}, column {column})")]
    NotJson {
        /// Line of the defect, from 1.
        line: usize,
        /// Column of the defect, from 1; 0 before the first byte of a line.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// JSON, but no object.
    #[error("the model configuration is no JSON object")]
    NotAnObject,
    /// The file beside the configuration that says how weights were quantized.
    #[error("this is a quantization file (hf_quant_config.json), not the model's config.json")]
    Quantization,
    /// No key gives a number of layers, not even a nested one.
    #[error("the model configuration names no number of layers")]
    NoLayerCount,
    /// A number of layers that no model has.
    #[error("the model configuration names {layers} layers; 1 to {limit} are possible")]
    LayerCount {
        /// What it names.
        layers: u64,
        /// Most layers that are read.
        limit: u64,
    },
}

impl ConfigError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            ConfigError::TooLarge { .. } => "model-config-too-large",
            ConfigError::NotJson { .. } => "model-config-not-json",
            ConfigError::NotAnObject => "model-config-not-an-object",
            ConfigError::Quantization => "model-config-quantization-file",
            ConfigError::NoLayerCount => "model-config-no-layer-count",
            ConfigError::LayerCount { .. } => "model-config-layer-count",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            ConfigError::TooLarge { .. } | ConfigError::NotAnObject | ConfigError::NotJson { .. } => {
                "pass the config.json of the model's folder, as it was downloaded"
            }
            ConfigError::Quantization => "pass the config.json that lies beside this file",
            ConfigError::NoLayerCount => {
                "pass the config.json of a language model; num_hidden_layers is read at the top and in text_config"
            }
            ConfigError::LayerCount { .. } => "correct num_hidden_layers in the config.json",
        }
        .to_owned()
    }
}
