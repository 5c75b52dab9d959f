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
    let rows = rows(&ledger, Timestamp::UNIX_EPOCH, Timestamp::MAX);
    assert!(rows.iter().all(|row| row.count > Some(0)));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::span::tests::request;
    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_fine(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            read_any(&bytes);
        }

        /// Bytes that are almost a trace request reach deeper.
        #[test]
        fn a_request_with_damage_is_fine(at in 0..200_usize, value in any::<u8>(), cut in 0..200_usize) {
            let attributes = [("gen_ai.latency.e2e", 0.5), ("gen_ai.usage.prompt_tokens", 3.0)];
            let mut bytes = request(1, 2, "llm_request", (5, 9), &attributes);
            let at = at % bytes.len();
            bytes[at] = value;
            read_any(&bytes);
            bytes.truncate(cut);
            read_any(&bytes);
        }
    }

    /// What opentelemetry-sdk 1.45.2 sent with vLLM's attributes.
    #[test]
    fn a_request_of_the_sdk_is_read() {
        let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
            eprintln!("SOTA_LOOP_TEST_DATA is not set: a real request is not read");
            return;
        };
        let path = std::path::Path::new(&data).join("telemetry/otlp_trace_request.bin");
        let mut ledger = Ledger::default();
        ledger.take(&std::fs::read(path).unwrap()).unwrap();
        let rows = rows(&ledger, Timestamp::UNIX_EPOCH, Timestamp::MAX);
        let value = |id: &str| {
            rows.iter()
                .find(|row| row.id == id)
                .and_then(|row| row.value)
                .map(contracts::Finite::get)
        };
        for (id, expected) in [
            ("ttft_ms", 83.0),
            ("e2e_latency_ms", 910.0),
            ("queue_time_ms", 4.0),
            ("prefill_time_ms", 79.0),
            ("decode_time_ms", 827.0),
            ("prompt_length_tokens", 128.0),
            ("answer_length_tokens", 64.0),
            ("tpot_ms", 827.0 / 63.0),
        ] {
            assert!(
                (value(id).unwrap() - expected).abs() < 1e-6,
                "{id}: {:?}",
                value(id)
            );
        }
    }
}
