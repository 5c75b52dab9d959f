//! The control plane: short questions to a server, outside any measurement.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, DATE};

use crate::endpoint::Endpoint;
use crate::error::ClientError;
use crate::headers::Headers;

/// How long a connection may take. A server on the same machine or network answers in milliseconds.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// How long an answer may take: an engine that is busy answers its control endpoints between two steps.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Longest body that is read; the rest is dropped. Metrics of many models are long, nothing else is.
const BODY_LIMIT: usize = 2 << 20;
/// Longest payload of metrics, of a deployment with hundreds of ranks.
const METRICS_LIMIT: usize = 64 << 20;
/// Plain text keeps the colons of names; with OpenMetrics some exporters write them as underscores.
const METRICS_TEXT: &str = "text/plain;version=0.0.4, text/plain;q=0.5, */*;q=0.1";

/// A client for the control endpoints of one server.
pub(crate) struct Control<'a> {
    client: reqwest::Client,
    endpoint: &'a Endpoint,
    headers: &'a Headers,
}

/// What an endpoint answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The header `Date`.
    pub(crate) date: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The JSON of a 200 answer.
    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        (self.status == 200)
            .then(|| serde_json::from_slice(&self.body).ok())
            .flatten()
    }

    /// The text of a 200 answer.
    pub(crate) fn text(&self) -> Option<std::borrow::Cow<'_, str>> {
        (self.status == 200).then(|| String::from_utf8_lossy(&self.body))
    }

    /// What a failing answer says, cleaned.
    pub(crate) fn reason(&self, headers: &Headers) -> String {
        let text = headers.without_secrets(&crate::chunk::error_body_text(&self.body));
        format!("HTTP {}: {}", self.status, contracts::text::clean(&text, 200))
    }
}

impl<'a> Control<'a> {
    pub(crate) fn new(endpoint: &'a Endpoint, headers: &'a Headers) -> Result<Control<'a>, ClientError> {
        let client = reqwest::Client::builder()
            // A proxy from the environment would stand between us and what is measured.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_LIMIT)
            .timeout(ANSWER_LIMIT)
            .default_headers(headers.map().clone())
            .tls_backend_preconfigured(endpoint.tls_config())
            .build()
            .map_err(|error| ClientError::Unreachable {
                url: endpoint.to_string(),
                reason: describe(&error),
            })?;
        Ok(Control {
            client,
            endpoint,
            headers,
        })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Reply, ClientError> {
        self.read(self.client.get(self.endpoint.url(path)), BODY_LIMIT)
            .await
    }

    pub(crate) async fn get_metrics(&self, path: &str) -> Result<Reply, ClientError> {
        let request = self
            .client
            .get(self.endpoint.url(path))
            .header(ACCEPT, METRICS_TEXT);
        self.read(request, METRICS_LIMIT).await
    }

    pub(crate) async fn post(&self, path: &str, body: &serde_json::Value) -> Result<Reply, ClientError> {
        let request = self
            .client
            .post(self.endpoint.url(path))
            .header(CONTENT_TYPE, "application/json");
        self.read(request.body(body.to_string()), BODY_LIMIT).await
    }

    /// A POST that may take longer than a question, with a body or without.
    pub(crate) async fn order(
        &self,
        path: &str,
        body: Option<&serde_json::Value>,
        limit: Duration,
    ) -> Result<Reply, ClientError> {
        let request = self.client.post(self.endpoint.url(path)).timeout(limit);
        let request = match body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(body.to_string()),
            None => request,
        };
        self.read(request, BODY_LIMIT).await
    }

    async fn read(&self, request: reqwest::RequestBuilder, limit: usize) -> Result<Reply, ClientError> {
        let mut response = request.send().await.map_err(|error| self.meaning(&error))?;
        let status = response.status().as_u16();
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let date = date.map(str::to_owned);
        let mut body = Vec::new();
        while body.len() < limit {
            match response.chunk().await {
                Ok(Some(bytes)) => body.extend_from_slice(&bytes),
                Ok(None) => break,
                Err(error) => return Err(self.meaning(&error)),
            }
        }
        body.truncate(limit);
        Ok(Reply { status, date, body })
    }

    fn meaning(&self, error: &reqwest::Error) -> ClientError {
        let url = self.endpoint.to_string();
        if error.is_timeout() {
            return ClientError::Unreachable {
                url,
                reason: "no answer in time".to_owned(),
            };
        }
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            if let Some(cause) = cause.downcast_ref::<std::io::Error>() {
                return ClientError::of_io(self.endpoint, cause);
            }
            if let Some(cause) = cause.downcast_ref::<hyper::Error>()
                && (cause.is_parse() || cause.is_incomplete_message())
            {
                let reason = self.headers.without_secrets(&describe(cause));
                return ClientError::NotOpenAi {
                    url,
                    reason: contracts::text::clean(&reason, 200),
                };
            }
            source = cause.source();
        }
        let reason = self.headers.without_secrets(&describe(error));
        ClientError::Unreachable {
            url,
            reason: contracts::text::clean(&reason, 200),
        }
    }
}

/// An error and its causes.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
