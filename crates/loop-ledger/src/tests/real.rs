//! What is rendered reads documents that real engines were measured into: the committed ones of the examples.

use contracts::serve_bench::compare;

use crate::render::Documents;
use crate::session::claim::claims;
use crate::session::lookup::{Finding, look};

fn example(name: &str) -> Vec<u8> {
    let path = format!(
        "{}/../../examples/real-engine/output/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn a_real_comparison_has_its_figures() {
    let mut documents = Documents::default();
    documents.take(compare::SCHEMA, "sha256:x", example("aa1.compare.json"));
    let [ours, theirs] = documents.measured["sha256:x"].as_slice() else {
        panic!("a comparison has two sides");
    };
    for side in [ours, theirs] {
        assert_eq!(side.framework, "llama.cpp");
        assert!(side.runs >= 8, "{side:?}");
        assert_eq!(side.errors, 0);
        for figure in [
            side.ttft_ms,
            side.tpot_ms,
            side.ttlt_ms,
            side.prefill_tps,
            side.decode_tps,
            side.output_tps,
            side.total_tps,
        ] {
            assert!(figure.is_some_and(|figure| figure.get() > 0.0), "{side:?}");
        }
        // The medians of a request add up to about its whole time.
        assert!(side.ttlt_ms > side.ttft_ms);
    }
}

#[test]
fn a_real_decision_founds_what_stands_in_it_and_nothing_else() {
    let document: serde_json::Value = serde_json::from_slice(&example("aa1.decision.json")).unwrap();
    let scenario = &document["data"]["scenarios"][0];
    let name = scenario["scenario"].as_str().unwrap();
    let effect = scenario["effect_pct"].as_f64().unwrap();
    for (line, founded) in [
        (format!("`{name}`: effect_pct={effect:.2}%"), true),
        (format!("data.scenarios[0].effect_pct: {effect:.1} %"), true),
        (format!("`{name}`: effect_pct={:.2}%", effect + 0.5), false),
        (format!("`no-such-scenario`: effect_pct={effect:.2}%"), false),
    ] {
        let mut all = vec![(claims(&line).remove(0), Finding::default())];
        look(&document, &mut all);
        assert_eq!(all[0].1.founded, founded, "{line}");
    }
}
