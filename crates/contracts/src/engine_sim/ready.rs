//! The one line on stdout that says where a simulated engine listens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Printed once, when the listener is bound and requests are answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Ready {
    /// Always `engine-sim.ready/1`.
    pub schema: String,
    /// Base URL without a trailing slash, for example `http://127.0.0.1:40123`.
    pub url: String,
    /// The port that was bound; with `--port 0` the system chose it.
    pub port: u16,
    /// Process id: what to send SIGTERM to.
    pub pid: u32,
    /// The model name that requests have to use.
    pub model: String,
    /// Always true.
    pub simulated: bool,
}
