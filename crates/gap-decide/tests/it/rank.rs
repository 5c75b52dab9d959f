//! `gap-decide rank` on candidates as searches write them.

use contracts::Document;
use contracts::gap_decide::ranking::{RankingData, SloOutcome};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{Desk, fails, run, validate};

/// A row that was measured and meets its limits.
fn row(framework: &str, candidate: &str, rps: f64) -> Value {
    json!({
        "framework": framework, "candidate_id": candidate, "model": "Qwen/Qwen3-32B", "status": "ok", "failure_reason": "",
        "hardware": {"gpu_model": "NVIDIA H100 80GB HBM3", "gpu_count": 4},
        "workload": {"kind": "random", "scenario": "chat", "input_len": 1000, "output_len": 1000, "num_prompts": 80},
        "sla": {"max_p50_ttft_ms": 2000, "max_p50_tpot_ms": 80.0, "min_success_rate": 0.99, "passed": true},
        "metrics": {"request_throughput": rps, "output_token_throughput": 1000.0 * rps, "p50_ttft_ms": 400.0, "p50_tpot_ms": 20.0,
                    "success_rate": 1.0},
        "server_command": format!("serve --{candidate}"),
    })
}

/// The row with one value changed, by JSON pointer.
fn with(mut row: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    row.pointer_mut(parent).unwrap()[key] = value;
    row
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

fn rank(rows: &[Value], words: &[&str]) -> (Document<RankingData>, u8) {
    let desk = Desk::new();
    let file = desk.put_text("candidates.jsonl", &lines(rows));
    let report =
        run(&[&["rank", file.as_str()], words].concat()).unwrap_or_else(|failure| panic!("{failure:?}"));
    validate(report.json(), "gap-decide.ranking/1");
    assert!(report.view().to_markdown().len() < 8192);
    (serde_json::from_str(report.json()).unwrap(), report.exit().code())
}

fn names(document: &Document<RankingData>) -> Vec<(u32, &str)> {
    document.data.scenarios[0]
        .candidates
        .iter()
        .map(|one| (one.rank, one.candidate.as_str()))
        .collect()
}

fn codes(document: &Document<RankingData>) -> Vec<&str> {
    document
        .warnings
        .iter()
        .map(|warning| warning.code.as_str())
        .collect()
}

#[test]
fn every_key_of_the_order_decides_in_its_turn() {
    let base = || row("vllm", "base", 10.0);
    let named = |row: Value, name: &str| with(row, "/candidate_id", json!(name));
    let rows = [
        named(with(base(), "/hardware/gpu_count", json!(8)), "more-gpus"),
        named(base(), "same-a"),
        named(base(), "same-b"),
        named(with(base(), "/metrics/p50_tpot_ms", json!(19.0)), "tpot"),
        named(with(base(), "/metrics/p50_ttft_ms", json!(399.0)), "ttft"),
        named(
            with(base(), "/metrics/output_token_throughput", json!(10_001.0)),
            "tokens",
        ),
        named(
            with(base(), "/metrics/request_throughput", json!(10.1)),
            "requests",
        ),
        named(
            with(row("vllm", "x", 99.0), "/metrics/p50_ttft_ms", json!(2000.1)),
            "misses-slo",
        ),
    ];
    let (document, exit) = rank(&rows, &[]);
    assert_eq!(exit, 0);
    let expected = [
        (1, "requests"),
        (2, "tokens"),
        (3, "ttft"),
        (4, "tpot"),
        (5, "same-a"),
        (5, "same-b"),
        (7, "more-gpus"),
        (8, "misses-slo"),
    ];
    assert_eq!(names(&document), expected);
    assert_eq!(document.data.best[0].candidate, "requests");
    assert_eq!(codes(&document), ["slo-recomputed", "close-lead"]);

    let (by_tokens, _) = rank(&rows, &["--by", "output-token-throughput"]);
    assert_eq!(names(&by_tokens)[0], (1, "tokens"));
    assert_eq!(by_tokens.data.order[1], "output_tps");
}

#[test]
fn what_a_row_claims_is_recomputed() {
    let liar = with(row("sglang", "liar", 50.0), "/metrics/p50_tpot_ms", json!(81.0));
    let unproven = with(
        row("sglang", "unproven", 40.0),
        "/metrics/success_rate",
        Value::Null,
    );
    let modest = with(row("sglang", "modest", 10.0), "/sla/passed", json!(false));
    let (document, _) = rank(&[liar, unproven, modest], &[]);
    // Limits that are no numbers, or of metrics that are not read, are no limits that were met.
    for (key, limit) in [
        ("max_p50_ttft_ms", json!("2000")),
        ("max_p99_ttft_ms", json!(1.0)),
    ] {
        let odd = with(row("sglang", "odd", 10.0), &format!("/sla/{key}"), limit);
        let (document, _) = rank(&[odd], &[]);
        assert_eq!(
            document.data.scenarios[0].candidates[0].slo,
            SloOutcome::Unknown,
            "{key}"
        );
    }
    assert_eq!(names(&document), [(1, "modest"), (2, "unproven"), (3, "liar")]);
    let outcomes: Vec<SloOutcome> = document.data.scenarios[0]
        .candidates
        .iter()
        .map(|one| one.slo)
        .collect();
    assert_eq!(
        outcomes,
        [SloOutcome::Pass, SloOutcome::Unknown, SloOutcome::Fail]
    );
    assert_eq!(document.data.best.len(), 1);
    let warning = &document.warnings[0];
    assert!(
        warning.code == "slo-recomputed" && warning.message.contains("(3 candidates)"),
        "{warning:?}"
    );
}

#[test]
fn placeholders_and_means_are_no_medians() {
    let zero = with(row("vllm", "zero", 10.0), "/metrics/p50_ttft_ms", json!(0));
    let mut mean = with(row("vllm", "mean", 11.0), "/metrics/p50_ttft_ms", Value::Null);
    mean = with(mean, "/metrics/mean_ttft_ms", json!(300.0));
    let none = with(
        with(row("vllm", "none", 12.0), "/metrics/request_throughput", json!(0)),
        "/metrics/output_token_throughput",
        json!("fast"),
    );
    let (document, _) = rank(&[zero, mean, none], &[]);
    let candidates = &document.data.scenarios[0].candidates;
    assert_eq!(names(&document), [(1, "mean"), (2, "zero")]);
    assert!(candidates[0].latency_is_mean && candidates[0].slo == SloOutcome::Unknown);
    assert!(candidates[1].ttft_ms.is_none() && candidates[1].slo == SloOutcome::Unknown);
    assert_eq!(document.data.not_ranked[0].reason, "ok, but without a throughput");
}

#[test]
fn failed_rows_stay_with_their_reason_and_alone_are_no_ranking() {
    let failed = |status: &str| {
        with(
            with(row("vllm", status, 99.0), "/status", json!(status)),
            "/failure_reason",
            json!("see \u{1b}[31mlog"),
        )
    };
    let rows = ["failed", "oom", "timeout", "skipped"].map(failed);
    let (document, exit) = rank(&rows, &[]);
    assert_eq!(exit, 5);
    let reasons: Vec<&str> = document
        .data
        .not_ranked
        .iter()
        .map(|row| row.reason.as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "failed: see log",
            "oom: see log",
            "timeout: see log",
            "skipped: see log"
        ]
    );
    let unfair = with(
        with(row("vllm", "a", 99.0), "/normalization", json!({})),
        "/normalization/same_tokenizer",
        json!(false),
    );
    let (document, _) = rank(&[unfair, row("vllm", "b", 1.0)], &[]);
    assert_eq!(names(&document), [(1, "b")]);
}

