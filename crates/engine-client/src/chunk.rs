//! What one event of the stream says: token text, the reason it finished, usage, an error. Borrowed and lenient.

use contracts::Finite;
use contracts::serve_bench::record::ServerTimings;
use serde::Deserialize;
use serde_json::Value;

use crate::lenient::{Count, Number, Text};

/// The facts of one event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunk<'a> {
    /// The token text it carries, in the order of its fields; empty when there is none.
    pub text: TokenText<'a>,
    /// `finish_reason` of the first choice that has one.
    pub finish_reason: Option<String>,
    /// Token usage.
    pub usage: Option<Usage>,
    /// The text of an error object.
    pub error: Option<String>,
    /// llama.cpp's own timings.
    pub timings: Option<ServerTimings>,
}

/// The token text of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenText<'a> {
    parts: Vec<std::borrow::Cow<'a, str>>,
    has_answer: bool,
}

impl<'a> TokenText<'a> {
    /// Whether the event carries no token.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether any of it is answer text or a tool call, as opposed to reasoning.
    pub fn has_answer(&self) -> bool {
        self.has_answer
    }

    /// The non-empty pieces.
    pub fn parts(&self) -> &[std::borrow::Cow<'a, str>] {
        &self.parts
    }

    fn add(&mut self, text: Text<'a>, is_answer: bool) {
        if !text.is_empty() {
            self.parts.push(text.0);
            self.has_answer |= is_answer;
        }
    }
}

/// Token counts as the server reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Prompt tokens.
    pub input_tokens: Option<u64>,
    /// Generated tokens.
    pub output_tokens: Option<u64>,
    /// Prompt tokens read from a prefix cache.
    pub cached_tokens: Option<u64>,
    /// Generated tokens that are reasoning.
    pub reasoning_tokens: Option<u64>,
}

/// Reads one event's data, or the body of an answer that is not a stream.
///
/// # Errors
/// When the data is not a JSON object.
pub fn read(data: &[u8]) -> Result<Chunk<'_>, serde_json::Error> {
    let wire: WireChunk<'_> = serde_json::from_slice(data)?;
    let mut chunk = Chunk::default();
    let mut usage = wire.usage;
    for choice in wire.choices.unwrap_or_default() {
        if chunk.finish_reason.is_none()
            && let Some(reason) = choice.finish_reason
            && !reason.is_empty()
        {
            chunk.finish_reason = Some(reason.0.into_owned());
        }
        usage = usage.or(choice.usage);
        chunk.text.add(choice.text.unwrap_or_default(), true);
        // `message` is what an answer without streaming has.
        for delta in [choice.delta, choice.message].into_iter().flatten() {
            delta.add_to(&mut chunk.text);
        }
    }
    chunk.usage = usage.map(Usage::from);
    chunk.timings = wire.timings.map(ServerTimings::from);
    chunk.error = match wire.error {
        Some(Value::Null | Value::Bool(false)) | None => None,
        Some(error) => Some(error_text(&error)),
    };
    if chunk.error.is_none() && wire.object.is_some_and(|object| object.0 == "error") {
        chunk.error = Some(wire.message.unwrap_or_default().0.into_owned());
    }
    Ok(chunk)
}

/// The text of an error answer: `error.message`, `message`, `detail`, or the whole body.
pub fn error_body_text(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return String::from_utf8_lossy(body).into_owned();
    };
    match value.get("error") {
        Some(Value::Null) | None => error_text(&value),
        Some(error) => error_text(error),
    }
}

fn error_text(error: &Value) -> String {
    let message = ["message", "detail", "error"]
        .iter()
        .find_map(|key| error.get(key));
    match message.unwrap_or(error) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[derive(Deserialize)]
struct WireChunk<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<WireChoice<'a>>>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(borrow, default)]
    object: Option<Text<'a>>,
    #[serde(borrow, default)]
    message: Option<Text<'a>>,
    #[serde(default)]
    timings: Option<WireTimings>,
}

