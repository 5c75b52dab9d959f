//! Payloads that engines' own exporters wrote: every sample line is a sample, whatever the format.
//!
//! They lie outside the repository; `SOTA_LOOP_TEST_DATA` says where.

use std::collections::BTreeMap;
use std::path::Path;

use engine_client::metrics::{Kind, Part, parse};

/// Name and text of each payload.
fn payloads() -> Option<BTreeMap<String, String>> {
    let folder = Path::new(&std::env::var_os("SOTA_LOOP_TEST_DATA")?).join("telemetry/prom_text");
    let files = std::fs::read_dir(folder).expect("the folder of payloads can be read");
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let path = file.expect("an entry").path();
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).expect("a payload"))
    };
    Some(files.map(read).collect())
}

#[test]
fn every_sample_line_of_real_payloads_is_a_sample() {
    let Some(payloads) = payloads() else {
        println!("real metrics payloads: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
        return;
    };
    assert!(payloads.len() >= 7, "{:?}", payloads.keys());
    for (name, text) in &payloads {
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let exposition = parse(text);
        assert_eq!(
            (exposition.samples.len(), exposition.unreadable_lines),
            (lines.count(), 0),
            "{name}"
        );
        let unknown = exposition
            .samples
            .iter()
            .filter(|sample| sample.kind == Kind::Unknown);
        assert_eq!(unknown.count(), 0, "{name}: every sample has a type");
        println!("{name}: {} samples", exposition.samples.len());
    }
}

#[test]
fn both_encodings_of_one_exporter_say_the_same() {
    let Some(payloads) = payloads() else {
        println!("real metrics payloads: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
        return;
    };
    let read = |name: &str| {
        let text = &payloads[name];
        let exposition = parse(text);
        let row = |sample: &engine_client::metrics::Sample<'_>| {
            let labels: Vec<String> = sample
                .labels
                .iter()
                .map(|(label, value)| format!("{label}={value}"))
                .collect();
            let family = sample.family.replace(':', "_");
            (family, sample.part, labels, sample.value.to_bits())
        };
        exposition
            .samples
            .iter()
            .filter(|sample| sample.family.starts_with("sglang"))
            .map(row)
            .collect::<std::collections::HashSet<_>>()
    };
    let classic = read("sglang_0.5.23_text.prom");
    let open = read("sglang_0.5.23_openmetrics_underscore.txt");
    assert!(classic.len() > 200);
    assert_eq!(classic, open);
}

#[test]
fn vllm_s_histogram_that_ends_in_total_is_a_histogram() {
    let Some(payloads) = payloads() else {
        println!("real metrics payloads: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
        return;
    };
    let exposition = parse(&payloads["vllm_0.33.0_text.prom"]);
    let parts: Vec<Part> = exposition
        .family("vllm:iteration_tokens_total")
        .map(|sample| sample.part)
        .collect();
    assert!(
        parts.contains(&Part::Bucket) && parts.contains(&Part::Count),
        "{parts:?}"
    );
    assert!(
        exposition
            .family("vllm:prompt_tokens")
            .all(|sample| sample.kind == Kind::Counter || sample.part == Part::Created)
    );
}
