//! Verdicts and decisions from documents.

use contracts::Field;
use contracts::gap_decide::decision::{Decision, Method, Verdict};
use serde_json::json;

use crate::fixtures::{Desk, compare, compare_of, contract, decide, pairs, result, scattered, with};

#[test]
fn behind_is_found_and_says_what_to_do() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(0.95, 0.005, 12)));
    let (document, report) = decide(&["--compare", &doc]);
    let row = &document.data.scenarios[0];
    assert_eq!(
        (row.verdict, document.data.decision),
        (Verdict::Behind, Decision::Profile)
    );
    assert_eq!(
        (row.pairs, row.method, row.provisional),
        (12, Method::SignedRankPairs, false)
    );
    assert!((row.effect_pct.unwrap().get() + 5.0).abs() < 0.6, "{row:?}");
    assert!(row.ci_high_pct.unwrap().get() < -1.0);
    assert_eq!(
        (row.ours.name.as_str(), row.best_other.engine.as_str()),
        ("sglang", "vllm 0.11.0")
    );
    assert_eq!(report.exit().code(), 0);
    let commands: Vec<String> = document
        .next_actions
        .iter()
        .map(|action| action.command.join(" "))
        .collect();
    assert!(
        commands[0].starts_with("gap-decide --compare") && commands[0].contains("--metric p50_ttft_ms"),
        "{commands:?}"
    );
    assert!(commands[2].starts_with("serve-bench run --url http://127.0.0.1:30000 --workload standard.workload.jsonl --scenario chat --target target.yaml --concurrency 8 --records"), "{commands:?}");
    assert_eq!(document.inputs.len(), 1);
}

#[test]
fn a_gate_that_was_asked_for_is_exit_1() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(0.95, 0.005, 12)));
    assert_eq!(
        decide(&["--compare", &doc, "--fail-on", "behind"])
            .1
            .exit()
            .code(),
        1
    );
    assert_eq!(
        decide(&["--compare", &doc, "--fail-on", "behind", "--ours-side", "b"])
            .1
            .exit()
            .code(),
        0
    );
}

#[test]
fn the_other_side_can_be_ours() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(0.95, 0.005, 12)));
    let (document, _) = decide(&["--compare", &doc, "--ours-side", "b"]);
    let row = &document.data.scenarios[0];
    assert_eq!(
        (row.verdict, document.data.decision),
        (Verdict::Ahead, Decision::StopReached)
    );
    assert_eq!(row.ours.name, "vllm");
    assert!(document.next_actions.is_empty());
}

#[test]
fn a_tie_needs_the_interval_inside_the_margin() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(1.0, 0.003, 12)));
    assert_eq!(
        decide(&["--compare", &doc]).0.data.scenarios[0].verdict,
        Verdict::Tied
    );
    let noisy = desk.put("n.json", &compare(&pairs(1.0, 0.03, 12)));
    let (document, report) = decide(&["--compare", &noisy]);
    let row = &document.data.scenarios[0];
    assert_eq!(
        (row.verdict, document.data.decision, report.exit().code()),
        (Verdict::Inconclusive, Decision::Repeat, 5)
    );
    assert!(
        row.repeats_needed.unwrap() > 12 && row.smallest_margin_pct.unwrap().get() > 0.5,
        "{row:?}"
    );
    let wanted = row
        .repeats_needed
        .filter(|pairs| *pairs <= 56)
        .or(row.next_look_pairs)
        .unwrap()
        .to_string();
    let command = document.next_actions[0].command.join(" ");
    assert_eq!(
        command,
        format!(
            "serve-bench compare --a http://127.0.0.1:30000 --b http://127.0.0.1:30001 --workload standard.workload.jsonl --concurrency 8 --target target.yaml --blocks {wanted} --resume -o {noisy}"
        )
    );
    let again = &document.next_actions[1].command;
    assert_eq!(
        again[..3],
        ["gap-decide".to_owned(), "--compare".to_owned(), noisy]
    );
}

