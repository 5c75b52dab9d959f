//! Any bytes as what `quality-gate` reads: a line of a suite, a workload, a choice with log-probabilities, a model's text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use quality_gate::extract::{Kind, extract};
use quality_gate::logprobs::{spelled, tokens};
use quality_gate::prompts::{Asking, parse};
use quality_gate::suite::question;

const ASKING: Asking = Asking {
    count: 4,
    seed: 0,
    max_tokens: 16,
    top_logprobs: 5,
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = serde_json::from_slice(bytes) {
        if let Ok(question) = question(&value, "q1") {
            assert!(!question.prompt.is_empty() && !question.expected.is_empty());
        }
        for token in tokens(&value, 64).into_iter().flatten() {
            assert!(token.logprob.is_none_or(|logprob| logprob.get() <= 0.0));
        }
    }
    match parse(bytes, &ASKING) {
        Ok(prompts) => assert!((1..=ASKING.count).contains(&prompts.len())),
        Err((line, what)) => assert!(line > 0 && !what.is_empty()),
    }
    let control = |c: char| c.is_control() && c != '\n' && c != '\t';
    assert!(!spelled(bytes).chars().any(control));
    let text = String::from_utf8_lossy(bytes);
    if let Some((letter, _)) = extract(&text, Kind::Letter(4)) {
        assert!(["A", "B", "C", "D"].contains(&letter.as_str()));
    }
    if let Some((number, _)) = extract(&text, Kind::Number) {
        assert!(number.parse::<f64>().is_ok());
    }
});
