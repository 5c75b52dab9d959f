//! A server of a few endpoints that answers the project's own suite, honestly or not.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Right for this share of the questions, percent.
    Right(u64),
    /// One text, whatever is asked.
    Constant,
    /// Right, but from another model than it lists.
    OtherModel,
    /// Right, but the end of every answer is missing.
    Cut,
    /// Right, but so many percent of the answers reach their limit of tokens.
    Limited(u64),
    /// Right, but says that thousands of tokens came at once.
    TooFast,
    /// Right, but every request gives another text.
    Restless,
    /// Right, with another tokenizer.
    OtherTokenizer,
    /// Right, with log-probabilities; with a share above 0, other tokens from the third on for so many percent of the
    /// prompts that are no question of the suite, and every log-probability moved.
    Drift(u64),
    /// The same texts as `Drift(0)`, but a request for log-probabilities is refused.
    NoLogprobs,
}

/// Serves on a free port until the test ends; gives the URL.
pub(crate) fn serve(manner: Manner) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let key = answers();
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().flatten().enumerate() {
            let key = key.clone();
            std::thread::spawn(move || answer(stream, manner, &key, count));
        }
    });
    url
}

/// Right answers by question.
fn answers() -> BTreeMap<String, String> {
    let suite = include_str!("../../../../examples/quality-gate/suite.jsonl");
    let lines = suite
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            (text("question"), text("answer"))
        })
        .collect()
}

fn answer(mut stream: TcpStream, manner: Manner, key: &BTreeMap<String, String>, count: usize) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 8192];
    let body = loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let length = lower
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                break body.to_owned();
            }
        }
        if read == 0 {
            return;
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let (status, reply) = match text.split_whitespace().nth(1) {
        Some("/v1/models") => (200, json!({"object": "list", "data": [{"id": "tiny"}]})),
        Some("/v1/chat/completions") if manner == Manner::NoLogprobs && body.contains("logprobs") => {
            (400, json!({"error": {"message": "logprobs are not supported"}}))
        }
        Some("/v1/chat/completions") => (
            200,
            completion(&serde_json::from_str(&body).unwrap(), manner, key, count),
        ),
        _ => (404, json!({"error": "no such path"})),
    };
    let mut reply = reply.to_string();
    let length = reply.len();
    if manner == Manner::Cut && body.contains("Which") {
        reply.truncate(length / 2);
    }
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(format!("{head}{reply}").as_bytes());
}

fn completion(body: &Value, manner: Manner, key: &BTreeMap<String, String>, count: usize) -> Value {
    let prompt = body["messages"][0]["content"].as_str().unwrap();
    let question = prompt.split("\n\n").next().unwrap();
    let text = match (manner, key.get(question)) {
        (Manner::Constant, _) => "The answer is (B).".to_owned(),
        (Manner::Right(percent), Some(_)) if hash(question) % 100 >= percent => "I do not know.".to_owned(),
        (_, Some(number)) if number.contains("####") => number.clone(),
        (_, Some(letter)) => format!("The answer is ({letter})."),
        (Manner::Restless, None) => format!("{count}"),
        (Manner::Drift(_) | Manner::NoLogprobs, None) if body["temperature"] == 0.0 => {
            let changed = matches!(manner, Manner::Drift(percent) if hash(prompt) % 100 < percent);
            let last = if changed { "else" } else { "same" };
            format!("Of {:x} {last} at all", hash(prompt))
        }
        (_, None) if body["temperature"] == 0.0 => format!("Of {:x}.", hash(prompt)),
        (_, None) => format!("Of {:x} by {}.", hash(prompt), body["seed"]),
    };
    let tokens = if manner == Manner::TooFast { 50_000_000 } else { 8 };
    let per_token = if manner == Manner::OtherTokenizer { 3 } else { 4 };
    let tokens_of = |text: &str| -> Vec<Value> {
        let moved = if manner == Manner::Drift(0) { 0.0 } else { 0.25 };
        let words = text.split(' ');
        let one = |word: &str, logprob: f64| json!({"token": word, "logprob": logprob - moved});
        words
            .map(|word| {
                let mut token = one(word, -0.5);
                token["top_logprobs"] = json!([one(word, -0.5), one("other", -1.5)]);
                token
            })
            .collect()
    };
    let logprobs = body
        .get("logprobs")
        .map(|_| json!({"content": tokens_of(&text)}))
        .filter(|_| matches!(manner, Manner::Drift(_)));
    let is_limited = key.contains_key(question)
        && matches!(manner, Manner::Limited(percent) if hash(question) % 100 < percent);
    json!({
        "model": if manner == Manner::OtherModel { "tinier" } else { "tiny" },
        "choices": [{"message": {"role": "assistant", "content": text}, "logprobs": logprobs,
            "finish_reason": if is_limited { "length" } else { "stop" }}],
        "usage": {"prompt_tokens": prompt.len() / per_token, "completion_tokens": tokens},
    })
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