#[test]
fn repeats_of_a_candidate_are_one_with_its_median() {
    let rows = [
        row("vllm", "lucky", 30.0),
        row("vllm", "lucky", 10.0),
        row("vllm", "lucky", 11.0),
        row("vllm", "steady", 12.0),
    ];
    let (document, _) = rank(&rows, &[]);
    assert_eq!(names(&document), [(1, "steady"), (2, "lucky")]);
    let lucky = &document.data.scenarios[0].candidates[1];
    assert_eq!((lucky.repeats, lucky.request_rps.unwrap().get()), (3, 11.0));
    let lead = document.data.scenarios[0].lead_pct.unwrap().get();
    assert!((lead - 100.0 / 12.0).abs() < 1e-5, "{lead}");
}

#[test]
fn other_measurements_do_not_rank_together() {
    let desk = Desk::new();
    for (pointer, value) in [
        ("/workload/input_len", json!(1001)),
        ("/model", json!("Qwen/Qwen3-8B")),
        ("/hardware/gpu_model", json!("NVIDIA A100")),
        ("/sla/max_p50_ttft_ms", json!(9000)),
    ] {
        let rows = [
            row("vllm", "a", 1.0),
            with(row("sglang", "b", 2.0), pointer, value),
        ];
        let file = desk.put_text("candidates.jsonl", &lines(&rows));
        assert_eq!(
            fails(&["rank", &file]),
            ("candidates-differ".to_owned(), 3),
            "{pointer}"
        );
    }
    // Another scenario is another order; a silent row is warned of.
    let other = with(
        with(row("sglang", "b", 2.0), "/workload/input_len", json!(8000)),
        "/workload/scenario",
        json!("long"),
    );
    let silent = with(row("vllm", "c", 0.5), "/workload/num_prompts", Value::Null);
    let (document, _) = rank(&[row("vllm", "a", 1.0), other, silent], &[]);
    assert_eq!(document.data.scenarios.len(), 2);
    assert_eq!(codes(&document), ["contract-unknown"]);
}

