//! Any bytes as a `/metrics` payload: samples whose names and labels can be read, and no line lost.

#![no_main]

use engine_client::metrics::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let exposition = parse(&text);
    let lines = text.split('\n').count();
    assert!(exposition.samples.len() + exposition.unreadable_lines <= lines);
    for sample in &exposition.samples {
        assert!(sample.name.contains(sample.family));
        for (label, value) in sample.labels.iter() {
            assert!(label.len() + value.len() <= text.len());
        }
    }
});
