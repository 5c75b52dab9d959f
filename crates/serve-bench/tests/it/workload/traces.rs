//! Traces of requests: arrivals and lengths without their prompts.

use std::path::{Path, PathBuf};

use cli_kit::ToolError as _;
use contracts::Finite;
use serde_json::Value;
use serve_bench::workload::{RandomPlan, ScenarioPlan};

use super::{azure, common, from_file, mooncake, plan, prompt, refusal, words};

#[test]
fn an_azure_trace_gives_arrivals_and_lengths() {
    let workload = from_file(
        azure,
        "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,12,10\r\n\
         2023-11-16 18:17:04.0319601,2,8\r\n2024-05-10 00:00:00.009930+00:00,1,1",
    )
    .unwrap();
    let seen: Vec<_> = workload
        .requests
        .iter()
        .map(|r| {
            (
                r.arrival_offset_ms.unwrap().get(),
                r.input_len.unwrap(),
                r.output_len.unwrap(),
            )
        })
        .collect();
    assert_eq!(seen[..2], [(0.0, 12, 10), (52.0001, 2, 8)]);
    // 176 days of 86,400 s less 18:17:03.97996, exact to the nanosecond.
    assert_eq!(seen[2], (15_140_576_029.97, 1, 1));
    assert_eq!(prompt(&workload.requests[0]).split(' ').count(), 12);
}

#[test]
fn every_malformed_azure_row_is_an_error_with_its_line() {
    let header = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03,5,5\n";
    for (row, named) in [
        ("2023-11-16 18:17:03,5", "three cells"),
        ("2023-11-16 18:17:03,5,5,5", "three cells"),
        ("yesterday,5,5", "yesterday"),
        ("2023-13-16 18:17:03,5,5", "not a time"),
        ("2023-11-16 18:17:03,x,5", "ContextTokens"),
        ("2023-11-16 18:17:03,0,5", "ContextTokens"),
        ("2023-11-16 18:17:03,5,-1", "GeneratedTokens"),
        ("2023-11-16 18:17:03,5,99999999999999999999", "GeneratedTokens"),
    ] {
        let error = from_file(azure, &format!("{header}{row}\n")).unwrap_err();
        assert_eq!(error.code(), "dataset-row", "{row}");
        assert!(
            error.to_string().contains("line 3") && error.to_string().contains(named),
            "{error}"
        );
    }
    let error = from_file(azure, "a,b,c\n1,2,3\n").unwrap_err();
    assert!(
        error.to_string().contains("line 1") && error.to_string().contains("header"),
        "{error}"
    );
}

#[test]
fn mooncake_prompts_share_what_their_hash_ids_share() {
    let workload = from_file(
        mooncake,
        concat!(
            r#"{"timestamp": 500, "input_length": 1100, "output_length": 5, "hash_ids": [0, 1, 2]}"#,
            "\n",
            r#"{"timestamp": 500, "input_length": 1200, "output_length": 6, "hash_ids": [0, 1, 3]}"#,
            "\n",
            r#"{"timestamp": 800, "input_length": 513, "output_length": 7, "hash_ids": [4, 1]}"#,
        ),
    )
    .unwrap();
    let [a, b, c] = &workload.requests[..] else {
        panic!("three rows")
    };
    assert_eq!(common(prompt(a), prompt(b)), 1024);
    assert!(common(prompt(a), prompt(c)) <= 1);
    assert_eq!(prompt(c).split(' ').count(), 513);
    assert_eq!(c.arrival_offset_ms, Some(Finite::from(300)));
    for row in [
        r#"{"timestamp": 1, "input_length": 513, "output_length": 7, "hash_ids": [4]}"#,
        r#"{"timestamp": 1, "input_length": 0, "output_length": 7, "hash_ids": []}"#,
        r#"{"timestamp": 1, "input_length": 5, "output_length": 0, "hash_ids": [1]}"#,
        r#"{"timestamp": 1, "input_length": 5, "hash_ids": [1]}"#,
        "nonsense",
    ] {
        let error = from_file(mooncake, row).unwrap_err();
        assert_eq!(error.code(), "dataset-row", "{row}: {error}");
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}

/// The real traces, where `SOTA_LOOP_TEST_DATA` says they are.
fn real(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("SOTA_LOOP_TEST_DATA")
        .map(|root| Path::new(&root).join("workloads").join(name))
        .filter(|path| path.is_file());
    if path.is_none() {
        println!("not run on {name}: SOTA_LOOP_TEST_DATA does not lead to workloads/{name}");
    }
    path
}

#[test]
fn the_real_azure_traces_are_reproduced() {
    for (name, input, last_ms) in [
        ("AzureLLMInferenceTrace_code.csv", 627_529, 216838.239),
        ("AzureLLMInferenceTrace_conv.csv", 270_000, 84029.102),
    ] {
        let Some(path) = real(name) else { continue };
        let mut scenario = ScenarioPlan::random("s", 1, 300, RandomPlan::fixed(1, 1));
        scenario.dataset = azure(path);
        let workload = words(&plan(vec![scenario]));
        let sum: u64 = workload
            .requests
            .iter()
            .filter_map(|request| request.input_len)
            .sum();
        assert_eq!(sum, input);
        let last = workload.requests[299].arrival_offset_ms;
        assert_eq!(last, Finite::new(last_ms));
    }
}

#[test]
fn the_real_mooncake_traces_read_from_their_start() {
    for name in [
        "mooncake_conversation_trace.jsonl",
        "mooncake_synthetic_trace.jsonl",
    ] {
        let Some(path) = real(name) else { continue };
        let mut scenario = ScenarioPlan::random("s", 1, 40, RandomPlan::fixed(1, 1));
        scenario.dataset = mooncake(path.clone());
        let workload = words(&plan(vec![scenario]));
        let text = std::fs::read_to_string(path).unwrap();
        for (request, line) in workload.requests.iter().zip(text.lines()) {
            let row: Value = serde_json::from_str(line).unwrap();
            assert_eq!(request.input_len, row["input_length"].as_u64());
            assert_eq!(request.output_len, row["output_length"].as_u64());
        }
        assert_eq!(workload.requests.len(), 40);
    }
    // All of the conversations are 0.9 GB of text: refused before any of it is made.
    if let Some(path) = real("mooncake_conversation_trace.jsonl") {
        let mut scenario = ScenarioPlan::random("s", 1, 1, RandomPlan::fixed(1, 1));
        scenario.num_prompts = None;
        scenario.dataset = mooncake(path);
        assert_eq!(refusal(&plan(vec![scenario])).code(), "workload-too-large");
    }
}
