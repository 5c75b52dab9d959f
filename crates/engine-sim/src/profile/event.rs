//! One line of a trace before it is JSON.

use std::borrow::Cow;

/// What an event is; each has a category of the profiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A Python frame.
    Frame,
    /// An operator.
    Op,
    /// A step on the host.
    Step,
    /// A step as the profiler projects it onto the device.
    StepOnDevice,
    /// A call into the runtime.
    Call,
    /// A kernel.
    Kernel,
    /// A copy.
    Copy,
}

/// One event; times in nanoseconds of the trace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) kind: Kind,
    pub(super) name: Cow<'static, str>,
    pub(super) start_ns: u64,
    pub(super) dur_ns: u64,
    /// Shared by a call and what it launched; 0 for none.
    pub(super) correlation: u64,
    /// Shared by an operator and what it launched; 0 for none.
    pub(super) external_id: u64,
}

impl Event {
    /// An event between two times, without ids.
    pub(super) fn new(kind: Kind, name: impl Into<Cow<'static, str>>, from_ns: u64, to_ns: u64) -> Event {
        Event {
            kind,
            name: name.into(),
            start_ns: from_ns,
            dur_ns: to_ns.saturating_sub(from_ns),
            correlation: 0,
            external_id: 0,
        }
    }
}
