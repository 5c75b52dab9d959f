//! Sources of telemetry. Each kind is one module that turns what it reads into a [`Reading`]: points of the vocabulary at one
//! moment. What folds readings into a document does not know where they came from.

pub(crate) mod gpu;
pub(crate) mod graphsignal;
pub(crate) mod log;
pub(crate) mod metrics;
pub(crate) mod otlp;
pub(crate) mod prometheus;

use std::collections::BTreeMap;

use engine_client::metrics::Part;
use jiff::Timestamp;

use crate::clock::Lead;
use crate::vocabulary::NameId;

/// What one source said at one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    /// By our clock.
    pub(crate) at: Timestamp,
    /// Sample lines, known or not.
    pub(crate) samples: u64,
    pub(crate) unreadable_lines: u64,
    /// When the process behind it began, seconds since 1970.
    pub(crate) birth_s: Option<f64>,
    /// How far the server's clock may be ahead of ours.
    pub(crate) lead: Option<Lead>,
    pub(crate) points: Vec<Point>,
}

/// One value of a metric of the vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) name: NameId,
    /// The name as it stood in the payload, without the ending of its part.
    pub(crate) raw: String,
    pub(crate) part: Part,
    /// Upper bound of a bucket.
    pub(crate) le: Option<f64>,
    /// Labels without `le`.
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}
