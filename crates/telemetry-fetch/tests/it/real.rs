//! Payloads of real exporters as snapshots: every sample counted, the engine recognised, its metrics found.
//!
//! They lie outside the repository; `SOTA_LOOP_TEST_DATA` says where.

use std::path::Path;

use crate::server::metrics;
use crate::{document, run};

/// File, engine or none, metrics that have to be there.
const PAYLOADS: [(&str, Option<&str>, &[&str]); 7] = [
    (
        "sglang_0.5.23_text.prom",
        Some("sglang"),
        &[
            "running_requests",
            "waiting_requests",
            "kv_usage_ratio",
            "ttft_ms",
            "itl_ms",
            "queue_time_ms",
            "scheduler_stage_s",
        ],
    ),
    (
        "sglang_0.5.23_openmetrics_underscore.txt",
        Some("sglang"),
        &[
            "running_requests",
            "waiting_requests",
            "kv_usage_ratio",
            "ttft_ms",
            "itl_ms",
            "queue_time_ms",
            "scheduler_stage_s",
        ],
    ),
    ("sglang_2024-11_pr1853.prom", Some("sglang"), &["prompt_tokens"]),
    (
        "vllm_0.33.0_text.prom",
        Some("vllm"),
        &[
            "running_requests",
            "kv_usage_ratio",
            "prompt_tokens",
            "generation_tokens",
            "ttft_ms",
            "itl_ms",
            "step_tokens",
        ],
    ),
    (
        "vllm_multiproc_pid_gauges_pr28792.prom",
        Some("vllm"),
        &["kv_usage_ratio"],
    ),
    (
        "llamacpp_b10380.prom",
        Some("llama.cpp"),
        &[
            "computed_prompt_tokens",
            "generation_tokens",
            "running_requests",
            "waiting_requests",
            "kv_usage_ratio",
        ],
    ),
    (
        "dcgm_exporter_a10g_cwagent.prom",
        None,
        &["gpu_utilization_pct", "gpu_temperature_c"],
    ),
];

#[test]
fn real_payloads_are_counted_and_recognised() {
    let Some(data) = std::env::var_os("SOTA_LOOP_TEST_DATA") else {
        println!("real metrics payloads: NOT RUN (SOTA_LOOP_TEST_DATA is not set)");
        return;
    };
    for (name, engine, ids) in PAYLOADS {
        let text = std::fs::read_to_string(Path::new(&data).join("telemetry/prom_text").join(name)).unwrap();
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .count();
        let url = metrics(&[&text]);
        let snapshot = document(&run(&format!("snapshot --url {url}")).unwrap());
        assert_eq!(snapshot["data"]["sources"][0]["samples"], lines, "{name}");
        assert_eq!(snapshot["data"]["engine"]["kind"].as_str(), engine, "{name}");
        let report = run(&format!("window --url {url} --interval 10s -- true")).unwrap();
        let window = document(&report);
        for id in ids {
            let row = crate::row(&window, id);
            assert!(!row["raw_names"].as_array().unwrap().is_empty(), "{name}: {id}");
        }
        if name.contains("pid_gauges") {
            let usage = crate::row(&window, "kv_usage_ratio")["max"].as_f64().unwrap();
            assert!(
                (usage - 0.653_046).abs() < 1e-6,
                "the one process that writes counts: {usage}"
            );
        }
    }
}
