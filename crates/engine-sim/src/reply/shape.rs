//! The events of one answer as bytes: the same order and fields as vLLM's server sends, and each defect a script can
//! ask for.

use std::io::Write;

use contracts::engine_sim::{Ending, Identity, KeepAlive, LineEnd, ReasoningField, RoleChunk, Split, Usage};
use serde_json::{Value, json};

use super::text::push_token;
use super::{Plan, Said};
use crate::api::error_object;

/// Writes the events of one answer, one after the other.
#[derive(Debug)]
pub(crate) struct Shape {
    chat: bool,
    wide: bool,
    identity: Identity,
    /// `data: {"id":…,"choices":[{"index":0,` as it begins every event with a choice.
    opening: Vec<u8>,
    id: String,
    created: u64,
    model: String,
    sent: u32,
    role_sent: bool,
    /// What is said in place of the words that mean nothing.
    said: Option<Said>,
}

impl Shape {
    /// The events of the answer to request `number`.
    pub(crate) fn new(
        chat: bool,
        identity: Identity,
        model: &str,
        number: u64,
        created: u64,
        plan: &Plan,
    ) -> Shape {
        let id = format!("{}-{number:016x}", if chat { "chatcmpl" } else { "cmpl" });
        let object = if chat {
            "chat.completion.chunk"
        } else {
            "text_completion"
        };
        let name = Value::from(model);
        let opening = format!(
            r#"data: {{"id":"{id}","object":"{object}","created":{created},"model":{name},"choices":[{{"index":0,"#
        );
        Shape {
            chat,
            wide: matches!(plan.split, Some((Split::Utf8, _))),
            identity,
            opening: opening.into_bytes(),
            id,
            created,
            model: model.to_owned(),
            sent: 0,
            role_sent: false,
            said: None,
        }
    }

    /// The same events with these tokens.
    pub(crate) fn saying(mut self, said: Said) -> Shape {
        self.said = Some(said);
        self
    }

    /// Tokens sent so far.
    pub(crate) fn sent(&self) -> u32 {
        self.sent
    }

    /// The chunk that has only a role, once; nothing for plain completions.
    pub(crate) fn role(&mut self, plan: &Plan, out: &mut Vec<u8>) {
        if !self.chat || self.role_sent || plan.role_chunk == RoleChunk::Never {
            return;
        }
        self.role_sent = true;
        out.extend_from_slice(&self.opening);
        out.extend_from_slice(
            br#""delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]"#,
        );
        self.close(plan, out);
    }

