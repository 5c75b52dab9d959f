//! Layers of the same kernels and the same type, as numbered clusters.

use rustc_hash::FxHashMap;

use crate::detection::{Kernel, Pass};
use crate::divider::in_common;

/// Share of its kernels that a layer has in common with the cluster it joins.
const ALIKE: f64 = 0.8;

/// Numbers the clusters in order of first occurrence, and returns how many there are. With `by_type` alone, names are not
/// looked at: they stand at the wrong layers.
pub(crate) fn number(kernels: &[Kernel<'_>], passes: &mut [Pass], by_type: bool) -> usize {
    let mut names: FxHashMap<&str, u32> = FxHashMap::default();
    let signatures: Vec<Vec<u32>> = passes
        .iter()
        .flat_map(|pass| &pass.layers)
        .map(|layer| {
            let mut signature: Vec<u32> = Vec::new();
            if !by_type {
                signature.extend(kernels[layer.kernels.clone()].iter().map(|kernel| {
                    let next = names.len() as u32;
                    *names.entry(kernel.name).or_insert(next)
                }));
            }
            signature.sort_unstable();
            signature
        })
        .collect();
    let mut counts: FxHashMap<&[u32], usize> = FxHashMap::default();
    for signature in &signatures {
        *counts.entry(signature).or_default() += 1;
    }
    let passes_count = passes.len();
    // The kernels that several layers of a pass have exactly, in order of first occurrence. A layer that is alone in its
    // pass joins the nearest: the first one, whose norm is another kernel.
    let mut leaders: Vec<&[u32]> = Vec::new();
    for signature in &signatures {
        if counts[&signature[..]] > passes_count && !leaders.contains(&&signature[..]) {
            leaders.push(signature);
        }
    }
    let mut clusters = Vec::new();
    let layers = passes.iter_mut().flat_map(|pass| &mut pass.layers);
    for (layer, signature) in layers.zip(&signatures) {
        let nearest = (0..leaders.len())
            .map(|leader| (alike(signature, leaders[leader]), leader))
            .filter(|(alike, _)| *alike >= ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let leader = nearest.map_or_else(
            || {
                leaders.push(signature);
                leaders.len() - 1
            },
            |(_, leader)| leader,
        );
        let key = (layer.layer_type, leader);
        layer.cluster = clusters
            .iter()
            .position(|known| *known == key)
            .unwrap_or_else(|| {
                clusters.push(key);
                clusters.len() - 1
            });
    }
    clusters.len()
}

fn alike(a: &[u32], b: &[u32]) -> f64 {
    if a == b {
        return 1.0;
    }
    2.0 * in_common(a, b) as f64 / (a.len() + b.len()) as f64
}
