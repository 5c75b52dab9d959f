//! Workloads as their callers see them: what a plan gives, what a file keeps, and what is refused.

use std::path::{Path, PathBuf};

use cli_kit::ToolError as _;
use contracts::serve_bench::result::Arrival;
use contracts::serve_bench::workload::{Purpose, WorkloadRequest};
use contracts::{Exit, Finite};
use proptest::prelude::*;
use serde_json::{Value, json};
use serve_bench::workload::arrival::ArrivalPlan;
use serve_bench::workload::preset::{NAMES, Preset};
use serve_bench::workload::{
    Dataset, Endpoint, RandomPlan, ScenarioPlan, ServerTokenizer, Shape, Words, Workload, WorkloadError,
    WorkloadPlan, body_bytes, generate, prompt_check,
};

fn plan(scenarios: Vec<ScenarioPlan>) -> WorkloadPlan {
    WorkloadPlan {
        name: "test".into(),
        model: Some("org/model".into()),
        scenarios,
    }
}

fn random(count: u64, random: RandomPlan) -> WorkloadPlan {
    plan(vec![ScenarioPlan::random("s", 1, count, random)])
}

fn words(plan: &WorkloadPlan) -> Workload {
    generate(plan, &mut Words).unwrap()
}

fn refusal(plan: &WorkloadPlan) -> WorkloadError {
    generate(plan, &mut Words).unwrap_err()
}

