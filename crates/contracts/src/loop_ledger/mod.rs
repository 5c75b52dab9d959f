//! Documents of `loop-ledger`: the campaign's lock, its chained entries, and what the commands print.

pub mod best;
pub mod digest;
pub mod done;
pub mod entry;
pub mod event;
pub mod facts;
pub mod history;
pub mod lock;
pub mod phase;
pub mod preflight;
pub mod receipt;
pub mod root_cause;
pub mod status;
pub mod text;
pub mod verify;
pub mod watch;

pub use phase::{Phase, Terminal};