#[test]
fn broken_files_are_named() {
    let desk = Desk::new();
    let cut = desk.put_text(
        "cut.jsonl",
        &format!("{}{{\"status\":", lines(&[row("vllm", "a", 1.0)])),
    );
    assert_eq!(fails(&["rank", &cut]), ("candidate-line".to_owned(), 3));
    let array = desk.put_text("array.jsonl", "[1]\n");
    assert_eq!(fails(&["rank", &array]), ("candidate-line".to_owned(), 3));
    let empty = desk.put_text("empty.jsonl", " \n\n");
    assert_eq!(fails(&["rank", &empty]), ("no-candidates".to_owned(), 3));
}

proptest! {
    /// Whatever numbers and words stand in the rows: an order that is one, or a named error.
    #[test]
    fn any_rows_give_one_order(rows in proptest::collection::vec((any::<Option<f64>>(), any::<Option<f64>>(), 0u8..4, ".{0,12}"), 1..20)) {
        let rows: Vec<Value> = rows.into_iter().map(|(rps, ttft, id, word)| {
            let row = with(row("vllm", &format!("c{id}"), 1.0), "/metrics/request_throughput", json!(rps));
            with(with(row, "/metrics/p50_ttft_ms", json!(ttft)), "/server_command", json!(word))
        }).collect();
        let (document, _) = rank(&rows, &[]);
        for ranking in &document.data.scenarios {
            let ranks: Vec<u32> = ranking.candidates.iter().map(|one| one.rank).collect();
            prop_assert!(ranks[0] == 1 && ranks.windows(2).all(|two| two[0] <= two[1]));
            prop_assert!(ranking.candidates.windows(2).all(|two| two[0].slo >= two[1].slo));
        }
    }
}

