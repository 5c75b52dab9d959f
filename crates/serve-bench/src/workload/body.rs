//! Request bodies: what is frozen, and how the served model's name is put in front at send time.

use std::str::FromStr;

use bytes::Bytes;
use contracts::serve_bench::workload::WorkloadRequest;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Which API is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// `/v1/chat/completions`.
    Chat,
    /// `/v1/completions`.
    Completions,
}

impl Endpoint {
    /// The name in documents and flags.
    pub const fn name(self) -> &'static str {
        match self {
            Endpoint::Chat => "chat",
            Endpoint::Completions => "completions",
        }
    }

    /// Path below the base URL.
    pub const fn path(self) -> &'static str {
        match self {
            Endpoint::Chat => "/v1/chat/completions",
            Endpoint::Completions => "/v1/completions",
        }
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Endpoint, String> {
        match text {
            "chat" => Ok(Endpoint::Chat),
            "completions" => Ok(Endpoint::Completions),
            _ => Err(format!(
                "`{}` is neither `chat` nor `completions`",
                contracts::text::clean(text, 80)
            )),
        }
    }
}

/// The prompt of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Prompt {
    /// One text; a user message on the chat endpoint.
    Text(String),
    /// A conversation, chat only.
    Messages(Vec<Value>),
}

/// What the bodies of a scenario share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Template<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) ignore_eos: bool,
    pub(super) extra: Option<&'a Value>,
}

impl Template<'_> {
    /// The body of one request; a row's own fields come last and win.
    pub(super) fn body(
        self,
        prompt: Prompt,
        output_len: Option<u64>,
        own: Option<&Value>,
    ) -> Result<Value, String> {
        let mut body = Map::new();
        match (self.endpoint, prompt) {
            (Endpoint::Chat, Prompt::Text(text)) => {
                body.insert("messages".to_owned(), json!([{"role": "user", "content": text}]))
            }
            (Endpoint::Chat, Prompt::Messages(messages)) => {
                body.insert("messages".to_owned(), Value::Array(messages))
            }
            (Endpoint::Completions, Prompt::Text(text)) => {
                body.insert("prompt".to_owned(), Value::String(text))
            }
            (Endpoint::Completions, Prompt::Messages(_)) => {
                return Err("messages need `--endpoint chat`".to_owned());
            }
        };
        if let Some(output_len) = output_len {
            // Not `max_completion_tokens`: every engine knows this name on both endpoints, and TensorRT-LLM takes
            // the two for one field, so that both at once may be refused. `--extra-body` can change it.
            body.insert("max_tokens".to_owned(), json!(output_len));
        }
        body.insert("temperature".to_owned(), json!(0));
        if self.ignore_eos {
            body.insert("ignore_eos".to_owned(), json!(true));
        }
        body.insert("stream".to_owned(), json!(true));
        body.insert("stream_options".to_owned(), json!({"include_usage": true}));
        let mut body = Value::Object(body);
        for extra in [self.extra, own].into_iter().flatten() {
            merge(&mut body, extra);
        }
        check(&body)?;
        if self.ignore_eos && asked_output_len(&body).is_none() {
            return Err(
                "`ignore_eos` without an output length would go on to the end of the context".to_owned(),
            );
        }
        Ok(body)
    }
}

/// RFC 7396 merge patch: objects merge, null removes, everything else replaces.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Whether a body can be frozen and its stream be understood.
pub(super) fn check(body: &Value) -> Result<(), String> {
    let Value::Object(body) = body else {
        return Err("the request body is not a JSON object".to_owned());
    };
    if body.contains_key("model") {
        return Err("`model` does not belong in a frozen body: it is filled in at send time".to_owned());
    }
    if body.get("stream") != Some(&Value::Bool(true)) {
        return Err("`stream` must be true: time to first token is measured on the stream".to_owned());
    }
    if body
        .get("n")
        .is_some_and(|n| !n.is_null() && n.as_u64() != Some(1))
    {
        return Err("`n` must be 1: one stream carries one answer".to_owned());
    }
    Ok(())
}

