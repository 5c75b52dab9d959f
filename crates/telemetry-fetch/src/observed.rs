//! Everything that was read of a window, whatever way it came.

use std::time::Duration;

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
    /// Between readings around a command.
    pub(crate) interval: Option<Duration>,
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
            interval: None,
        }
    }

    /// Keeps what was read around a benchmark: what the engine did while its client started or wrote its files is not its.
    pub(crate) fn narrow(&mut self, start: Timestamp, end: Timestamp) {
        for source in &mut self.sources {
            // A server that went away never answers again, and that is said however late it was seen; one that failed behind
            // the benchmark and came back did not fail it.
            let answered = source.history.at.last().copied();
            let for_good = |at: Timestamp| answered.is_none_or(|last| at > last);
            source
                .failures
                .retain(|(at, _)| *at >= start && (*at <= end || for_good(*at)));
        }
        // A store also has targets that were gone before, or came after: what they say is of no request of the benchmark.
        let is_of_it = |source: &ObservedSource| {
            let at = &source.history.at;
            let reaches =
                at.first().is_some_and(|first| *first <= end) && at.last().is_some_and(|last| *last >= start);
            source.kind != SourceKind::Prometheus || reaches || !source.failures.is_empty()
        };
        if self.sources.iter().any(is_of_it) {
            self.sources.retain(is_of_it);
        }
        for source in &mut self.sources {
            source.history.narrow(start, end);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::nobody;
    use crate::source::Reading;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn source(answered: &[i64], failed: &[i64]) -> ObservedSource {
        let mut history = History::default();
        for second in answered {
            history.push(Reading {
                at: at(*second),
                samples: 1,
                unreadable_lines: 0,
                birth_s: None,
                lead: None,
                points: Vec::new(),
            });
        }
        ObservedSource {
            kind: SourceKind::Metrics,
            role: None,
            url: "http://h:1".to_owned(),
            history,
            failures: failed
                .iter()
                .map(|second| (at(*second), "gone".to_owned()))
                .collect(),
        }
    }

    #[test]
    fn a_store_s_targets_of_another_time_are_left_out() {
        let stored = |answered: &[i64], failed: &[i64]| ObservedSource {
            kind: SourceKind::Prometheus,
            ..source(answered, failed)
        };
        let first = |observed: &Observed| -> Vec<Timestamp> {
            observed
                .sources
                .iter()
                .map(|source| source.history.at[0])
                .collect()
        };
        let mut observed = Observed::of(nobody(None), at(0), at(30));
        observed.sources = vec![
            stored(&[1, 3], &[]),
            // It could not be scraped while the benchmark ran: that is one of its engines.
            stored(&[2, 4], &[12]),
            stored(&[9, 21], &[]),
            stored(&[22, 25], &[]),
            // This one was asked for by name.
            source(&[5, 7], &[]),
        ];
        observed.narrow(at(10), at(20));
        assert_eq!(first(&observed), [at(4), at(9), at(7)]);
        let mut alone = Observed::of(nobody(None), at(0), at(30));
        alone.sources = vec![stored(&[1, 3], &[])];
        alone.narrow(at(10), at(20));
        assert_eq!(alone.sources.len(), 1, "it is all there is");
    }

    #[test]
    fn a_server_that_died_is_said_whenever_it_answered_last() {
        let mut observed = Observed::of(nobody(None), at(0), at(9));
        observed.sources = vec![
            // Before the last token, right after it, and a reading after that.
            source(&[1, 2, 3], &[4, 6, 7, 8]),
            source(&[1, 3, 5], &[6, 7, 8]),
            source(&[1, 3, 5, 6], &[7, 8]),
            // It answers again: that is not the benchmark's.
            source(&[1, 3, 5, 8], &[6, 7]),
            source(&[0, 2, 5], &[1]),
            source(&[1, 3, 6], &[4]),
        ];
        observed.narrow(at(2), at(5));
        let kept: Vec<usize> = observed
            .sources
            .iter()
            .map(|source| source.failures.len())
            .collect();
        assert_eq!(kept, [4, 3, 2, 0, 0, 1]);
    }
}
