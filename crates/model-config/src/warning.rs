//! What a configuration says in two ways that do not agree.

use std::fmt;

/// Something in the configuration was not used, or not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigWarning {
    /// A list has neither one entry a layer, nor one more for each layer of multi-token prediction.
    ListLength {
        /// Key of the list.
        key: &'static str,
        /// Entries of the list.
        got: usize,
        /// Layers of the model.
        layers: usize,
        /// Whether its first entries were used; a list that is too short is not.
        used: bool,
    },
    /// A layer has a type that this reader does not know.
    UnknownType {
        /// Key of the list.
        key: &'static str,
        /// The type, cut to 64 characters and without control characters.
        value: String,
        /// Layers that have it.
        layers: usize,
    },
}

impl ConfigWarning {
    /// Stable name of the warning.
    pub fn code(&self) -> &'static str {
        match self {
            ConfigWarning::ListLength { .. } => "model-config-list-length",
            ConfigWarning::UnknownType { .. } => "model-config-unknown-type",
        }
    }
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigWarning::ListLength {
                key,
                got,
                layers,
                used,
            } => {
                let done = if *used {
                    "its first entries were used"
                } else {
                    "it was not used"
                };
                write!(f, "`{key}` has {got} entries for {layers} layers; {done}")
            }
            ConfigWarning::UnknownType { key, value, layers } => {
                write!(f, "`{key}` has the unknown type \"{value}\" for {layers} layers")
            }
        }
    }
}
