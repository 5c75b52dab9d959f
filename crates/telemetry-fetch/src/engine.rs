//! Who the engine is: its control endpoints are asked once, outside of the window.

use std::collections::BTreeMap;

use cli_kit::Failure;
use contracts::serve_bench::result::EngineKind;
use contracts::telemetry_fetch::engine::EngineFacts;
use engine_client::{Endpoint, Headers, probe};

use crate::cli::ServerArgs;
use crate::error::TelemetryError;

/// An engine, and whether it says that it is simulated.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) facts: EngineFacts,
    pub(crate) simulated: bool,
}

/// Nobody known.
pub(crate) fn nobody(kind: Option<EngineKind>) -> Known {
    Known {
        facts: EngineFacts {
            kind,
            version: None,
            model: None,
            launch_args: BTreeMap::new(),
            startup_attributes: BTreeMap::new(),
        },
        simulated: false,
    }
}

/// Asks who answers. An exporter without an OpenAI API is known by its metrics only, which is enough.
pub(crate) async fn ask(endpoint: &Endpoint, headers: &Headers, by_metrics: Option<EngineKind>) -> Known {
    let Ok(probe) = probe(endpoint, headers).await else {
        return nobody(by_metrics);
    };
    let kind = match probe.engine.kind {
        EngineKind::Other => by_metrics.or(Some(EngineKind::Other)),
        kind => Some(kind),
    };
    Known {
        facts: EngineFacts {
            kind,
            version: probe.engine.version,
            model: probe.models.into_iter().next(),
            launch_args: probe.settings,
            startup_attributes: BTreeMap::new(),
        },
        simulated: probe.simulated,
    }
}

/// Addresses and headers of the servers.
pub(crate) fn servers(args: &ServerArgs) -> Result<(Vec<Endpoint>, Headers), Failure> {
    if args.url.is_empty() {
        return Err(TelemetryError::NoUrl.into());
    }
    let mut headers = Headers::new();
    if let Some(variable) = &args.api_key_env {
        let key = std::env::var(variable).map_err(|_| TelemetryError::KeyMissing(variable.clone()))?;
        headers.set_bearer(&key).map_err(TelemetryError::from)?;
    }
    let parse = |url: &String| {
        let base = url.trim().trim_end_matches('/');
        let base = base.strip_suffix("/metrics").unwrap_or(base);
        let base = base.strip_suffix("/prometheus").unwrap_or(base);
        Endpoint::parse(base).map_err(TelemetryError::from)
    };
    let endpoints: Result<Vec<Endpoint>, TelemetryError> = args.url.iter().map(parse).collect();
    Ok((endpoints?, headers))
}

/// A runtime of one thread: whatever reads here waits most of the time.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, TelemetryError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(TelemetryError::Runtime)
}
