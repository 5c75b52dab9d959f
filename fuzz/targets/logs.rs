//! Any bytes as the log of an engine: messages and numbers, or nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| telemetry_fetch::read_any_log(bytes));
