//! What determines the span of a stage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// The chain of work and waits that determines the span, followed back from the last work: to the work before it on its
/// stream, to the work of another stream whose event it waited for, or, where the host had not launched it when the device
/// was free, along the launching thread (and along another one that launched while it had no call for a millisecond) to
/// the last call that waited for the device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CriticalPath {
    /// Its length: `span_ns`, nanoseconds. All kinds add up to it.
    pub total_ns: i64,
    /// How waits for events of other streams are known.
    pub event_waits: EventWaits,
    /// Time on it by kind, kernels by family, the longest first.
    pub kinds: Vec<CriticalKindRow>,
    /// Its longest segments, ten at most.
    pub longest: Vec<CriticalSegment>,
}

/// How waits for events of other streams are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventWaits {
    /// No such wait is on the path.
    None,
    /// The trace names stream and event.
    Recorded,
    /// The trace names the call only: the work that ended last on another stream is taken for what it waited for.
    Inferred,
}

/// What a part of the critical path is spent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CriticalKind {
    /// Work of the device.
    Kernel,
    /// The host on its way to a launch that the device waited for, until the work began.
    Launch,
    /// The host between the end of the work that it waited for and the return of the call.
    Synchronisation,
    /// Between the end of another stream's work and the work that waited for its event.
    EventWait,
    /// Between two pieces of work of one stream, the later one launched in time.
    Device,
    /// The trace does not say what came before.
    Unknown,
}

impl CriticalKind {
    /// As people read it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Kernel => "kernels",
            Self::Launch => "host until the launch",
            Self::Synchronisation => "synchronisation",
            Self::EventWait => "event of another stream",
            Self::Device => "device between kernels",
            Self::Unknown => "unknown",
        }
    }
}

/// Time on the critical path of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CriticalKindRow {
    /// Kind.
    pub kind: CriticalKind,
    /// Family of the kernels; null for other kinds.
    pub family: Option<String>,
    /// Segments.
    pub segments: u64,
    /// Their sum, nanoseconds.
    pub ns: i64,
    /// Share of the path, percent.
    pub path_pct: Option<Finite>,
}

/// One segment of the critical path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CriticalSegment {
    /// Kind.
    pub kind: CriticalKind,
    /// The kernel, whole name; of a wait the kernel that waited. Null where the trace does not say.
    pub kernel: Option<String>,
    /// Its stream, as the trace names it; null with the kernel.
    pub stream: Option<String>,
    /// Start since the first event of its trace, nanoseconds.
    pub start_ns: i64,
    /// Length, nanoseconds.
    pub ns: i64,
}
