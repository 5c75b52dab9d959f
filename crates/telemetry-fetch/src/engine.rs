//! Who the engine is: its control endpoints are asked once, outside of the window.

use std::collections::BTreeMap;

use cli_kit::Failure;
use contracts::serve_bench::result::EngineKind;
use contracts::telemetry_fetch::engine::EngineFacts;
use engine_client::{Endpoint, Headers, probe, split_role};

use crate::cli::ServerArgs;
use crate::error::TelemetryError;
use crate::source::metrics::MetricsSource;

/// An engine, and whether it says that it is simulated.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    pub(crate) facts: EngineFacts,
    pub(crate) simulated: bool,
}

impl Known {
    /// Takes in who else answers: facts are of the first that is known, and one simulated engine makes all of it simulated.
    pub(crate) fn join(&mut self, other: Known) {
        self.simulated |= other.simulated;
        if self.facts.kind.is_none() {
            self.facts = other.facts;
        }
    }
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
pub(crate) async fn ask(endpoint: &Endpoint, headers: &Headers, metrics: &MetricsSource<'_>) -> Known {
    let by_metrics = metrics.engine;
    let Ok(probe) = probe(endpoint, headers).await else {
        return Known {
            simulated: metrics.simulated,
            ..nobody(by_metrics)
        };
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
        simulated: probe.simulated || metrics.simulated,
    }
}

/// A server to read.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) endpoint: Endpoint,
    /// What it does beside the others.
    pub(crate) role: Option<String>,
}

impl Server {
    /// `URL` or `ROLE=URL`.
    fn parse(text: &str) -> Result<Server, TelemetryError> {
        let (role, url) = split_role(text);
        let base = url.trim().trim_end_matches('/');
        let base = base.strip_suffix("/metrics").unwrap_or(base);
        let base = base.strip_suffix("/prometheus").unwrap_or(base);
        Ok(Server {
            endpoint: Endpoint::parse(base)?,
            role: role.map(str::to_owned),
        })
    }
}

/// Servers and the headers for them.
pub(crate) fn servers(args: &ServerArgs) -> Result<(Vec<Server>, Headers), Failure> {
    if args.url.is_empty() {
        return Err(TelemetryError::NoUrl.into());
    }
    let mut headers = Headers::new();
    if let Some(variable) = &args.api_key_env {
        let key = std::env::var(variable).map_err(|_| TelemetryError::KeyMissing(variable.clone()))?;
        headers.set_bearer(&key).map_err(TelemetryError::from)?;
    }
    let servers: Result<Vec<Server>, TelemetryError> =
        args.url.iter().map(|text| Server::parse(text)).collect();
    let servers = servers?;
    for (index, server) in servers.iter().enumerate() {
        let url = server.endpoint.to_string();
        if servers[..index]
            .iter()
            .any(|other| other.endpoint.to_string() == url)
        {
            return Err(TelemetryError::UrlTwice(url).into());
        }
    }
    Ok((servers, headers))
}

/// A runtime of one thread: whatever reads here waits most of the time.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, TelemetryError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(TelemetryError::Runtime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_stand_before_urls() {
        let parsed = |text: &str| {
            let server = Server::parse(text).unwrap();
            (server.role, server.endpoint.to_string())
        };
        let url = "http://127.0.0.1:30000".to_owned();
        assert_eq!(parsed("http://127.0.0.1:30000/metrics"), (None, url.clone()));
        assert_eq!(
            parsed("prefill=http://127.0.0.1:30000/"),
            (Some("prefill".to_owned()), url)
        );
        assert_eq!(parsed("http://127.0.0.1:1/a=b").0, None);
        assert!(Server::parse("pre fill=http://127.0.0.1:1").is_err());
    }
}
