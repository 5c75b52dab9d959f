//! The layers of one pass: their times, their families, and the names of their types.

use std::collections::BTreeMap;

use contracts::pipeline_analysis::report::Layer as LayerRow;
use torch_trace::{Derived, Family};
use trace_layers::Layer;

use crate::names::Namer;
use crate::outliers::outliers;
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
    /// Of an outlier its wall time over the median of its cluster.
    pub(crate) of_median: Option<f64>,
}

/// Measures the layers of a pass.
pub(crate) fn measure(derived: &Derived, stream: &Stream<'_>, layers: &[Layer]) -> Vec<Measured> {
    let mut measured: Vec<Measured> = layers
        .iter()
        .map(|layer| {
            let items = &stream.items[layer.kernels.clone()];
            let times = shared(derived, items);
            let mut families = BTreeMap::new();
            for (item, part) in items.iter().zip(times.iter().flat_map(|times| &times.parts_ns)) {
                *families.entry(item.family.as_str()).or_default() += part;
            }
            Measured {
                layer: layer.clone(),
                layer_type: String::new(),
                times,
                families,
                of_median: None,
            }
        })
        .collect();
    name_types(stream, layers, &mut measured);
    mark_outliers(&mut measured);
    measured
}

/// The rows of the layers; `first_pass` says whether they are those of the first pass of the trace.
pub(crate) fn rows(measured: &[Measured], zero_ns: i64, first_pass: bool) -> Vec<LayerRow> {
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
                outlier: of.of_median.is_some(),
                note: of.of_median.map(|ratio| note(ratio, first_pass && index == 0)),
            }
        })
        .collect()
}

/// What is special about an outlier.
fn note(of_median: f64, first: bool) -> String {
    let cold = if first && of_median > 1.0 {
        ": cold start, the first layer of the first pass"
    } else {
        ""
    };
    format!("{of_median:.1} × the median of its kind{cold}")
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

/// Gives each layer its type: of the configuration, else by its kernels. Clusters of one type are numbered.
fn name_types(stream: &Stream<'_>, layers: &[Layer], measured: &mut [Measured]) {
    let namer = Namer::of(stream, layers);
    // Cluster -> its name, and type -> how many clusters have it.
    let mut names: BTreeMap<usize, String> = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for of in measured {
        let name = names.entry(of.layer.cluster).or_insert_with(|| {
            let known = of.layer.layer_type.map(|known| known.to_string());
            let name = known.unwrap_or_else(|| namer.name(&of.layer, &of.families));
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            match *count {
                1 => name,
                number => format!("{name}#{number}"),
            }
        });
        of.layer_type.clone_from(name);
    }
}

/// Marks the layers that are far from the others of their cluster.
fn mark_outliers(measured: &mut [Measured]) {
    let mut clusters: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, of) in measured.iter().enumerate() {
        clusters.entry(of.layer.cluster).or_default().push(index);
    }
    for members in clusters.values() {
        let walls: Option<Vec<i64>> = members.iter().map(|member| measured[*member].wall_ns()).collect();
        for (member, of_median) in members.iter().zip(outliers(&walls.unwrap_or_default())) {
            measured[*member].of_median = of_median;
        }
    }
}
