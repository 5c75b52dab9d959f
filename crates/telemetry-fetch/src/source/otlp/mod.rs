//! Spans that an engine sends while the window runs: OTLP traces, over HTTP and over gRPC on one port of this machine.
//!
//! bytes (`receiver`, the only file with sockets) -> message (`body`) -> fields (`protobuf`) -> spans (`span`) -> what is kept
//! (`ledger`) -> rows of the document (`rows`). Protocol buffers are read by hand: a trace request is four nested messages, of
//! which ten fields matter here, and generated types of all of OpenTelemetry would be most of this crate.

mod body;
mod ledger;
mod protobuf;
mod receiver;
mod rows;
mod span;

use std::net::SocketAddr;

use jiff::Timestamp;

pub(crate) use ledger::Ledger;
pub(crate) use receiver::Receiver;
pub(crate) use rows::{count, rows};

/// What came in during a window.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) address: SocketAddr,
    pub(crate) ledger: Ledger,
    /// Spans count when they ended in here, which is narrower than the time they were waited for.
    pub(crate) start_at: Timestamp,
    pub(crate) end_at: Timestamp,
}

/// Reads bytes as an engine's trace request; any bytes at all are fine. For the fuzz target.
#[doc(hidden)]
pub fn read_any(bytes: &[u8]) {
    let mut ledger = Ledger::default();
    let _ = ledger.take(bytes);
    if let Ok(message) = body::message(bytes, Some("gzip")) {
        let _ = ledger.take(&message);
    }
    let all = (Timestamp::MIN, Timestamp::MAX);
    assert!(rows(&ledger, all.0, all.1).iter().all(|row| row.count > Some(0)));
}
