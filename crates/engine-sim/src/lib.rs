//! A simulated inference engine with an OpenAI API on loopback.
//!
//! It says `simulated: true` wherever it identifies itself. Scripted, it answers with exact timing and exact defects
//! per request number, and keeps its own record of what it really did at `/truth`. With `--flavor` it runs a model of
//! a scheduler behind SGLang's or vLLM's flags, logs and metric names.
//!
//! One request: `http` makes a request of bytes, `api` an ask of the request, `reply` a timeline of the ask and the
//! script (or `engine` steps of it), `server` writes when it is due, `truth` records when that was. `profile` makes
//! traces of an engine's steps.

mod api;
pub mod cli;
mod clock;
#[doc(hidden)]
pub mod closed_loop;
mod engine;
mod engine_log;
mod error;
mod flavor;
mod http;
mod metrics;
mod profile;
mod reply;
mod run;
mod script;
mod server;
mod truth;

pub use error::SimError;
pub use run::{Running, run};
