//! Foreign result files: small ones written here with the key names of each tool.

use cli_kit::ToolError as _;
use contracts::serve_bench::result::{Arrival, EngineKind, LoadMode};
use contracts::{Distribution, Exit, Finite};
use proptest::prelude::*;
use serde_json::{Value, json};
use serve_bench::import::{Imported, Kind, UNKNOWN, import};

fn vllm() -> Value {
    json!({
        "date": "20251104-101500", "endpoint_type": "openai-chat", "backend": "openai-chat", "label": null,
        "model_id": "org/model", "tokenizer_id": "org/model", "num_prompts": 3, "request_rate": "inf",
        "burstiness": 1.0, "max_concurrency": 2, "duration": 2.0, "completed": 2, "failed": 1,
        "total_input_tokens": 20, "total_output_tokens": 8, "request_throughput": 1.0, "request_goodput": null,
        "output_throughput": 4.0, "total_token_throughput": 14.0, "max_concurrent_requests": 2,
        "mean_ttft_ms": 55.0, "median_ttft_ms": 55.0, "std_ttft_ms": 5.0, "p99_ttft_ms": 59.9,
        "mean_tpot_ms": 10.0, "median_tpot_ms": 10.0, "std_tpot_ms": 0.0, "p99_tpot_ms": 10.0,
        "mean_itl_ms": 9.8, "median_itl_ms": 10.0, "std_itl_ms": 0.3, "p99_itl_ms": 10.1
    })
}

fn sglang() -> Value {
    json!({
        "tag": null, "backend": "sglang", "dataset_name": "random", "request_rate": 4.0, "max_concurrency": 16,
        "random_input_len": 1024, "random_output_len": 256, "random_range_ratio": 1.0,
        "server_info": {"version": "0.5.3", "model_path": "org/model", "api_key": "sk-secret"},
        "duration": 10.0, "completed": 40, "total_input_tokens": 40960, "total_output_tokens": 10240,
        "total_output_tokens_retokenized": 10230, "request_throughput": 4.0, "input_throughput": 4096.0,
        "output_throughput": 1024.0, "total_throughput": 5120.0, "mean_e2e_latency_ms": 2600.0,
        "median_e2e_latency_ms": 2590.0, "std_e2e_latency_ms": 40.0, "p99_e2e_latency_ms": 2700.0,
        "mean_ttft_ms": 50.0, "median_ttft_ms": 49.0, "std_ttft_ms": 3.0, "p99_ttft_ms": 60.0,
        "mean_tpot_ms": 10.0, "median_tpot_ms": 10.0, "std_tpot_ms": 0.1, "p99_tpot_ms": 10.4,
        "mean_itl_ms": 10.0, "median_itl_ms": 9.9, "std_itl_ms": 1.0, "p95_itl_ms": 11.0, "p99_itl_ms": 14.0,
        "concurrency": 10.4, "accept_length": null
    })
}

fn aiperf() -> Value {
    json!({
        "schema_version": "1.5", "aiperf_version": "0.13.0",
        "input_config": {
            "endpoint": {"model_names": ["org/model"], "type": "chat", "api_key": "sk-secret",
                         "urls": ["http://me:sk-secret@localhost:8000/v1"]},
            "loadgen": {"concurrency": 8},
        },
        "run_info": {"random_seed": 42},
        "request_count": {"unit": "requests", "avg": 20.0}, "error_request_count": {"unit": "requests", "avg": 1.0},
        "request_throughput": {"unit": "requests/sec", "avg": 1.45},
        "output_token_throughput": {"unit": "tokens/sec", "avg": 145.0},
        "total_osl": {"unit": "tokens", "avg": 2000.0}, "total_isl": {"unit": "tokens", "avg": 4000.0},
        "input_sequence_length": {"unit": "tokens", "avg": 200.0, "min": 190, "max": 210, "count": 20},
        "time_to_first_token": {"unit": "ms", "avg": 52.0, "min": 50.0, "max": 60.0, "p50": 51.0, "p99": 59.0,
                                "std": 2.0, "count": 20},
        "inter_token_latency": {"unit": "us", "avg": 10_000.0, "p50": 9_900.0, "count": 19},
        "inter_chunk_latency": {"unit": "furlongs", "avg": 1.0},
        "request_latency": {"unit": "ms", "avg": 1050.0, "p50": 1049.0, "count": 20},
        "error_summary": [{"error_details": {"code": 503, "message": "busy\u{1b}[31m now"}, "count": 1}],
        "was_cancelled": false, "start_time": "2026-01-02T03:04:05.5", "end_time": "2026-01-02T03:04:19Z"
    })
}

