//! A campaign seen from outside: is it alive, is there room, are the servers there. It reads and never writes.
//!
//! ```text
//! look (files, processes, disk) -> conditions (pure) -> alarms that are new -> notification
//! ```

mod alarms;
mod heartbeat;
mod notify;

pub(crate) use alarms::{Conditions, Look, Raised, conditions};
pub(crate) use heartbeat::newest_change;
pub(crate) use notify::Notify;
