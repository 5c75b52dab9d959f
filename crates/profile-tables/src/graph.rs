//! Kernels that a graph replays, where no trace of its capture is given: their place in the model by the layers that
//! repeat on their stream, and the line of Python that launched the kernel of the same place in a step without a graph.
//! Both are inferred, and say so.
//!
//! read steps (`layers`) -> passes that Python launched (`graph::eager`) -> places and lines of the others (here,
//! `graph::agree`).

mod agree;
mod eager;

use std::collections::{BTreeMap, BTreeSet};

use contracts::profile_tables::report::{GraphPlace, LayerPart};
use rustc_hash::FxHashMap;
use torch_trace::{Derived, Family, LocatedBy, Stage, Trace};
use trace_layers::{Method, Pass};

use crate::layers::{StepLayers, steps_with_layers};
use crate::sites::{Located, SiteKey};
use agree::{Token, agreed};
use eager::EagerPasses;

/// What says the place.
const SOURCE: &str = "layer-repeat";
/// Pairs of kernels that are compared in all, at most: a bound on work, so that the same traces give the same places.
const MOST_WORK: usize = 200_000_000;

/// What was found for the kernels of graphs of one trace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Placed {
    /// Sites of events.
    pub(crate) located: Located,
    /// Of how many kernels the place is known.
    pub(crate) placed: u64,
    /// Of how many of them a line was inferred.
    pub(crate) inferred: u64,
}

/// Places the kernels of graphs of the traces of one run; one entry a trace.
pub(crate) fn place(traces: &[(&Trace, &Derived)]) -> Vec<Placed> {
    let has_graphs = |(trace, derived): &(&Trace, &Derived)| {
        (0..trace.gpu.len()).any(|event| derived.origins.in_graph(event))
    };
    if !traces.iter().any(has_graphs) {
        return vec![Placed::default(); traces.len()];
    }
    let steps: Vec<Vec<StepLayers>> = traces
        .iter()
        .map(|(trace, derived)| {
            let stages = Stage::LIST
                .iter()
                .filter(|stage| derived.stages.of_event.contains(stage));
            stages
                .flat_map(|stage| steps_with_layers(trace, derived, *stage))
                // Kernels out of order have no place of their own.
                .filter(|step| step.found.method != Method::Slots)
                .collect()
        })
        .collect();
    let mut eager = EagerPasses::default();
    for ((trace, derived), steps) in traces.iter().zip(&steps) {
        for step in steps {
            for pass in step.passes().filter(|pass| pass.complete) {
                eager.offer(trace, derived, step, pass);
            }
        }
    }
    traces
        .iter()
        .zip(&steps)
        .map(|((_, derived), steps)| {
            let mut placer = Placer {
                derived,
                eager: &eager,
                pairs: FxHashMap::default(),
                work_left: MOST_WORK,
                slots: Vec::new(),
                lines: Vec::new(),
            };
            for step in steps {
                placer.step(step);
            }
            placer.finish()
        })
        .collect()
}

/// A place as numbers; the layers that share it are known at the end only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Slot {
    kernel: u32,
    part: LayerPart,
    /// Place in its layer, and kernels of such a layer.
    index: Option<(usize, usize)>,
    /// The line that was inferred, among those of the trace.
    line: Option<usize>,
}

/// Agreed pairs of a layer, and of a sequence of the eager pass.
type Pairs = FxHashMap<(Vec<u32>, usize), Vec<(usize, usize)>>;

/// Places the graph kernels of one trace.
struct Placer<'t> {
    derived: &'t Derived,
    eager: &'t EagerPasses,
    pairs: Pairs,
    work_left: usize,
    slots: Vec<(usize, Slot, Option<usize>)>,
    lines: Vec<(Option<String>, Option<String>)>,
}

