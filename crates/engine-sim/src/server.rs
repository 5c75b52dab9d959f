//! Sockets and deadlines on one thread: requests in, writes out when they are due.
//!
//! One poll, one heap of absolute deadlines, one alarm to the nanosecond. A client that reads slowly fills the
//! backlog of its own connection and delays nobody else.

mod alarm;
mod connection;
mod core;
mod core_log;
mod deadlines;
mod generate;
mod live;
mod pace;
mod profile;
mod serve;
mod submit;

pub(crate) use core::EngineSetup;
pub(crate) use profile::ProfileSetup;
pub(crate) use serve::{Server, Setup, Stopper};
