//! One question, one whole answer. An answer that was cut, that reached its limit, or that says an error in its body is a
//! failure, never a wrong answer.

use std::time::{Duration, Instant};

use contracts::quality_gate::result::{Api, Settings};
use contracts::text::{FOREIGN_TEXT_CAP, clean};
use engine_client::{Endpoint, Headers, post_json};
use serde_json::{Value, json};

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
        let path = match self.settings.api {
            Api::Chat => {
                body["messages"] = json!([{"role": "user", "content": prompt}]);
                "/v1/chat/completions"
            }
            Api::Completions => {
                body["prompt"] = prompt.into();
                "/v1/completions"
            }
        };
        let start = Instant::now();
        let answered = post_json(&self.endpoint, &self.headers, path, &body, self.timeout).await;
        let seconds = start.elapsed().as_secs_f64();
        match answered {
            Ok(json) => Reply {
                seconds,
                ..read(&json)
            },
            Err(error) => Reply {
                seconds,
                error: Some(clean(&error.to_string(), FOREIGN_TEXT_CAP)),
                ..Reply::default()
            },
        }
    }
}

fn read(json: &Value) -> Reply {
    let text_at = |pointer: &str| json.pointer(pointer).and_then(Value::as_str);
    let count_at = |pointer: &str| json.pointer(pointer).and_then(Value::as_u64);
    let text = text_at("/choices/0/message/content").or_else(|| text_at("/choices/0/text"));
    let finish_reason = text_at("/choices/0/finish_reason").map(|reason| clean(reason, 40));
    let said = json.get("error").filter(|error| !error.is_null());
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
        assert_eq!(read(&whole).error, None);
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
            let error = read(&body).error.unwrap();
            assert!(error.contains(word), "{error}");
        }
    }
}
