//! One question, one whole answer. An answer that was cut, that reached its limit, or that says an error in its body is a
//! failure, never a wrong answer.

use std::time::{Duration, Instant};

use contracts::quality_gate::agreement::{PromptAnswer, TokenLogprob};
use contracts::quality_gate::result::{Api, Settings};
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use engine_client::{Endpoint, Headers, post_json};
use serde_json::{Value, json};

use crate::logprobs::{self, spelled};
use crate::prompts::Prompt;

/// Longest text of an answer that is kept, bytes.
const TEXT_CAP: usize = 1 << 20;

/// The server, and how it is asked.
#[derive(Clone)]
pub(crate) struct Asker {
    pub(crate) endpoint: Endpoint,
    pub(crate) headers: Headers,
    pub(crate) model: String,
    pub(crate) settings: Settings,
    pub(crate) timeout: Duration,
}

/// What came back, whole or not.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) text: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) finish_reason: Option<String>,
    pub(crate) input_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
    pub(crate) tokens: Option<Vec<TokenLogprob>>,
    pub(crate) seconds: f64,
    pub(crate) error: Option<String>,
}

impl Asker {
    /// Asks greedily with the run's seed.
    pub(crate) async fn greedy(&self, prompt: &str) -> Reply {
        self.ask(prompt, 0.0, self.settings.seed, self.settings.max_tokens)
            .await
    }

    pub(crate) async fn ask(&self, prompt: &str, temperature: f64, seed: u64, max_tokens: u64) -> Reply {
        let mut body = json!({"model": self.model, "temperature": temperature, "seed": seed,
            "max_tokens": max_tokens, "stream": false});
        if !self.settings.stop.is_empty() {
            body["stop"] = json!(self.settings.stop);
        }
        match self.settings.api {
            Api::Chat => body["messages"] = json!([{"role": "user", "content": prompt}]),
            Api::Completions => body["prompt"] = prompt.into(),
        }
        self.send(self.settings.api, &body).await
    }

    /// Asks a prompt of a workload, with log-probabilities where `top` says how many alternatives.
    pub(crate) async fn prompt(&self, prompt: &Prompt, top: Option<u64>) -> PromptAnswer {
        let mut body = prompt.body.clone();
        body["model"] = self.model.as_str().into();
        match (prompt.api, top) {
            (_, None) => {}
            (Api::Chat, Some(top)) => {
                body["logprobs"] = true.into();
                body["top_logprobs"] = top.into();
            }
            (Api::Completions, Some(top)) => body["logprobs"] = top.into(),
        }
        let reply = self.send(prompt.api, &body).await;
        // Here the limit is part of the question: both sides have the same.
        let is_whole = reply.error.is_none()
            || (reply.text.is_some() && reply.finish_reason.as_deref() == Some("length"));
        let text = reply.text.filter(|text| is_whole && text.len() <= TEXT_CAP);
        let error = match &text {
            Some(_) => None,
            None => reply
                .error
                .or_else(|| Some("the answer is longer than anything that was asked for".to_owned())),
        };
        PromptAnswer {
            prompt: prompt.name.clone(),
            prompt_sha256: prompt.sha256(),
            tokens: reply.tokens.filter(|_| text.is_some()),
            text: text.map(|text| spelled(text.as_bytes())),
            input_tokens: reply.input_tokens,
            finish_reason: reply.finish_reason,
            error,
        }
    }

    async fn send(&self, api: Api, body: &Value) -> Reply {
        let path = match api {
            Api::Chat => "/v1/chat/completions",
            Api::Completions => "/v1/completions",
        };
        let most = body.get("max_tokens").and_then(Value::as_u64).unwrap_or(0);
        let start = Instant::now();
        let answered = post_json(&self.endpoint, &self.headers, path, body, self.timeout).await;
        let seconds = start.elapsed().as_secs_f64();
        match answered {
            Ok(json) => Reply {
                seconds,
                ..read(&json, most)
            },
            Err(error) => Reply {
                seconds,
                error: Some(clean(&error.to_string(), FOREIGN_TEXT_CAP)),
                ..Reply::default()
            },
        }
    }
}

fn read(json: &Value, most_tokens: u64) -> Reply {
    let text_at = |pointer: &str| json.pointer(pointer).and_then(Value::as_str);
    let count_at = |pointer: &str| json.pointer(pointer).and_then(Value::as_u64);
    let text = text_at("/choices/0/message/content").or_else(|| text_at("/choices/0/text"));
    let said = json.get("error").filter(|error| !error.is_null());
    // How an answer ended says nothing where the body tells of an error.
    let finish_reason = text_at("/choices/0/finish_reason").filter(|_| said.is_none());
    let finish_reason = finish_reason.map(|reason| clean(reason, 40));
    let error = match (said, text, finish_reason.as_deref()) {
        (Some(said), _, _) => Some(format!(
            "the body says an error: {}",
            clean(&said.to_string(), 200)
        )),
        (None, None, _) => Some("the body holds no answer".to_owned()),
        (None, Some(_), Some("stop")) => None,
        (None, Some(_), Some("length")) => Some("the answer reached its limit of tokens".to_owned()),
        (None, Some(_), Some(other)) => Some(format!("the answer ended with `{other}`")),
        (None, Some(_), None) => Some("the answer has no finish reason: it was cut".to_owned()),
    };
    Reply {
        text: text.map(str::to_owned),
        model: text_at("/model").map(|model| clean(model, 200)),
        finish_reason,
        input_tokens: count_at("/usage/prompt_tokens"),
        output_tokens: count_at("/usage/completion_tokens"),
        tokens: json
            .pointer("/choices/0")
            .and_then(|choice| logprobs::tokens(choice, usize::try_from(most_tokens).unwrap_or(usize::MAX))),
        seconds: 0.0,
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_answer_is_one() {
        let whole = json!({"choices": [{"message": {"content": "B"}, "finish_reason": "stop"}]});
        assert_eq!(read(&whole, 9).error, None);
        for (body, word) in [
            (
                json!({"choices": [{"text": "B", "finish_reason": "length"}]}),
                "limit",
            ),
            (json!({"choices": [{"text": "B", "finish_reason": null}]}), "cut"),
            (
                json!({"choices": [{"text": "B", "finish_reason": "stop"}], "error": {"message": "oom"}}),
                "oom",
            ),
            (json!({"choices": []}), "no answer"),
        ] {
            let error = read(&body, 9).error.unwrap();
            assert!(error.contains(word), "{error}");
        }
    }
}
