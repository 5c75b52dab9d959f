//! Any bytes as results, as a row set, as a dispatch, and as a ledger with its map: a verdict with finite numbers, never a
//! promotion. A line of `---` parts a map from its ledger.

#![no_main]

use contracts::kernel_gate::results::Peaks;
use kernel_gate::judge::{Evidence, judge};
use kernel_gate::ledger::read;
use libfuzzer_sys::fuzz_target;

fn judged(bytes: &[u8], dispatch: &[u8]) {
    let Ok(ledger) = read(bytes) else {
        return;
    };
    let dispatch = kernel_gate::dispatch::read(dispatch).ok();
    let data = judge(&Evidence {
        results: &ledger,
        rows: None,
        aa: Some(&ledger),
        reruns: vec![&ledger],
        dispatch: dispatch.as_ref().map(|table| (table, "sha256:00")),
        candidate_sha256: Some("sha256:00"),
        peaks: Peaks::default(),
        share: None,
    });
    let document = serde_json::to_string(&data).expect("numbers are finite");
    assert!(!document.starts_with(r#"{"verdict":"promote"#), "{document}");
}

fuzz_target!(|bytes: &[u8]| {
    let parts = bytes.windows(5).position(|window| window == b"\n---\n");
    let (first, second) = parts.map_or((bytes, &[][..]), |at| (&bytes[..at], &bytes[at + 5..]));
    judged(first, second);
    let _ = kernel_gate::row_set::read(first);
    if let Ok(imported) = kernel_gate::import::import(second, &String::from_utf8_lossy(first)) {
        // What is written can be read.
        read(imported.lines.as_bytes()).expect("results of an import read");
        judged(imported.lines.as_bytes(), &[]);
    }
});
