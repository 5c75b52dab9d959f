//! Why the device had nothing to do: what the host was at between the end of one piece of work and the launch of the
//! next.
//!
//! ```text
//! device   ###|            gap             |#####
//! host        |--sync--|   |-python-|launch|
//!                                          ^ the launch returns: until here the device waits for the host
//! ```

use contracts::profile_tables::report::IdleCause as Cause;
use torch_trace::{Gap, Origins, Stages, Trace};

/// One gap, explained.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Explained {
    pub(crate) cause: Cause,
    pub(crate) ns: i64,
    /// Of it, until the launch of the next work had returned.
    pub(crate) launch_bound_ns: i64,
    /// The launch that the device waited for.
    pub(crate) call: Option<usize>,
}

/// Runtime calls of each thread by start.
pub(crate) struct HostCalls {
    order: Vec<usize>,
}

impl HostCalls {
    pub(crate) fn of(trace: &Trace) -> Self {
        let mut order: Vec<usize> = (0..trace.calls.len()).collect();
        order.sort_by_key(|index| (trace.calls[*index].track, trace.calls[*index].start_ns));
        Self { order }
    }

    /// Calls on the thread of `call` that begin between the two times, and the one before them, which may reach in.
    fn between(&self, trace: &Trace, call: usize, from_ns: i64, to_ns: i64) -> &[usize] {
        let track = trace.calls[call].track;
        let key = |index: &usize| (trace.calls[*index].track, trace.calls[*index].start_ns);
        let from = self.order.partition_point(|index| key(index) < (track, from_ns));
        let to = self.order.partition_point(|index| key(index) < (track, to_ns));
        let before = from > 0 && trace.calls[self.order[from - 1]].track == track;
        &self.order[from - usize::from(before)..to.max(from)]
    }
}

/// Explains one gap. `previous` is the work that ended last before it.
pub(crate) fn explain(
    trace: &Trace,
    origins: &Origins,
    stages: &Stages,
    host: &HostCalls,
    gap: Gap,
    previous: Option<usize>,
) -> Explained {
    let ns = gap.end_ns - gap.start_ns;
    let Some((index, call)) = origins.call(trace, gap.next) else {
        return Explained {
            cause: Cause::Device,
            ns,
            launch_bound_ns: 0,
            call: None,
        };
    };
    let launch_bound_ns = (call.end_ns() - gap.start_ns).clamp(0, ns);
    let steps = (
        previous.and_then(|event| stages.step_of[event]),
        stages.step_of[gap.next],
    );
    let cause = match steps {
        (Some(before), Some(after)) if stages.steps[before].end_ns <= stages.steps[after].start_ns => {
            Cause::BetweenSteps
        }
        _ if launch_bound_ns == 0 => waiting(trace, host, index),
        _ => host_cause(trace, host, index, gap.start_ns, call.end_ns().min(gap.end_ns)),
    };
    Explained {
        cause,
        ns,
        launch_bound_ns,
        call: Some(index),
    }
}

/// Launched in time: behind an event of another stream, or the device's own delay.
fn waiting(trace: &Trace, host: &HostCalls, call: usize) -> Cause {
    let start = trace.calls[call].start_ns;
    let before = host.between(trace, call, start, start).first();
    if before.is_some_and(|index| {
        trace
            .names
            .text(trace.calls[*index].name)
            .contains("StreamWaitEvent")
    }) {
        Cause::OtherStream
    } else {
        Cause::Device
    }
}

/// What the thread that launched late did meanwhile, by the calls that took most of the time.
fn host_cause(trace: &Trace, host: &HostCalls, call: usize, from_ns: i64, to_ns: i64) -> Cause {
    let (mut launching, mut waiting, mut copying) = (0, 0, 0);
    for index in host.between(trace, call, from_ns, to_ns) {
        let other = &trace.calls[*index];
        let inside = (other.end_ns().min(to_ns) - other.start_ns.max(from_ns)).max(0);
        let name = trace.names.text(other.name);
        if name.contains("Synchronize") || name.contains("StreamWaitEvent") || name.contains("EventQuery") {
            waiting += inside;
        } else if name.contains("Memcpy") || name.contains("Memset") {
            copying += inside;
        } else {
            launching += inside;
        }
    }
    let all = to_ns - from_ns;
    let most = launching.max(waiting).max(copying);
    // Less than half of the time in the runtime: the host was elsewhere.
    if most * 2 < all {
        Cause::HostPython
    } else if most == waiting {
        Cause::Synchronisation
    } else if most == copying {
        Cause::MemoryCopy
    } else {
        Cause::LaunchBound
    }
}