fn read(value: &Value) -> Imported {
    import(value.to_string().as_bytes(), None).unwrap()
}

fn number(value: Option<Finite>) -> f64 {
    value.unwrap().get()
}

#[test]
fn a_vllm_result_reads() {
    let imported = read(&vllm());
    assert_eq!(imported.kind, Kind::Vllm);
    let data = &imported.data;
    assert_eq!(data.imported_from.as_deref(), Some("vllm bench serve"));
    assert_eq!(data.target.served_model.as_deref(), Some("org/model"));
    assert_eq!(
        (data.target.url.as_str(), data.target.engine.kind),
        (UNKNOWN, EngineKind::Other)
    );
    assert_eq!(data.workload.endpoint, "chat");
    assert_eq!(data.workload.request_stream_sha256, UNKNOWN);
    assert_eq!(
        (data.load.mode, data.load.concurrency),
        (LoadMode::ClosedLoop, Some(2))
    );
    let run = &data.runs[0];
    assert_eq!(
        (run.requests.sent, run.requests.succeeded, run.requests.failed),
        (3, 2, 1)
    );
    assert_eq!((run.tokens.input, run.tokens.output), (Some(20), 8));
    assert_eq!(number(run.throughput.total_tps), 14.0);
    assert_eq!(run.throughput.goodput_rps, None);
    assert_eq!(number(run.latency.ttft_ms.p99), 59.9);
    assert_eq!((run.latency.ttft_ms.count, run.latency.ttft_ms.max), (2, None));
    // Its ITL is per output event: the gap between chunks, not between tokens.
    assert_eq!(number(run.latency.chunk_gap_ms.mean), 9.8);
    assert_eq!(run.latency.itl_ms, Distribution::EMPTY);
    assert_eq!(run.latency.e2e_latency_ms, Distribution::EMPTY);
    assert!(run.valid && run.windows.full.is_none() && run.client.cpu_s.is_none());
    assert!(
        imported
            .warnings
            .iter()
            .any(|warning| warning.code == "failures-not-typed")
    );
}

#[test]
fn details_of_a_vllm_result_give_exact_distributions() {
    let mut value = vllm();
    let details = json!({
        "input_lens": [10, 10, 10], "output_lens": [3, 0, 5], "ttfts": [0.05, 0.0, 0.06],
        "itls": [[0.01, 0.02], [], [0.01, 0.01, 0.01, 0.01]], "generated_texts": ["a", "", "b"],
        "errors": ["", "Service Unavailable", ""], "latencies": [0.08, 0.0, 0.1]
    });
    value
        .as_object_mut()
        .unwrap()
        .extend(details.as_object().unwrap().clone());
    let run = &read(&value).data.runs[0];
    assert_eq!(
        (number(run.latency.ttft_ms.p50), number(run.latency.ttft_ms.max)),
        (50.0, 60.0)
    );
    assert_eq!(
        (
            run.latency.e2e_latency_ms.count,
            number(run.latency.e2e_latency_ms.max)
        ),
        (2, 100.0)
    );
    assert_eq!(run.latency.chunk_gap_ms.count, 6);
    // 30 ms over 2 tokens and 40 ms over 4.
    assert_eq!(
        (number(run.latency.tpot_ms.min), number(run.latency.tpot_ms.max)),
        (10.0, 15.0)
    );
    assert_eq!(number(run.prefill_tps.max), 200.0);
    assert_eq!(number(run.decode_tps.max), 100.0);
    assert_eq!(
        (
            run.requests.errors[0].error.as_str(),
            run.requests.errors[0].count
        ),
        ("Service Unavailable", 1)
    );
}