impl Placer<'_> {
    fn step(&mut self, step: &StepLayers) {
        if !step
            .events
            .iter()
            .any(|event| self.derived.origins.in_graph(*event))
        {
            return;
        }
        let usual = self.usual_layers(step);
        for pass in step.passes().filter(|pass| pass.complete) {
            for (part, kernels) in [
                (LayerPart::Before, &pass.preamble),
                (LayerPart::After, &pass.tail),
            ] {
                for event in &step.events[kernels.clone()] {
                    self.note(*event, part, None, None, None);
                }
            }
            self.layers(step, pass, &usual);
        }
    }

    /// For each kind of layer, the sequence of kernels that most of them have.
    fn usual_layers(&self, step: &StepLayers) -> BTreeMap<usize, Vec<u32>> {
        let mut counts: BTreeMap<usize, BTreeMap<Vec<u32>, u64>> = BTreeMap::new();
        for layer in step.passes().flat_map(|pass| &pass.layers) {
            let sequence = self.sequence(&step.events[layer.kernels.clone()]);
            *counts
                .entry(layer.cluster)
                .or_default()
                .entry(sequence)
                .or_default() += 1;
        }
        let most = |counts: BTreeMap<Vec<u32>, u64>| counts.into_iter().max_by_key(|(_, count)| *count);
        counts
            .into_iter()
            .filter_map(|(cluster, counts)| Some((cluster, most(counts)?.0)))
            .collect()
    }

    /// Whether two layers have kernels of the same families at the same places: the first norm of a pass has a kernel of
    /// its own.
    fn same_places(&self, usual: &[u32], sequence: &[u32]) -> bool {
        let family = |kernel: &u32| self.derived.kernels.list[*kernel as usize].family;
        usual.iter().map(family).eq(sequence.iter().map(family))
    }

    fn layers(&mut self, step: &StepLayers, pass: &Pass, usual: &BTreeMap<usize, Vec<u32>>) {
        let eager = self.eager.with_layers(pass.layers.len());
        for (number, layer) in pass.layers.iter().enumerate() {
            let events = &step.events[layer.kernels.clone()];
            let sequence = self.sequence(events);
            let of = usual[&layer.cluster].len();
            let same = self.same_places(&usual[&layer.cluster], &sequence);
            let mut lines = vec![None; events.len()];
            if let Some(eager) = eager.map(|layers| &layers[number]) {
                for (here, there) in self.pairs(&sequence, eager) {
                    let site = eager.site(there);
                    if site.location.is_some() && self.carries(events[here], &eager.tokens()[there]) {
                        lines[here] = Some(self.line(site));
                    }
                }
            }
            for (place, event) in events.iter().enumerate() {
                let index = same.then_some((place, of));
                self.note(*event, LayerPart::Layer, index, lines[place], Some(number));
            }
        }
    }

    /// Whether the line of a kernel without a graph may be that of its counterpart. Attention of a prompt and of a token
    /// are two functions of an engine: another kernel is another line.
    fn carries(&self, event: usize, eager: &Token<'_>) -> bool {
        let kernel = self.derived.kernels.at(event);
        let two_ways = matches!(
            kernel.family,
            Family::Attention | Family::Mla | Family::LinearAttention
        );
        !two_ways || kernel.name == eager.name
    }

    fn pairs(&mut self, sequence: &[u32], eager: &eager::EagerLayer) -> Vec<(usize, usize)> {
        let key = (sequence.to_vec(), eager.sequence);
        if let Some(found) = self.pairs.get(&key) {
            return found.clone();
        }
        let tokens: Vec<Token<'_>> = sequence
            .iter()
            .map(|kernel| {
                let kernel = &self.derived.kernels.list[*kernel as usize];
                Token {
                    name: &kernel.name,
                    family: kernel.family,
                }
            })
            .collect();
        let others = eager.tokens();
        let Some(left) = self.work_left.checked_sub(tokens.len() * others.len()) else {
            return Vec::new();
        };
        self.work_left = left;
        let found = agreed(&tokens, &others);
        self.pairs.insert(key, found.clone());
        found
    }

    fn line(&mut self, site: &SiteKey) -> usize {
        let line = (site.location.clone(), site.cpu_op.clone());
        let known = self.lines.iter().position(|known| *known == line);
        known.unwrap_or_else(|| {
            self.lines.push(line);
            self.lines.len() - 1
        })
    }

    fn sequence(&self, events: &[usize]) -> Vec<u32> {
        let kernel = |event: &usize| self.derived.kernels.of_event[*event];
        events.iter().map(kernel).collect()
    }

    fn note(
        &mut self,
        event: usize,
        part: LayerPart,
        index: Option<(usize, usize)>,
        line: Option<usize>,
        layer: Option<usize>,
    ) {
        if self.derived.origins.in_graph(event) {
            let slot = Slot {
                kernel: self.derived.kernels.of_event[event],
                part,
                index,
                line,
            };
            self.slots.push((event, slot, layer));
        }
    }

    fn finish(self) -> Placed {
        let mut layers: FxHashMap<Slot, BTreeSet<usize>> = FxHashMap::default();
        for (_, slot, layer) in &self.slots {
            layers.entry(*slot).or_default().extend(layer);
        }
        let sites: FxHashMap<Slot, SiteKey> = layers
            .into_iter()
            .map(|(slot, layers)| {
                let (location, cpu_op) = slot.line.map_or((None, None), |line| self.lines[line].clone());
                let place = GraphPlace {
                    part: slot.part,
                    index: slot.index.map(|(index, _)| index as u64),
                    of: slot.index.map(|(_, of)| of as u64),
                    layers: ranges(&layers),
                    source: SOURCE.to_owned(),
                };
                let site = SiteKey {
                    by: location.is_some().then_some(LocatedBy::GraphPosition),
                    location,
                    cpu_op,
                    place: Some(place),
                };
                (slot, site)
            })
            .collect();
        let mut placed = Placed::default();
        for (event, slot, _) in &self.slots {
            placed.placed += 1;
            placed.inferred += u64::from(slot.line.is_some());
            placed.located.insert(*event, sites[slot].clone());
        }
        placed
    }
}

/// `0-22,24`; `None` of none.
fn ranges(layers: &BTreeSet<usize>) -> Option<String> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for layer in layers {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *layer => *last = *layer,
            _ => ranges.push((*layer, *layer)),
        }
    }
    let text = |(first, last): &(usize, usize)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    };
    (!ranges.is_empty()).then(|| ranges.iter().map(text).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_written_as_ranges() {
        let text = |layers: &[usize]| ranges(&layers.iter().copied().collect());
        assert_eq!(text(&[]), None);
        assert_eq!(text(&[3]), Some("3".to_owned()));
        assert_eq!(text(&[0, 1, 2, 5, 7, 8]), Some("0-2,5,7-8".to_owned()));
    }
}
