//! The launching threads: in which calls they waited for the device, and for which work.

use torch_trace::{Derived, Trace, TrackId};

use super::Orders;

/// Pieces of work that are looked at for one wait.
const MOST_LOOKED_AT: usize = 256;

/// Without a call for so long, a thread waits for somebody.
const SILENT_NS: i64 = 1_000_000;

/// What a call does to its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// It returns when work of the device is done.
    Synchronises,
    /// A copy: it may do so.
    Copies,
    /// It makes a stream wait for an event.
    StreamWaits,
    /// It records an event, asks for one, or sets something up.
    Passes,
    /// It starts work.
    Launches,
}

/// Calls of each thread by start.
pub(super) struct Host {
    order: Vec<usize>,
    /// Of each call, its place in the order.
    rank: Vec<usize>,
    kinds: Vec<Call>,
    /// Calls that start work, of all threads, by start.
    launching: Vec<usize>,
}

impl Host {
    pub(super) fn of(trace: &Trace) -> Self {
        let mut order: Vec<usize> = (0..trace.calls.len()).collect();
        order.sort_by_key(|index| {
            let call = &trace.calls[*index];
            (call.track, call.start_ns, *index)
        });
        let mut rank = vec![0; order.len()];
        for (place, call) in order.iter().enumerate() {
            rank[*call] = place;
        }
        // Names are few and calls many: each name is looked at once.
        let mut by_name = vec![None; trace.names.len()];
        let kinds: Vec<Call> = trace
            .calls
            .iter()
            .map(|call| *by_name[call.name.index()].get_or_insert_with(|| kind(&trace.names.text(call.name))))
            .collect();
        let starts_work = |call: &usize| matches!(kinds[*call], Call::Launches | Call::Copies);
        let mut launching: Vec<usize> = (0..kinds.len()).filter(starts_work).collect();
        launching.sort_by_key(|call| (trace.calls[*call].start_ns, *call));
        Self {
            order,
            rank,
            kinds,
            launching,
        }
    }

    /// Whether a call is a copy that returned when the work that it launched was done.
    pub(super) fn blocks(&self, trace: &Trace, call: usize, work_end_ns: i64) -> bool {
        self.kinds[call] == Call::Copies && trace.calls[call].end_ns() >= work_end_ns
    }

    /// Calls of the same thread before one, the last first, with what they do.
    pub(super) fn before<'h>(
        &'h self,
        trace: &'h Trace,
        call: usize,
    ) -> impl Iterator<Item = (usize, Call)> + 'h {
        let track = trace.calls[call].track;
        self.order[..self.rank[call]]
            .iter()
            .rev()
            .take_while(move |other| trace.calls[**other].track == track)
            .map(|other| (*other, self.kinds[*other]))
    }

    /// The last call on the way to `call` in which the host waited for the device, and the work that ended the wait.
    ///
    /// The way runs along the thread of `call`. A thread that is silent for long while another one launches work was
    /// waiting for that one: there the way goes on.
    pub(super) fn waited_for(
        &self,
        trace: &Trace,
        derived: &Derived,
        orders: &Orders,
        call: usize,
    ) -> Option<(usize, usize)> {
        let mut at = call;
        loop {
            let previous = self.before(trace, at).next().map(|(previous, _)| previous);
            let silent_from_ns = previous.map_or(i64::MIN, |previous| trace.calls[previous].end_ns());
            at = self.other_thread(trace, at, silent_from_ns).or(previous)?;
            if let Some(work) = self.ended_by(trace, derived, orders, at) {
                return Some((at, work));
            }
        }
    }

    /// The last launch of another thread of the process while this one was silent for long before `call`.
    fn other_thread(&self, trace: &Trace, call: usize, silent_from_ns: i64) -> Option<usize> {
        let call = &trace.calls[call];
        if call.start_ns.saturating_sub(silent_from_ns) < SILENT_NS {
            return None;
        }
        let process = |track: TrackId| trace.tracks[track.index()].pid;
        let until = self
            .launching
            .partition_point(|other| trace.calls[*other].start_ns < call.start_ns);
        self.launching[..until]
            .iter()
            .rev()
            .take(MOST_LOOKED_AT)
            .take_while(|other| trace.calls[**other].start_ns >= silent_from_ns)
            .find(|other| {
                let track = trace.calls[**other].track;
                track != call.track && process(track) == process(call.track)
            })
            .copied()
    }

    /// The work whose end a call waited for; `None` for a call that waited for none.
    fn ended_by(&self, trace: &Trace, derived: &Derived, orders: &Orders, wait: usize) -> Option<usize> {
        let kind = self.kinds[wait];
        if !matches!(kind, Call::Synchronises | Call::Copies) {
            return None;
        }
        let (from_ns, to_ns) = (trace.calls[wait].start_ns, trace.calls[wait].end_ns());
        let process = |call: usize| trace.tracks[trace.calls[call].track.index()].pid;
        orders
            .ended(&derived.work, to_ns)
            .take(MOST_LOOKED_AT)
            .take_while(|work| derived.work[*work].end_ns > from_ns)
            .find(|work| match derived.origins.launch[*work] {
                Some(launch) if kind == Call::Copies => launch == wait,
                Some(launch) => trace.calls[launch].start_ns <= from_ns && process(launch) == process(wait),
                None => false,
            })
    }
}

fn kind(name: &str) -> Call {
    if name.contains("Synchronize") {
        Call::Synchronises
    } else if name.contains("StreamWaitEvent") {
        Call::StreamWaits
    } else if name.contains("Memcpy") {
        Call::Copies
    } else if name.contains("Launch") || name.contains("Memset") {
        Call::Launches
    } else {
        Call::Passes
    }
}
