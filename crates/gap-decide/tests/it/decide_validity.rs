//! What weakens or voids a verdict: unknown fields, imports, failing requests, limits of client and memory, objectives.

use contracts::Field;
use contracts::gap_decide::decision::{Decision, Verdict};
use serde_json::json;

use crate::fixtures::{Desk, compare, contract, decide, pairs, result, scattered, with, with_runs};

#[test]
fn an_unknown_field_makes_it_provisional_and_the_target_mends_it() {
    let desk = Desk::new();
    let unknown = contract(&[
        ("precision", Field::unknown()),
        ("hardware.class", Field::unknown()),
    ]);
    let mut doc = compare(&pairs(1.0, 0.003, 12));
    for side in ["/data/a/contract", "/data/b/contract", "/contract"] {
        doc = with(doc, side, serde_json::to_value(&unknown).unwrap());
    }
    let path = desk.put("c.json", &doc);
    let (document, report) = decide(&["--compare", &path]);
    let row = &document.data.scenarios[0];
    assert!(row.provisional && row.verdict == Verdict::Tied);
    assert_eq!(row.unknown_fields, ["hardware.class", "precision"]);
    assert_eq!(
        (document.data.decision, report.exit().code()),
        (Decision::Rebaseline, 0)
    );
    let action = &document.next_actions[0];
    assert!(
        action.why.contains("precision: …")
            && action
                .command
                .ends_with(&["--target".into(), "target.yaml".into()]),
        "{action:?}"
    );
    let target = desk.put_text(
        "t.yaml",
        "schema: sota-loop.target/1\nmodel: {precision: bf16}\nhardware: {class: H100-80GB-SXM}\n",
    );
    let (document, _) = decide(&["--compare", &path, "--target", &target]);
    assert_eq!(document.data.decision, Decision::StopReached);
    assert!(!document.data.scenarios[0].provisional);
    assert_eq!(document.contract.known("precision"), Some(&json!("bf16")));
}

#[test]
fn behind_comes_before_provisional() {
    let desk = Desk::new();
    let unknown = serde_json::to_value(contract(&[("precision", Field::unknown())])).unwrap();
    let doc = with(compare(&pairs(0.95, 0.005, 12)), "/data/b/contract", unknown);
    let (document, _) = decide(&["--compare", &desk.put("c.json", &doc)]);
    assert_eq!(document.data.decision, Decision::Profile);
    assert!(document.data.scenarios[0].provisional);
}

#[test]
fn imported_results_are_provisional_at_most() {
    let desk = Desk::new();
    let ours = desk.put("o.json", &result("sglang", &scattered(1100.0, 0.005, 12, 1)));
    let imported = with(
        result("vllm", &scattered(1000.0, 0.005, 12, 2)),
        "/data/imported_from",
        json!("vllm bench serve"),
    );
    let vllm = desk.put("v.json", &imported);
    let (document, _) = decide(&["--ours", &ours, "--theirs", &format!("vllm={vllm}")]);
    assert!(document.data.scenarios[0].provisional);
    assert_eq!(document.data.decision, Decision::Rebaseline);
}

#[test]
fn failing_requests_invalidate() {
    let desk = Desk::new();
    let doc = with_runs(compare(&pairs(1.05, 0.005, 12)), "b", |_, run| {
        run["requests"]["succeeded"] = json!(70);
        run["requests"]["failed"] = json!(10);
    });
    let (document, report) = decide(&["--compare", &desk.put("c.json", &doc)]);
    assert_eq!(
        (document.data.scenarios[0].verdict, document.data.decision),
        (Verdict::Invalid, Decision::Rebaseline)
    );
    assert_eq!(report.exit().code(), 5);
    assert!(
        document.data.reasons[0].contains("87.5 %"),
        "{:?}",
        document.data.reasons
    );
    assert_eq!(document.next_actions[0].command[1], "compare");
}

#[test]
fn one_bad_pair_is_left_out_and_many_invalidate() {
    let desk = Desk::new();
    let limited = |share: usize| {
        with_runs(compare(&pairs(0.95, 0.005, 20)), "a", move |i, run| {
            if i % share == 3 {
                run["client"]["client_limited"] = json!(true);
                run["client"]["reasons"] = json!(["dispatch lag p99 is 9 ms"]);
            }
        })
    };
    let (document, _) = decide(&["--compare", &desk.put("c.json", &limited(20))]);
    let row = &document.data.scenarios[0];
    assert_eq!(
        (row.verdict, row.pairs_excluded, row.pairs_available),
        (Verdict::Behind, 1, 19)
    );
    assert!(
        document
            .warnings
            .iter()
            .any(|w| w.code == "invalid-pairs-excluded")
    );
    let (document, report) = decide(&["--compare", &desk.put("d.json", &limited(5))]);
    assert_eq!(
        (document.data.scenarios[0].verdict, report.exit().code()),
        (Verdict::Invalid, 5)
    );
    assert!(
        document.data.reasons[0].contains("dispatch lag"),
        "{:?}",
        document.data.reasons
    );
}

fn slo(status: &str) -> serde_json::Value {
    let passed = match status {
        "passed" => json!(true),
        "failed" => json!(false),
        _ => json!(null),
    };
    json!({"passed": passed, "rules": [{"rule": "p50_ttft_ms<=60", "observed": 52.0, "status": status, "requests_needed": 7}]})
}

