//! What can go wrong before there is a document. Fragments complete "failed to …".

use cli_kit::ToolError;
use contracts::Exit;
use engine_client::ClientError;
use jiff::Timestamp;

use crate::source::graphsignal::GraphsignalError;
use crate::source::log::error::LogError;
use crate::source::prometheus::StoreError;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TelemetryError {
    /// The server cannot be asked.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// A log cannot be read.
    #[error("{0}")]
    Log(#[from] LogError),
    /// The store gives nothing.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Graphsignal says nothing.
    #[error("{0}")]
    Signals(#[from] GraphsignalError),
    /// `--graphsignal` is neither of its words.
    #[error("read --graphsignal `{0}`: it is `local`, `api` or a URL")]
    Graphsignal(String),
    /// A snapshot of what has no present.
    #[error("take a snapshot of Graphsignal's API: it is asked for a window")]
    SnapshotOfApi,
    /// `--end` is not later than `--start`.
    #[error("take the window from {start} to {end}: its end is not later than its start")]
    EmptySpan {
        /// Of the window.
        start: Timestamp,
        /// Of the window.
        end: Timestamp,
    },
    /// No log has a line of the window, and there is no other source.
    #[error("find the window from {start} to {end} in the logs: {why}")]
    NotInLogs {
        /// Of the window.
        start: Timestamp,
        /// Of the window.
        end: Timestamp,
        /// What they have.
        why: String,
    },
    /// The server has no metrics.
    #[error("read metrics at {url}: {reason}")]
    NoMetrics {
        /// What was asked.
        url: String,
        /// What it answers.
        reason: String,
    },
    /// What answers is no metrics text.
    #[error("read metrics at {url}: it answers {reason}")]
    NotMetrics {
        /// What was asked.
        url: String,
        /// What it is.
        reason: String,
    },
    /// A length of time cannot be used.
    #[error("read {flag} `{text}`: it is a time between {least_s} s and {most_s} s")]
    Interval {
        /// Flag.
        flag: &'static str,
        /// As typed.
        text: String,
        /// Shortest, seconds.
        least_s: f64,
        /// Longest, seconds.
        most_s: f64,
    },
    /// The port for spans cannot be had.
    #[error("listen for spans on 127.0.0.1:{port}: {source}")]
    Listen {
        /// Port.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// `--start` or `--end` is no time.
    #[error("read {flag} `{text}`: it is no RFC 3339 time")]
    Time {
        /// Flag.
        flag: &'static str,
        /// As typed.
        text: String,
    },
    /// Neither snapshots nor a command.
    #[error("tell which window is meant: there are neither two snapshots nor a command")]
    NoWindow,
    /// A gate without what it is about.
    #[error("check the window with --strict: no benchmark is named to check it against")]
    StrictUnbound,
    /// A snapshot or a command without a URL.
    #[error("tell what to read: there is no --url")]
    NoUrl,
    /// A server that would be counted twice.
    #[error("read {0} twice: its counts would be added")]
    UrlTwice(String),
    /// A past window of a source that has none.
    #[error("read the past of {urls}: metrics only say what is true now")]
    NoPast {
        /// URLs.
        urls: String,
    },
    /// The snapshots do not lie around the window.
    #[error("cover the window from {start} to {end}: the snapshots are from {before} and {after}")]
    NotCovered {
        /// Of the window.
        start: Timestamp,
        /// Of the window.
        end: Timestamp,
        /// First snapshot.
        before: Timestamp,
        /// Second snapshot.
        after: Timestamp,
    },
    /// The snapshots are of different servers.
    #[error("pair the snapshots: one is of {before}, the other of {after}")]
    SnapshotsDiffer {
        /// URLs of the first.
        before: String,
        /// URLs of the second.
        after: String,
    },
    /// The second snapshot is not later than the first.
    #[error(
        "pair the snapshots: the one of --after is from {after}, not later than that of --before, {before}"
    )]
    SnapshotsReversed {
        /// First.
        before: Timestamp,
        /// Second.
        after: Timestamp,
    },
    /// The window is not the benchmark's.
    #[error("bind to {path}: it was measured from {start} to {end}, the telemetry is from {from} to {to}")]
    OtherWindow {
        /// The benchmark.
        path: String,
        /// Of the benchmark.
        start: Timestamp,
        /// Of the benchmark.
        end: Timestamp,
        /// Of the telemetry.
        from: Timestamp,
        /// Of the telemetry.
        to: Timestamp,
    },
    /// The benchmark measured nothing.
    #[error("bind to {0}: none of its runs measured anything")]
    NothingMeasured(String),
    /// The command could not be started.
    #[error("start `{program}`: {source}")]
    Command {
        /// First word.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// The variable of the key is not set.
    #[error("read the key of the server: the variable `{0}` is not set")]
    KeyMissing(String),
    /// No handlers for signals.
    #[error("listen for Ctrl-C: {0}")]
    Handlers(std::io::Error),
    /// No runtime.
    #[error("start a runtime: {0}")]
    Runtime(std::io::Error),
}

impl ToolError for TelemetryError {
    fn code(&self) -> &'static str {
        match self {
            Self::Client(error) => error.code(),
            Self::Log(error) => error.code(),
            Self::NotInLogs { .. } => "window-not-in-logs",
            Self::Store(error) => error.code(),
            Self::Signals(error) => error.code(),
            Self::Graphsignal(_) => "graphsignal-unclear",
            Self::SnapshotOfApi => "graphsignal-no-snapshot",
            Self::EmptySpan { .. } => "window-empty",
            Self::NoMetrics { .. } => "metrics-missing",
            Self::NotMetrics { .. } => "metrics-foreign",
            Self::Interval { .. } => "interval-unreadable",
            Self::Listen { .. } => "otlp-port-unavailable",
            Self::Time { .. } => "window-time-unreadable",
            Self::NoWindow => "window-unclear",
            Self::StrictUnbound => "strict-unbound",
            Self::NoUrl => "url-missing",
            Self::UrlTwice(_) => "url-twice",
            Self::NoPast { .. } => "window-no-past",
            Self::NotCovered { .. } => "window-not-covered",
            Self::SnapshotsDiffer { .. } => "snapshots-differ",
            Self::SnapshotsReversed { .. } => "snapshots-reversed",
            Self::OtherWindow { .. } => "window-not-of-benchmark",
            Self::NothingMeasured(_) => "benchmark-measured-nothing",
            Self::Command { .. } => "command-not-started",
            Self::KeyMissing(_) => "telemetry-key-missing",
            Self::Handlers(_) => "telemetry-no-signals",
            Self::Runtime(_) => "telemetry-no-runtime",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Client(error) => return error.hint(),
            Self::Log(error) => return error.hint(),
            Self::NotInLogs { .. } => {
                "give the log of that time, and the unit's or container's name as it is; --log-zone when its stamps are of another zone than this machine's".to_owned()
            }
            Self::Store(error) => return error.hint(),
            Self::Signals(error) => return error.hint(),
            Self::Graphsignal(_) => {
                "write `--graphsignal local`, `--graphsignal api` or `--graphsignal http://HOST:18259`".to_owned()
            }
            Self::SnapshotOfApi => "give `window --graphsignal api` with --start and --end".to_owned(),
            Self::EmptySpan { .. } => "exchange --start and --end".to_owned(),
            Self::NoMetrics { .. } => {
                "SGLang: launch with --enable-metrics; llama.cpp: with --metrics; TensorRT-LLM: `return_perf_metrics: true`, at \
                 /prometheus/metrics; vLLM has them unless --disable-log-stats; behind a gateway give the engine's own address"
                    .to_owned()
            }
            Self::NotMetrics { .. } => {
                "give the base URL of the engine or exporter itself; TensorRT-LLM needs `return_perf_metrics: true`".to_owned()
            }
            Self::Interval { flag, .. } => format!("write `{flag} 1s` or `{flag} 500ms`"),
            Self::Listen { .. } => {
                "give another port, or end what listens there (a collector has 4317 and 4318); below 1024 needs root".to_owned()
            }
            Self::Time { .. } => "write it as 2026-11-21T23:00:00Z".to_owned(),
            Self::NoWindow => {
                "give --before and --after, or --url with `-- COMMAND…` to run inside the window; a store or a log also takes --during RESULT.json, or --start and --end".to_owned()
            }
            Self::StrictUnbound => "name the benchmark with --for RESULT.json or --during RESULT.json".to_owned(),
            Self::UrlTwice(_) => "name each server once".to_owned(),
            Self::NoUrl => "give --url with the base URL of the engine".to_owned(),
            Self::NoPast { .. } => {
                "take snapshots around the benchmark and give --before and --after, run it as `-- COMMAND…` inside the window, or give \
                 --prometheus with the store that scrapes the engine, or --logs with a log of that time"
                    .to_owned()
            }
            Self::NotCovered { .. } => {
                "measure again with a snapshot before the first request and one after the last".to_owned()
            }
            Self::SnapshotsDiffer { .. } => "give two snapshots of the same URLs".to_owned(),
            Self::SnapshotsReversed { .. } => "exchange --before and --after".to_owned(),
            Self::OtherWindow { .. } => {
                "give the benchmark that ran inside the window; without --for the telemetry can be looked at, and is no evidence"
                    .to_owned()
            }
            Self::NothingMeasured(_) => "give a benchmark with at least one request that succeeded".to_owned(),
            Self::Command { .. } => "name a program that is on PATH, or its path".to_owned(),
            Self::KeyMissing(variable) => format!("export {variable}, or leave --api-key-env out"),
            Self::Handlers(_) | Self::Runtime(_) => "the machine is short of threads or files: see `ulimit -a`".to_owned(),
        })
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Client(error) => error.exit(),
            Self::Log(error) => error.exit(),
            Self::NotInLogs { .. } => Exit::Unavailable,
            Self::Store(error) => error.exit(),
            Self::Signals(error) => error.exit(),
            Self::Graphsignal(_)
            | Self::SnapshotOfApi
            | Self::EmptySpan { .. }
            | Self::Interval { .. }
            | Self::Time { .. }
            | Self::NoWindow
            | Self::StrictUnbound
            | Self::UrlTwice(_)
            | Self::NoUrl => Exit::Usage,
            Self::SnapshotsDiffer { .. }
            | Self::SnapshotsReversed { .. }
            | Self::OtherWindow { .. }
            | Self::NothingMeasured(_) => Exit::BadInput,
            Self::NoMetrics { .. }
            | Self::NotMetrics { .. }
            | Self::NoPast { .. }
            | Self::NotCovered { .. }
            | Self::Command { .. }
            | Self::Listen { .. }
            | Self::KeyMissing(_)
            | Self::Handlers(_)
            | Self::Runtime(_) => Exit::Unavailable,
        }
    }

    fn retryable(&self) -> bool {
        match self {
            Self::Client(error) => error.retryable(),
            Self::Store(error) => error.retryable(),
            Self::Signals(error) => error.retryable(),
            _ => false,
        }
    }
}
