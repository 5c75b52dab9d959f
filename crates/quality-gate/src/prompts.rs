//! Prompts of a frozen workload, as they are asked greedily. Pure.

use std::path::Path;

use cli_kit::{Failure, input_of, read_bounded};
use contracts::Input;
use contracts::fields::{canonical, sha256_hex};
use contracts::quality_gate::agreement::Prompts;
use contracts::quality_gate::result::Api;
use contracts::serve_bench::workload::{SCHEMA, StreamHash, WorkloadHeader, WorkloadRequest};
use contracts::text::clean;
use serde_json::{Value, json};

use crate::error::QualityError;

const FILE_CAP: u64 = 512 << 20;
/// What a body says about load, pacing and chance: an answer is asked for whole, once, greedily, and may end by itself.
const LEFT_OUT: [&str; 16] = [
    "model",
    "stream",
    "stream_options",
    "ignore_eos",
    "min_tokens",
    "n",
    "best_of",
    "echo",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "seed",
    "logprobs",
    "top_logprobs",
    "max_completion_tokens",
];

/// How prompts are asked.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// Most prompts, from the beginning of the file.
    pub count: usize,
    /// Seed of every request.
    pub seed: u64,
    /// Most tokens of an answer.
    pub max_tokens: u64,
    /// Alternatives of each token.
    pub top_logprobs: u64,
}

/// One prompt.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// Scenario and number.
    pub name: String,
    /// Endpoint.
    pub api: Api,
    /// What is sent, without the model's name and without log-probabilities.
    pub body: Value,
}

impl Prompt {
    /// Hash of what is sent.
    pub(crate) fn sha256(&self) -> String {
        sha256_hex(canonical(&self.body).as_bytes())
    }
}

/// Reads a workload file.
pub(crate) fn load(path: &Path, asking: &Asking) -> Result<(Vec<Prompt>, Input), Failure> {
    let bytes = read_bounded(path, FILE_CAP)?;
    let prompts = parse(&bytes, asking).map_err(|(line, what)| QualityError::Workload {
        path: path.display().to_string(),
        line,
        what,
    })?;
    Ok((prompts, input_of(path, &bytes)))
}

/// The first prompts of a workload. Its own hash is checked: a changed file is another workload.
///
/// # Errors
/// The line, from 1, and what is wrong with it.
pub fn parse(bytes: &[u8], asking: &Asking) -> Result<Vec<Prompt>, (usize, String)> {
    let mut lines = bytes
        .split(|byte| *byte == b'\n')
        .enumerate()
        .map(|(at, line)| (at + 1, line))
        .filter(|(_, line)| !line.trim_ascii().is_empty());
    let (at, first) = lines.next().ok_or((1, "the file is empty".to_owned()))?;
    let header: WorkloadHeader =
        serde_json::from_slice(first).map_err(|error| (at, clean(&error.to_string(), 200)))?;
    if header.schema != SCHEMA {
        return Err((
            at,
            format!("`{}`, expected `{SCHEMA}`", clean(&header.schema, 80)),
        ));
    }
    let (mut prompts, mut stream) = (Vec::new(), StreamHash::default());
    for (at, line) in lines {
        let request: WorkloadRequest =
            serde_json::from_slice(line).map_err(|error| (at, clean(&error.to_string(), 200)))?;
        stream.add(&request);
        if prompts.len() < asking.count {
            prompts.push(prompt(&request, asking).map_err(|what| (at, what))?);
        }
    }
    if stream.finish() != header.request_stream_sha256 {
        return Err((at, "the requests are not those that were frozen".to_owned()));
    }
    if prompts.is_empty() {
        return Err((at, "there are no requests".to_owned()));
    }
    Ok(prompts)
}

fn prompt(request: &WorkloadRequest, asking: &Asking) -> Result<Prompt, String> {
    let mut body = request.body.as_object().ok_or("`body` is no object")?.clone();
    let api = match (body.contains_key("messages"), body.contains_key("prompt")) {
        (true, _) => Api::Chat,
        (false, true) => Api::Completions,
        (false, false) => return Err("`body` has neither `messages` nor `prompt`".to_owned()),
    };
    let asked = body
        .get("max_tokens")
        .or_else(|| body.get("max_completion_tokens"));
    let asked = asked.and_then(Value::as_u64).unwrap_or(u64::MAX);
    for name in LEFT_OUT {
        body.remove(name);
    }
    body.insert("max_tokens".to_owned(), asked.min(asking.max_tokens).into());
    body.insert("temperature".to_owned(), 0.into());
    body.insert("seed".to_owned(), asking.seed.into());
    body.insert("stream".to_owned(), false.into());
    Ok(Prompt {
        name: format!("{}/{}", clean(&request.scenario, 80), request.index),
        api,
        body: body.into(),
    })
}

/// What two sides have to share, without answers yet.
pub(crate) fn unanswered(prompts: &[Prompt], asking: &Asking) -> Prompts {
    let sent: Vec<Value> = prompts
        .iter()
        .map(|prompt| json!([prompt.name, prompt.body]))
        .collect();
    Prompts {
        sha256: sha256_hex(canonical(&sent.into()).as_bytes()),
        seed: asking.seed,
        max_tokens: asking.max_tokens,
        top_logprobs: asking.top_logprobs,
        count: prompts.len() as u64,
        answers: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKING: Asking = Asking {
        count: 2,
        seed: 3,
        max_tokens: 16,
        top_logprobs: 5,
    };

    /// The workload of the real engine's example, frozen by `serve-bench`.
    const FROZEN: &str = include_str!("../../../examples/real-engine/output/workload.jsonl");

    #[test]
    fn bodies_are_asked_whole_and_greedily() {
        let prompts = parse(FROZEN.as_bytes(), &ASKING).unwrap();
        assert_eq!((prompts.len(), prompts[1].api), (2, Api::Chat));
        assert_eq!(prompts[1].name, "random/1");
        let body = &prompts[1].body;
        assert_eq!(
            (&body["temperature"], &body["seed"], &body["stream"]),
            (&json!(0), &json!(3), &json!(false))
        );
        assert_eq!((body.get("ignore_eos"), body.get("stream_options")), (None, None));
        assert_eq!(body["max_tokens"], 16);
        assert_eq!(body["cache_prompt"], false);
    }

    #[test]
    fn a_workload_that_was_changed_is_another_one() {
        let changed = FROZEN.replace("picture", "painting");
        assert_ne!(changed, FROZEN);
        for (text, word) in [
            (changed.as_str(), "frozen"),
            ("", "empty"),
            ("{}", "schema"),
            (&FROZEN[..FROZEN.len() / 2], "EOF"),
        ] {
            let (_, what) = parse(text.as_bytes(), &ASKING).unwrap_err();
            assert!(what.contains(word), "{what}");
        }
    }
}