#[test]
fn a_command_put_together_again_launches_as_before() {
    let desk = Desk::new();
    let mut document = compare(&pairs(1.0, 0.03, 12));
    document["data"]["swap"] = json!(true);
    for side in ["a", "b"] {
        document["data"][side]["launch_argv"] = json!(["serve", side]);
    }
    // No command that could be run again: only what it asked for, and the flags of what it was.
    document["data"]["plan"]["clear_env"] = json!(true);
    document["data"]["plan"]["command"] =
        json!(["old-bench", "--subject", "ours.yaml", "--b-subject=theirs.yaml"]);
    let noisy = desk.put("n.json", &document);
    let (decided, _) = decide(&["--compare", &noisy]);
    let command = decided.next_actions[0].command.join(" ");
    for part in [
        r#"--swap --a-cmd ["serve","a"] --b-cmd ["serve","b"] --clear-env"#,
        "--subject ours.yaml --b-subject theirs.yaml",
    ] {
        assert!(command.contains(part), "{part}: {command}");
    }
    // Whichever side is ours, the document goes on with its own sides.
    let (decided, _) = decide(&["--compare", &noisy, "--ours-side", "b"]);
    assert_eq!(decided.next_actions[0].command.join(" "), command);
}

#[test]
fn fewer_than_eight_pairs_decide_nothing() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(0.5, 0.001, 7)));
    let (document, report) = decide(&["--compare", &doc]);
    let row = &document.data.scenarios[0];
    assert_eq!(
        (row.verdict, row.ci_low_pct, row.pairs),
        (Verdict::Inconclusive, None, 7)
    );
    assert_eq!(
        (row.repeats_needed, row.next_look_pairs, report.exit().code()),
        (Some(8), Some(8), 5)
    );
}

#[test]
fn pairs_between_looks_wait_for_the_next() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(0.95, 0.005, 15)));
    let (document, _) = decide(&["--compare", &doc]);
    let row = &document.data.scenarios[0];
    assert_eq!(
        (row.pairs, row.pairs_available, row.next_look_pairs),
        (12, 15, Some(18))
    );
    assert!(document.warnings.iter().any(|w| w.code == "pairs-wait"));
}

