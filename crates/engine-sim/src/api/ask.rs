//! What one generation request asks for, read leniently: unknown fields are somebody else's.

use serde::Deserialize;
use serde_json::Value;

use super::ApiError;

/// Most tokens one answer may have.
const TOKENS_CAP: u64 = 1 << 22;

/// One generation request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ask {
    /// True for `/v1/chat/completions`.
    pub(crate) chat: bool,
    /// The model name as sent; `None` leaves the choice to the server.
    pub(crate) model: Option<String>,
    /// One number per word, or the token ids that were sent.
    pub(crate) prompt: Vec<u32>,
    /// Most tokens to generate.
    pub(crate) max_tokens: Option<u32>,
    /// Answer in events.
    pub(crate) stream: bool,
    /// Usage in a chunk of its own at the end.
    pub(crate) include_usage: bool,
    /// Usage on every chunk (vLLM's `continuous_usage_stats`).
    pub(crate) continuous_usage: bool,
    /// Go on to `max_tokens` whatever the model says.
    pub(crate) ignore_eos: bool,
}

#[derive(Deserialize)]
struct Body {
    model: Option<String>,
    #[serde(default)]
    messages: Option<Vec<Value>>,
    #[serde(default)]
    prompt: Option<Value>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    ignore_eos: Option<bool>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
    continuous_usage_stats: Option<bool>,
}

/// Reads the body of a generation request.
///
/// # Errors
/// A body that is not such a request, in the words of the API.
pub(crate) fn parse_ask(chat: bool, body: &[u8]) -> Result<Ask, ApiError> {
    let body: Body = serde_json::from_slice(body).map_err(|error| ApiError::Invalid {
        message: error.to_string(),
    })?;
    let invalid = |message: &str| ApiError::Invalid {
        message: message.to_owned(),
    };
    let mut prompt = Vec::new();
    if chat {
        let messages = body.messages.ok_or_else(|| invalid("`messages` is missing"))?;
        if messages.is_empty() {
            return Err(invalid("`messages` is empty"));
        }
        for message in &messages {
            tokens_of(message.get("content").unwrap_or(&Value::Null), &mut prompt);
        }
    } else {
        tokens_of(
            &body.prompt.ok_or_else(|| invalid("`prompt` is missing"))?,
            &mut prompt,
        );
    }
    let asked = body.max_completion_tokens.or(body.max_tokens);
    let max_tokens = match asked {
        None => None,
        Some(tokens) if tokens < 1 => return Err(ApiError::MaxTokens { got: tokens }),
        Some(tokens) => Some(u32::try_from((tokens as u64).min(TOKENS_CAP)).unwrap_or(u32::MAX)),
    };
    let options = body.stream_options.unwrap_or(StreamOptions {
        include_usage: None,
        continuous_usage_stats: None,
    });
    Ok(Ask {
        chat,
        model: body.model,
        prompt,
        max_tokens,
        stream: body.stream.unwrap_or(false),
        include_usage: options.include_usage.unwrap_or(false),
        continuous_usage: options.continuous_usage_stats.unwrap_or(false),
        ignore_eos: body.ignore_eos.unwrap_or(false),
    })
}

/// Text counts one token a word, a number is a token id, lists and content parts hold either.
fn tokens_of(value: &Value, tokens: &mut Vec<u32>) {
    match value {
        Value::String(text) => tokens.extend(text.split_ascii_whitespace().map(word_id)),
        Value::Number(number) => tokens.push(number.as_u64().unwrap_or(0) as u32),
        Value::Array(items) => items.iter().for_each(|item| tokens_of(item, tokens)),
        Value::Object(part) => tokens_of(part.get("text").unwrap_or(&Value::Null), tokens),
        Value::Null | Value::Bool(_) => {}
    }
}

/// FNV-1a: equal words are equal tokens, which is all that a prefix cache looks at.
pub(crate) fn word_id(word: &str) -> u32 {
    word.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_both_endpoints() {
        let chat = parse_ask(
            true,
            br#"{"model":"m","messages":[{"role":"system","content":"a b"},{"role":"user","content":
            [{"type":"text","text":"c a"}]}],"max_tokens":9,"max_completion_tokens":7,"stream":true,
            "stream_options":{"include_usage":true},"ignore_eos":true,"seed":1}"#,
        )
        .unwrap();
        assert_eq!(chat.prompt.len(), 4);
        assert_eq!(chat.prompt[0], chat.prompt[3]);
        assert_eq!(chat.max_tokens, Some(7));
        assert!(chat.stream && chat.include_usage && chat.ignore_eos && !chat.continuous_usage);
        let text = parse_ask(false, br#"{"prompt":[5,6,7],"max_tokens":3}"#).unwrap();
        assert_eq!(
            (text.prompt, text.model, text.stream),
            (vec![5, 6, 7], None, false)
        );
    }

    #[test]
    fn refuses_what_no_engine_takes() {
        assert!(matches!(parse_ask(true, b"{}"), Err(ApiError::Invalid { .. })));
        assert!(matches!(
            parse_ask(true, br#"{"messages":[]}"#),
            Err(ApiError::Invalid { .. })
        ));
        assert!(matches!(
            parse_ask(false, br#"{"prompt":"a","max_tokens":0}"#),
            Err(ApiError::MaxTokens { got: 0 })
        ));
    }

    proptest! {
        #[test]
        fn any_body_ends_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..300), chat: bool) {
            let _ = parse_ask(chat, &body);
        }
    }
}
