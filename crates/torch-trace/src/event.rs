//! What a trace holds, by kind: device work, the calls that launched it, CPU ops, Python frames, annotations.
//!
//! Times are integer nanoseconds relative to [`crate::Header::base_ns`]. Ids of the file are 64-bit and never 0.

use std::num::NonZeroU64;

use crate::names::NameId;

/// Correlation or external id of the file; ids of 0 mean none there.
pub type Id = Option<NonZeroU64>;

/// A (process, thread) or (device, stream) of the trace, by its place in [`crate::Trace::tracks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId(pub(crate) u32);

impl TrackId {
    /// Place among the tracks of its trace, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where events lie: ids as the file spells them, numbers and words alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Track {
    /// Process; on device tracks the device.
    pub pid: NameId,
    /// Thread; on device tracks the stream.
    pub tid: NameId,
}

/// Kinds of device work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GpuKind {
    /// A kernel.
    Kernel,
    /// A copy.
    Memcpy,
    /// A fill.
    Memset,
}

/// Work on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuEvent {
    /// Kernel, copy or fill.
    pub kind: GpuKind,
    /// Name, as the profiler printed it.
    pub name: NameId,
    /// Device and stream.
    pub track: TrackId,
    /// Start, nanoseconds.
    pub start_ns: i64,
    /// Duration, nanoseconds; never negative.
    pub dur_ns: i64,
    /// Shared with the call that launched it; all kernels of one graph launch share one.
    pub correlation: Id,
    /// Shared with the CPU op that it belongs to.
    pub external_id: Id,
}

impl GpuEvent {
    /// End, nanoseconds.
    #[must_use]
    pub fn end_ns(&self) -> i64 {
        self.start_ns.saturating_add(self.dur_ns)
    }
}

/// A call into the CUDA or HIP runtime or driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeCall {
    /// Function.
    pub name: NameId,
    /// Process and thread.
    pub track: TrackId,
    /// Start, nanoseconds.
    pub start_ns: i64,
    /// Duration, nanoseconds.
    pub dur_ns: i64,
    /// Shared with what it launched.
    pub correlation: Id,
    /// Shared with the CPU op around it.
    pub external_id: Id,
    /// The kernel it launches, where the profiler says so (HIP).
    pub kernel: Option<NameId>,
}

impl RuntimeCall {
    /// End, nanoseconds.
    #[must_use]
    pub fn end_ns(&self) -> i64 {
        self.start_ns.saturating_add(self.dur_ns)
    }
}

/// A stream that waits for an event of another, as traces with synchronisation events record it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamWait {
    /// Device and stream that waits.
    pub track: TrackId,
    /// Shared with the call that made it wait.
    pub correlation: Id,
    /// The stream that it waits for, as the file spells it.
    pub on_stream: NameId,
    /// Correlation of the call that recorded the event.
    pub record: Id,
}

/// A PyTorch operator on the CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuOp {
    /// Operator, for example `aten::mm`.
    pub name: NameId,
    /// Process and thread.
    pub track: TrackId,
    /// Start, nanoseconds.
    pub start_ns: i64,
    /// Duration, nanoseconds.
    pub dur_ns: i64,
    /// Shared with the device work below it.
    pub external_id: Id,
    /// `Input Dims` as JSON text, where recorded and asked for.
    pub dims: Option<NameId>,
    /// `Input type` as JSON text, where recorded and asked for.
    pub types: Option<NameId>,
    /// `Input Strides` as JSON text, where recorded and asked for.
    pub strides: Option<NameId>,
    /// `Call stack` of old traces: frames from the outermost, separated by `;`.
    pub call_stack: Option<NameId>,
}

/// A Python frame: `path(line): function`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Text of the frame.
    pub name: NameId,
    /// Process and thread.
    pub track: TrackId,
    /// Start, nanoseconds.
    pub start_ns: i64,
    /// Duration, nanoseconds.
    pub dur_ns: i64,
}

/// A named range: a step of an engine, a collective, a profiler step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// Text.
    pub name: NameId,
    /// Process and thread, or device and stream.
    pub track: TrackId,
    /// Start, nanoseconds.
    pub start_ns: i64,
    /// Duration, nanoseconds.
    pub dur_ns: i64,
    /// Whether the profiler projected it onto the device.
    pub on_gpu: bool,
    /// Shared with what lies in it.
    pub external_id: Id,
}

impl Annotation {
    /// End, nanoseconds.
    #[must_use]
    pub fn end_ns(&self) -> i64 {
        self.start_ns.saturating_add(self.dur_ns)
    }
}
