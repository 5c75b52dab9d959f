//! Raw sockets against a running server: what a client really gets, byte by byte.

#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line")]

mod answers;
mod cli;
mod client;
mod endpoints;
mod engine;
mod profile;
mod timing;
mod traps;
