//! Any bytes as a trace: reading ends, and everything that is derived from what was read holds together.

#![no_main]

use libfuzzer_sys::fuzz_target;
use torch_trace::{
    Derived, StageChoice, Want, captures, engine_of, grade, launch_moments, locations, read, same_stream_overlap,
};

fuzz_target!(|bytes: &[u8]| {
    for want in [Want::ALL, Want::DEVICE] {
        let Ok(trace) = read(bytes, want) else {
            continue;
        };
        assert!(trace.bytes <= bytes.len() as u64);
        for choice in [StageChoice::Auto, StageChoice::All] {
            let derived = Derived::of(&trace, choice, "rank0-DECODE.json");
            assert_eq!(derived.work.len(), trace.gpu.len());
            assert_eq!(derived.origins.launch.len(), trace.gpu.len());
            let _ = grade(&trace, &derived.origins);
            let _ = same_stream_overlap(&derived.work);
        }
        let _ = engine_of(&trace);
        let _ = captures(&trace);
        let moments = launch_moments(&trace);
        for name in locations(&trace, &moments).into_iter().flatten() {
            assert!(!trace.names.text(name).chars().any(char::is_control));
        }
    }
});
