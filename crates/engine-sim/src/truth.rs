//! The server's own record of what it did: moments are those at which a write returned.

mod record;
mod recorder;
mod spread;

pub(crate) use record::Record;
pub(crate) use recorder::Recorder;
