//! Conversations: histories that grow, answers that are frozen, thinking that is drawn once.

use contracts::Finite;
use contracts::serve_bench::workload::WorkloadRequest;
use serve_bench::workload::{Endpoint, RandomPlan, ScenarioPlan, TurnsPlan};

use super::{file, jsonl, plan, refusal, sharegpt, words};

fn conversations(count: u64, turns: u32, think_s: f64) -> ScenarioPlan {
    let mut scenario = ScenarioPlan::random("s", 1, count, RandomPlan::fixed(12, 4));
    scenario.turns = Some(TurnsPlan {
        most: turns,
        think_mean_s: Finite::new(think_s).unwrap(),
    });
    scenario
}

fn roles(request: &WorkloadRequest) -> Vec<&str> {
    let messages = request.body["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["role"].as_str().unwrap())
        .collect()
}

#[test]
fn each_turn_begins_with_all_turns_before() {
    let workload = words(&plan(vec![conversations(3, 3, 2.0)]));
    assert_eq!(workload.requests.len(), 9);
    assert_eq!(workload.header.scenarios[0].num_prompts, 9);
    for (index, request) in workload.requests.iter().enumerate() {
        let turn = request.turn.unwrap();
        assert_eq!(
            (turn.conversation, turn.number),
            (index as u64 / 3, index as u32 % 3)
        );
        let messages = request.body["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 2 * turn.number as usize + 1);
        assert_eq!(roles(request).last(), Some(&"user"));
        // 12 words of the user and 4 of the answer a turn.
        assert_eq!(request.input_len, Some(12 + 16 * u64::from(turn.number)));
        if turn.number == 0 {
            assert_eq!(turn.think_ms, Finite::from(0));
            continue;
        }
        assert!((0.0..=20_000.0).contains(&turn.think_ms.get()));
        let before = workload.requests[index - 1].body["messages"].as_array().unwrap();
        assert_eq!(
            &messages[..before.len()],
            &before[..],
            "the history is what was sent, byte for byte"
        );
    }
    let again = words(&plan(vec![conversations(3, 3, 2.0)]));
    assert_eq!(again, workload);
    // Thinking is part of what was frozen; so is the division into turns.
    let faster = words(&plan(vec![conversations(3, 3, 1.0)]));
    assert_ne!(
        faster.header.request_stream_sha256,
        workload.header.request_stream_sha256
    );
}

#[test]
fn people_think_for_as_long_as_was_asked_on_average() {
    let workload = words(&plan(vec![conversations(2000, 2, 3.0)]));
    let thought: Vec<f64> = workload
        .requests
        .iter()
        .filter_map(|request| request.turn)
        .filter(|turn| turn.number > 0)
        .map(|turn| turn.think_ms.get())
        .collect();
    let mean = thought.iter().sum::<f64>() / thought.len() as f64;
    // Sigma of the mean of 2,000 exponential times of 3 s is 67 ms.
    assert!((mean - 3000.0).abs() < 270.0, "{mean}");
}

#[test]
fn later_pairs_of_sharegpt_are_later_turns() {
    let turn = |words: &str| format!(r#"{{"from": "x", "value": "{words}"}}"#);
    let long = turn("one two three four five");
    let short = turn("no");
    let talk = |turns: &[&str]| format!(r#"{{"conversations": [{}]}}"#, turns.join(","));
    let all = [
        talk(&[&long, &long, &long, &long, &long, &long]),
        talk(&[&long, &long, &short, &long, &long, &long]),
        talk(&[&short, &long, &long, &long]),
    ];
    let file = file(&format!("[{}]", all.join(",")));
    let mut scenario = conversations(9, 2, 0.0);
    scenario.num_prompts = None;
    scenario.dataset = sharegpt(file.path().to_owned());
    let workload = words(&plan(vec![scenario]));
    let mut turns: Vec<usize> = vec![0; 2];
    for request in &workload.requests {
        turns[request.turn.unwrap().conversation as usize] += 1;
    }
    turns.sort_unstable();
    // Two of three turns; one, as the next is too short; none, as the first is.
    assert_eq!(turns, [1, 2]);
    let second = workload
        .requests
        .iter()
        .find(|request| request.turn.unwrap().number == 1)
        .unwrap();
    assert_eq!(roles(second), ["user", "assistant", "user"]);
    assert_eq!(second.input_len, Some(15));
}

#[test]
fn conversations_that_cannot_be_are_refused() {
    let named = |scenario: ScenarioPlan| refusal(&plan(vec![scenario])).to_string();
    assert!(named(conversations(2, 65, 0.0)).contains("--turns"));
    assert!(named(conversations(2, 2, 1e9)).contains("--think-time"));
    let mut prefixed = conversations(2, 2, 0.0);
    if let serve_bench::workload::Dataset::Random(random) = &mut prefixed.dataset {
        (random.prefix_len, random.prefix_groups) = (2, 1);
    }
    assert!(named(prefixed).contains("--prefix"));
    let rows = file(r#"{"prompt": "a"}"#);
    let mut other = conversations(1, 2, 0.0);
    other.dataset = jsonl(rows.path().to_owned());
    assert!(named(other).contains("random and sharegpt"));
    let mut completions = conversations(2, 2, 0.0);
    completions.endpoint = Endpoint::Completions;
    assert!(named(completions).contains("--endpoint chat"));
}
