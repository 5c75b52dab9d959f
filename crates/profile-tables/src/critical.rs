//! What determines the span: the chain of work and waits that leads to the last work, followed backwards.
//!
//! ```text
//! stream 7   |--A--|            |---C---|     C began when B had ended: it waited for B's event
//! stream 9      |-----B-----|                 B began when its launch came, A or not
//! host       la lb    lc
//! path       <la>|----B-----|ev.|---C---|     without a gap, from the first start to the last end
//! ```
//!
//! A piece of work waits for the one before it on its stream, for the event of another stream, and for its launch; the
//! latest of them is the next link. On the host the chain runs along the launching thread (and along another one while
//! that one is silent), back to the last call that waited for the device, and on from the work that it waited for.

mod host;
mod sums;
mod waits;

use contracts::profile_tables::report::CriticalKind;
use torch_trace::{Derived, Trace, Work};

use host::Host;
pub(crate) use sums::{PathSum, add};
use waits::Waits;

/// A part of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) kind: CriticalKind,
    /// The work; of a wait the work that waited. `None` where nothing is known.
    pub(crate) work: Option<usize>,
    pub(crate) start_ns: i64,
    pub(crate) end_ns: i64,
}

/// A path, the last segment first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Path {
    pub(crate) segments: Vec<Segment>,
    /// Whether a wait for an event on it was inferred; `None` without such a wait.
    pub(crate) inferred_waits: Option<bool>,
}

/// Share of work whose launch must be known, percent.
const LAUNCHES_KNOWN_PCT: usize = 80;

/// The critical path of all work of a trace, or why nobody knows it.
pub(crate) fn critical_path(trace: &Trace, derived: &Derived) -> Result<Path, String> {
    let work = &derived.work;
    let known = derived.origins.launch.iter().flatten().count();
    if known * 100 < work.len() * LAUNCHES_KNOWN_PCT {
        return Err(format!(
            "{} of {} pieces of device work have no launch: what they waited for is unknown",
            work.len() - known,
            work.len()
        ));
    }
    if derived.swept.crowded > 0 {
        return Err("more work runs at once than any device runs: the trace is damaged".to_owned());
    }
    Ok(Walk::new(trace, derived).run())
}

/// Work in the orders in which the walk looks at it.
pub(crate) struct Orders {
    /// The work before each on its stream.
    previous: Vec<Option<usize>>,
    /// By stream, then start.
    by_track: Vec<usize>,
    /// By end.
    by_end: Vec<usize>,
}

impl Orders {
    fn of(work: &[Work]) -> Self {
        let mut by_track: Vec<usize> = (0..work.len()).collect();
        by_track.sort_by_key(|index| (work[*index].track, work[*index].start_ns, *index));
        let mut previous = vec![None; work.len()];
        for pair in by_track.windows(2) {
            if let [earlier, later] = pair
                && work[*earlier].track == work[*later].track
            {
                previous[*later] = Some(*earlier);
            }
        }
        let mut by_end: Vec<usize> = (0..work.len()).collect();
        by_end.sort_by_key(|index| (work[*index].end_ns, *index));
        Self {
            previous,
            by_track,
            by_end,
        }
    }

    /// Work that ended at `until_ns` or before, the last to end first.
    fn ended(&self, work: &[Work], until_ns: i64) -> impl Iterator<Item = usize> {
        let until = self
            .by_end
            .partition_point(|index| work[*index].end_ns <= until_ns);
        self.by_end[..until].iter().rev().copied()
    }
}

struct Walk<'t> {
    trace: &'t Trace,
    derived: &'t Derived,
    orders: Orders,
    host: Host,
    waits: Waits,
    seen: Vec<bool>,
    path: Path,
    /// All later time is accounted for.
    until_ns: i64,
    first_ns: i64,
}

