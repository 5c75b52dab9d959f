//! The endpoint of Graphsignal's profiler beside the engine: `GET /signals`, at no cost for the engine, without an account.

use contracts::text::clean;
use engine_client::{Endpoint, Headers, Scraper};
use jiff::Timestamp;

use super::error::GraphsignalError;
use super::signals::{Answered, parse};
use crate::clock::Lead;

/// Where the profiler listens unless it is told otherwise.
const DEFAULT: &str = "http://127.0.0.1:18259";
/// The only path; one with a query is not found.
const PATH: &str = "/signals";

/// Where the profiler is.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    endpoint: Endpoint,
    headers: Headers,
}

/// A payload as it came.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    pub(crate) text: String,
    pub(crate) answered: Answered,
}

impl Local {
    /// At its own address, or at another.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub(crate) fn of(url: Option<&str>) -> Result<Local, GraphsignalError> {
        let base = url.unwrap_or(DEFAULT).trim().trim_end_matches('/');
        Ok(Local {
            endpoint: Endpoint::parse(base.strip_suffix(PATH).unwrap_or(base))?,
            headers: Headers::new(),
        })
    }

    /// What is asked.
    pub(crate) fn url(&self) -> String {
        self.endpoint.url(PATH)
    }

    /// Asks once.
    ///
    /// # Errors
    /// When nothing answers, or something else than signals.
    pub(crate) async fn read(&self) -> Result<Payload, GraphsignalError> {
        let scraper = Scraper::new(&self.endpoint, &self.headers)?;
        let asked = Timestamp::now();
        let answer = scraper.get(PATH).await?;
        let at = Timestamp::now();
        let no_signals = |reason: String| GraphsignalError::NoSignals {
            url: self.url(),
            reason,
        };
        if answer.status != 200 {
            return Err(no_signals(answer.reason));
        }
        let signals = parse(&answer.text)
            .ok_or_else(|| no_signals(format!("no signals: {}", clean(&answer.text, 120))))?;
        let payload_ms = signals.payload_ns / 1_000_000;
        let lead = Lead {
            min_ms: payload_ms.saturating_sub(at.as_millisecond()),
            max_ms: payload_ms
                .saturating_add(1)
                .saturating_sub(asked.as_millisecond()),
        };
        Ok(Payload {
            text: answer.text,
            answered: Answered::of(signals, asked + at.duration_since(asked) / 2, Some(lead)),
        })
    }
}
