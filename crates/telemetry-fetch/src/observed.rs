//! Everything that was read of a window, whatever way it came.

use contracts::Input;
use contracts::telemetry_fetch::source::SourceKind;
use contracts::telemetry_fetch::window::CommandRun;
use jiff::Timestamp;

use crate::engine::Known;
use crate::history::History;
use crate::source::gpu::GpuFold;
use crate::source::otlp::Received;

/// One source.
#[derive(Clone, Debug)]
pub(crate) struct ObservedSource {
    pub(crate) kind: SourceKind,
    pub(crate) url: String,
    pub(crate) history: History,
    /// Readings that failed: when, and why.
    pub(crate) failures: Vec<(Timestamp, String)>,
}

/// A window.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) engine: Known,
    pub(crate) sources: Vec<ObservedSource>,
    pub(crate) command: Option<CommandRun>,
    pub(crate) start_at: Timestamp,
    pub(crate) end_at: Timestamp,
    pub(crate) interrupted: bool,
    /// The snapshots.
    pub(crate) inputs: Vec<Input>,
    /// The GPUs, or why they cannot be read; none when nobody asked.
    pub(crate) gpu: Option<Result<GpuFold, String>>,
    /// Spans; none when nobody asked.
    pub(crate) spans: Option<Received>,
    /// URL of the engine, for the commands that follow.
    pub(crate) engine_url: Option<String>,
}

impl Observed {
    /// Whether the command that ran inside did not end well.
    pub(crate) fn is_broken_off(&self) -> bool {
        let failed = self
            .command
            .as_ref()
            .is_some_and(|command| command.exit_code != Some(0));
        self.interrupted || failed
    }
}