#[derive(Deserialize)]
struct WireChoice<'a> {
    #[serde(borrow, default)]
    delta: Option<WireDelta<'a>>,
    #[serde(borrow, default)]
    message: Option<WireDelta<'a>>,
    #[serde(borrow, default)]
    text: Option<Text<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Text<'a>>,
    // Some servers report usage inside the choice.
    #[serde(default)]
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct WireDelta<'a> {
    #[serde(borrow, default)]
    content: Option<Text<'a>>,
    #[serde(borrow, default)]
    reasoning_content: Option<Text<'a>>,
    // vLLM renamed `reasoning_content` to this in 0.23; OpenRouter uses it too.
    #[serde(borrow, default)]
    reasoning: Option<Text<'a>>,
    #[serde(borrow, default)]
    refusal: Option<Text<'a>>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<WireToolCall<'a>>>,
    #[serde(borrow, default)]
    function_call: Option<WireFunction<'a>>,
}

impl<'a> WireDelta<'a> {
    fn add_to(self, text: &mut TokenText<'a>) {
        let reasoning = self.reasoning_content.unwrap_or_default();
        if reasoning.is_empty() {
            text.add(self.reasoning.unwrap_or_default(), false);
        } else {
            // Servers in transition send both names with the same text; it counts once.
            text.add(reasoning, false);
        }
        text.add(self.content.unwrap_or_default(), true);
        text.add(self.refusal.unwrap_or_default(), true);
        let calls = self
            .tool_calls
            .unwrap_or_default()
            .into_iter()
            .filter_map(|call| call.function);
        for function in calls.chain(self.function_call) {
            text.add(function.name.unwrap_or_default(), true);
            text.add(function.arguments.unwrap_or_default(), true);
        }
    }
}

#[derive(Deserialize)]
struct WireToolCall<'a> {
    #[serde(borrow, default)]
    function: Option<WireFunction<'a>>,
}

#[derive(Deserialize)]
struct WireFunction<'a> {
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    arguments: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: Count,
    #[serde(default)]
    completion_tokens: Count,
    #[serde(default)]
    reasoning_tokens: Count,
    #[serde(default)]
    prompt_tokens_details: Option<WirePromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<WireCompletionDetails>,
}

#[derive(Deserialize)]
struct WirePromptDetails {
    #[serde(default)]
    cached_tokens: Count,
}

#[derive(Deserialize)]
struct WireCompletionDetails {
    #[serde(default)]
    reasoning_tokens: Count,
}

impl From<WireUsage> for Usage {
    fn from(wire: WireUsage) -> Usage {
        let details = wire
            .completion_tokens_details
            .and_then(|details| details.reasoning_tokens.0);
        Usage {
            input_tokens: wire.prompt_tokens.0,
            output_tokens: wire.completion_tokens.0,
            cached_tokens: wire
                .prompt_tokens_details
                .and_then(|details| details.cached_tokens.0),
            // SGLang reports it beside `completion_tokens`.
            reasoning_tokens: details.or(wire.reasoning_tokens.0),
        }
    }
}

#[derive(Deserialize)]
struct WireTimings {
    #[serde(default)]
    prompt_n: Count,
    #[serde(default)]
    prompt_ms: Number,
    #[serde(default)]
    predicted_n: Count,
    #[serde(default)]
    predicted_ms: Number,
    #[serde(default)]
    cache_n: Count,
}