    /// One event with the next `count` tokens.
    pub(crate) fn tokens(&mut self, plan: &Plan, count: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.opening);
        let first = self.sent;
        self.sent += count;
        if self.chat {
            self.delta(plan, first, out);
        } else {
            out.extend_from_slice(br#""text":""#);
            self.words(first, out);
            out.push(b'"');
        }
        put(
            out,
            format_args!(r#","logprobs":{},"finish_reason":null}}]"#, self.logprobs(first)),
        );
        self.close(plan, out);
    }

    fn logprobs(&self, first: u32) -> Value {
        let said = self.said.as_ref();
        said.map_or(Value::Null, |said| {
            said.logprobs(self.chat, self.identity, first, self.sent)
        })
    }

    fn delta(&mut self, plan: &Plan, first: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(br#""delta":{"#);
        if plan.role_chunk == RoleChunk::Never && first == 0 {
            out.extend_from_slice(br#""role":"assistant","#);
        }
        if first >= plan.tool_call_from {
            self.tool_call(plan, first, out);
        } else {
            let name = match plan.reasoning_field {
                _ if first >= plan.reasoning_tokens => "content",
                ReasoningField::ReasoningContent => "reasoning_content",
                ReasoningField::Reasoning => "reasoning",
            };
            put(out, format_args!(r#""{name}":""#));
            self.words(first, out);
            out.push(b'"');
        }
        out.push(b'}');
    }

    /// The arguments of one call, `{"text": "…"}`, in as many pieces as there are events.
    fn tool_call(&self, plan: &Plan, first: u32, out: &mut Vec<u8>) {
        let opens = first == plan.tool_call_from;
        out.extend_from_slice(br#""tool_calls":[{"index":0,"#);
        if opens {
            put(
                out,
                format_args!(r#""id":"call_{}","type":"function","#, self.created),
            );
        }
        out.extend_from_slice(br#""function":{"#);
        if opens {
            out.extend_from_slice(br#""name":"look_up","arguments":"{\"text\": \""#);
        } else {
            out.extend_from_slice(br#""arguments":""#);
        }
        self.words(first, out);
        if self.sent >= plan.tokens {
            out.extend_from_slice(br#"\"}"#);
        }
        out.extend_from_slice(br#""}}]"#);
    }

    fn words(&self, first: u32, out: &mut Vec<u8>) {
        if let Some(said) = &self.said {
            let quoted = Value::from(said.text(first, self.sent)).to_string();
            out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
            return;
        }
        for index in first..self.sent {
            push_token(out, index, self.wide);
        }
    }

    /// Ends an event that carries a choice.
    fn close(&self, plan: &Plan, out: &mut Vec<u8>) {
        if plan.usage == Usage::EveryChunk {
            put(out, format_args!(r#","usage":{}"#, self.usage_object(plan)));
        }
        out.push(b'}');
        blank_line(plan, out);
    }

    /// Everything after the last token, as the ending asks for it.
    pub(crate) fn ending(&mut self, plan: &Plan, out: &mut Vec<u8>) {
        match plan.ending {
            Ending::Complete | Ending::WithoutDone => self.finish(plan, out),
            Ending::InBandError => {
                let object = error_object(
                    self.identity,
                    500,
                    "The engine failed in the middle of the answer.",
                );
                // SGLang streams the fields of an error under `error` although its error bodies are flat.
                let event = if object.get("error").is_some() {
                    object
                } else {
                    json!({"error": object})
                };
                put(out, format_args!("data: {event}"));
                blank_line(plan, out);
            }
            Ending::DoneOnly | Ending::CleanCut | Ending::Cut | Ending::Reset | Ending::Hang => {}
        }
        if matches!(
            plan.ending,
            Ending::Complete | Ending::DoneOnly | Ending::InBandError
        ) {
            out.extend_from_slice(b"data: [DONE]");
            blank_line(plan, out);
        }
    }

    fn finish(&self, plan: &Plan, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.opening);
        let empty = if self.chat {
            r#""delta":{}"#
        } else {
            r#""text":"""#
        };
        let reason = Value::from(plan.finish_reason.as_str());
        put(
            out,
            format_args!(r#"{empty},"logprobs":null,"finish_reason":{reason}}}]"#),
        );
        if plan.usage == Usage::WithFinish {
            put(out, format_args!(r#","usage":{}"#, self.usage_object(plan)));
        }
        self.close(plan, out);
        if matches!(plan.usage, Usage::WhenAsked | Usage::EveryChunk) {
            let object = if self.chat {
                "chat.completion.chunk"
            } else {
                "text_completion"
            };
            let (id, created, model) = (&self.id, self.created, Value::from(self.model.as_str()));
            let usage = self.usage_object(plan);
            put(
                out,
                format_args!(r#"data: {{"id":"{id}","object":"{object}","created":{created},"#),
            );
            put(
                out,
                format_args!(r#""model":{model},"choices":[],"usage":{usage}}}"#),
            );
            blank_line(plan, out);
        }
    }

    /// What is sent while there is no token to send.
    pub(crate) fn keep_alive(&self, plan: &Plan, kind: KeepAlive, out: &mut Vec<u8>) {
        match kind {
            KeepAlive::Nothing => {}
            KeepAlive::Comment => {
                out.extend_from_slice(b": ping");
                blank_line(plan, out);
            }
            KeepAlive::EmptyContent => {
                out.extend_from_slice(&self.opening);
                let empty = if self.chat {
                    r#""delta":{"content":""}"#
                } else {
                    r#""text":"""#
                };
                put(
                    out,
                    format_args!(r#"{empty},"logprobs":null,"finish_reason":null}}]"#),
                );
                self.close(plan, out);
            }
        }
    }

    fn usage_object(&self, plan: &Plan) -> Value {
        let (prompt, completion) = (plan.prompt_tokens, u64::from(self.sent));
        let cached = plan.cached_tokens.map(|tokens| json!({"cached_tokens": tokens}));
        let reasoning = plan.reasoning_tokens.min(self.sent);
        let details = (reasoning > 0).then(|| json!({"reasoning_tokens": reasoning}));
        json!({
            "prompt_tokens": prompt, "total_tokens": prompt + completion, "completion_tokens": completion,
            "prompt_tokens_details": cached, "completion_tokens_details": details,
        })
    }

    /// The whole answer in one body, for a request without `stream`.
    pub(crate) fn whole(&mut self, plan: &Plan) -> Value {
        self.sent = plan.tokens;
        if plan.ending == Ending::InBandError {
            return error_object(
                self.identity,
                500,
                "The engine failed in the middle of the answer.",
            );
        }
        let text = |from: u32, to: u32| {
            if let Some(said) = &self.said {
                return said.text(from, to);
            }
            let mut bytes = Vec::new();
            (from..to).for_each(|index| push_token(&mut bytes, index, self.wide));
            String::from_utf8(bytes).expect("tokens are UTF-8")
        };
        let reasoning = plan.reasoning_tokens.min(plan.tool_call_from).min(self.sent);
        let content = text(reasoning, plan.tool_call_from.min(self.sent));
        let cut = matches!(plan.ending, Ending::CleanCut | Ending::DoneOnly);
        let reason = (!cut).then_some(plan.finish_reason.as_str());
        let mut choice = json!({"index": 0, "logprobs": self.logprobs(0), "finish_reason": reason});
        if self.chat {
            let mut message = json!({"role": "assistant", "content": content});
            if reasoning > 0 {
                let name = match plan.reasoning_field {
                    ReasoningField::ReasoningContent => "reasoning_content",
                    ReasoningField::Reasoning => "reasoning",
                };
                message[name] = Value::from(text(0, reasoning));
            }
            if plan.tool_call_from < self.sent {
                let arguments = json!({"text": text(plan.tool_call_from, self.sent)}).to_string();
                message["tool_calls"] = json!([{
                    "id": format!("call_{}", self.created), "type": "function",
                    "function": {"name": "look_up", "arguments": arguments},
                }]);
            }
            choice["message"] = message;
        } else {
            choice["text"] = Value::from(content);
        }
        let usage = (plan.usage != Usage::Never).then(|| self.usage_object(plan));
        json!({
            "id": self.id, "object": if self.chat { "chat.completion" } else { "text_completion" },
            "created": self.created, "model": self.model, "choices": [choice], "usage": usage,
        })
    }
}

fn blank_line(plan: &Plan, out: &mut Vec<u8>) {
    out.extend_from_slice(match plan.line_end {
        LineEnd::Lf => b"\n\n",
        LineEnd::Crlf => b"\r\n\r\n",
    });
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a vector cannot fail");
}
