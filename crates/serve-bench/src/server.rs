//! The server of a measurement: parsed, probed, and its model chosen.

use cli_kit::Failure;
use contracts::serve_bench::probe::ProbeData;
use contracts::serve_bench::result::TargetInfo;
use contracts::{Exit, NextAction};
use engine_client::{Endpoint, Headers};

use crate::cli::RequestArgs;

/// A server that answered the probe.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) endpoint: Endpoint,
    pub(crate) headers: Headers,
    pub(crate) probe: ProbeData,
    pub(crate) served_model: String,
}

/// Headers with the API key of `--api-key-env`.
pub(crate) fn headers(args: &RequestArgs) -> Result<Headers, Failure> {
    let mut headers = Headers::new();
    for header in &args.header {
        let (name, value) = header.split_once(':').ok_or_else(|| {
            Failure::new(Exit::Usage, "bad-header", "a --header has no colon")
                .hint("write it as `Name: value`")
        })?;
        headers.set(name.trim(), value.trim())?;
    }
    if let Some(variable) = &args.api_key_env {
        let key = std::env::var(variable).map_err(|_| {
            Failure::new(
                Exit::Usage,
                "api-key-missing",
                format!("the variable {variable} of --api-key-env is not set"),
            )
            .hint(format!("export {variable}=… and run the same command"))
        })?;
        headers.set_bearer(&key)?;
    }
    Ok(headers)
}

impl Server {
    /// Probes a URL and chooses the model.
    pub(crate) fn connect(url: &str, args: &RequestArgs) -> Result<Server, Failure> {
        let headers = headers(args)?;
        let endpoint = Endpoint::parse(url)?;
        let probe = probe(&endpoint, &headers)?;
        Server::new(endpoint, headers, probe, args.model.as_deref(), url)
    }

    /// Chooses the model of a server that was probed already.
    pub(crate) fn new(
        endpoint: Endpoint,
        headers: Headers,
        probe: ProbeData,
        wanted: Option<&str>,
        url: &str,
    ) -> Result<Server, Failure> {
        let served_model = engine_client::served_model(&probe, wanted).map_err(|error| {
            let failure = Failure::from(error);
            let Some(first) = probe.models.first() else {
                return failure.hint("name the model with --model");
            };
            failure.next(NextAction::new(
                "name a model that is served",
                &["serve-bench", "run", "--url", url, "--model", first],
            ))
        })?;
        use contracts::serve_bench::result::EngineKind;
        if matches!(probe.engine.kind, EngineKind::Vllm | EngineKind::Sglang) {
            endpoint.assume_kept_open();
        }
        Ok(Server {
            endpoint,
            headers,
            probe,
            served_model,
        })
    }

    pub(crate) fn target(&self, model: Option<String>) -> TargetInfo {
        TargetInfo {
            url: self.probe.url.clone(),
            model,
            served_model: Some(self.served_model.clone()),
            engine: self.probe.engine.clone(),
        }
    }
}

/// Asks a server who it is.
pub(crate) fn probe(endpoint: &Endpoint, headers: &Headers) -> Result<ProbeData, Failure> {
    block_on(engine_client::probe(endpoint, headers))?.map_err(Failure::from)
}

/// Runs a short piece of control-plane work.
pub(crate) fn block_on<F: Future>(work: F) -> Result<F::Output, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                Exit::Unavailable,
                "no-runtime",
                format!("cannot start the I/O runtime: {error}"),
            )
            .hint("raise the open-file limit: `ulimit -n 65536`")
        })?;
    Ok(runtime.block_on(work))
}
