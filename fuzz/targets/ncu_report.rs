//! Any bytes as a report of Nsight Compute or an export of one: an error with a hint, or kernels that can be written again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ncu_report::{Limits, Private, Value, encode, read, redact, unit_of};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits {
        file_bytes: 16 << 20,
        memory_bytes: 256 << 20,
    };
    let mut report = match read(bytes, limits) {
        Ok(report) => report,
        Err(error) => {
            assert!(!error.to_string().chars().any(char::is_control));
            assert!(!error.hint().is_empty());
            return;
        }
    };
    assert!(!report.kernels.is_empty());
    for (index, kernel) in report.kernels.iter().enumerate() {
        assert_eq!(kernel.index, index);
        assert!(!kernel.demangled.chars().any(char::is_control));
        for (name, metric) in &kernel.metrics {
            assert!(!name.chars().any(char::is_control));
            assert!(!matches!(metric.value, Some(Value::Real(number)) if !number.is_finite()));
            let _ = unit_of(name);
        }
    }
    for warning in &report.warnings {
        assert!(!warning.message.chars().any(char::is_control));
    }
    let again = read(&encode(&report), Limits::default()).expect("what was read can be written and read");
    assert_eq!(again.kernels.len(), report.kernels.len());
    redact(&mut report);
    assert_eq!(report.session.private, Private::default());
});
