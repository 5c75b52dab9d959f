//! Passes as stretches of the stream: as the search for layers found them, and cut where the engine's steps and graph
//! launches say that one ends and the next begins.

use std::collections::BTreeMap;
use std::ops::Range;

use torch_trace::{Derived, StepKind};
use trace_layers::{Detection, Layer, Role};

use crate::stream::{Item, Source, Stream};

/// One pass.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Span {
    /// Its kernels, as places in the stream. Never empty.
    pub(crate) kernels: Range<usize>,
    /// Its layers; empty when none were found.
    pub(crate) layers: Vec<Layer>,
    pub(crate) role: Role,
    /// Whether it has all layers.
    pub(crate) complete: bool,
    /// The engine's step that launched most of it, as a place in `Stages::steps`.
    pub(crate) step: Option<usize>,
    /// What most of it is, by step or by the name of the file.
    pub(crate) kind: Option<StepKind>,
}

/// What the trace knows of the kernels of the stream.
struct Known<'a> {
    derived: &'a Derived,
    items: &'a [Item<'a>],
}

impl Known<'_> {
    fn event(&self, at: usize) -> Option<usize> {
        match self.items[at].source {
            Source::Ran(event) => Some(event),
            Source::Launched(_) => None,
        }
    }

    /// The step that launched a kernel.
    fn step(&self, at: usize) -> Option<usize> {
        self.derived.stages.step_of[self.event(at)?]
    }

    /// The graph launch that started a kernel.
    fn graph(&self, at: usize) -> Option<usize> {
        let event = self.event(at)?;
        let in_graph = self.derived.origins.in_graph(event);
        in_graph.then(|| self.derived.origins.launch[event]).flatten()
    }

    fn kind(&self, at: usize) -> Option<StepKind> {
        match self.derived.stages.of_event[self.event(at)?] {
            torch_trace::Stage::Kind(kind) => Some(kind),
            torch_trace::Stage::Unassigned | torch_trace::Stage::All => None,
        }
    }

    fn span(&self, mut kernels: Range<usize>, layers: Vec<Layer>, role: Role, complete: bool) -> Span {
        // A pass is where its layers are: what stands around them may belong to its neighbours.
        let inner = match (layers.first(), layers.last()) {
            (Some(first), Some(last)) => first.kernels.start..last.kernels.end,
            _ => kernels.clone(),
        };
        let step = most(inner.clone().map(|at| self.step(at)));
        // What another step launched is no part of it, though no other pass claims it.
        let foreign = |at: &usize| step.is_some() && self.step(*at).is_some_and(|of| Some(of) != step);
        let before = (kernels.start..inner.start).rev().find(foreign);
        kernels.start = before.map_or(kernels.start, |at| at + 1);
        kernels.end = (inner.end..kernels.end).find(foreign).unwrap_or(kernels.end);
        Span {
            step,
            kind: most(inner.map(|at| self.kind(at))),
            kernels,
            layers,
            role,
            complete,
        }
    }
}

/// The value that most have; of equals the least.
fn most<T: Ord + Copy>(values: impl Iterator<Item = Option<T>>) -> Option<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    for value in values.flatten() {
        *counts.entry(value).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    counts
        .into_iter()
        .find_map(|(value, count)| (count == most).then_some(value))
}

/// The passes of a stream. Without layers they are the steps of the engine, else the launches of graphs.
pub(crate) fn spans(detection: &Detection, derived: &Derived, stream: &Stream<'_>) -> Vec<Span> {
    let known = Known {
        derived,
        items: &stream.items,
    };
    if detection.passes.is_empty() {
        return without_layers(&known);
    }
    let mut spans: Vec<Span> = Vec::with_capacity(detection.passes.len());
    let mut start = detection.passes[0].preamble.start;
    for (index, pass) in detection.passes.iter().enumerate() {
        let end = detection
            .passes
            .get(index + 1)
            .map_or(pass.tail.end, |next| border(&known, pass, next));
        let span = known.span(start..end, pass.layers.clone(), pass.role, pass.complete);
        start = end;
        match spans.last_mut().filter(|last| belongs(&known, last, &span)) {
            Some(last) => {
                last.kernels.end = span.kernels.end;
                last.layers.extend(span.layers);
                last.role = Role::Main;
            }
            None => spans.push(span),
        }
    }
    if spans.len() < detection.passes.len() {
        let whole = layers_of_most(&spans);
        for span in &mut spans {
            span.complete = Some(span.layers.len()) == whole;
        }
    }
    spans
}

