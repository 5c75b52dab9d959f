//! What `/metrics` says: Prometheus text and OpenMetrics, as engines really write them.
//!
//! The reader is tolerant on purpose. An exporter of Python's `prometheus_client` that negotiates OpenMetrics declares
//! `sglang:x` and writes samples `sglang_x` (prometheus/client_python#1180); vLLM has a histogram whose name ends in
//! `_total`; federated payloads have no `TYPE` lines. A line that cannot be read is counted and passed over; it never
//! takes the payload with it.
//!
//! [`parse`] gives borrowed [`Sample`]s. Names are compared by [`same_name`], which knows that `:` and `_` are one.

mod exposition;
mod kind;
mod labels;
mod line;
mod name;

pub use exposition::{Exposition, parse};
pub use kind::{Kind, Part};
pub use labels::Labels;
pub use line::Sample;
pub use name::{canonical, engine_of, is_simulated, same_name};
