//! `gap-decide calibrate` on A/A documents.

use contracts::Document;
use contracts::gap_decide::calibration::CalibrationData;
use contracts::gap_decide::decision::Verdict;

use crate::fixtures::{Desk, compare, fails, pairs, result, run, scattered, validate};

fn calibrate(words: &[&str]) -> Document<CalibrationData> {
    let report = run(words).unwrap_or_else(|failure| panic!("{failure:?}"));
    validate(report.json(), "gap-decide.calibration/1");
    assert_eq!(report.exit().code(), 0);
    serde_json::from_str(report.json()).unwrap()
}

#[test]
fn an_aa_comparison_says_what_to_expect() {
    let desk = Desk::new();
    let aa = desk.put("aa.json", &compare(&pairs(1.0, 0.01, 20)));
    let document = calibrate(&["calibrate", &aa, "--campaigns", "100"]);
    let data = &document.data;
    assert_eq!(
        (data.noise.pairs, data.noise.runs, data.noise.interleaved),
        (20, 40, true)
    );
    assert!(
        (data.noise.cv_pct.unwrap().get() - 1.0).abs() < 0.2,
        "{:?}",
        data.noise
    );
    assert!(matches!(data.aa.verdict, Verdict::Tied | Verdict::Inconclusive));
    let row = |effect: f64| {
        data.rows
            .iter()
            .find(|row| row.true_effect_pct.get() == effect)
            .unwrap()
    };
    assert!(row(0.0).ahead_ratio.get() + row(0.0).behind_ratio.get() <= 0.02);
    assert!(row(3.0).ahead_ratio.get() > 0.97 && row(-3.0).behind_ratio.get() > 0.97);
    assert!(row(1.0).ahead_ratio.get() <= 0.08);
    // What the tool is there to replace.
    assert!(row(0.0).naive_decided_ratio.get() > 0.2);
}

#[test]
fn results_with_repeats_do_too() {
    let desk = Desk::new();
    let aa = desk.put("aa.json", &result("sglang", &scattered(1000.0, 0.01, 12, 1)));
    let document = calibrate(&["calibrate", &aa, "--campaigns", "100", "--metric", "mean_tpot_ms"]);
    assert_eq!(
        (document.data.noise.pairs, document.data.noise.interleaved),
        (6, false)
    );
    let codes: Vec<&str> = document.warnings.iter().map(|w| w.code.as_str()).collect();
    assert_eq!(codes, ["unpaired", "few-pairs"]);
}

#[test]
fn simulated_noise_is_said_to_be_simulated() {
    let desk = Desk::new();
    let simulated = crate::fixtures::with(
        compare(&pairs(1.0, 0.005, 4)),
        "/simulated",
        serde_json::json!(true),
    );
    assert!(calibrate(&["calibrate", &desk.put("c.json", &simulated), "--campaigns", "100"]).simulated);
}

#[test]
fn sides_that_differ_are_no_calibration() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(0.9, 0.005, 12)));
    let document = calibrate(&["calibrate", &doc, "--campaigns", "100"]);
    assert!(document.warnings.iter().any(|w| w.code == "sides-differ"));
}

#[test]
fn too_few_pairs() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(1.0, 0.005, 3)));
    assert_eq!(fails(&["calibrate", &doc]), ("too-few-pairs".to_owned(), 3));
}

#[test]
fn documents_of_different_speeds_are_no_noise() {
    let desk = Desk::new();
    let slow = desk.put("s.json", &compare(&pairs(1.0, 0.01, 10)));
    let fast: Vec<(f64, f64)> = pairs(1.0, 0.01, 10)
        .into_iter()
        .map(|(a, b)| (3.0 * a, 3.0 * b))
        .collect();
    let fast = desk.put("f.json", &compare(&fast));
    let cv = calibrate(&["calibrate", &slow, &fast, "--campaigns", "100"])
        .data
        .noise
        .cv_pct
        .unwrap()
        .get();
    assert!((cv - 1.0).abs() < 0.2, "{cv}");
}