#[test]
fn details_that_disagree_with_the_summary_are_not_used() {
    let mut value = vllm();
    let details = json!({"output_lens": [3], "ttfts": [0.9], "itls": [[0.01, 0.02]], "errors": [""]});
    value
        .as_object_mut()
        .unwrap()
        .extend(details.as_object().unwrap().clone());
    assert_eq!(number(read(&value).data.runs[0].latency.ttft_ms.mean), 55.0);
}

#[test]
fn a_vllm_rate_is_an_open_loop() {
    let mut value = vllm();
    value["request_rate"] = json!(8.0);
    let load = read(&value).data.load;
    assert_eq!(
        (load.mode, load.arrival, load.concurrency),
        (LoadMode::OpenLoop, Some(Arrival::Poisson), None)
    );
    assert_eq!((load.max_concurrency, load.burstiness), (Some(2), None));
    value["burstiness"] = json!(0.5);
    let load = read(&value).data.load;
    assert_eq!(
        (load.arrival, load.burstiness),
        (Some(Arrival::Gamma), Finite::new(0.5))
    );
}

#[test]
fn an_sglang_result_reads() {
    let imported = read(&sglang());
    assert_eq!(imported.kind, Kind::Sglang);
    let data = &imported.data;
    assert_eq!(data.target.engine.kind, EngineKind::Sglang);
    assert_eq!(data.target.engine.version.as_deref(), Some("0.5.3"));
    assert_eq!(
        (data.load.mode, data.load.max_concurrency),
        (LoadMode::OpenLoop, Some(16))
    );
    assert_eq!(
        (data.workload.dataset.as_str(), data.workload.num_prompts),
        ("random", 40)
    );
    let run = &data.runs[0];
    // On the native endpoint its gaps are per token.
    assert_eq!(number(run.latency.itl_ms.p95), 11.0);
    assert_eq!(run.latency.chunk_gap_ms, Distribution::EMPTY);
    assert_eq!(number(run.latency.e2e_latency_ms.mean), 2600.0);
    assert_eq!(number(run.client.achieved_concurrency), 10.4);
    assert!(!serde_json::to_string(&data).unwrap().contains("sk-secret"));
    let mut chat = sglang();
    chat["backend"] = json!("sglang-oai-chat");
    let run = &read(&chat).data.runs[0];
    assert_eq!(run.latency.itl_ms, Distribution::EMPTY);
    assert_eq!(number(run.latency.chunk_gap_ms.mean), 10.0);
    // The tool measures any server, and stores what its `/server_info` says.
    chat["server_info"] = json!({"version": "0.11.0", "vllm_config": {"served_model_name": "org/model"}});
    let target = read(&chat).data.target;
    assert_eq!(target.engine.kind, EngineKind::Vllm);
    assert_eq!(target.served_model.as_deref(), Some("org/model"));
}

#[test]
fn sglang_writes_infinity_and_one_line_a_repeat() {
    let line = sglang()
        .to_string()
        .replace("\"request_rate\":4.0", "\"request_rate\":Infinity");
    let imported = import(format!("{line}\n{line}\n").as_bytes(), None).unwrap();
    assert_eq!(
        (imported.data.load.mode, imported.data.load.concurrency),
        (LoadMode::ClosedLoop, Some(16))
    );
    assert_eq!(imported.data.runs.len(), 2);
    assert_eq!(imported.data.runs[1].run, 1);
}

