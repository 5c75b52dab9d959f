//! Where kernels are launched from, and where they run in the model: each site once, events by its number.

use contracts::profile_tables::report::GraphPlace;
use rustc_hash::FxHashMap;
use torch_trace::{LocatedBy, Origins, Trace, short_location};

/// Where a kernel is launched from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SiteKey {
    pub(crate) location: Option<String>,
    pub(crate) cpu_op: Option<String>,
    pub(crate) by: Option<LocatedBy>,
    /// Of a kernel that a graph replays, where no mapping trace gives its line.
    pub(crate) place: Option<GraphPlace>,
}

/// Sites of events that no launch explains: kernels of graphs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Located {
    list: Vec<SiteKey>,
    known: FxHashMap<SiteKey, usize>,
    of_event: FxHashMap<usize, usize>,
}

impl Located {
    /// Notes the site of an event.
    pub(crate) fn insert(&mut self, event: usize, site: SiteKey) {
        let list = &mut self.list;
        let place = *self.known.entry(site).or_insert_with_key(|site| {
            list.push(site.clone());
            list.len() - 1
        });
        self.of_event.insert(event, place);
    }
}

/// Sites of one trace, made once for each pair of frame and operator.
pub(crate) struct Sites<'l> {
    pub(crate) list: Vec<SiteKey>,
    located: &'l Located,
    known: FxHashMap<(usize, Option<usize>, bool), usize>,
}

impl<'l> Sites<'l> {
    /// No sites but those that are known already.
    pub(crate) fn new(located: &'l Located) -> Self {
        Self {
            list: located.list.clone(),
            located,
            known: FxHashMap::default(),
        }
    }

    /// The site of an event, by its place in the list.
    pub(crate) fn place(&mut self, trace: &Trace, origins: &Origins, event: usize) -> usize {
        if let Some(place) = self.located.of_event.get(&event) {
            return *place;
        }
        let op = origins.op(trace, event);
        // Call stacks belong to single operators: only frames repeat.
        let frame = origins.launch[event].and_then(|call| origins.frame_id(call));
        let repeats = frame.map(|frame| (frame, op.map(|op| op.name.index()), origins.in_graph(event)));
        if let Some(place) = repeats.and_then(|key| self.known.get(&key)) {
            return *place;
        }
        let site = recorded(trace, origins, event);
        self.list.push(site);
        let place = self.list.len() - 1;
        if let Some(key) = repeats {
            self.known.insert(key, place);
        }
        place
    }
}

/// The site that the trace itself has for an event.
pub(crate) fn recorded(trace: &Trace, origins: &Origins, event: usize) -> SiteKey {
    let found = origins.location(trace, event);
    SiteKey {
        by: found.as_ref().map(|(_, by)| *by),
        location: found.map(|(text, _)| short_location(&text).to_owned()),
        cpu_op: origins
            .op(trace, event)
            .map(|op| trace.names.text(op.name).into_owned()),
        place: None,
    }
}