/// A row as config-search writes it.
fn searched(id: &str, seqs: u64, tps: f64, p50_ttft_ms: f64, plan_sha256: &str) -> Value {
    json!({
        "schema": "config-search.candidate/1", "id": id, "framework": "vllm", "plan_sha256": plan_sha256,
        "started_at": "2026-11-23T20:19:46Z", "step": "refine", "params": {"--max-num-seqs": seqs}, "status": "ok",
        "reason_code": null, "reason": null, "hint": null, "argv": ["vllm", "serve", "--max-num-seqs", seqs.to_string()],
        "env_names": [], "versions": {}, "flags_accepted": true, "simulated": true,
        "results": [{"scenario": "chat", "value": tps, "slo_passed": true, "document": "results/x.json", "sha256": "sha256:0",
            "metrics": {"output_tps": tps, "request_rps": tps / 100.0, "p50_ttft_ms": p50_ttft_ms, "mean_tpot_ms": 10.0}}],
        "effort": {"wall_s": 3.0, "gpu_s": 6.0, "fidelity_ratio": 1.0}, "log_path": null
    })
}

#[test]
fn rows_of_a_search_are_ranked_by_the_rules_of_their_plan() {
    let desk = Desk::new();
    let plan = "schema: config-search.plan/1\nmodel: {id: m}\nslo: [\"p50_ttft_ms<=500\"]\nframeworks:\n- {name: vllm, server_command: [vllm], gpu_count: 2, search_space: {}}\nscenarios:\n- {name: chat}\nbudget: {trials: 4}\n";
    desk.put_text("plan.yaml", plan);
    let hash = format!("sha256:{}", contracts::fields::sha256_hex(plan.as_bytes()));
    let hash = hash
        .strip_prefix("sha256:sha256:")
        .map_or(hash.clone(), |hash| format!("sha256:{hash}"));
    let open = with(
        searched("vllm-0003", 64, 4000.0, 400.0, &hash),
        "/results/0/slo_passed",
        Value::Null,
    );
    let mut oom = searched("vllm-0004", 512, 1.0, 1.0, &hash);
    oom["status"] = json!("oom");
    oom["reason_code"] = json!("out-of-memory");
    oom["results"] = json!([]);
    let screen = with(
        searched("vllm-0005", 128, 9000.0, 1.0, &hash),
        "/effort/fidelity_ratio",
        json!(0.25),
    );
    let rows = [
        searched("vllm-0000", 8, 1000.0, 300.0, &hash),
        searched("vllm-0001", 16, 2000.0, 400.0, &hash),
        // It says that it met its objective.
        searched("vllm-0002", 32, 3000.0, 900.0, &hash),
        open,
        oom,
        screen,
        // The second one again.
        searched("vllm-0006", 16, 1800.0, 420.0, &hash),
    ];
    let file = desk.put_text("candidates.jsonl", &lines(&rows));
    let report = run(&["rank", &file]).unwrap();
    validate(report.json(), "gap-decide.ranking/1");
    let document: Document<RankingData> = serde_json::from_str(report.json()).unwrap();
    assert_eq!(
        names(&document),
        [
            (1, "vllm-0001"),
            (2, "vllm-0000"),
            (3, "vllm-0003"),
            (4, "vllm-0002")
        ]
    );
    let first = &document.data.scenarios[0].candidates[0];
    assert_eq!(
        (first.repeats, first.gpu_count, first.slo),
        (2, Some(2), SloOutcome::Pass)
    );
    assert_eq!(first.output_tps.unwrap().get(), 1900.0);
    assert_eq!(document.data.scenarios[0].candidates[2].slo, SloOutcome::Unknown);
    assert_eq!(document.data.scenarios[0].candidates[3].slo, SloOutcome::Fail);
    let left: Vec<&str> = document
        .data
        .not_ranked
        .iter()
        .map(|row| row.candidate.as_str())
        .collect();
    assert_eq!(left, ["vllm-0004", "vllm-0005"]);
    // Without its plan nothing shows that an objective was met, and rows of two plans are two measurements.
    let alone = rank(&rows[..2], &[]).0;
    assert_eq!(alone.data.scenarios[0].candidates[0].slo, SloOutcome::Unknown);
    let other = [
        rows[0].clone(),
        searched("vllm-0001", 16, 2000.0, 400.0, "sha256:other"),
    ];
    let desk = Desk::new();
    let file = desk.put_text("candidates.jsonl", &lines(&other));
    assert!(run(&["rank", &file]).is_err());
}
