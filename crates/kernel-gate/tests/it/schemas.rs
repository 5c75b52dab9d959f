//! What a harness writes and what people write for the gate have published schemas: everything that is read here is of them.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::run::{map, validates};

fn example(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/kernel-ab")
        .join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn lines_of_a_measurement() {
    for line in Evidence::good().results {
        validates("kernel-gate.results-line/1", &line).unwrap();
    }
    for file in ["aa", "results", "cached", "remembered"] {
        for line in example(&format!("output/{file}.jsonl")).lines() {
            validates("kernel-gate.results-line/1", &serde_json::from_str(line).unwrap()).unwrap();
        }
    }
    for wrong in [
        json!({"event": "result", "id": "a"}),
        json!({"event": "result", "id": "a", "status": "PASSED", "checks": {"poisoned": "yes"}}),
        json!({"event": "provenance", "sides": {"baseline": {"flags": "-O3"}}}),
        json!({"id": "a", "status": "PASSED"}),
    ] {
        assert!(
            validates("kernel-gate.results-line/1", &wrong).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn rows_dispatch_and_maps() {
    let rows: Value = serde_json::from_str(&example("workloads.json")).unwrap();
    validates("kernel-gate.workloads/1", &rows).unwrap();
    validates("kernel-gate.workloads/1", &json!({"workloads": rows})).unwrap();
    for wrong in [json!([{"atol": 0}]), json!([{"id": "a", "atol": -1}]), json!({})] {
        assert!(validates("kernel-gate.workloads/1", &wrong).is_err(), "{wrong}");
    }
    let dispatch = json!({"buckets": [{"name": "rest", "field": "m", "below": 8, "entry": "baseline"}]});
    validates("kernel-gate.dispatch/1", &dispatch).unwrap();
    let misspelt = json!({"buckets": [{"name": "rest", "field": "m", "less": 8, "entry": "baseline"}]});
    assert!(validates("kernel-gate.dispatch/1", &misspelt).is_err());
    for name in ["norm_scale_shift.toml", "qknorm_rope.toml"] {
        let text = std::fs::read_to_string(map(name)).unwrap();
        validates("kernel-gate.map/1", &toml::from_str::<Value>(&text).unwrap()).unwrap();
    }
}