#[test]
fn documents_of_one_comparison_add_up() {
    let desk = Desk::new();
    let all = pairs(0.95, 0.005, 12);
    let first = desk.put("a.json", &compare(&all[..5]));
    let mut later = compare(&all[5..]);
    for (i, block) in later["data"]["blocks"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .enumerate()
    {
        for side in ["a", "b"] {
            block[side]["windows"]["full"]["start_at"] = json!(format!("2026-11-22T02:00:{i:02}Z"));
        }
    }
    let later = desk.put("b.json", &later);
    let (document, _) = decide(&["--compare", &later, &first]);
    assert_eq!(
        (
            document.data.scenarios[0].pairs,
            document.data.scenarios[0].verdict
        ),
        (12, Verdict::Behind)
    );
}

#[test]
fn latencies_are_better_when_lower() {
    let desk = Desk::new();
    // Higher throughput goes with lower latency in the fixture: ours is ahead on both.
    let doc = desk.put("c.json", &compare(&pairs(1.05, 0.003, 12)));
    for metric in ["output_tps", "p50_ttft_ms", "mean_tpot_ms"] {
        let (document, _) = decide(&["--compare", &doc, "--metric", metric]);
        let row = &document.data.scenarios[0];
        assert_eq!(row.verdict, Verdict::Ahead, "{metric}");
        assert!(
            (row.effect_pct.unwrap().get() - 5.0).abs() < 0.6,
            "{metric}: {row:?}"
        );
    }
}

#[test]
fn results_measured_apart_are_weaker_and_say_so() {
    let desk = Desk::new();
    let ours = desk.put("o.json", &result("sglang", &scattered(950.0, 0.005, 12, 1)));
    let vllm = desk.put("v.json", &result("vllm", &scattered(1000.0, 0.005, 12, 2)));
    let slow = desk.put("s.json", &result("tensorrt-llm", &scattered(900.0, 0.005, 12, 3)));
    let (document, _) = decide(&[
        "--ours",
        &ours,
        "--theirs",
        &format!("vllm={vllm}"),
        &format!("trt={slow}"),
    ]);
    let row = &document.data.scenarios[0];
    assert_eq!(
        (row.verdict, row.method),
        (Verdict::Behind, Method::WelchUnpaired)
    );
    // The one that ours has to beat, not the one it beats.
    assert_eq!(row.best_other.name, "vllm");
    let others: Vec<(&str, Verdict)> = row.others.iter().map(|o| (o.name.as_str(), o.verdict)).collect();
    assert_eq!(others, [("vllm", Verdict::Behind), ("trt", Verdict::Ahead)]);
    assert!(document.warnings.iter().any(|w| w.code == "unpaired"));
}

#[test]
fn scenarios_share_the_error_and_meet_in_a_mean() {
    let desk = Desk::new();
    let chat = desk.put("c.json", &compare(&pairs(1.05, 0.005, 18)));
    let long = desk.put(
        "l.json",
        &compare_of("summarization", "sha256:long", &pairs(0.98, 0.04, 18)),
    );
    let (document, report) = decide(&["--compare", &chat, &long]);
    let names: Vec<&str> = document
        .data
        .scenarios
        .iter()
        .map(|s| s.scenario.as_str())
        .collect();
    assert_eq!(names, ["chat", "summarization"]);
    assert_eq!(document.data.scenarios[0].verdict, Verdict::Ahead);
    assert_eq!(
        (document.data.decision, report.exit().code()),
        (Decision::Repeat, 5)
    );
    let geomean = &document.data.geomean;
    let effect = geomean.effect_pct.unwrap().get();
    assert!(
        (effect - 1.0).abs() < 1.0 && geomean.ci_low_pct.unwrap().get() < effect,
        "{geomean:?}"
    );
    // Decided at half of the error, the other tried again with all of it.
    let alone = decide(&["--compare", &chat]).0;
    let width = |row: &contracts::gap_decide::decision::ScenarioVerdict| {
        row.ci_high_pct.unwrap().get() - row.ci_low_pct.unwrap().get()
    };
    assert!(width(&document.data.scenarios[0]) > width(&alone.data.scenarios[0]));
}

#[test]
fn threshold_and_margin_come_from_the_target() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(0.95, 0.005, 12)));
    let target = desk.put_text(
        "t.yaml",
        "schema: sota-loop.target/1\nthreshold_ratio: 0.2\nmargin_ratio: 0.1\n",
    );
    let (document, _) = decide(&["--compare", &doc, "--target", &target]);
    let row = &document.data.scenarios[0];
    assert_eq!(
        (row.threshold_pct.get(), row.margin_pct.get(), row.verdict),
        (20.0, 10.0, Verdict::Tied)
    );
    // The same flag is no contradiction; a declaration inside the documents counts too.
    decide(&["--compare", &doc, "--target", &target, "--threshold", "0.2"]);
    let declared = contract(&[("threshold_ratio", Field::declared(0.2))]);
    let mut inside = compare(&pairs(0.95, 0.005, 12));
    for side in ["/data/a/contract", "/data/b/contract"] {
        inside = with(inside, side, serde_json::to_value(&declared).unwrap());
    }
    let inside = desk.put("i.json", &inside);
    assert_eq!(
        decide(&["--compare", &inside]).0.data.scenarios[0]
            .threshold_pct
            .get(),
        20.0
    );
}

