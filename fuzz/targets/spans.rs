//! Any bytes as a trace request of OpenTelemetry, plain and compressed: rows, or nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| telemetry_fetch::read_any_spans(bytes));
