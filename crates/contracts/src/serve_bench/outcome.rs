//! Every request ends as exactly one of these.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a request ended. Only `ok` enters latency and throughput.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A `finish_reason` arrived, and usage or `[DONE]`.
    Ok,
    /// The stream ended without a `finish_reason` or without usage and `[DONE]`, cleanly or by a cut connection.
    Truncated,
    /// `{"error": …}` inside a stream, or as the body of a 200 answer.
    InBandError,
    /// An HTTP status other than 200.
    HttpStatus,
    /// No connection, or it broke before any byte of an answer.
    Connect,
    /// `--timeout` passed.
    Timeout,
    /// We stopped it: Ctrl-C, or the end of `--duration`.
    Cancelled,
    /// `finish_reason: stop` before the asked length although `ignore_eos` was asked.
    EarlyStop,
    /// The answer is not what the protocol allows: bad chunk framing, no JSON, no token and no error.
    Protocol,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Outcome; 9] = [
        Outcome::Ok,
        Outcome::Truncated,
        Outcome::InBandError,
        Outcome::HttpStatus,
        Outcome::Connect,
        Outcome::Timeout,
        Outcome::Cancelled,
        Outcome::EarlyStop,
        Outcome::Protocol,
    ];

    /// The name in documents.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Truncated => "truncated",
            Outcome::InBandError => "in_band_error",
            Outcome::HttpStatus => "http_status",
            Outcome::Connect => "connect",
            Outcome::Timeout => "timeout",
            Outcome::Cancelled => "cancelled",
            Outcome::EarlyStop => "early_stop",
            Outcome::Protocol => "protocol",
        }
    }
}

/// Requests per outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OutcomeCounts {
    /// See [`Outcome::Ok`].
    pub ok: u64,
    /// See [`Outcome::Truncated`].
    pub truncated: u64,
    /// See [`Outcome::InBandError`].
    pub in_band_error: u64,
    /// See [`Outcome::HttpStatus`].
    pub http_status: u64,
    /// See [`Outcome::Connect`].
    pub connect: u64,
    /// See [`Outcome::Timeout`].
    pub timeout: u64,
    /// See [`Outcome::Cancelled`].
    pub cancelled: u64,
    /// See [`Outcome::EarlyStop`].
    pub early_stop: u64,
    /// See [`Outcome::Protocol`].
    pub protocol: u64,
}

impl OutcomeCounts {
    /// Counts one more request.
    pub fn add(&mut self, outcome: Outcome) {
        *self.slot(outcome) += 1;
    }

    /// Requests of one outcome.
    pub fn of(mut self, outcome: Outcome) -> u64 {
        *self.slot(outcome)
    }

    /// All requests.
    pub fn total(self) -> u64 {
        Outcome::ALL.iter().map(|outcome| self.of(*outcome)).sum()
    }

    fn slot(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Ok => &mut self.ok,
            Outcome::Truncated => &mut self.truncated,
            Outcome::InBandError => &mut self.in_band_error,
            Outcome::HttpStatus => &mut self.http_status,
            Outcome::Connect => &mut self.connect,
            Outcome::Timeout => &mut self.timeout,
            Outcome::Cancelled => &mut self.cancelled,
            Outcome::EarlyStop => &mut self.early_stop,
            Outcome::Protocol => &mut self.protocol,
        }
    }
}
