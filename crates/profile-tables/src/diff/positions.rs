//! Where in the model each kernel of a stage runs: layers are the repeats on the busiest stream.

use std::collections::BTreeMap;

use contracts::profile_tables::diff::Position;
use rustc_hash::FxHashMap;
use torch_trace::{Derived, GpuKind, Stage, Trace, TrackId};
use trace_layers::{Expected, Kernel, Role, detect};

/// Confidence from which on a place in the model is believed; real traces reach 0.95.
const SURE: f64 = 0.8;

/// The layers of a stage.
pub(super) struct Placed {
    /// Layers of a whole pass; two at least.
    pub(super) layers: usize,
    /// Whole passes.
    pub(super) passes: u64,
    of_event: FxHashMap<usize, Position>,
}

impl Placed {
    /// Finds the layers of a stage, step by step where the engine names its steps: little may stand between the last layer
    /// of one and the first of the next. `None` where nothing repeats as layers do.
    pub(super) fn of(trace: &Trace, derived: &Derived, stage: Stage) -> Option<Self> {
        let mut streams: BTreeMap<TrackId, Vec<usize>> = BTreeMap::new();
        for (event, work) in trace.gpu.iter().enumerate() {
            if derived.stages.of_event[event] == stage && work.kind == GpuKind::Kernel {
                streams.entry(work.track).or_default().push(event);
            }
        }
        let mut steps: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for event in streams.into_values().max_by_key(Vec::len)? {
            steps
                .entry(derived.stages.step_of[event])
                .or_default()
                .push(event);
        }
        let mut placed = Self {
            layers: 0,
            passes: 0,
            of_event: FxHashMap::default(),
        };
        let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
        for events in steps.into_values() {
            if let Some(layers) = placed.add(trace, derived, events) {
                *counts.entry(layers).or_default() += 1;
            }
        }
        // What most steps show; the largest of equals.
        placed.layers = counts
            .into_iter()
            .max_by_key(|(layers, steps)| (*steps, *layers))?
            .0;
        Some(placed)
    }

    /// Places the kernels of one step; its layers, where it shows any.
    fn add(&mut self, trace: &Trace, derived: &Derived, mut events: Vec<usize>) -> Option<usize> {
        events.sort_by_key(|event| (trace.gpu[*event].start_ns, *event));
        let kernels: Vec<Kernel<'_>> = events
            .iter()
            .map(|event| Kernel {
                name: &derived.kernels.at(*event).name,
                start_ns: trace.gpu[*event].start_ns,
                dur_ns: trace.gpu[*event].dur_ns,
            })
            .collect();
        let found = detect(&kernels, &Expected::default());
        let layers = found.layers.filter(|layers| *layers > 1)?;
        if found.confidence < SURE {
            return None;
        }
        for pass in found.passes.iter().filter(|pass| pass.role == Role::Main) {
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
                    self.of_event.insert(events[kernel], position);
                }
            }
        }
        Some(layers)
    }

    /// Where an event runs.
    pub(super) fn at(&self, event: usize) -> Position {
        self.of_event.get(&event).copied().unwrap_or(Position::Outside)
    }
}