impl From<WireTimings> for ServerTimings {
    fn from(wire: WireTimings) -> ServerTimings {
        ServerTimings {
            prompt_tokens: wire.prompt_n.0,
            prompt_ms: wire.prompt_ms.0.and_then(Finite::new),
            predicted_tokens: wire.predicted_n.0,
            predicted_ms: wire.predicted_ms.0.and_then(Finite::new),
            cached_tokens: wire.cache_n.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunk(json: &str) -> Chunk<'_> {
        read(json.as_bytes()).unwrap()
    }

    #[test]
    fn role_only_and_empty_content_are_no_token() {
        assert!(
            chunk(r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#)
                .text
                .is_empty()
        );
        assert!(
            chunk(r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#)
                .text
                .is_empty()
        );
        assert!(chunk(r#"{"choices":[]}"#).text.is_empty());
        assert!(chunk(r#"{"choices":null}"#).text.is_empty());
    }

    #[test]
    fn reasoning_under_both_names_is_a_token_but_no_answer() {
        for name in ["reasoning", "reasoning_content"] {
            let json = format!(r#"{{"choices":[{{"delta":{{"{name}":"hm"}}}}]}}"#);
            let chunk = chunk(&json);
            assert!(!chunk.text.is_empty() && !chunk.text.has_answer(), "{name}");
        }
        let both = chunk(r#"{"choices":[{"delta":{"reasoning":"hm","reasoning_content":"hm"}}]}"#);
        assert_eq!(both.text.parts(), ["hm"]);
    }

    #[test]
    fn tool_calls_and_completions_text_are_answers() {
        let json = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"a"}}]}}]}"#;
        assert!(chunk(json).text.has_answer());
        let empty = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":""}}]}}]}"#;
        assert!(chunk(empty).text.is_empty());
        assert!(chunk(r#"{"choices":[{"text":" a"}]}"#).text.has_answer());
    }

    #[test]
    fn usage_stands_with_or_without_choices() {
        let json = r#"{"choices":[{"delta":{"content":"x"},"finish_reason":"length"}],"usage":{"prompt_tokens":5,
            "completion_tokens":9,"prompt_tokens_details":{"cached_tokens":4},
            "completion_tokens_details":{"reasoning_tokens":2}}}"#;
        let chunk_with_both = chunk(json);
        let expected = Usage {
            input_tokens: Some(5),
            output_tokens: Some(9),
            cached_tokens: Some(4),
            reasoning_tokens: Some(2),
        };
        assert_eq!(chunk_with_both.usage, Some(expected));
        assert_eq!(chunk_with_both.finish_reason.as_deref(), Some("length"));
        assert!(!chunk_with_both.text.is_empty());
        let alone = chunk(
            r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"prompt_tokens_details":null}}"#,
        );
        assert_eq!(alone.usage.unwrap().output_tokens, Some(2));
        assert_eq!(chunk(r#"{"choices":[],"usage":null}"#).usage, None);
    }

    #[test]
    fn errors_of_every_shape() {
        assert_eq!(
            chunk(r#"{"error":{"message":"out of memory","code":500}}"#)
                .error
                .unwrap(),
            "out of memory"
        );
        assert_eq!(chunk(r#"{"error":"boom"}"#).error.unwrap(), "boom");
        assert_eq!(
            chunk(r#"{"object":"error","message":"bad","code":400}"#)
                .error
                .unwrap(),
            "bad"
        );
        assert_eq!(chunk(r#"{"error":null,"choices":[]}"#).error, None);
        assert_eq!(error_body_text(br#"{"detail":"Not Found"}"#), "Not Found");
        assert_eq!(error_body_text(b"upstream"), "upstream");
    }

    #[test]
    fn timings_of_llama_cpp() {
        let json = r#"{"choices":[],"timings":{"prompt_n":10,"prompt_ms":12.5,"predicted_n":4,"predicted_ms":80.25,"cache_n":3}}"#;
        let timings = chunk(json).timings.unwrap();
        assert_eq!(timings.prompt_ms.map(Finite::get), Some(12.5));
        assert_eq!(timings.predicted_tokens, Some(4));
        assert_eq!(timings.cached_tokens, Some(3));
    }

    proptest! {
        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            let _ = error_body_text(&bytes);
        }

        #[test]
        fn any_json_in_any_place_never_panics(value in "[0-9]{1,3}|null|\"[a-z]{0,3}\"|\\[1\\]|\\{\"text\":1\\}|true|-1.5", at in 0usize..8) {
            let place = [
                r#"{"choices":[{"delta":{"content":@}}]}"#, r#"{"choices":@}"#, r#"{"usage":{"prompt_tokens":@}}"#,
                r#"{"error":@}"#, r#"{"choices":[{"finish_reason":@}]}"#, r#"{"timings":{"prompt_ms":@}}"#,
                r#"{"choices":[{"delta":@}]}"#, "@",
            ][at];
            let _ = read(place.replace('@', &value).as_bytes());
        }
    }
}
