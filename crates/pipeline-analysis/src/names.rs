//! Names of the types of layers, where no configuration gives them: by what the kernels say.
//!
//! - A layer in which tokens see each other is `mixer+block`: `mla`, `linear` or `attention`; `sliding` where the kernel's
//!   name says so, and then `full` for the other layers of the pass. The block is `moe`, `dense` or `none`.
//! - Where no layer of the pass is of that kind, the families that take most of the time: `gemm+elementwise`.

use std::collections::BTreeMap;

use torch_trace::Family;
use trace_layers::Layer;

use crate::layers::{has, mixes};
use crate::stream::Stream;

/// Share of a layer from which on a family is in its name, percent.
const NAMED_PCT: f64 = 20.0;

/// What the layers of one pass have in common.
pub(crate) struct Namer<'a> {
    stream: &'a Stream<'a>,
    /// Whether some layer mixes tokens.
    mixes: bool,
    /// Whether the attention of some layer says that its window slides.
    slides: bool,
}

impl<'a> Namer<'a> {
    /// Looks at all layers of a pass.
    pub(crate) fn of(stream: &'a Stream<'a>, layers: &[Layer]) -> Self {
        Self {
            stream,
            mixes: layers.iter().any(|layer| mixes(stream, layer)),
            slides: layers.iter().any(|layer| slides(stream, layer)),
        }
    }

    /// The name of one of them; `families` is the time of each family in it, empty where nothing ran.
    pub(crate) fn name(&self, layer: &Layer, families: &BTreeMap<&'static str, f64>) -> String {
        if !self.mixes {
            return self.by_families(layer, families);
        }
        let has = |family| has(self.stream, layer, &[family]);
        let mixer = if has(Family::Mla) {
            "mla"
        } else if has(Family::LinearAttention) {
            "linear"
        } else if has(Family::Attention) {
            match (self.slides, slides(self.stream, layer)) {
                (_, true) => "sliding",
                (true, false) => "full",
                (false, false) => "attention",
            }
        } else {
            "none"
        };
        let ffn = if has(Family::Moe) {
            "moe"
        } else if has(Family::Activation) || matches!(mixer, "attention" | "sliding" | "full") {
            "dense"
        } else {
            "none"
        };
        format!("{mixer}+{ffn}")
    }

    /// The two families with most time, of launches those with most kernels.
    fn by_families(&self, layer: &Layer, families: &BTreeMap<&'static str, f64>) -> String {
        let mut amounts = families.clone();
        if amounts.is_empty() {
            for item in &self.stream.items[layer.kernels.clone()] {
                *amounts.entry(item.family.as_str()).or_default() += 1.0;
            }
        }
        let all: f64 = amounts.values().sum();
        let mut sorted: Vec<(&str, f64)> = amounts.into_iter().collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        let names: Vec<&str> = sorted
            .iter()
            .enumerate()
            .filter(|(place, (_, amount))| *place == 0 || *place == 1 && 100.0 * amount >= NAMED_PCT * all)
            .map(|(_, (name, _))| *name)
            .collect();
        names.join("+")
    }
}

/// Whether the name of the layer's attention says that its window slides, as those of TensorRT-LLM's kernels do.
fn slides(stream: &Stream<'_>, layer: &Layer) -> bool {
    stream.items[layer.kernels.clone()]
        .iter()
        .filter(|item| item.family == Family::Attention)
        .any(|item| item.name.contains("Sliding") || item.name.contains("sliding"))
}
