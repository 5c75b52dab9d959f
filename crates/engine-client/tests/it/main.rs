//! The measured path and the control path against servers that answer byte by byte as they are told.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line")]

mod http;
mod metrics;
mod probe;
mod send;
mod server;
