//! Waits for events of other streams: as the trace records them, else inferred from the call before a launch.

use rustc_hash::FxHashMap;
use torch_trace::{Derived, Id, Trace, TrackId};

use super::Orders;
use super::host::{Call, Host};

/// Pieces of work, or calls, that are looked at for one wait.
const MOST_LOOKED_AT: usize = 256;

/// A recorded wait.
struct Recorded {
    track: TrackId,
    /// When the host asked for it.
    asked_ns: i64,
    on: TrackId,
    /// When the host had the event recorded.
    recorded_ns: i64,
}

/// Waits of a trace.
pub(super) struct Waits {
    /// By stream, then time.
    recorded: Vec<Recorded>,
}

impl Waits {
    pub(super) fn of(trace: &Trace) -> Self {
        let mut waits = Self { recorded: Vec::new() };
        if trace.waits.is_empty() {
            return waits;
        }
        let calls: FxHashMap<Id, i64> = trace
            .calls
            .iter()
            .filter(|call| call.correlation.is_some())
            .map(|call| (call.correlation, call.start_ns))
            .collect();
        let tracks: FxHashMap<_, TrackId> = trace
            .gpu
            .iter()
            .map(|event| {
                let track = trace.tracks[event.track.index()];
                ((track.pid, trace.names.raw(track.tid)), event.track)
            })
            .collect();
        waits.recorded = trace
            .waits
            .iter()
            .filter_map(|wait| {
                let device = trace.tracks[wait.track.index()].pid;
                Some(Recorded {
                    track: wait.track,
                    asked_ns: *calls.get(&wait.correlation)?,
                    on: *tracks.get(&(device, trace.names.raw(wait.on_stream)))?,
                    recorded_ns: *calls.get(&wait.record)?,
                })
            })
            .collect();
        waits.recorded.sort_by_key(|wait| (wait.track, wait.asked_ns));
        waits
    }

    /// The work of another stream for which `index` had to wait, and whether that is inferred.
    pub(super) fn producer(
        &self,
        trace: &Trace,
        derived: &Derived,
        orders: &Orders,
        host: &Host,
        index: usize,
    ) -> Option<(usize, bool)> {
        let launch = derived.origins.launch[index]?;
        if self.recorded.is_empty() {
            return inferred(trace, derived, orders, host, index, launch).map(|work| (work, true));
        }
        let work = &derived.work;
        let launched_ns = |index: usize| derived.origins.launch[index].map(|call| trace.calls[call].start_ns);
        let track = work[index].track;
        let until_ns = trace.calls[launch].start_ns;
        let after_ns = orders.previous[index].and_then(launched_ns);
        let until = self
            .recorded
            .partition_point(|wait| (wait.track, wait.asked_ns) < (track, until_ns));
        self.recorded[..until]
            .iter()
            .rev()
            .take_while(|wait| wait.track == track && after_ns.is_none_or(|after| wait.asked_ns > after))
            .filter_map(|wait| {
                // The last work of that stream that was launched before the event was recorded.
                let (from, to) = (
                    orders
                        .by_track
                        .partition_point(|other| work[*other].track < wait.on),
                    orders
                        .by_track
                        .partition_point(|other| work[*other].track <= wait.on),
                );
                let stream = &orders.by_track[from..to];
                let before = stream.partition_point(|other| {
                    launched_ns(*other).is_none_or(|launched| launched <= wait.recorded_ns)
                });
                stream[..before].last().copied()
            })
            .filter(|producer| *producer != index)
            .max_by_key(|producer| (work[*producer].end_ns, *producer))
            .map(|producer| (producer, false))
    }
}

/// Where the calls between a launch and the launch before it make a stream wait: the work of another stream that was
/// launched before, and of such the last to end before `index` began. A copy that blocks waits so without a call of its own.
fn inferred(
    trace: &Trace,
    derived: &Derived,
    orders: &Orders,
    host: &Host,
    index: usize,
    launch: usize,
) -> Option<usize> {
    let work = &derived.work;
    let blocks = host.blocks(trace, launch, work[index].end_ns);
    let (wait, _) = host
        .before(trace, launch)
        .take(MOST_LOOKED_AT)
        .take_while(|(_, kind)| matches!(kind, Call::Passes | Call::StreamWaits))
        .find(|(_, kind)| *kind == Call::StreamWaits)
        .or(blocks.then_some((launch, Call::Copies)))?;
    let asked_ns = trace.calls[wait].start_ns;
    let device = |index: usize| trace.tracks[work[index].track.index()].pid;
    orders
        .ended(work, work[index].start_ns)
        .take(MOST_LOOKED_AT)
        .filter(|other| work[*other].track != work[index].track && device(*other) == device(index))
        .find(|other| {
            let launched = derived.origins.launch[*other];
            let before = launched.is_some_and(|call| trace.calls[call].start_ns <= asked_ns);
            // What had ended when the copy was asked for did not hold it up.
            before && (wait != launch || work[*other].end_ns > asked_ns)
        })
}