#[test]
fn objectives_come_before_speed() {
    let desk = Desk::new();
    let document = |ours: &str, theirs: &str| {
        let doc = with_runs(compare(&pairs(0.95, 0.005, 12)), "a", |_, run| {
            run["slo"] = slo(ours)
        });
        let doc = with_runs(doc, "b", |_, run| run["slo"] = slo(theirs));
        decide(&["--compare", &desk.put("c.json", &doc)]).0
    };
    let ours_fails = document("failed", "passed");
    assert_eq!(
        (ours_fails.data.scenarios[0].verdict, ours_fails.data.decision),
        (Verdict::OursFailsSlo, Decision::FixSlo)
    );
    let theirs_fails = document("passed", "failed");
    assert_eq!(
        (theirs_fails.data.scenarios[0].verdict, theirs_fails.data.decision),
        (Verdict::TheirsFailsSlo, Decision::StopReached)
    );
    let command = ours_fails.next_actions[0].command.join(" ");
    assert!(
        command.contains("--find-max-rate") && command.contains("--slo p50_ttft_ms<=60"),
        "{command}"
    );
    let undecided = document("undecided", "passed");
    assert_eq!(undecided.data.scenarios[0].verdict, Verdict::Behind);
    assert!(undecided.warnings.iter().any(|w| w.code == "slo-undecided"));
}

#[test]
fn nobody_is_faster_than_the_memory() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(1.0, 0.003, 12)));
    // 125 tokens/s per request in the fixture; 16 GB at 1.6 TB/s allow 100.
    let target = |bandwidth: &str| {
        desk.put_text(
            "t.yaml",
            &format!("schema: sota-loop.target/1\nmodel: {{active_weight_bytes: 16000000000}}\nhardware: {{memory_bandwidth_bytes_per_s: {bandwidth}}}\n"),
        )
    };
    let (document, _) = decide(&["--compare", &doc, "--target", &target("1600000000000")]);
    assert_eq!(document.data.scenarios[0].verdict, Verdict::Invalid);
    assert!(
        document.data.reasons[0].contains("active weights"),
        "{:?}",
        document.data.reasons
    );
    let (document, _) = decide(&["--compare", &doc, "--target", &target("3350000000000")]);
    assert_eq!(document.data.scenarios[0].verdict, Verdict::Tied);
    assert!((document.data.scenarios[0].physical_limit_tps.unwrap().get() - 209.375).abs() < 1e-6);
    assert_eq!(
        decide(&["--compare", &doc]).0.data.scenarios[0].physical_limit_tps,
        None
    );
}

#[test]
fn pairs_that_chose_the_winner_never_count() {
    let desk = Desk::new();
    let all = pairs(0.95, 0.005, 20);
    let screen = desk.put("screen.json", &compare(&all[..8]));
    let whole = desk.put("c.json", &compare(&all));
    let (document, _) = decide(&["--compare", &whole, "--chosen-by", &screen]);
    let row = &document.data.scenarios[0];
    assert_eq!((row.pairs_excluded, row.pairs_available, row.pairs), (8, 12, 12));
    assert!(
        document
            .warnings
            .iter()
            .any(|w| w.code == "chosen-pairs-excluded")
    );
}

#[test]
fn what_an_import_does_not_say_invalidates_nothing() {
    let desk = Desk::new();
    let unknown = |mut document: serde_json::Value| {
        for run in document["data"]["runs"].as_array_mut().unwrap() {
            run["client"]["peak_concurrency"] = json!(null);
            run["requests"]["sent"] = json!(0);
            run["requests"]["succeeded"] = json!(0);
        }
        document
    };
    let ours = desk.put(
        "o.json",
        &unknown(result("sglang", &scattered(1100.0, 0.005, 12, 1))),
    );
    let vllm = desk.put(
        "v.json",
        &unknown(result("vllm", &scattered(1000.0, 0.005, 12, 2))),
    );
    // 150 tokens/s for one request at a time; the throughput of eight is over it.
    let target = desk.put_text(
        "t.yaml",
        "schema: sota-loop.target/1\nmodel: {active_weight_bytes: 10}\nhardware: {memory_bandwidth_bytes_per_s: 1500}\n",
    );
    let (document, _) = decide(&[
        "--ours",
        &ours,
        "--theirs",
        &format!("vllm={vllm}"),
        "--target",
        &target,
    ]);
    let row = &document.data.scenarios[0];
    assert_eq!(
        (row.verdict, row.physical_limit_tps.map(contracts::Finite::get)),
        (Verdict::Ahead, Some(150.0)),
        "{:?}",
        document.data.reasons
    );
}

#[test]
fn a_metric_that_is_zero_is_not_one_without_a_value() {
    let desk = Desk::new();
    let zero = with_runs(compare(&pairs(1.0, 0.003, 12)), "a", |_, run| {
        run["throughput"]["goodput_rps"] = json!(0.0);
    });
    let doc = with_runs(zero, "b", |_, run| run["throughput"]["goodput_rps"] = json!(3.0));
    let (document, _) = decide(&["--compare", &desk.put("c.json", &doc), "--metric", "goodput_rps"]);
    assert_eq!(document.data.scenarios[0].verdict, Verdict::Invalid);
    assert!(
        document.data.reasons[0].contains("goodput_rps is 0"),
        "{:?}",
        document.data.reasons
    );
}
