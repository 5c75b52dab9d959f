//! Random workloads: their lengths, their beginnings, their arrivals, and the plans that are refused.

use cli_kit::ToolError as _;
use contracts::serve_bench::result::Arrival;
use contracts::{Exit, Finite};
use serde_json::json;
use serve_bench::workload::arrival::ArrivalPlan;
use serve_bench::workload::{
    RandomPlan, ScenarioPlan, ServerTokenizer, Shape, body_bytes, generate, prompt_check,
};

use super::{common, plan, prompt, random, refusal, words};

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
    let workload = words(&random(1000, RandomPlan::fixed(50, 25).spread(0.2)));
    for request in &workload.requests {
        let length = prompt(request).split(' ').count() as u64;
        assert_eq!(Some(length), request.input_len);
        assert!((40..=50).contains(&length), "{length}");
        assert_eq!(request.body["max_tokens"].as_u64(), request.output_len);
    }
    let info = &workload.header.scenarios[0];
    let input = info.input_len.as_ref().unwrap();
    let output = info.output_len.as_ref().unwrap();
    assert_eq!((input.min, input.max), (40, 50));
    assert_eq!((output.min, output.max), (20, 25));
    // Uniform over 11 values has sigma 3.16: the mean of 1,000 lies within 0.4 of 45.
    assert!((input.mean.get() - 45.0).abs() < 0.4, "{}", input.mean);
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