fn prompt(request: &WorkloadRequest) -> &str {
    request.body["messages"][0]["content"].as_str().unwrap()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn from_file(dataset: fn(PathBuf) -> Dataset, text: &str) -> Result<Workload, WorkloadError> {
    let file = file(text);
    let mut scenario = ScenarioPlan::random("s", 1, 1, RandomPlan::fixed(1, 1));
    scenario.num_prompts = None;
    scenario.dataset = dataset(file.path().to_owned());
    generate(&plan(vec![scenario]), &mut Words)
}

fn jsonl(path: PathBuf) -> Dataset {
    Dataset::Jsonl {
        path,
        output_len: Some(16),
    }
}

fn azure(path: PathBuf) -> Dataset {
    Dataset::Azure { path }
}

fn mooncake(path: PathBuf) -> Dataset {
    Dataset::Mooncake { path }
}

fn sharegpt(path: PathBuf) -> Dataset {
    Dataset::Sharegpt {
        path,
        output_len: None,
    }
}

/// Words that two texts have in common at their start.
fn common(a: &str, b: &str) -> usize {
    a.split(' ').zip(b.split(' ')).take_while(|(a, b)| a == b).count()
}

// ---- random ----

#[test]
fn a_seed_gives_the_same_bytes_for_ever() {
    let workload = words(&random(3, RandomPlan::fixed(12, 4)));
    assert_eq!(
        workload.header.request_stream_sha256,
        "sha256:e294f3046aedc264223884b4c72cc86534341e81bef77407318eb0bd0381fda6"
    );
    assert_eq!(body_bytes(&workload.requests[0], "m"), r#"{"model":"m","messages":[{"role":"user","content":"return easy tax problem even computer jump pick earth island already iron"}],"max_tokens":4,"temperature":0,"ignore_eos":true,"stream":true,"stream_options":{"include_usage":true}}"#.as_bytes());
}

#[test]
fn fewer_prompts_are_the_first_of_more() {
    let few = words(&random(5, RandomPlan::fixed(50, 10).spread(0.5)));
    let many = words(&random(20, RandomPlan::fixed(50, 10).spread(0.5)));
    assert_eq!(few.requests[..], many.requests[..5]);
}

#[test]
fn lengths_are_exact_and_spread_uniformly() {
    let workload = words(&random(2000, RandomPlan::fixed(100, 50).spread(0.2)));
    for request in &workload.requests {
        let length = prompt(request).split(' ').count() as u64;
        assert_eq!(Some(length), request.input_len);
        assert!((80..=100).contains(&length), "{length}");
        assert_eq!(request.body["max_tokens"].as_u64(), request.output_len);
    }
    let info = &workload.header.scenarios[0];
    let input = info.input_len.as_ref().unwrap();
    let output = info.output_len.as_ref().unwrap();
    assert_eq!((input.min, input.max), (80, 100));
    assert_eq!((output.min, output.max), (40, 50));
    // Uniform over 21 values has sigma 6.06: the mean of 2,000 lies within 0.6 of 90.
    assert!((input.mean.get() - 90.0).abs() < 0.6, "{}", input.mean);
}

#[test]
fn no_two_prompts_share_a_beginning() {
    let first = ScenarioPlan::random("a", 1, 600, RandomPlan::fixed(20, 1));
    let second = ScenarioPlan::random("b", 1, 600, RandomPlan::fixed(20, 1));
    let workload = words(&plan(vec![first, second]));
    let mut prompts: Vec<&str> = workload.requests.iter().map(prompt).collect();
    prompts.sort_unstable();
    // Neighbours in sorted order share the longest beginnings there are.
    let longest = prompts.windows(2).map(|pair| common(pair[0], pair[1])).max();
    assert!(longest <= Some(1), "{longest:?}");
}

#[test]
fn groups_share_their_prefix_and_nothing_more() {
    let workload = words(&random(
        12,
        RandomPlan {
            prefix_len: 30,
            prefix_groups: 3,
            ..RandomPlan::fixed(50, 1)
        },
    ));
    for a in &workload.requests {
        for b in &workload.requests {
            let shared = common(prompt(a), prompt(b));
            if a.index == b.index {
                assert_eq!(shared, 50);
            } else if a.prefix_group == b.prefix_group {
                assert_eq!(shared, 30);
            } else {
                assert!(shared <= 1, "{shared}");
            }
        }
    }
    assert_eq!(workload.requests[4].prefix_group, Some(1));
}

#[test]
fn shapes_are_drawn_by_weight() {
    let workload = words(&random(
        1000,
        RandomPlan {
            shapes: vec![
                Shape {
                    weight: 3,
                    input_len: 10,
                    output_len: 1,
                },
                Shape {
                    weight: 1,
                    input_len: 90,
                    output_len: 2,
                },
                Shape {
                    weight: 0,
                    input_len: 70,
                    output_len: 3,
                },
            ],
            ..RandomPlan::fixed(1, 1)
        },
    ));
    let long = workload
        .requests
        .iter()
        .filter(|request| request.input_len == Some(90))
        .count();
    // 250 expected, sigma 14.
    assert!((180..=320).contains(&long), "{long}");
    assert!(
        workload
            .requests
            .iter()
            .all(|request| request.input_len != Some(70))
    );
}

#[test]
fn a_tokenizer_sizes_prompts_exactly_and_is_named() {
    let mut sizer = ServerTokenizer::new(|text: &str| Ok(text.len().div_ceil(4) as u64));
    let workload = generate(&random(5, RandomPlan::fixed(400, 1)), &mut sizer).unwrap();
    for request in &workload.requests {
        assert_eq!(request.input_len, Some(400));
        assert_eq!(prompt(request).len().div_ceil(4), 400);
    }
    assert_eq!(workload.header.tokenizer.as_deref(), Some("server:/tokenize"));
    assert_eq!(workload.header.scenarios[0].prompt_unit, "tokens");
}

#[test]
fn frozen_arrivals_enter_the_hash() {
    let mut scenario = ScenarioPlan::random("s", 1, 3, RandomPlan::fixed(5, 1));
    let closed = words(&plan(vec![scenario.clone()]));
    scenario.arrival = Some(ArrivalPlan {
        arrival: Arrival::Constant,
        request_rate_rps: Finite::from(4),
        burstiness: Finite::from(1),
    });
    let open = words(&plan(vec![scenario]));
    let offsets: Vec<_> = open
        .requests
        .iter()
        .map(|request| request.arrival_offset_ms)
        .collect();
    assert_eq!(
        offsets,
        [
            Some(Finite::from(0)),
            Some(Finite::from(250)),
            Some(Finite::from(500))
        ]
    );
    assert!(
        closed
            .requests
            .iter()
            .all(|request| request.arrival_offset_ms.is_none())
    );
    assert_ne!(
        closed.header.request_stream_sha256,
        open.header.request_stream_sha256
    );
}

#[test]
fn impossible_plans_are_refused_with_the_flag() {
    let prefix = |prefix_len, prefix_groups| RandomPlan {
        prefix_len,
        prefix_groups,
        ..RandomPlan::fixed(50, 1)
    };
    let twice = ScenarioPlan::random("s", 1, 1, RandomPlan::fixed(1, 1));
    let mut extra = twice.clone();
    extra.extra_body = Some(json!({"model": "m"}));
    for (plan, named) in [
        (plan(vec![]), "no scenario"),
        (plan(vec![twice.clone(), twice]), "two scenarios"),
        (plan(vec![extra]), "`model`"),
        (random(0, RandomPlan::fixed(1, 1)), "--num-prompts"),
        (random(1, RandomPlan::fixed(0, 1)), "--input-len"),
        (random(1, RandomPlan::fixed(1, 0)), "--output-len"),
        (random(1, RandomPlan::fixed(9, 1).spread(1.5)), "--len-spread"),
        (
            random(1, RandomPlan::fixed(9, 1).spread(f64::NAN)),
            "--len-spread",
        ),
        (random(1, prefix(50, 1)), "--prefix-len"),
        (random(1, prefix(10, 0)), "--prefix-groups"),
        (
            plan(vec![ScenarioPlan::random("", 1, 1, RandomPlan::fixed(1, 1))]),
            "name",
        ),
    ] {
        let error = refusal(&plan);
        assert_eq!((error.code(), error.exit()), ("workload-plan", Exit::Usage));
        assert!(error.to_string().contains(named), "{error}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn more_text_than_memory_should_hold_is_refused_early() {
    let error = refusal(&random(1_000_000, RandomPlan::fixed(4_000_000, 1)));
    assert_eq!((error.code(), error.exit()), ("workload-too-large", Exit::Usage));
    assert!(error.hint().unwrap().contains("--num-prompts"));
}

#[test]
fn tokenizer_trouble_has_its_codes() {
    let mut sizer = ServerTokenizer::new(|_: &str| Err("404 Not\u{1b}[31m Found".to_owned()));
    let error = generate(&random(1, RandomPlan::fixed(5, 1)), &mut sizer).unwrap_err();
    assert_eq!(
        (error.code(), error.exit()),
        ("tokenizer-unavailable", Exit::Unavailable)
    );
    assert!(error.to_string().contains("404 Not Found"), "{error}");
    let mut sizer = ServerTokenizer::new(|text: &str| Ok(100 * text.split(' ').count() as u64));
    let error = generate(&random(1, RandomPlan::fixed(150, 1)), &mut sizer).unwrap_err();
    assert_eq!(
        (error.code(), error.exit()),
        ("prompt-length-unreachable", Exit::BadInput)
    );
    let error = prompt_check(1000, 1100, Some(10)).unwrap_err();
    assert_eq!(
        (error.code(), error.exit()),
        ("prompt-length-mismatch", Exit::BadInput)
    );
    assert!(error.hint().unwrap().contains("--prompt-unit words"));
}

// ---- jsonl ----

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

// ---- sharegpt ----

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

// ---- traces ----

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

// ---- presets ----

#[test]
fn every_preset_makes_what_it_says() {
    for name in NAMES {
        let preset = Preset::find(name, 3).unwrap();
        let mut plan = preset.plan(None);
        for scenario in &mut plan.scenarios {
            scenario.num_prompts = scenario.num_prompts.map(|count| count.min(4));
        }
        let workload = words(&plan);
        for info in &workload.header.scenarios {
            let load = preset.load(&info.scenario).unwrap();
            assert_ne!(load.concurrency.is_some(), load.arrival.is_some(), "{name}");
            assert!(
                contracts::metric::Metric::parse(load.metric).is_ok(),
                "{}",
                load.metric
            );
        }
        let diagnostic = ["prefill", "decode", "prefix-repeat", "mixed"].contains(&name);
        assert!(
            workload
                .header
                .scenarios
                .iter()
                .all(|info| (info.purpose == Purpose::Diagnostic) == diagnostic),
            "{name}"
        );
    }
    let chat = Preset::find("chat", 0).unwrap();
    assert_eq!(chat.scenarios[0].plan.num_prompts, Some(80));
    let c = Preset::find("inferencebench-c", 0).unwrap();
    assert_eq!(c.scenarios.len(), 3);
    let error = Preset::find("chats", 0).unwrap_err();
    assert_eq!((error.code(), error.exit()), ("preset-unknown", Exit::Usage));
    assert!(error.to_string().contains("chat, summarization"), "{error}");
}

#[test]
fn warm_prefixes_are_all_seen_during_the_warm_up() {
    let preset = Preset::find("prefix-repeat", 3).unwrap();
    let workload = words(&preset.plan(None));
    let (_, warm) = workload.scenario(Some("prefix-warm")).unwrap();
    let warmup = preset.load("prefix-warm").unwrap().warmup_requests as usize;
    let seen: std::collections::BTreeSet<_> = warm[..warmup].iter().map(|r| r.prefix_group).collect();
    assert!(warm.iter().all(|request| seen.contains(&request.prefix_group)));
    let (_, cold) = workload.scenario(Some("prefix-cold")).unwrap();
    assert!(
        cold.windows(2)
            .all(|pair| common(prompt(pair[0]), prompt(pair[1])) == 0)
    );
}

// ---- scenarios ----

#[test]
fn a_scenario_is_chosen_by_name_or_is_the_only_one() {
    let one = words(&random(2, RandomPlan::fixed(3, 1)));
    assert_eq!(one.scenario(None).unwrap().1.len(), 2);
    let scenario = |name| ScenarioPlan::random(name, 1, 2, RandomPlan::fixed(3, 1));
    let two = words(&plan(vec![scenario("chat"), scenario("sum")]));
    let error = two.scenario(None).unwrap_err();
    assert_eq!((error.code(), error.exit()), ("scenario-not-chosen", Exit::Usage));
    assert!(error.to_string().contains("chat, sum"), "{error}");
    let error = two.scenario(Some("x")).unwrap_err();
    assert_eq!((error.code(), error.exit()), ("scenario-unknown", Exit::Usage));
    let (info, requests) = two.scenario(Some("sum")).unwrap();
    assert_eq!(info.scenario, "sum");
    assert!(requests.iter().all(|request| request.scenario == "sum"));
}

// ---- the file ----

fn written() -> (tempfile::TempDir, PathBuf, Workload) {
    let scenario = |name| {
        let mut scenario = ScenarioPlan::random(name, 1, 3, RandomPlan::fixed(6, 4).spread(0.5));
        scenario.extra_body =
            Some(json!({"top_p": 0.1, "seed": 18446744073709551615_u64, "note": "é\u{1F600}\n"}));
        scenario
    };
    let mut workload = words(&plan(vec![scenario("a"), scenario("b")]));
    workload.notes.clear();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("w.jsonl");
    workload.write(&path).unwrap();
    (folder, path, workload)
}

fn read_edited(edit: impl FnOnce(String) -> String) -> WorkloadError {
    let (_folder, path, _) = written();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, edit(text)).unwrap();
    Workload::read(&path).unwrap_err()
}

#[test]
fn a_file_gives_back_what_was_frozen() {
    let (folder, path, workload) = written();
    assert_eq!(Workload::read(&path).unwrap(), workload);
    // Nothing but the file is left behind.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    // An editor that took off the last line feed did no harm.
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.trim_end()).unwrap();
    assert_eq!(Workload::read(&path).unwrap(), workload);
}

#[test]
fn the_header_validates_against_the_published_schema_names() {
    let (_folder, path, _) = written();
    let text = std::fs::read_to_string(path).unwrap();
    let header: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(header["schema"], "serve-bench.workload/1");
    assert!(text.starts_with(r#"{"schema":"#));
}

#[test]
fn a_changed_file_is_exit_7() {
    let swap = |text: String| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.swap(2, 3);
        lines.join("\n")
    };
    let without_second = |text: String| {
        let lines: Vec<&str> = text.lines().collect();
        [&lines[..2], &lines[3..]].concat().join("\n")
    };
    let one_more = |text: String| {
        let last = text.lines().last().unwrap().to_owned();
        text + &last + "\n"
    };
    let errors = [
        read_edited(|text| text.replacen("\"top_p\":0.1", "\"top_p\":0.2", 1)),
        read_edited(|text| text.replacen("\"arrival_offset_ms\":null", "\"arrival_offset_ms\":5.0", 1)),
        read_edited(|text| {
            text.replacen(
                "request_stream_sha256\":\"sha256:",
                "request_stream_sha256\":\"sha256:0",
                1,
            )
        }),
        read_edited(swap),
        read_edited(without_second),
        read_edited(one_more),
    ];
    for error in errors {
        assert_eq!(
            (error.code(), error.exit()),
            ("workload-hash-mismatch", Exit::Drift),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("changed after it was frozen"));
    }
}

#[test]
fn a_cut_file_is_exit_3_at_every_length() {
    let (_folder, path, _) = written();
    let bytes = std::fs::read(&path).unwrap();
    for cut in 1..bytes.len() - 1 {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let error = Workload::read(&path).unwrap_err();
        assert_eq!(error.exit(), Exit::BadInput, "cut at {cut}: {error}");
        assert!(
            ["workload-truncated", "workload-foreign"].contains(&error.code()),
            "cut at {cut}: {error}"
        );
    }
    let error = read_edited(|text| text.lines().take(4).map(|line| format!("{line}\n")).collect());
    assert_eq!(error.code(), "workload-truncated");
    assert!(error.to_string().contains("ends at line 4"), "{error}");
}

#[test]
fn what_is_no_workload_file_is_named_with_its_line() {
    for (text, code) in [
        ("", "workload-empty"),
        ("\n", "workload-foreign"),
        ("hello", "workload-foreign"),
        ("{}", "workload-foreign"),
        (r#"{"schema": "serve-bench.result/1"}"#, "workload-foreign"),
        (r#"{"schema": "serve-bench.workload/2"}"#, "workload-version"),
        (r#"{"schema": "serve-bench.workload/0"}"#, "workload-version"),
        (r#"{"schema": "serve-bench.workload/1"}"#, "workload-malformed"),
    ] {
        let file = file(text);
        let error = Workload::read(file.path()).unwrap_err();
        assert_eq!(
            (error.code(), error.exit()),
            (code, Exit::BadInput),
            "{text}: {error}"
        );
        assert!(error.hint().is_some());
    }
    let newer = Workload::read(file(r#"{"schema": "serve-bench.workload/2"}"#).path()).unwrap_err();
    assert!(newer.hint().unwrap().contains("update"), "{newer}");
    let error = Workload::read(Path::new("/nonexistent/w.jsonl")).unwrap_err();
    assert_eq!(
        (error.code(), error.exit()),
        ("workload-unreadable", Exit::BadInput)
    );
}

#[test]
fn lines_that_do_not_read_are_named() {
    for (from, to, named) in [
        (
            "{\"scenario\":\"a\",\"index\":1",
            "{\"scenario\":\"a\",\"index\":\"x\"",
            "line 3",
        ),
        ("\"max_tokens\":", "\"model\":\"m\",\"max_tokens\":", "`model`"),
        ("\"stream\":true", "\"stream\":false", "`stream`"),
        ("\"output_len\":", "\"output_len\":9", "output_len"),
    ] {
        let error = read_edited(|text| {
            let (header, rest) = text.split_once('\n').unwrap();
            format!("{header}\n{}", rest.replacen(from, to, 1))
        });
        assert_eq!(error.code(), "workload-malformed", "{to}: {error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_exit_4() {
    let (_folder, _, workload) = written();
    let error = workload.write(Path::new("/nonexistent/w.jsonl")).unwrap_err();
    assert_eq!(
        (error.code(), error.exit()),
        ("workload-not-written", Exit::Unavailable)
    );
    assert!(error.hint().unwrap().contains("disk"));
}

/// Whether a process catches SIGINT by now (`SigCgt` of proc(5)).
#[cfg(target_os = "linux")]
fn catches_interrupt(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 2 != 0)
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_a_freeze_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    // Half a gigabyte of text: far more than is made before the signal.
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_serve-bench"))
        .args([
            "freeze",
            "--num-prompts",
            "10000",
            "--input-len",
            "8000",
            "--format",
            "json",
            "--out",
        ])
        .arg(folder.path().join("w.jsonl"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while !catches_interrupt(child.id()) {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it could be interrupted"
        );
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let error: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(error["code"], "interrupted");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_give_an_answer_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        prop_assert!(Workload::read(file.path()).is_err());
        for dataset in [jsonl as fn(PathBuf) -> Dataset, azure, mooncake, sharegpt] {
            let mut scenario = ScenarioPlan::random("s", 1, 1, RandomPlan::fixed(1, 1));
            scenario.num_prompts = None;
            scenario.dataset = dataset(file.path().to_owned());
            let _ = generate(&plan(vec![scenario]), &mut Words);
        }
    }

    #[test]
    fn a_damaged_file_is_refused_or_means_the_same(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (_folder, path, workload) = written();
        let mut bytes = std::fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(read) = Workload::read(&path) {
            // Names and lengths of the header stand outside the hash; what is sent does not.
            for (read, frozen) in read.requests.iter().zip(&workload.requests) {
                prop_assert_eq!(body_bytes(read, "m"), body_bytes(frozen, "m"));
            }
        }
    }

    #[test]
    fn any_prompt_survives_the_file(prompt in "\\PC{1,80}", model in "\\PC{0,40}") {
        let row = json!({"prompt": prompt, "output_len": 3}).to_string();
        let workload = from_file(jsonl, &row).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.jsonl");
        workload.write(&path).unwrap();
        let read = Workload::read(&path).unwrap();
        let sent: Value = serde_json::from_slice(&body_bytes(&read.requests[0], &model)).unwrap();
        prop_assert_eq!(sent["messages"][0]["content"].as_str(), Some(prompt.as_str()));
        prop_assert_eq!(sent["model"].as_str(), Some(model.as_str()));
    }
}