#[test]
fn same_inputs_same_bytes() {
    let desk = Desk::new();
    let doc = desk.put("c.json", &compare(&pairs(0.99, 0.01, 30)));
    let one = decide(&["--compare", &doc]).1;
    let two = decide(&["--compare", &doc]).1;
    let timeless = |json: &str| {
        json.lines()
            .filter(|line| !line.contains("created_at"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(timeless(one.json()), timeless(two.json()));
}

#[test]
fn the_view_decides_in_its_first_eight_kilobytes_and_hundred_columns() {
    let desk = Desk::new();
    let docs: Vec<String> = (0..12)
        .map(|i| {
            let (name, hash) = (format!("scenario-with-a-long-name-{i}"), format!("sha256:{i}"));
            let ours = scattered(970.0 + 5.0 * i as f64, 0.01, 20, 2 * i);
            let both: Vec<(f64, f64)> = ours
                .into_iter()
                .zip(scattered(1000.0, 0.01, 20, 2 * i + 1))
                .collect();
            desk.put(&format!("{i}.json"), &compare_of(&name, &hash, &both))
        })
        .collect();
    let mut words = vec!["--compare"];
    words.extend(docs.iter().map(String::as_str));
    let (_, report) = decide(&words);
    let terminal = report.view().to_terminal();
    let table: Vec<&str> = terminal
        .lines()
        .filter(|line| line.starts_with(['│', '╭', '├', '╰']))
        .collect();
    assert!(
        !table.is_empty() && table.iter().all(|line| line.chars().count() <= 100),
        "{terminal}"
    );
    let markdown = report.view().to_markdown();
    let decision = markdown.find("repeat").or(markdown.find("profile")).unwrap();
    assert!(
        decision < 200 && markdown.find("Next:").is_some_and(|at| at < 8192),
        "{}",
        markdown.len()
    );
}

#[test]
fn records_bound_a_percentile_within_its_run() {
    let desk = Desk::new();
    let request = |index: u64, ttft: f64| {
        json!({"kind": "request", "run": 0, "index": index, "phase": "measured", "outcome": "ok", "http_status": 200, "error": null,
            "retry_after_s": null, "finish_reason": "length", "scheduled_ms": null, "start_ms": index, "send_delay_ms": null,
            "queue_ms": null, "connect_ms": null, "request_sent_ms": null, "headers_ms": null, "ttft_ms": ttft, "ttfo_ms": ttft,
            "tpot_ms": 8.0, "e2e_latency_ms": 8000.0, "ended_ms": 8000.0, "chunk_offsets_us": [], "chunk_tokens": null,
            "same_read_chunks": 0, "skipped_events": 0, "input_tokens": 10, "output_tokens": 10, "cached_tokens": null,
            "reasoning_tokens": null, "token_source": "usage", "requested_output_tokens": 10, "server_timings": null})
        .to_string()
    };
    let mut lines = Vec::new();
    // Side A of block 0 starts at second 0, side B at second 1; requests end in another order than they start.
    for (second, base) in [(0, 40.0), (1, 60.0)] {
        lines.push(
            json!({"kind": "run_start", "run": 0, "epoch_at": format!("2026-11-22T01:00:0{second}Z")})
                .to_string(),
        );
        lines.extend((0..100).rev().map(|i| request(i, base + (i % 10) as f64)));
    }
    lines.push("{\"kind\": \"requ".to_owned());
    desk.put_text("r.jsonl", &lines.join("\n"));
    let mut doc = compare(&pairs(0.95, 0.005, 12));
    doc["artifacts"] =
        json!([{"kind": "request_records", "path": "gone/r.jsonl", "sha256": null, "bytes": 1}]);
    let path = desk.put("c.json", &doc);
    let (document, _) = decide(&["--compare", &path, "--metric", "p50_ttft_ms"]);
    let rows = &document.data.scenarios[0].within_run;
    let of = |side: &str| rows.iter().find(|row| row.side == side).unwrap();
    assert_eq!(
        (
            rows.len(),
            of("sglang").requests,
            of("sglang").value.get(),
            of("vllm").value.get()
        ),
        (2, 100, 44.0, 64.0)
    );
    assert!(
        rows.iter()
            .all(|row| row.ci_low <= row.value && row.value <= row.ci_high),
        "{rows:?}"
    );
    // Not for a throughput.
    assert!(
        decide(&["--compare", &path]).0.data.scenarios[0]
            .within_run
            .is_empty()
    );
}
