//! A part of one load that several load generators make together.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::result::LoadInfo;

/// Which part of a load a measurement is, and of which load. Requests are dealt out by their number, turns by that of their
/// conversation: number `i` of the workload is sent by shard `i mod of + 1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Shard {
    /// This part, from 1.
    pub index: u32,
    /// Parts.
    pub of: u32,
    /// When all of them begin, by the clock of each machine.
    pub start_at: Timestamp,
    /// The whole load.
    pub load: LoadInfo,
}

impl Shard {
    /// `1/4`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.index, self.of)
    }

    /// Whether it sends the request, or the conversation, of that number.
    pub fn sends(&self, index: u64) -> bool {
        index % u64::from(self.of.max(1)) + 1 == u64::from(self.index)
    }
}