/// Layers of a whole pass: the number that most layers are in passes of.
pub(crate) fn layers_of_most(spans: &[Span]) -> Option<usize> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for span in spans.iter().filter(|span| !span.layers.is_empty()) {
        *counts.entry(span.layers.len()).or_default() += span.layers.len();
    }
    let most = counts.into_iter().max_by_key(|(_, all)| *all);
    most.map(|(layers, _)| layers)
}

/// Kernels between two stretches of layers that are still one pass: behind the last layer of a pass stand more.
const BETWEEN_LAYERS: usize = 2;

/// Whether a span goes on where the last one ends: one step or graph launched both, and what ends a pass does not stand
/// between them. So are layers of another kind, before or behind those that repeat.
fn belongs(known: &Known<'_>, last: &Span, span: &Span) -> bool {
    let (Some(end), Some(start)) = (last.layers.last(), span.layers.first()) else {
        return false;
    };
    let (end, start) = (end.kernels.end, start.kernels.start);
    let graph = |span: &Span| {
        let layers = span.layers.iter().flat_map(|layer| layer.kernels.clone());
        most(layers.map(|at| known.graph(at)))
    };
    let together = match (last.step, span.step) {
        (Some(one), Some(other)) => one == other,
        _ => graph(last).is_some() && graph(last) == graph(span),
    };
    together && !(last.complete && span.complete) && start.saturating_sub(end) <= BETWEEN_LAYERS
}

/// Where a pass ends and the next begins: at the longest pause, unless steps or graphs say otherwise.
fn border(known: &Known<'_>, pass: &trace_layers::Pass, next: &trace_layers::Pass) -> usize {
    let gap = pass.layer_kernels().end..next.layer_kernels().start;
    let pause = pass.tail.end;
    let between = |key: &dyn Fn(usize) -> Option<usize>| {
        let before = most(pass.layer_kernels().map(key));
        let after = most(next.layer_kernels().map(key));
        if before == after || before.is_none() || after.is_none() {
            return None;
        }
        let earliest = gap
            .clone()
            .rev()
            .find(|at| key(*at) == before)
            .map_or(gap.start, |at| at + 1);
        let latest = gap
            .clone()
            .find(|at| key(*at) == after)
            .unwrap_or(gap.end)
            .max(earliest);
        Some(pause.clamp(earliest, latest))
    };
    between(&|at| known.step(at))
        .or_else(|| between(&|at| known.graph(at)))
        .unwrap_or(pause)
}

fn without_layers(known: &Known<'_>) -> Vec<Span> {
    let all = 0..known.items.len();
    let by_step = runs(all.clone(), &|at| known.step(at));
    let found = if by_step.is_empty() {
        runs(all, &|at| known.graph(at))
    } else {
        by_step
    };
    found
        .into_iter()
        .map(|kernels| known.span(kernels, Vec::new(), Role::Main, false))
        .collect()
}

/// From the first to the last kernel of each value, in order; what lies in an earlier stretch belongs to it.
fn runs(all: Range<usize>, key: &dyn Fn(usize) -> Option<usize>) -> Vec<Range<usize>> {
    let mut places: BTreeMap<usize, Range<usize>> = BTreeMap::new();
    for at in all {
        if let Some(value) = key(at) {
            places.entry(value).or_insert(at..at).end = at + 1;
        }
    }
    let mut found: Vec<Range<usize>> = places.into_values().collect();
    found.sort_by_key(|range| range.start);
    let mut end = 0;
    for range in &mut found {
        range.start = range.start.max(end);
        end = end.max(range.end);
    }
    found.retain(|range| !range.is_empty());
    found
}