impl<'t> Walk<'t> {
    fn new(trace: &'t Trace, derived: &'t Derived) -> Self {
        let starts = derived.work.iter().map(|work| work.start_ns);
        Self {
            trace,
            derived,
            orders: Orders::of(&derived.work),
            host: Host::of(trace),
            waits: Waits::of(trace),
            seen: vec![false; derived.work.len()],
            path: Path::default(),
            until_ns: derived.work.iter().map(|work| work.end_ns).max().unwrap_or(0),
            first_ns: starts.min().unwrap_or(0),
        }
    }

    fn run(mut self) -> Path {
        let mut next = self.orders.by_end.last().copied();
        while let Some(index) = next.filter(|_| self.until_ns > self.first_ns) {
            self.seen[index] = true;
            let start_ns = self.derived.work[index].start_ns;
            self.take(CriticalKind::Kernel, Some(index), start_ns);
            next = self.before(index);
        }
        self.take(CriticalKind::Unknown, None, self.first_ns);
        self.path
    }

    /// Accounts for the time from `from_ns` on.
    fn take(&mut self, kind: CriticalKind, work: Option<usize>, from_ns: i64) {
        let from_ns = from_ns.clamp(self.first_ns, self.until_ns);
        if from_ns < self.until_ns {
            self.path.segments.push(Segment {
                kind,
                work,
                start_ns: from_ns,
                end_ns: self.until_ns,
            });
            self.until_ns = from_ns;
        }
    }

    /// What a piece of work waited for; accounts for the wait.
    fn before(&mut self, index: usize) -> Option<usize> {
        let work = &self.derived.work;
        let launch = self.derived.origins.launch[index];
        let same = self.orders.previous[index].filter(|previous| !self.seen[*previous]);
        let event = self
            .waits
            .producer(self.trace, self.derived, &self.orders, &self.host, index)
            .filter(|(producer, _)| !self.seen[*producer])
            .filter(|(producer, _)| same.is_none_or(|same| work[same].end_ns < work[*producer].end_ns));
        let device = event.map(|(producer, _)| producer).or(same);
        let free_ns = device.map_or(i64::MIN, |device| work[device].end_ns);
        // A graph launches all its work at once: only the first waits for the host.
        let launched = launch
            .filter(|call| device.is_none_or(|device| self.derived.origins.launch[device] != Some(*call)));
        if let Some(call) = launched {
            let asked = &self.trace.calls[call];
            // A copy that blocks is launched when its call begins: the rest of the call is the device's time.
            let launched_ns = if self.host.blocks(self.trace, call, work[index].end_ns) {
                asked.start_ns
            } else {
                asked.end_ns()
            }
            .min(work[index].start_ns);
            if launched_ns > free_ns {
                return self.along_host(index, call);
            }
        }
        match (device, event) {
            (Some(_), Some((producer, inferred))) => {
                let waits = &mut self.path.inferred_waits;
                *waits = Some(waits.unwrap_or(false) || inferred);
                self.take(CriticalKind::EventWait, Some(index), free_ns);
                Some(producer)
            }
            (Some(same), None) => {
                self.take(CriticalKind::Device, Some(index), free_ns);
                Some(same)
            }
            (None, _) => {
                // Nothing on its stream, and no launch: on from what ended last.
                let seen = &self.seen;
                let ended = self.orders.ended(work, self.until_ns);
                let last = ended.into_iter().find(|other| !seen[*other])?;
                self.take(CriticalKind::Unknown, Some(index), work[last].end_ns);
                Some(last)
            }
        }
    }

    /// Along the host, to the work for which it last waited.
    fn along_host(&mut self, index: usize, call: usize) -> Option<usize> {
        let found = self.host.waited_for(self.trace, self.derived, &self.orders, call);
        let (returned_ns, waited_for) = match found {
            Some((wait, work)) if !self.seen[work] => (self.trace.calls[wait].end_ns(), Some(work)),
            _ => (self.first_ns, None),
        };
        self.take(CriticalKind::Launch, Some(index), returned_ns);
        if let Some(work) = waited_for {
            let end_ns = self.derived.work[work].end_ns;
            self.take(CriticalKind::Synchronisation, Some(index), end_ns);
        }
        waited_for
    }
}

#[cfg(test)]
mod tests;
