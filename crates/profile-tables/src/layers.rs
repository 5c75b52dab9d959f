//! The layers of a stage: the repeats on its busiest stream, step by step where the engine names its steps: little may
//! stand between the last layer of one and the first of the next.

use std::collections::BTreeMap;

use torch_trace::{Derived, GpuKind, Stage, Trace, TrackId};
use trace_layers::{Detection, Expected, Kernel, Pass, Role, detect};

/// Confidence from which on a place in the model is believed; real traces reach 0.95.
const SURE: f64 = 0.8;

/// The layers of one step.
pub(crate) struct StepLayers {
    /// Its kernels in the order in which they ran, as places in `Trace::gpu`.
    pub(crate) events: Vec<usize>,
    /// What repeats among them; two layers at least.
    pub(crate) found: Detection,
    /// Layers of a whole pass.
    pub(crate) layers: usize,
}

impl StepLayers {
    /// The passes of the model, without those of a draft.
    pub(crate) fn passes(&self) -> impl Iterator<Item = &Pass> {
        self.found.passes.iter().filter(|pass| pass.role == Role::Main)
    }
}

/// The steps of a stage in which layers were found for sure.
pub(crate) fn steps_with_layers(trace: &Trace, derived: &Derived, stage: Stage) -> Vec<StepLayers> {
    let mut streams: BTreeMap<TrackId, Vec<usize>> = BTreeMap::new();
    for (event, work) in trace.gpu.iter().enumerate() {
        if derived.stages.of_event[event] == stage && work.kind == GpuKind::Kernel {
            streams.entry(work.track).or_default().push(event);
        }
    }
    let mut steps: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
    for event in streams.into_values().max_by_key(Vec::len).unwrap_or_default() {
        steps
            .entry(derived.stages.step_of[event])
            .or_default()
            .push(event);
    }
    steps
        .into_values()
        .filter_map(|events| of_step(trace, derived, events))
        .collect()
}

fn of_step(trace: &Trace, derived: &Derived, mut events: Vec<usize>) -> Option<StepLayers> {
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
    (found.confidence >= SURE).then_some(StepLayers {
        events,
        found,
        layers,
    })
}
