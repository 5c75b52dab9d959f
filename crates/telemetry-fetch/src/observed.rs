//! Everything that was read of a window, whatever way it came.

use contracts::telemetry_fetch::context::ForeignContext;
use contracts::telemetry_fetch::profile::ProfileRow;
use contracts::telemetry_fetch::source::SourceKind;
use contracts::telemetry_fetch::window::CommandRun;
use contracts::{Input, Warning};
use jiff::Timestamp;

use crate::engine::Known;
use crate::history::History;
use crate::source::gpu::GpuFold;
use crate::source::log::LogRead;
use crate::source::otlp::Received;

/// One source.
#[derive(Clone, Debug)]
pub(crate) struct ObservedSource {
    pub(crate) kind: SourceKind,
    /// What it does beside the others.
    pub(crate) role: Option<String>,
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
    /// What the logs say.
    pub(crate) logs: Vec<LogRead>,
    /// Where the time went, by function.
    pub(crate) profiles: Vec<ProfileRow>,
    /// What sources say in a form of their own.
    pub(crate) contexts: Vec<ForeignContext>,
    /// What to know of them.
    pub(crate) notes: Vec<Warning>,
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
    /// A window of which nothing is read yet.
    pub(crate) fn of(engine: Known, start_at: Timestamp, end_at: Timestamp) -> Observed {
        Observed {
            engine,
            sources: Vec::new(),
            logs: Vec::new(),
            profiles: Vec::new(),
            contexts: Vec::new(),
            notes: Vec::new(),
            command: None,
            start_at,
            end_at,
            interrupted: false,
            inputs: Vec::new(),
            gpu: None,
            spans: None,
            engine_url: None,
        }
    }

    /// Keeps what was read around a benchmark: what the engine did while its client started or wrote its files is not its.
    pub(crate) fn narrow(&mut self, start: Timestamp, end: Timestamp) {
        for source in &mut self.sources {
            source.history.narrow(start, end);
            // A server that went away never answers again: only its failures say why the readings end before the benchmark.
            let reaches_end = source.history.at.last().is_some_and(|last| *last >= end);
            source
                .failures
                .retain(|(at, _)| *at >= start && (*at <= end || !reaches_end));
        }
        if let Some(spans) = &mut self.spans {
            spans.start_at = spans.start_at.max(start);
            spans.end_at = spans.end_at.min(end);
        }
        let read = || self.sources.iter().flat_map(|source| &source.history.at).copied();
        self.start_at = read().chain([start]).min().unwrap_or(start);
        self.end_at = read().chain([end]).max().unwrap_or(end);
        if let Some(Ok(gpu)) = &mut self.gpu {
            gpu.narrow(self.start_at, self.end_at);
        }
    }

    /// Whether the command that ran inside did not end well.
    pub(crate) fn is_broken_off(&self) -> bool {
        let failed = self
            .command
            .as_ref()
            .is_some_and(|command| command.exit_code != Some(0));
        self.interrupted || failed
    }
}
