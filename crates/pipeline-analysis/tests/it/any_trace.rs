//! Whatever a trace holds, the tool ends with a document that is valid or with a documented error, and never panics.

use proptest::prelude::*;
use tempfile::TempDir;

use crate::run::{document, run, write};

/// One event: its category, its name, where and when it lies, how long it takes, and what it shares with others.
type Event = (usize, usize, u64, i64, i64, u64);

const CATEGORIES: [&str; 7] = [
    "kernel",
    "kernel",
    "kernel",
    "gpu_memcpy",
    "cuda_runtime",
    "user_annotation",
    "cpu_op",
];
const NAMES: [&str; 8] = [
    "norm_kernel",
    "fmha_kernel",
    "gemm_kernel",
    "nccl_all_reduce",
    "step[DECODE bs=3]",
    "step[EXTEND bs=1 toks=9]",
    "cudaGraphLaunch",
    "hipModuleLaunchKernel",
];

fn text(events: &[Event]) -> String {
    let events: Vec<String> = events
        .iter()
        .map(|(category, name, place, ts, dur, id)| {
            let (category, name) = (CATEGORIES[*category], NAMES[*name]);
            let kernel = if name.starts_with("hip") { r#","kernel":"gemm_kernel""# } else { "" };
            format!(
                r#"{{"ph":"X","cat":"{category}","name":"{name}","pid":{},"tid":{place},"ts":{ts},"dur":{dur},"args":{{"correlation":{id},"External id":{id},"stream":7,"Input Dims":[[{id}]]{kernel}}}}}"#,
                place % 2
            )
        })
        .collect();
    format!(r#"{{"traceEvents": [{}]}}"#, events.join(","))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_events(
        events in prop::collection::vec(
            (0..CATEGORIES.len(), 0..NAMES.len(), 0..3_u64, -2_000_i64..2_000, -5_i64..900, 0..40_u64),
            0..120,
        ),
        // Damaged clocks: everything far away from everything else.
        scale in prop::sample::select(vec![1_i64, 1, 1, 4_000_000_000_000]),
        repeat in 1..5_usize,
        layers in 1..20_usize,
    ) {
        let events: Vec<Event> = events
            .iter()
            .map(|(category, name, place, ts, dur, id)| (*category, *name, *place, ts * scale, *dur, *id))
            .collect();
        let folder = TempDir::new().expect("a folder");
        let path = write(&folder, "a.json", &text(&events.repeat(repeat)));
        let config = write(&folder, "config.json", &format!(r#"{{"num_hidden_layers": {layers}}}"#));
        for words in [
            &[&path[..]][..],
            &[&path, "--config", &config, "--flow"],
            &[&path, "--anchor", "norm", "--layer", "0", "--compare-layer", "1"],
        ] {
            match run(words) {
                Ok(report) => {
                    prop_assert!(!report.view().to_terminal().is_empty());
                    document(words);
                }
                Err(failure) => prop_assert!(failure.document.hint.is_some()),
            }
        }
    }
}
