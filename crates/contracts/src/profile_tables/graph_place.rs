//! What is inferred of the kernels that a graph replays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kernels of graphs, placed by the layers that repeat on their stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GraphInfo {
    /// Kernels, copies and fills of graph launches.
    pub graph_kernels: u64,
    /// Of them, those whose place in the model is known.
    pub placed: u64,
    /// Of them, those with a line of Python that was inferred from the kernel of the same place in a step without a graph.
    pub inferred: u64,
}

/// Place of a graph's kernel in the model.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct GraphPlace {
    /// Before, in or after the layers.
    pub part: LayerPart,
    /// Place among the kernels of its layer, from 0; null outside of layers, and in a layer that differs from the others
    /// of its kind.
    pub index: Option<u64>,
    /// Kernels of such a layer; null with `index`.
    pub of: Option<u64>,
    /// Layers in which the kernel runs at this place, from 0, as `0-22,24`; null outside of layers.
    pub layers: Option<String>,
    /// How the place is known: `layer-repeat`, inferred from what repeats on the stream.
    pub source: String,
}

/// Parts of a pass over the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LayerPart {
    /// Before the first layer: embedding, copies of inputs.
    Before,
    /// In a layer.
    Layer,
    /// After the last: norm, output projection, sampling.
    After,
}
