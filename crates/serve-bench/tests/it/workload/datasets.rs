//! Data sets of prompts: JSONL and ShareGPT.

use std::path::PathBuf;

use cli_kit::ToolError as _;
use contracts::{Exit, Finite};
use serde_json::json;
use serve_bench::workload::{Dataset, Endpoint, RandomPlan, ScenarioPlan};

use super::{azure, burstgpt, file, from_file, jsonl, mooncake, plan, refusal, sharegpt, words};

#[test]
fn jsonl_rows_become_requests_in_the_order_of_their_times() {
    let workload = from_file(
        jsonl,
        concat!(
            r#"{"prompt": "hello there you", "timestamp_ms": 2000.5, "id": 7}"#,
            "\r\n\n",
            r#"{"prompt": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hi"}], "output_len": 3, "extra_request_body": {"top_k": 4}, "timestamp_ms": 1000}"#,
        ),
    )
    .unwrap();
    let [first, second] = &workload.requests[..] else {
        panic!("two rows")
    };
    assert_eq!(first.arrival_offset_ms, Some(Finite::from(0)));
    assert_eq!((first.output_len, first.input_len), (Some(3), Some(3)));
    assert_eq!(first.body["top_k"], 4);
    assert_eq!(first.body["messages"][0]["role"], "system");
    assert_eq!(second.arrival_offset_ms, Finite::new(1000.5));
    assert_eq!((second.output_len, second.input_len), (Some(16), Some(3)));
    assert_eq!(workload.header.scenarios[0].seed, None);
}

#[test]
fn every_malformed_jsonl_row_is_an_error_with_its_line() {
    for (row, named) in [
        ("{", "EOF"),
        ("[]", "object"),
        ("{}", "no `prompt`"),
        (r#"{"prompt": ""}"#, "empty"),
        (r#"{"prompt": []}"#, "empty"),
        (r#"{"prompt": 5}"#, "string"),
        (r#"{"prompt": [5]}"#, "message 0"),
        (r#"{"prompt": [{"role": "user"}]}"#, "content"),
        (r#"{"prompt": "a", "output_len": 0}"#, "output_len"),
        (r#"{"prompt": "a", "output_len": -3}"#, "output_len"),
        (r#"{"prompt": "a", "output_len": 99999999}"#, "output_len"),
        (r#"{"prompt": "a", "timestamp_ms": "x"}"#, "timestamp_ms"),
        (r#"{"prompt": "a", "timestamp_ms": 1}"#, "rows before have none"),
        (
            r#"{"prompt": "a", "extra_request_body": 5}"#,
            "extra_request_body",
        ),
        (
            r#"{"prompt": "a", "extra_request_body": {"stream": false}}"#,
            "stream",
        ),
        ("\"\u{0}\"", "control"),
    ] {
        let text = format!("{{\"prompt\": \"first\"}}\n\n{row}\n");
        let error = from_file(jsonl, &text).unwrap_err();
        assert_eq!(
            (error.code(), error.exit()),
            ("dataset-row", Exit::BadInput),
            "{row}: {error}"
        );
        assert!(error.to_string().contains("line 3"), "{row}: {error}");
        assert!(error.to_string().contains(named), "{row}: {error}");
    }
}

#[test]
fn messages_need_the_chat_endpoint() {
    let file = file(r#"{"prompt": [{"role": "user", "content": "hi"}]}"#);
    let mut scenario = ScenarioPlan::random("s", 1, 1, RandomPlan::fixed(1, 1));
    scenario.endpoint = Endpoint::Completions;
    scenario.dataset = jsonl(file.path().to_owned());
    let error = refusal(&plan(vec![scenario]));
    assert!(error.to_string().contains("--endpoint chat"), "{error}");
}

#[test]
fn data_sets_that_are_missing_or_empty_say_so() {
    let mut scenario = ScenarioPlan::random("s", 1, 1, RandomPlan::fixed(1, 1));
    scenario.dataset = jsonl("/nonexistent/rows.jsonl".into());
    let error = refusal(&plan(vec![scenario]));
    assert_eq!(
        (error.code(), error.exit()),
        ("workload-unreadable", Exit::BadInput)
    );
    for (dataset, text) in [
        (jsonl as fn(PathBuf) -> Dataset, "\n\n"),
        (azure, "TIMESTAMP,ContextTokens,GeneratedTokens\r\n"),
        (azure, ""),
        (burstgpt, ""),
        (burstgpt, "Timestamp,Request tokens,Response tokens\n"),
        (burstgpt, "Timestamp,Request tokens,Response tokens\n1,5,0\n"),
        (mooncake, ""),
        (sharegpt, "[]"),
        (
            sharegpt,
            r#"[{"conversations": [{"from": "human", "value": "too short"}]}]"#,
        ),
    ] {
        let error = from_file(dataset, text).unwrap_err();
        assert_eq!(
            (error.code(), error.exit()),
            ("dataset-empty", Exit::BadInput),
            "{text}: {error}"
        );
    }
}

#[test]
fn sharegpt_keeps_what_vllm_keeps() {
    let turn = |count: usize| json!({"from": "x", "value": vec!["w"; count].join(" ")});
    let conversation = |counts: &[usize]| json!({"id": "i", "conversations": counts.iter().map(|count| turn(*count)).collect::<Vec<_>>()});
    let rows = json!([
        conversation(&[10, 20, 30]),
        conversation(&[10]),
        conversation(&[3, 20]),
        conversation(&[10, 3]),
        conversation(&[1025, 20]),
        conversation(&[1024, 1025]),
        conversation(&[1024, 1024]),
        json!({"id": "none"}),
    ]);
    let workload = from_file(sharegpt, &rows.to_string()).unwrap();
    let mut lengths: Vec<_> = workload
        .requests
        .iter()
        .map(|r| (r.input_len, r.output_len))
        .collect();
    lengths.sort_unstable();
    assert_eq!(lengths, [(Some(10), Some(20)), (Some(1024), Some(1024))]);
}

#[test]
fn sharegpt_says_when_it_has_fewer_than_asked() {
    let file =
        file(r#"[{"conversations": [{"value": "a b c d"}, {"value": "e f g h"}]}, {"conversations": []}]"#);
    let mut scenario = ScenarioPlan::random("s", 1, 5, RandomPlan::fixed(1, 1));
    scenario.dataset = sharegpt(file.path().to_owned());
    let workload = words(&plan(vec![scenario]));
    assert_eq!(workload.requests.len(), 1);
    assert_eq!(workload.notes[0].code, "dataset-short");
    assert!(workload.notes[0].message.contains("1 with fewer than two turns"));
}

#[test]
fn sharegpt_errors_carry_the_line() {
    for (text, line) in [
        ("[\n{\"conversations\": [{\"value\": 5}]}]", "line 2"),
        ("[\n{\"conversations\": [{\"value\": \"a\"", "line 2"),
        ("{}", "line 1"),
        ("[] x", "line 1"),
    ] {
        let error = from_file(sharegpt, text).unwrap_err();
        assert_eq!(error.code(), "dataset-row", "{text}: {error}");
        assert!(error.to_string().contains(line), "{text}: {error}");
    }
}
