//! Why a store gives nothing.

use cli_kit::ToolError;
use contracts::Exit;
use engine_client::ClientError;
use jiff::Timestamp;

/// Fragments complete "failed to …".
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The store cannot be asked.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// `--header` has no colon.
    #[error("read --header: it has no colon between name and value")]
    Header,
    /// `--label` is no label.
    #[error("read --label: it is no NAME=VALUE with a name of letters, digits and underscores")]
    Label,
    /// The store refuses.
    #[error("query {url}: it answers {status}, {reason}")]
    Refused {
        /// What was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// What it says.
        reason: String,
    },
    /// Something else answers.
    #[error("query {url}: it answers {status} with {reason}, no answer of the Prometheus API")]
    Foreign {
        /// What was asked.
        url: String,
        /// HTTP status.
        status: u16,
        /// What it is.
        reason: String,
    },
    /// The store has nothing of the window.
    #[error("find the window from {start} to {end} in {url}: {}", found(*.targets, *.readings))]
    Empty {
        /// The store.
        url: String,
        /// Of the window.
        start: Timestamp,
        /// Of the window.
        end: Timestamp,
        /// Targets whose names are known.
        targets: usize,
        /// Readings of the best of them.
        readings: usize,
    },
    /// The store has more engines than one window is about.
    #[error("choose among the {targets} targets of {url}: the first is {first}")]
    TooManyTargets {
        /// The store.
        url: String,
        /// How many.
        targets: usize,
        /// The first.
        first: String,
    },
    /// The answer is cut.
    #[error("read the answer of {url}: it is longer than 64 MiB")]
    TooLong {
        /// What was asked.
        url: String,
    },
}

fn found(targets: usize, readings: usize) -> String {
    match (targets, readings) {
        (0, _) => "it has no metric of an engine there".to_owned(),
        (targets, 0) => {
            format!("it has no sample there of its {targets} target(s) with metrics of an engine")
        }
        (_, readings) => format!("it has {readings} reading there, and a window needs two"),
    }
}

impl ToolError for StoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Client(error) => error.code(),
            Self::Header => "store-header-unreadable",
            Self::Label => "store-label-unreadable",
            Self::Refused { .. } => "store-refused",
            Self::Foreign { .. } => "store-foreign",
            Self::Empty { .. } => "store-empty",
            Self::TooManyTargets { .. } => "store-many-targets",
            Self::TooLong { .. } => "store-answer-long",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Client(ClientError::Unauthorized { .. }) => {
                "give the credential as --header 'Authorization:Bearer TOKEN', or the tenant as --header X-Scope-OrgID:TENANT"
            }
            Self::Client(error) => return error.hint(),
            Self::Header => "write --header NAME:VALUE",
            Self::Label => "write --label job=vllm",
            Self::Refused { .. } => {
                "a limit of the store (samples, query length) can be kept with a shorter window or --label; Mimir asks for \
                 --header X-Scope-OrgID:TENANT"
            }
            Self::Foreign { .. } => {
                "give the base URL of the API: http://HOST:9090 of Prometheus, http://HOST:8428 of VictoriaMetrics, \
                 http://HOST/prometheus of Mimir"
            }
            Self::Empty { .. } => {
                "a store has the window a scrape interval after its end (VictoriaMetrics 30 s after it, -search.latencyOffset), \
                 and only of targets that are `up`; check --start, --end, --label and both clocks, and scrape more often than \
                 half of the window"
            }
            Self::TooManyTargets { .. } => {
                "narrow it with --label instance=HOST:PORT or another label of the target"
            }
            Self::TooLong { .. } => "take a shorter window, or narrow it with --label, for example tp_rank=0",
        };
        Some(hint.to_owned())
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Client(error) => error.exit(),
            Self::Header | Self::Label | Self::TooManyTargets { .. } => Exit::Usage,
            Self::Refused { .. } | Self::Foreign { .. } | Self::Empty { .. } | Self::TooLong { .. } => {
                Exit::Unavailable
            }
        }
    }

    fn retryable(&self) -> bool {
        match self {
            Self::Client(error) => error.retryable(),
            Self::Empty { .. } => true,
            _ => false,
        }
    }
}