#[test]
fn an_aiperf_result_reads() {
    let imported = read(&aiperf());
    assert_eq!(imported.kind, Kind::Aiperf);
    let data = &imported.data;
    assert_eq!(data.target.url, "http://localhost:8000/v1");
    assert_eq!(data.target.served_model.as_deref(), Some("org/model"));
    assert_eq!((data.load.concurrency, data.workload.seed), (Some(8), Some(42)));
    assert_eq!(
        data.workload
            .input_len
            .as_ref()
            .map(|range| (range.min, range.max)),
        Some((190, 210))
    );
    let run = &data.runs[0];
    assert_eq!((run.requests.sent, run.requests.failed), (21, 1));
    assert_eq!(run.requests.errors[0].error, "busy now");
    // Its inter-token latency is one value a request; units are converted, and an unknown unit gives nothing.
    assert_eq!(
        (number(run.latency.tpot_ms.mean), run.latency.tpot_ms.count),
        (10.0, 19)
    );
    assert_eq!(run.latency.chunk_gap_ms, Distribution::EMPTY);
    assert_eq!((run.tokens.input, run.tokens.output), (Some(4000), 2000));
    let window = run.windows.full.as_ref().unwrap();
    assert_eq!(window.end_at.duration_since(window.start_at).as_millis(), 13_500);
    assert!(!serde_json::to_string(&data).unwrap().contains("sk-secret"));
}

#[test]
fn what_did_not_work_is_not_valid() {
    let mut value = vllm();
    value["completed"] = json!(0);
    assert!(!read(&value).data.runs[0].valid);
    let mut value = aiperf();
    value["was_cancelled"] = json!(true);
    assert_eq!(
        read(&value).data.runs[0].invalid_reasons,
        ["the run was cancelled"]
    );
}

#[test]
fn every_way_a_file_can_be_wrong_has_its_code() {
    let other_load = {
        let mut other = sglang();
        other["max_concurrency"] = json!(32);
        format!("{}\n{other}", sglang())
    };
    let cut = vllm().to_string();
    for (text, code) in [
        ("", "import-empty"),
        (" \n", "import-empty"),
        (&cut[..cut.len() - 9], "import-truncated"),
        ("hello", "import-not-json"),
        ("[]", "import-unknown-format"),
        ("{}", "import-unknown-format"),
        (r#"{"schema": "serve-bench.result/1"}"#, "import-own-document"),
        (
            r#"{"request_throughput": {"unit": "requests/sec", "avg": 1}}"#,
            "import-missing-field",
        ),
        (&other_load, "import-several-loads"),
    ] {
        let error = import(text.as_bytes(), None).unwrap_err();
        assert_eq!(
            (error.code(), error.exit()),
            (code, Exit::BadInput),
            "{text}: {error}"
        );
        assert!(error.hint().is_some());
    }
    let error = import(other_load.as_bytes(), None).unwrap_err().to_string();
    assert!(error.contains("`max_concurrency` is 16 and 32"), "{error}");
    let error = import(b"{}", Some(Kind::Vllm)).unwrap_err().to_string();
    assert!(error.contains("`completed`"), "{error}");
}

proptest! {
    #[test]
    fn no_value_of_any_key_makes_it_panic(pick in any::<prop::sample::Index>(), junk in 0_usize..8, tool in 0_usize..3) {
        let mut value = [vllm(), sglang(), aiperf()][tool].clone();
        let keys: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        let junk = [
            json!(null), json!(-1), json!(1e300), json!("x"), json!([]), json!({"avg": "x", "unit": 5}), json!(true),
            json!([[1, "a"], null, -5]),
        ][junk].clone();
        value[pick.get(&keys)] = junk;
        if let Ok(imported) = import(value.to_string().as_bytes(), None) {
            let text = serde_json::to_string(&imported.data).unwrap();
            prop_assert!(!text.contains("sk-secret"));
        }
    }
}
