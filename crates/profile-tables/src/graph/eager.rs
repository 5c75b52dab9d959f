//! The passes of a run whose kernels Python launched one by one: they know the lines that a graph's kernels have lost.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use torch_trace::{Derived, Family, Trace};
use trace_layers::Pass;

use super::agree::Token;
use crate::layers::StepLayers;
use crate::sites::{SiteKey, recorded};

/// A kernel whose launch was recorded.
struct EagerKernel {
    name: String,
    family: Family,
    site: SiteKey,
}

/// One layer.
pub(super) struct EagerLayer {
    kernels: Vec<EagerKernel>,
    /// Layers with the same kernels have the same number.
    pub(super) sequence: usize,
}

impl EagerLayer {
    /// Its kernels, to be compared.
    pub(super) fn tokens(&self) -> Vec<Token<'_>> {
        self.kernels
            .iter()
            .map(|kernel| Token {
                name: &kernel.name,
                family: kernel.family,
            })
            .collect()
    }

    /// Where a kernel of it was launched.
    pub(super) fn site(&self, kernel: usize) -> &SiteKey {
        &self.kernels[kernel].site
    }
}

/// For each number of layers, the pass of which most launches are known.
#[derive(Default)]
pub(super) struct EagerPasses {
    by_layers: BTreeMap<usize, (usize, Vec<EagerLayer>)>,
    sequences: FxHashMap<Vec<String>, usize>,
}

impl EagerPasses {
    /// Takes a whole pass of a step, where it knows more than those before.
    pub(super) fn offer(&mut self, trace: &Trace, derived: &Derived, step: &StepLayers, pass: &Pass) {
        let eager = |event: &usize| !derived.origins.in_graph(*event);
        let events = &step.events[pass.layer_kernels()];
        let known = events
            .iter()
            .filter(|event| eager(event) && derived.origins.location(trace, **event).is_some())
            .count();
        let best = self.by_layers.get(&pass.layers.len());
        if known == 0 || best.is_some_and(|(best, _)| *best >= known) {
            return;
        }
        let layers = pass
            .layers
            .iter()
            .map(|layer| {
                let kernels: Vec<EagerKernel> = step.events[layer.kernels.clone()]
                    .iter()
                    .map(|event| {
                        let kernel = derived.kernels.at(*event);
                        EagerKernel {
                            name: kernel.name.clone(),
                            family: kernel.family,
                            site: if eager(event) {
                                recorded(trace, &derived.origins, *event)
                            } else {
                                SiteKey::default()
                            },
                        }
                    })
                    .collect();
                let names: Vec<String> = kernels.iter().map(|kernel| kernel.name.clone()).collect();
                let next = self.sequences.len();
                EagerLayer {
                    kernels,
                    sequence: *self.sequences.entry(names).or_insert(next),
                }
            })
            .collect();
        self.by_layers.insert(pass.layers.len(), (known, layers));
    }

    /// The layers of the pass with as many of them.
    pub(super) fn with_layers(&self, count: usize) -> Option<&[EagerLayer]> {
        self.by_layers.get(&count).map(|(_, layers)| layers.as_slice())
    }
}
