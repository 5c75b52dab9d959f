//! The tool against small servers: honest ones, and ones that cheat.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line")]
mod agreement;
mod error_rate;
mod gate;
mod server;
