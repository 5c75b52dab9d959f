//! The stream that is cut into layers: the kernels of the busiest one, or, while a graph is captured, the launches that
//! name their kernels.

use std::collections::BTreeMap;

use contracts::text::clean;
use torch_trace::{Derived, Family, GpuKind, NameId, Trace, TrackId, canonical, family_of};

/// Longest label of a stream, in bytes.
const LABEL_CAP: usize = 60;

/// Where a kernel stands in the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// In `Trace::gpu`.
    Ran(usize),
    /// In `Trace::calls`: a launch into a graph that is captured.
    Launched(usize),
}

/// One kernel of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item<'t> {
    pub(crate) name: &'t str,
    pub(crate) family: Family,
    pub(crate) source: Source,
    /// On the clock of the trace; of a launch when it was asked for.
    pub(crate) start_ns: i64,
    /// 0 for a launch.
    pub(crate) dur_ns: i64,
}

impl Item<'_> {
    pub(crate) fn end_ns(&self) -> i64 {
        self.start_ns.saturating_add(self.dur_ns)
    }
}

/// Launches that name a kernel which did not run: into a graph that is captured.
pub(crate) struct Launches {
    names: BTreeMap<NameId, (String, Family)>,
    track: TrackId,
    /// Places in `Trace::calls`, with the names of their kernels.
    calls: Vec<(usize, NameId)>,
}

impl Launches {
    /// Those of the thread with the most of them. `None` without one.
    pub(crate) fn of(trace: &Trace, derived: &Derived) -> Option<Self> {
        let mut ran = vec![false; trace.calls.len()];
        for call in derived.origins.launch.iter().flatten() {
            ran[*call] = true;
        }
        let mut by_track: BTreeMap<TrackId, Vec<(usize, NameId)>> = BTreeMap::new();
        for (index, call) in trace.calls.iter().enumerate().filter(|(index, _)| !ran[*index]) {
            if let Some(kernel) = call.kernel {
                by_track.entry(call.track).or_default().push((index, kernel));
            }
        }
        let (track, calls) = by_track
            .into_iter()
            .max_by_key(|(track, calls)| (calls.len(), std::cmp::Reverse(*track)))?;
        let mut names = BTreeMap::new();
        for (_, kernel) in &calls {
            names.entry(*kernel).or_insert_with(|| {
                let name = canonical(&trace.names.text(*kernel)).into_owned();
                let family = family_of(&name);
                (name, family)
            });
        }
        Some(Self { names, track, calls })
    }

    /// How many the thread has.
    pub(crate) fn count(&self) -> usize {
        self.calls.len()
    }
}

/// The number of a stream or thread; traces of 2021 write `stream 7`.
fn label(trace: &Trace, id: NameId) -> String {
    let text = clean(&trace.names.text(id), LABEL_CAP);
    text.strip_prefix("stream ").unwrap_or(&text).to_owned()
}

/// The stream.
pub(crate) struct Stream<'t> {
    /// As the trace names it.
    pub(crate) label: String,
    /// The device; all work of it makes it busy.
    pub(crate) device: NameId,
    /// Whether nothing ran: names of launches, no times.
    pub(crate) captured: bool,
    /// Kernels in start order.
    pub(crate) items: Vec<Item<'t>>,
}

impl<'t> Stream<'t> {
    /// The stream with the most kernels that are no communication; the launches where they are more. `None` without a
    /// kernel.
    pub(crate) fn of(trace: &'t Trace, derived: &'t Derived, launches: Option<&'t Launches>) -> Option<Self> {
        let mut counts: BTreeMap<TrackId, (usize, usize)> = BTreeMap::new();
        for (index, event) in trace.gpu.iter().enumerate() {
            if event.kind == GpuKind::Kernel {
                let count = counts.entry(event.track).or_default();
                count.0 += usize::from(derived.kernels.at(index).family != Family::Comm);
                count.1 += 1;
            }
        }
        let busiest = counts
            .into_iter()
            .max_by_key(|(track, count)| (*count, std::cmp::Reverse(*track)));
        let ran = busiest.map_or(0, |(_, count)| count.0);
        if let Some(launches) = launches.filter(|launches| launches.count() > ran) {
            return Some(Self::captured(trace, launches));
        }
        let (track, _) = busiest?;
        let mut items: Vec<Item<'t>> = trace
            .gpu
            .iter()
            .enumerate()
            .filter(|(_, event)| event.track == track && event.kind == GpuKind::Kernel)
            .map(|(index, event)| {
                let kernel = derived.kernels.at(index);
                Item {
                    name: &kernel.name,
                    family: kernel.family,
                    source: Source::Ran(index),
                    start_ns: event.start_ns,
                    dur_ns: event.dur_ns,
                }
            })
            .collect();
        items.sort_by_key(|item| item.start_ns);
        let place = trace.tracks[track.index()];
        Some(Self {
            label: label(trace, place.tid),
            device: place.pid,
            captured: false,
            items,
        })
    }

    fn captured(trace: &'t Trace, launches: &'t Launches) -> Self {
        let mut items: Vec<Item<'t>> = launches
            .calls
            .iter()
            .filter_map(|(index, kernel)| {
                let (name, family) = launches.names.get(kernel)?;
                Some(Item {
                    name,
                    family: *family,
                    source: Source::Launched(*index),
                    start_ns: trace.calls[*index].start_ns,
                    dur_ns: 0,
                })
            })
            .collect();
        items.sort_by_key(|item| item.start_ns);
        let place = trace.tracks[launches.track.index()];
        Self {
            label: label(trace, place.tid),
            device: place.pid,
            captured: true,
            items,
        }
    }

    /// The kernels as the search for layers takes them.
    pub(crate) fn kernels(&self) -> Vec<trace_layers::Kernel<'t>> {
        self.items
            .iter()
            .map(|item| trace_layers::Kernel {
                name: item.name,
                start_ns: item.start_ns,
                dur_ns: item.dur_ns,
            })
            .collect()
    }
}
