//! Graphsignal: the endpoint of its profiler beside the engine, and its hosted context API.
//!
//! Read from the packages `graphsignal` 1.1.2 and `graphsignal-context` 0.1.6.

pub(crate) mod api;
pub(crate) mod error;
pub(crate) mod foreign;
pub(crate) mod local;
pub(crate) mod profile;
pub(crate) mod signals;

pub(crate) use error::GraphsignalError;
