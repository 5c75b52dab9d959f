//! Where in the model each kernel of a stage runs: first layer, last layer, between, or outside of all.

use std::collections::BTreeMap;

use contracts::profile_tables::diff::Position;
use rustc_hash::FxHashMap;
use torch_trace::{Derived, Stage, Trace};

use crate::layers::{StepLayers, steps_with_layers};

/// The layers of a stage.
pub(super) struct Placed {
    /// Layers of a whole pass; two at least.
    pub(super) layers: usize,
    /// Whole passes.
    pub(super) passes: u64,
    of_event: FxHashMap<usize, Position>,
}

impl Placed {
    /// Finds the layers of a stage; `None` where nothing repeats as layers do.
    pub(super) fn of(trace: &Trace, derived: &Derived, stage: Stage) -> Option<Self> {
        let mut placed = Self {
            layers: 0,
            passes: 0,
            of_event: FxHashMap::default(),
        };
        let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
        for step in steps_with_layers(trace, derived, stage) {
            placed.add(&step);
            *counts.entry(step.layers).or_default() += 1;
        }
        // What most steps show; the largest of equals.
        placed.layers = counts
            .into_iter()
            .max_by_key(|(layers, steps)| (*steps, *layers))?
            .0;
        Some(placed)
    }

    /// Places the kernels of one step.
    fn add(&mut self, step: &StepLayers) {
        for pass in step.passes() {
            self.passes += u64::from(pass.complete);
            let last = pass.layers.len() - 1;
            for (index, layer) in pass.layers.iter().enumerate() {
                let position = match index {
                    // Of a pass that is cut nobody knows which layer is its first.
                    _ if !pass.complete => Position::Middle,
                    0 => Position::First,
                    index if index == last => Position::Last,
                    _ => Position::Middle,
                };
                for kernel in layer.kernels.clone() {
                    self.of_event.insert(step.events[kernel], position);
                }
            }
        }
    }

    /// Where an event runs.
    pub(super) fn at(&self, event: usize) -> Position {
        self.of_event.get(&event).copied().unwrap_or(Position::Outside)
    }
}
