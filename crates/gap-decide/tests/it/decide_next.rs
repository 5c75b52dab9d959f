//! What follows a verdict: the commands that are offered, and when there are none.

use contracts::Field;
use contracts::gap_decide::decision::{Decision, Verdict};
use serde_json::json;

use crate::fixtures::{
    Desk, compare, compare_of, decide, pairs, result, result_of, scattered, with, with_runs,
};

#[test]
fn every_scenario_gets_its_own_comparison_and_the_rules_stay() {
    let desk = Desk::new();
    let put = |name: &str, engine: &str, scenario: &str, salt: usize| {
        let values = scattered(1000.0, 0.03, 12, salt);
        desk.put(
            name,
            &result_of(scenario, &format!("sha256:{scenario}"), engine, &values),
        )
    };
    let ours = [
        put("oc.json", "sglang", "chat", 1),
        put("ol.json", "sglang", "long", 2),
    ];
    let theirs = [
        put("vc.json", "vllm", "chat", 3),
        put("vl.json", "vllm", "long", 4),
    ];
    let screen = desk.put("screen.json", &result("sglang", &scattered(990.0, 0.03, 3, 5)));
    let target = desk.put_text("t.yaml", "schema: sota-loop.target/1\n");
    let (document, report) = decide(&[
        "--ours",
        &ours[0],
        &ours[1],
        "--theirs",
        &format!("vllm={}", theirs[0]),
        &theirs[1],
        "--chosen-by",
        &screen,
        "--metric",
        "output_tps",
        "--threshold",
        "0.02",
        "--margin",
        "0.001",
        "--max-pairs",
        "120",
        "--confidence",
        "0.9",
        "--target",
        &target,
        "--fail-on",
        "behind",
    ]);
    assert_eq!(
        (document.data.decision, report.exit().code()),
        (Decision::Repeat, 5)
    );
    let commands: Vec<String> = document
        .next_actions
        .iter()
        .map(|action| action.command.join(" "))
        .collect();
    assert_eq!(commands.len(), 3, "{commands:?}");
    assert!(commands[0].ends_with("-o chat.next.compare.json"), "{commands:?}");
    assert!(commands[1].ends_with("-o long.next.compare.json"), "{commands:?}");
    assert_eq!(
        commands[2],
        format!(
            "gap-decide --compare chat.next.compare.json long.next.compare.json --chosen-by {screen} --metric output_tps --threshold 0.02 --margin 0.001 --max-pairs 120 --confidence 0.9 --target {target} --fail-on behind"
        )
    );
}

#[test]
fn there_is_an_end_to_more_pairs() {
    let desk = Desk::new();
    for (count, most) in [(56, "56"), (120, "120"), (40, "50")] {
        let doc = desk.put("c.json", &compare(&pairs(1.0, 0.03, count)));
        let (document, report) = decide(&[
            "--compare",
            &doc,
            "--margin",
            "0.0001",
            "--threshold",
            "0.1",
            "--max-pairs",
            most,
        ]);
        assert_eq!(
            (document.data.decision, report.exit().code()),
            (Decision::Repeat, 5)
        );
        assert!(
            document.next_actions.is_empty(),
            "{count}: {:?}",
            document.next_actions
        );
        assert!(
            document.summary.contains("report inconclusive")
                && document.data.reasons[0].contains("`smallest_margin_pct`"),
            "{}",
            document.summary
        );
    }
    let doc = desk.put("c.json", &compare(&pairs(1.0, 0.03, 40)));
    let (document, _) = decide(&["--compare", &doc, "--margin", "0.0001", "--threshold", "0.1"]);
    assert!(document.next_actions[0].command.join(" ").contains("--blocks 56"));
}

#[test]
fn an_undecided_scenario_is_exit_5_beside_a_decided_one() {
    let desk = Desk::new();
    let chat = desk.put("c.json", &compare(&pairs(0.9, 0.005, 18)));
    let long = desk.put(
        "l.json",
        &compare_of("long", "sha256:long", &pairs(1.0, 0.04, 18)),
    );
    let (document, report) = decide(&["--compare", &chat, &long]);
    assert_eq!(
        (document.data.decision, report.exit().code()),
        (Decision::Profile, 5)
    );
    let commands: Vec<String> = document
        .next_actions
        .iter()
        .map(|action| action.command.join(" "))
        .collect();
    assert!(
        commands
            .iter()
            .any(|command| command.ends_with(&format!("--resume -o {long}"))),
        "what is undecided is repeated, too: {commands:?}"
    );
    let (_, report) = decide(&["--compare", &chat, &long, "--fail-on", "behind"]);
    assert_eq!(report.exit().code(), 1, "the gate is decided");
}

#[test]
fn forecasts_take_the_share_of_the_error_that_verdicts_take() {
    let desk = Desk::new();
    let noisy = desk.put("n.json", &compare(&pairs(1.0, 0.04, 18)));
    let other = desk.put(
        "l.json",
        &compare_of("long", "sha256:long", &pairs(1.002, 0.041, 18)),
    );
    let margin = |words: &[&str]| {
        let (document, _) = decide(words);
        let row = document.data.scenarios[0].clone();
        assert_eq!(
            (row.scenario.as_str(), row.verdict),
            ("chat", Verdict::Inconclusive)
        );
        row.smallest_margin_pct.unwrap().get()
    };
    let (alone, shared) = (
        margin(&["--compare", &noisy]),
        margin(&["--compare", &noisy, &other]),
    );
    assert!(shared > 1.02 * alone, "{shared} {alone}");
}

#[test]
fn every_document_is_held_against_the_first() {
    let desk = Desk::new();
    let all = pairs(0.95, 0.005, 12);
    let machine = |driver: &str| {
        serde_json::to_value(contracts::FieldSet::new(
            [("gpu.driver".to_owned(), Field::observed(driver))].into(),
        ))
        .unwrap()
    };
    let first = desk.put(
        "a.json",
        &with(compare(&all[..5]), "/environment", machine("570")),
    );
    let later = with_runs(compare(&all[5..]), "a", |i, run| {
        run["windows"]["full"]["start_at"] = json!(format!("2026-11-22T02:00:{i:02}Z"));
    });
    let later = with_runs(later, "b", |i, run| {
        run["windows"]["full"]["start_at"] = json!(format!("2026-11-22T02:00:{i:02}Z"));
    });
    let differs = |driver: &str| {
        let later = desk.put("b.json", &with(later.clone(), "/environment", machine(driver)));
        let (document, _) = decide(&["--compare", &first, &later]);
        document.warnings.iter().any(|w| w.code == "environment-differs")
    };
    assert!(differs("580") && !differs("570"));
}
