//! Any bytes are a document or an error, never a panic; and no number is infinite.

use std::sync::LazyLock;

use kernel_gate::judge::{Evidence, judge};
use kernel_gate::ledger::{Peaks, read};
use proptest::prelude::*;
use serde_json::Value;

use crate::evidence;

/// A good measurement as text.
static GOOD: LazyLock<String> = LazyLock::new(|| {
    let lines = evidence::Evidence::good().results;
    lines.iter().map(|line| format!("{line}\n")).collect()
});

fn judged(bytes: &[u8]) {
    let Ok(ledger) = read(bytes) else {
        return;
    };
    let data = judge(&Evidence {
        results: &ledger,
        rows: None,
        aa: Some(&ledger),
        reruns: vec![&ledger],
        dispatch: None,
        candidate_sha256: Some("sha256:00"),
        peaks: Peaks::default(),
        share: None,
    });
    let value: Value = serde_json::to_value(&data).expect("a document has finite numbers");
    assert_ne!(value["verdict"], "promote");
}

proptest! {
    #[test]
    fn noise(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        judged(&bytes);
        let _ = kernel_gate::row_set::read(&bytes);
        let _ = kernel_gate::dispatch::read(&bytes);
        let _ = kernel_gate::import::import(&bytes, &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_measurement_with_a_few_bytes_changed(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = GOOD.as_bytes().to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        judged(&bytes);
    }

    #[test]
    fn numbers_of_any_size(
        numbers in proptest::collection::vec(any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()), 14),
    ) {
        let mut evidence = evidence::Evidence::good();
        let row = evidence.row("large-a");
        row["baseline"]["samples_us"] = Value::from(numbers[..7].to_vec());
        row["candidate"]["samples_us"] = Value::from(numbers[7..].to_vec());
        let text: String = evidence.results.iter().map(|line| format!("{line}\n")).collect();
        judged(text.as_bytes());
    }
}
