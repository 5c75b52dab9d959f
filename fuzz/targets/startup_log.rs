//! Any bytes as the log of a start-up: facts with finite numbers, and every line counted.

#![no_main]

use capacity_plan::startup_log::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let log = read(bytes).expect("memory can be read");
    let ends = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
    assert_eq!(log.lines, ends + u64::from(bytes.last().is_some_and(|byte| *byte != b'\n')));
    for rank in log.facts.ranks.values() {
        for pool in &rank.pools {
            assert!(pool.all.is_none_or(|size| size.bytes.is_finite() && size.half_digit >= 0.0));
        }
    }
    for failure in &log.facts.failures {
        assert!(!failure.text.chars().any(char::is_control));
    }
});
