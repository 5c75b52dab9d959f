//! The layers of one pass: their times, their families, and the names of their types.

use std::collections::BTreeMap;

use contracts::pipeline_analysis::report::Layer as LayerRow;
use torch_trace::{Derived, Family};
use trace_layers::Layer;

use crate::stream::Stream;
use crate::times::{Shared, shared};

/// A layer with what was computed of it.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) layer: Layer,
    pub(crate) layer_type: String,
    /// `None` where nothing ran.
    pub(crate) times: Option<Shared>,
    /// Busy time by family; empty where nothing ran.
    pub(crate) families: BTreeMap<&'static str, f64>,
}

/// Measures the layers of a pass.
pub(crate) fn measure(derived: &Derived, stream: &Stream<'_>, layers: &[Layer]) -> Vec<Measured> {
    let types = types(stream, layers);
    layers
        .iter()
        .zip(types)
        .map(|(layer, layer_type)| {
            let items = &stream.items[layer.kernels.clone()];
            let times = shared(derived, items);
            let mut families = BTreeMap::new();
            for (item, part) in items.iter().zip(times.iter().flat_map(|times| &times.parts_ns)) {
                *families.entry(item.family.as_str()).or_default() += part;
            }
            Measured {
                layer: layer.clone(),
                layer_type,
                times,
                families,
            }
        })
        .collect()
}

/// The rows of the layers.
pub(crate) fn rows(measured: &[Measured], zero_ns: i64) -> Vec<LayerRow> {
    measured
        .iter()
        .enumerate()
        .map(|(index, of)| {
            let times = of.times.as_ref();
            LayerRow {
                index: index as u64,
                layer_type: of.layer_type.clone(),
                start_ns: times.map(|times| times.start_ns.saturating_sub(zero_ns)),
                wall_ns: of.wall_ns(),
                sum_ns: times.map(|times| times.sum_ns),
                busy_ns: times.map(|times| times.busy_ns),
                idle_ns: times
                    .zip(of.wall_ns())
                    .map(|(times, wall)| wall.saturating_sub(times.busy_ns)),
                families: times.map(|_| {
                    let families = of.families.iter();
                    families
                        .map(|(family, ns)| (format!("{family}_ns"), ns.round() as i64))
                        .collect()
                }),
                kernels: of.layer.kernels.len() as u64,
            }
        })
        .collect()
}

impl Measured {
    /// Start of its first to end of its last kernel.
    pub(crate) fn wall_ns(&self) -> Option<i64> {
        let times = self.times.as_ref()?;
        Some(times.end_ns.saturating_sub(times.start_ns))
    }
}

/// Whether a layer has a kernel of one of the families.
pub(crate) fn has(stream: &Stream<'_>, layer: &Layer, families: &[Family]) -> bool {
    stream.items[layer.kernels.clone()]
        .iter()
        .any(|item| families.contains(&item.family))
}

/// Whether the tokens of a layer see each other in it.
pub(crate) fn mixes(stream: &Stream<'_>, layer: &Layer) -> bool {
    let families = [Family::Attention, Family::Mla, Family::LinearAttention];
    has(stream, layer, &families)
}

/// The type of each layer: of the configuration, else by the families of its kernels. Clusters of one type are numbered.
fn types(stream: &Stream<'_>, layers: &[Layer]) -> Vec<String> {
    // Cluster -> its name, and type -> how many clusters have it.
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    layers
        .iter()
        .map(|layer| {
            names
                .entry(layer.cluster)
                .or_insert_with(|| {
                    let known = layer.layer_type.map(|known| known.to_string());
                    let name = known.unwrap_or_else(|| by_families(stream, layer));
                    let count = counts.entry(name.clone()).or_default();
                    *count += 1;
                    match *count {
                        1 => name,
                        number => format!("{name}#{number}"),
                    }
                })
                .clone()
        })
        .collect()
}

fn by_families(stream: &Stream<'_>, layer: &Layer) -> String {
    let mixer = [
        (Family::Mla, "mla"),
        (Family::LinearAttention, "linear"),
        (Family::Attention, "attention"),
    ];
    let mixer = mixer
        .iter()
        .find(|(family, _)| has(stream, layer, &[*family]))
        .map_or("none", |(_, name)| name);
    let ffn = if has(stream, layer, &[Family::Moe]) {
        "moe"
    } else if has(stream, layer, &[Family::Activation]) || mixer == "attention" {
        "dense"
    } else {
        "none"
    };
    format!("{mixer}+{ffn}")
}
