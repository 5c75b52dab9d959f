//! Where the time of the window went, by function.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Finite;

/// One function of a profile that counts while the engine runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProfileRow {
    /// Profile that it is a row of, as its source names it: `cuda_kernels_nanoseconds`, for example.
    pub profile: String,
    /// Function or kernel.
    pub function: String,
    /// Calls in the window; null when the source does not count them.
    pub calls: Option<u64>,
    /// Time in the window, nanoseconds.
    pub total_ns: u64,
    /// total_ns / calls, nanoseconds; null without calls.
    pub mean_ns: Option<Finite>,
    /// total_ns / total of all functions of the profile in the window, 0 to 1; null when that is 0.
    pub share: Option<Finite>,
}
