//! `loop-ledger.watch/1`: a campaign seen from outside: is it alive, is there room, are the servers there.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of `schema`.
pub const SCHEMA: &str = "loop-ledger.watch/1";

/// `data` of `loop-ledger.watch/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct WatchData {
    /// Artifact root.
    pub root: String,
    /// How often was looked.
    pub looks: u64,
    /// The open attempt; null when none is.
    pub attempt: Option<String>,
    /// Last sign of life: an entry, or a change below the root.
    pub last_sign_at: Option<Timestamp>,
    /// Bytes free on the file system of the root.
    pub free_bytes: Option<u64>,
    /// What happened, in order.
    pub alarms: Vec<Alarm>,
}

/// Something a person should know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Alarm {
    /// `stalled`, `disk-low`, `server-died`, `stopped`, `budget-exhausted`.
    pub code: String,
    /// In words.
    pub message: String,
    /// When.
    pub raised_at: Timestamp,
    /// How the notification ended; null without one.
    pub notify_exit_code: Option<i32>,
}
