//! Traces of requests: arrivals and lengths without their prompts.

use std::path::{Path, PathBuf};

use cli_kit::ToolError as _;
use contracts::Finite;
use serde_json::Value;
use serve_bench::workload::{RandomPlan, ScenarioPlan};

use super::{azure, burstgpt, common, from_file, mooncake, plan, prompt, refusal, words};

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

#[test]
fn both_layouts_of_burstgpt_give_arrivals_and_lengths() {
    let workload = from_file(
        burstgpt,
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\r\n\
         7,ChatGPT,30,4,34,Conversation log\r\n7.25,GPT-4,9,0,9,API log\r\n19.5,GPT-4,2,8,10,API log\r\n",
    )
    .unwrap();
    let seen = |workload: &serve_bench::workload::Workload| -> Vec<_> {
        let row = |r: &contracts::serve_bench::workload::WorkloadRequest| {
            (
                r.arrival_offset_ms.unwrap().get(),
                r.input_len.unwrap(),
                r.output_len.unwrap(),
            )
        };
        workload.requests.iter().map(row).collect()
    };
    assert_eq!(seen(&workload), [(0.0, 30, 4), (12_500.0, 2, 8)]);
    assert_eq!(prompt(&workload.requests[0]).split(' ').count(), 30);
    assert_eq!(workload.header.scenarios[0].dataset, "burstgpt");
    let [note] = &workload.notes[..] else {
        panic!("one note: {:?}", workload.notes)
    };
    assert_eq!(note.code, "dataset-rows-left-out");
    assert!(note.message.starts_with("1 rows"), "{}", note.message);

    let newer = from_file(
        burstgpt,
        "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n\
         20000001.5,s-1,3,GPT-4,11,2,13,Conversation log\n20000000.0,s-2,1,GPT-4,12,3,15,API log\n",
    )
    .unwrap();
    assert_eq!(
        seen(&newer),
        [(0.0, 12, 3), (1_500.0, 11, 2)],
        "put in the order of time"
    );
    assert!(newer.notes.is_empty());
}

#[test]
fn every_malformed_burstgpt_row_is_an_error_with_its_line() {
    let header = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n1,m,5,5,10,l\n";
    for (row, named) in [
        ("2,m,5,5,10", "5 cells under 6 columns"),
        ("soon,m,5,5,10,l", "not a number of seconds"),
        ("inf,m,5,5,10,l", "not a number of seconds"),
        ("2,m,x,5,10,l", "Request tokens"),
        ("2,m,5,-1,10,l", "Response tokens"),
        ("2,m,5,99999999,10,l", "Response tokens"),
    ] {
        let error = from_file(burstgpt, &format!("{header}{row}\n")).unwrap_err();
        assert_eq!(error.code(), "dataset-row", "{row}");
        assert!(
            error.to_string().contains("line 3") && error.to_string().contains(named),
            "{error}"
        );
    }
    let error = from_file(burstgpt, "Timestamp,Model\n1,m\n").unwrap_err();
    assert!(error.to_string().contains("without `Request tokens`"), "{error}");
}

/// Blocks of 512 that an infinite prefix cache would hit, counted on keys that stand for a whole beginning.
fn hits<K: Eq + std::hash::Hash>(prefixes: impl Iterator<Item = Vec<K>>) -> (u64, u64) {
    let mut seen = std::collections::HashSet::new();
    let (mut hit, mut all) = (0, 0);
    for prefix in prefixes {
        for key in prefix {
            all += 1;
            hit += u64::from(!seen.insert(key));
        }
    }
    (hit, all)
}

#[test]
fn the_prompts_of_real_mooncake_traces_hit_a_prefix_cache_as_their_hash_ids_do() {
    for name in [
        "mooncake_conversation_trace.jsonl",
        "mooncake_synthetic_trace.jsonl",
    ] {
        let Some(path) = real(name) else { continue };
        let mut scenario = ScenarioPlan::random("s", 1, 200, RandomPlan::fixed(1, 1));
        scenario.dataset = mooncake(path.clone());
        let workload = words(&plan(vec![scenario]));
        let text = std::fs::read_to_string(path).unwrap();
        // Only whole blocks can be shared: the last one of a request is cut to its length.
        let asked = hits(text.lines().take(200).map(|line| {
            let row: Value = serde_json::from_str(line).unwrap();
            let whole = row["input_length"].as_u64().unwrap() as usize / 512;
            let ids: Vec<u64> = serde_json::from_value(row["hash_ids"].clone()).unwrap();
            (1..=whole).map(|blocks| ids[..blocks].to_vec()).collect()
        }));
        let made = hits(workload.requests.iter().map(|request| {
            let words: Vec<&str> = prompt(request).split(' ').collect();
            let mut hash = contracts::fields::RunningSha256::default();
            let blocks = words.chunks_exact(512).map(|block| {
                hash.add(block.join(" ").as_bytes());
                hash.clone().hex()
            });
            blocks.collect()
        }));
        println!("{name}: {} of {} whole blocks are hits", made.0, made.1);
        assert_eq!(made, asked);
        assert!(made.0 > 0 && made.0 < made.1);
    }
}
