//! What was found: passes, their layers, and how sure that is.

use std::fmt;
use std::ops::Range;

use model_config::{LayerType, ModelConfig};

/// One kernel of the stream, in start order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kernel<'a> {
    /// Canonical name: without addresses, with tile sizes.
    pub name: &'a str,
    /// Start, in nanoseconds.
    pub start_ns: i64,
    /// Duration, in nanoseconds.
    pub dur_ns: i64,
}

/// What a configuration says about the layers. Without one, both are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expected<'a> {
    /// Decoder layers, without those of multi-token prediction.
    pub num_hidden_layers: Option<usize>,
    /// Type of each layer, or nothing.
    pub layer_types: &'a [LayerType],
}

impl<'a> From<&'a ModelConfig> for Expected<'a> {
    fn from(config: &'a ModelConfig) -> Expected<'a> {
        Expected {
            num_hidden_layers: Some(config.num_hidden_layers()),
            layer_types: &config.layer_types,
        }
    }
}

/// How the layers were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// One repeat is one layer.
    Period,
    /// One repeat is a group of layers, which was split.
    Superperiod,
    /// One repeat is a part of a layer; parts were joined.
    Subperiod,
    /// Kernels stand out of order, but each layer's share of them is there: layers are stretches of equal length.
    Slots,
    /// The layers do not repeat in groups; a kernel that stands between them divides them.
    Divider,
    /// The caller said where layers start.
    Given,
    /// Nothing that repeats was found.
    None,
}

impl Method {
    /// Stable name, as documents print it.
    pub fn name(self) -> &'static str {
        match self {
            Method::Period => "period",
            Method::Superperiod => "superperiod",
            Method::Subperiod => "subperiod",
            Method::Slots => "slots",
            Method::Divider => "divider",
            Method::Given => "given",
            Method::None => "none",
        }
    }
}

/// What a pass is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A pass of the model.
    Main,
    /// Layers of a draft between two passes: multi-token prediction.
    Draft,
}

/// One layer of a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its kernels, as indices into the stream.
    pub kernels: Range<usize>,
    /// Its type by the configuration; `None` without one, or where the pass has another number of layers.
    pub layer_type: Option<LayerType>,
    /// Layers with the same kernels, and of the same type, have the same number, from 0 in order of first occurrence.
    pub cluster: usize,
}

/// One pass over the model's layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// What precedes its layers: embedding, input copies, the index of the cache.
    pub preamble: Range<usize>,
    /// Its layers, in order. Never empty.
    pub layers: Vec<Layer>,
    /// What follows its layers: last norm, output projection, sampling.
    pub tail: Range<usize>,
    /// What the pass is.
    pub role: Role,
    /// Whether it has all layers: those of the configuration, else as many as the longest pass.
    pub complete: bool,
}

impl Pass {
    /// All kernels of the pass, with preamble and tail.
    pub fn kernels(&self) -> Range<usize> {
        self.preamble.start..self.tail.end
    }

    /// From the first to the last kernel of its layers.
    pub fn layer_kernels(&self) -> Range<usize> {
        self.preamble.end..self.tail.start
    }
}

/// Layers and passes of one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// How the layers were found.
    pub method: Method,
    /// Kernels of one repeat; `None` where nothing repeats, or with [`Method::Divider`] and [`Method::Given`].
    pub period: Option<usize>,
    /// Length of the longest run of repeats, in repeats; `None` with the period.
    pub repeats: Option<f64>,
    /// From 0 to 1: share of the layers' kernels that are the same, at the same place, in all layers of one kind, times the
    /// ratio of found and configured layers.
    pub confidence: f64,
    /// Layers of a whole pass; `None` where nothing was found.
    pub layers: Option<usize>,
    /// Layers that the configuration names.
    pub config_layers: Option<usize>,
    /// In the order of the trace.
    pub passes: Vec<Pass>,
    /// Number of clusters of layers.
    pub clusters: usize,
    /// What makes the result less certain.
    pub warnings: Vec<DetectionWarning>,
}

/// What makes a result less certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DetectionWarning {
    /// Trace and configuration name different numbers of layers.
    LayersDisagree {
        /// Layers of the longest pass in the trace.
        trace: usize,
        /// Layers by the configuration.
        config: usize,
    },
    /// A repeat is a group of layers by the configuration, and could not be split.
    NotSplit {
        /// Repeats in the longest pass.
        blocks: usize,
        /// Layers by the configuration.
        config: usize,
    },
    /// Kernels stand out of order, so that names and times of a layer may belong to different kernels.
    OutOfOrder {
        /// Kernels that are not where the other layers have them.
        kernels: usize,
    },
    /// The stream is longer than what is looked at.
    Truncated {
        /// Kernels of the stream.
        kernels: usize,
        /// Kernels that were looked at, from the start.
        analysed: usize,
    },
    /// The search ended before the end of the stream; later passes may be missing.
    GaveUp,
}

impl DetectionWarning {
    /// Stable name of the warning.
    pub fn code(&self) -> &'static str {
        match self {
            DetectionWarning::LayersDisagree { .. } => "layers-disagree",
            DetectionWarning::NotSplit { .. } => "layers-not-split",
            DetectionWarning::OutOfOrder { .. } => "kernels-out-of-order",
            DetectionWarning::Truncated { .. } => "stream-truncated",
            DetectionWarning::GaveUp => "layer-search-ended",
        }
    }
}

impl fmt::Display for DetectionWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DetectionWarning::LayersDisagree { trace, config } => {
                write!(
                    f,
                    "the trace shows {trace} layers, the configuration names {config}"
                )
            }
            DetectionWarning::NotSplit { blocks, config } => write!(
                f,
                "the trace shows {blocks} groups of layers for {config} layers of the configuration, and the groups could not be split"
            ),
            DetectionWarning::OutOfOrder { kernels } => write!(
                f,
                "{kernels} kernels stand out of order; layers are cut by their number, and names may not belong to their times"
            ),
            DetectionWarning::Truncated { kernels, analysed } => {
                write!(f, "the first {analysed} of {kernels} kernels were analysed")
            }
            DetectionWarning::GaveUp => write!(f, "the search for layers ended before the end of the stream"),
        }
    }
}
