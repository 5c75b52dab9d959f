//! What a script with `answers` says: a suite with a known accuracy, other words for other prompts, and probabilities
//! that add up.

use serde_json::{Value, json};

use crate::client::{Got, post, server};

const SUITE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../examples/quality-gate/suite.jsonl"
);

fn asked(answers: Value, path: &str, bodies: &[Value]) -> Vec<Value> {
    let script = json!({"answers": answers, "defaults": {"ttft_ms": 0, "itl_ms": 0}});
    let running = server(script);
    bodies
        .iter()
        .map(|body| post(&running, path, body).json())
        .collect()
}

fn chat(prompt: &str, more: Value) -> Value {
    let mut body =
        json!({"messages": [{"role": "user", "content": prompt}], "temperature": 0, "max_tokens": 64});
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

fn text(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"].as_str().unwrap()
}

/// Questions of the suite that are answered right.
fn rights(answers: Value) -> usize {
    let suite = std::fs::read_to_string(SUITE).unwrap();
    let lines: Vec<Value> = suite
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let bodies: Vec<Value> = lines
        .iter()
        .map(|line| {
            chat(
                &format!("{}\n\nA. …", line["question"].as_str().unwrap()),
                json!({}),
            )
        })
        .collect();
    let said = asked(answers, "/v1/chat/completions", &bodies);
    let is_right = |(line, said): &(&Value, &Value)| {
        let right = line["answer"].as_str().unwrap();
        let letter = format!("({right})");
        text(said).contains(if right.contains("####") { right } else { &letter })
    };
    assert!(
        said.iter()
            .all(|said| said["choices"][0]["finish_reason"] == "stop")
    );
    lines.iter().zip(&said).filter(is_right).count()
}

#[test]
fn a_suite_is_answered_with_the_accuracy_that_was_asked_for() {
    assert_eq!(rights(json!({"file": SUITE})), 90);
    assert_eq!(rights(json!({"file": SUITE, "accuracy_ratio": 0})), 0);
    let some = rights(json!({"file": SUITE, "accuracy_ratio": 0.8}));
    assert!((60..85).contains(&some), "{some}");
    // A change takes right answers away from the same seed.
    let changed = rights(json!({"file": SUITE, "changed_ratio": 0.2}));
    assert!((60..85).contains(&changed), "{changed}");
}

#[test]
fn words_depend_on_the_prompt_and_with_a_temperature_on_the_seed() {
    let bodies = [
        chat("one", json!({})),
        chat("one", json!({"seed": 9})),
        chat("two", json!({})),
        chat("one", json!({"temperature": 1.0, "seed": 1})),
        chat("one", json!({"temperature": 1.0, "seed": 2})),
        chat("one", json!({"max_tokens": 4})),
    ];
    let said = asked(json!({}), "/v1/chat/completions", &bodies);
    let texts: Vec<&str> = said.iter().map(text).collect();
    assert_eq!(texts[0], texts[1]);
    assert!(texts[0] != texts[2] && texts[3] != texts[0] && texts[3] != texts[4]);
    assert!(texts[0].starts_with(texts[5]));
    assert_eq!(
        (
            &said[5]["choices"][0]["finish_reason"],
            &said[5]["usage"]["completion_tokens"]
        ),
        (&json!("length"), &json!(4))
    );
    // Two servers with one seed say the same, with another seed something else.
    assert_eq!(
        text(&asked(json!({}), "/v1/chat/completions", &bodies[..1])[0]),
        texts[0]
    );
    assert_ne!(
        text(&asked(json!({"seed": 1}), "/v1/chat/completions", &bodies[..1])[0]),
        texts[0]
    );
    // A stream says what the body says.
    let running = server(json!({"answers": {}, "defaults": {"ttft_ms": 0, "itl_ms": 0}}));
    let streamed: Got = post(
        &running,
        "/v1/chat/completions",
        &chat("one", json!({"stream": true})),
    );
    let deltas: Vec<String> = streamed
        .deltas()
        .iter()
        .map(|delta| delta["content"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(deltas.concat(), texts[0]);
}

#[test]
fn log_probabilities_add_up_and_drift_as_far_as_they_were_told() {
    let bodies: Vec<Value> = (0..40)
        .map(|at| {
            chat(
                &format!("prompt {at}"),
                json!({"logprobs": true, "top_logprobs": 5}),
            )
        })
        .collect();
    let places = |answers: Value| -> Vec<Value> {
        let said = asked(answers, "/v1/chat/completions", &bodies);
        let content = |one: &Value| {
            one["choices"][0]["logprobs"]["content"]
                .as_array()
                .unwrap()
                .clone()
        };
        said.iter().flat_map(content).collect()
    };
    let base = places(json!({}));
    for place in &base {
        let top = place["top_logprobs"].as_array().unwrap();
        let chances: Vec<f64> = top
            .iter()
            .map(|one| one["logprob"].as_f64().unwrap().exp())
            .collect();
        assert!(
            top.len() == 5 && chances.iter().sum::<f64>() <= 1.0 + 1e-9,
            "{place}"
        );
        assert!(top[0]["token"] == place["token"] && chances.windows(2).all(|two| two[0] > two[1]));
    }
    let moved = places(json!({"drift_nats": 0.05}));
    let drift: f64 = base
        .iter()
        .zip(&moved)
        .map(|(a, b)| (a["logprob"].as_f64().unwrap() - b["logprob"].as_f64().unwrap()).abs())
        .sum::<f64>()
        / base.len() as f64;
    assert!((0.04..0.06).contains(&drift), "{drift}");
    // The other endpoint has them in columns.
    let body = json!({"prompt": "prompt 0", "temperature": 0, "max_tokens": 64, "logprobs": 3});
    let said = asked(json!({}), "/v1/completions", &[body]);
    let logprobs = &said[0]["choices"][0]["logprobs"];
    assert_eq!(logprobs["token_logprobs"][0], base[0]["logprob"]);
    assert_eq!(logprobs["top_logprobs"][0].as_object().unwrap().len(), 3);
}
