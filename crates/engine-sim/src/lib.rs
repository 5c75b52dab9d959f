//! A simulated inference engine with an OpenAI API on loopback.
//!
//! It says `simulated: true` wherever it identifies itself. Scripted, it answers with exact timing and exact defects
//! per request number, and keeps its own record of what it really did at `/truth`.

mod api;
pub mod cli;
mod clock;
mod engine;
mod engine_log;
mod error;
mod flavor;
mod http;
mod metrics;
mod reply;
mod run;
mod script;
mod server;
mod truth;

pub use error::SimError;
pub use run::{Running, run};