/// Output tokens that a body asks for.
pub(super) fn asked_output_len(body: &Value) -> Option<u64> {
    ["max_tokens", "max_completion_tokens"]
        .iter()
        .find_map(|key| body.get(key)?.as_u64())
}

/// The bytes to send: the frozen body with `model` in front. Nothing else of the body is touched.
pub fn body_bytes(request: &WorkloadRequest, served_model: &str) -> Bytes {
    let model = Value::String(served_model.to_owned()).to_string();
    let body = request.body.to_string();
    let rest = body.strip_prefix('{').unwrap_or("}");
    let mut out = Vec::with_capacity(model.len() + body.len() + 16);
    out.extend_from_slice(b"{\"model\":");
    out.extend_from_slice(model.as_bytes());
    if rest != "}" {
        out.push(b',');
    }
    out.extend_from_slice(rest.as_bytes());
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(extra: Option<&Value>) -> Template<'_> {
        Template {
            endpoint: Endpoint::Chat,
            ignore_eos: true,
            extra,
        }
    }

    fn request(body: Value) -> WorkloadRequest {
        WorkloadRequest {
            scenario: "s".into(),
            index: 0,
            arrival_offset_ms: None,
            input_len: None,
            output_len: None,
            prefix_group: None,
            turn: None,
            body,
        }
    }

    #[test]
    fn a_chat_body_has_everything_an_honest_stream_needs() {
        let body = template(None)
            .body(Prompt::Text("hi".into()), Some(7), None)
            .unwrap();
        assert_eq!(
            body.to_string(),
            r#"{"messages":[{"role":"user","content":"hi"}],"max_tokens":7,"temperature":0,"ignore_eos":true,"stream":true,"stream_options":{"include_usage":true}}"#
        );
    }

    #[test]
    fn a_completions_body_has_a_prompt() {
        let template = Template {
            endpoint: Endpoint::Completions,
            ..template(None)
        };
        let body = template.body(Prompt::Text("hi".into()), Some(7), None).unwrap();
        assert_eq!(body["prompt"], "hi");
        let error = template
            .body(Prompt::Messages(vec![]), Some(7), None)
            .unwrap_err();
        assert!(error.contains("--endpoint chat"), "{error}");
    }

    #[test]
    fn extra_fields_merge_and_null_removes() {
        let extra =
            json!({"max_tokens": null, "max_completion_tokens": 9, "stream_options": {"x": 1}, "top_k": 5});
        let own = json!({"top_k": 6});
        let body = template(Some(&extra))
            .body(Prompt::Text("hi".into()), Some(7), Some(&own))
            .unwrap();
        assert!(body.get("max_tokens").is_none());
        assert_eq!(asked_output_len(&body), Some(9));
        assert_eq!(body["stream_options"], json!({"include_usage": true, "x": 1}));
        assert_eq!(body["top_k"], 6);
    }

    #[test]
    fn bodies_that_cannot_be_measured_are_refused() {
        for (extra, named) in [
            (json!({"model": "m"}), "model"),
            (json!({"stream": false}), "stream"),
            (json!({"n": 2}), "`n`"),
            (json!([]), "JSON object"),
            (json!({"max_tokens": null}), "ignore_eos"),
        ] {
            let error = template(Some(&extra))
                .body(Prompt::Text("hi".into()), Some(7), None)
                .unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }

    #[test]
    fn the_model_is_spliced_in_front_and_nothing_else_changes() {
        let text = r#"{"messages":[],"temperature":0.10000000149011612,"z":1e-7,"a":[1.0,2]}"#;
        let request = request(serde_json::from_str(text).unwrap());
        let bytes = body_bytes(&request, "a \"b\"\n\\");
        assert_eq!(
            std::str::from_utf8(&bytes).unwrap(),
            format!("{{\"model\":\"a \\\"b\\\"\\n\\\\\",{}", &text[1..])
        );
    }

    #[test]
    fn an_empty_body_stays_json() {
        let bytes = body_bytes(&request(json!({})), "m");
        assert_eq!(&bytes[..], br#"{"model":"m"}"#);
    }
}
