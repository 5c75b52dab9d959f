//! Tokens and their log-probabilities out of an answer's `logprobs`. Pure.
//!
//! Two layouts: `content: [{token, bytes, logprob, top_logprobs: [...]}]` (chat everywhere; llama.cpp's server for
//! completions too) and `tokens`, `token_logprobs`, `top_logprobs: [{token: logprob}]` (completions of OpenAI, vLLM, SGLang).
//!
//! Read in the engines: vLLM (entrypoints/openai/serving_completion.py) bounds values at -9999 and has null for a token without
//! one; SGLang (entrypoints/openai/utils.py and serving_chat.py) has -1 for every offset, and for bytes those of the decoded
//! text, so that tokens which are half of a character all are U+FFFD there: they are not told apart. In columns, alternatives
//! of equal text are one.

use contracts::Finite;
use contracts::quality_gate::agreement::{Alternative, TokenLogprob};
use serde_json::Value;

/// What vLLM writes for minus infinity, which JSON does not have.
const NEVER: f64 = -9999.0;
/// Most alternatives that are kept of a place.
const MOST_TOP: usize = 20;

/// The tokens of a choice; `None` where it says none.
pub fn tokens(choice: &Value, most: usize) -> Option<Vec<TokenLogprob>> {
    let logprobs = choice.get("logprobs")?;
    let tokens = match logprobs.get("content").and_then(Value::as_array) {
        Some(content) => content.iter().take(most).map(listed).collect(),
        None => columns(logprobs, most),
    };
    tokens.filter(|tokens: &Vec<TokenLogprob>| !tokens.is_empty())
}

fn listed(entry: &Value) -> Option<TokenLogprob> {
    let top = entry.get("top_logprobs").and_then(Value::as_array);
    let top = top.map(Vec::as_slice).unwrap_or_default().iter().take(MOST_TOP);
    Some(TokenLogprob {
        token: token(entry)?,
        logprob: logprob(entry.get("logprob")),
        top: top
            .filter_map(|entry| {
                Some(Alternative {
                    token: token(entry)?,
                    logprob: logprob(entry.get("logprob"))?,
                })
            })
            .collect(),
    })
}

fn columns(logprobs: &Value, most: usize) -> Option<Vec<TokenLogprob>> {
    let tokens = logprobs.get("tokens")?.as_array()?;
    let values = logprobs.get("token_logprobs")?.as_array()?;
    let tops = logprobs.get("top_logprobs").and_then(Value::as_array);
    let one = |(at, token): (usize, &Value)| {
        let top = tops.and_then(|tops| tops.get(at)).and_then(Value::as_object);
        let top = top.into_iter().flatten().take(MOST_TOP);
        Some(TokenLogprob {
            token: spelled(token.as_str()?.as_bytes()),
            logprob: logprob(values.get(at)),
            top: top
                .filter_map(|(token, value)| {
                    Some(Alternative {
                        token: spelled(token.as_bytes()),
                        logprob: logprob(Some(value))?,
                    })
                })
                .collect(),
        })
    };
    tokens.iter().take(most).enumerate().map(one).collect()
}

/// By its bytes where the server gives them: half of a character is no text.
fn token(entry: &Value) -> Option<String> {
    let bytes = entry.get("bytes").and_then(Value::as_array);
    let bytes: Option<Vec<u8>> = bytes.and_then(|bytes| {
        let byte = |byte: &Value| byte.as_u64().and_then(|byte| u8::try_from(byte).ok());
        bytes.iter().map(byte).collect()
    });
    let text = entry.get("token")?.as_str()?;
    // A special token has a name and no bytes.
    let bytes = bytes.filter(|bytes| !bytes.is_empty());
    Some(spelled(bytes.as_deref().unwrap_or(text.as_bytes())))
}

fn logprob(value: Option<&Value>) -> Option<Finite> {
    let value = value?.as_f64().filter(|value| *value > NEVER)?;
    // Rounding can put a certain token above 0.
    Finite::new(value.min(0.0))
}

/// A text without control characters, so that equal texts have equal spellings and different ones different ones.
pub fn spelled(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' | '\t' => out.push(c),
                '\\' => out.push_str("\\\\"),
                c if c.is_control() || contracts::text::is_invisible(c) => out.extend(c.escape_unicode()),
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_engines_leave_out_is_unknown_and_not_zero() {
        // vLLM without a value, SGLang with its offsets and without alternatives.
        let vllm = json!({"logprobs": {"text_offset": [0, 2], "tokens": ["a", " b"], "token_logprobs": [null, -0.25],
            "top_logprobs": [null, {" b": -0.25}]}});
        let vllm = tokens(&vllm, 9).unwrap();
        assert_eq!(
            (vllm[0].logprob, vllm[0].top.len(), vllm[1].top.len()),
            (None, 0, 1)
        );
        let sglang = json!({"logprobs": {"text_offset": [-1], "tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": []}});
        let sglang = tokens(&sglang, 9).unwrap();
        assert_eq!((sglang[0].logprob, sglang[0].top.len()), (Finite::new(-0.5), 0));
    }

    #[test]
    fn both_layouts_give_the_same_tokens() {
        let content = json!({"logprobs": {"content": [
            {"token": " in", "bytes": [32, 105, 110], "logprob": -0.5, "top_logprobs": [
                {"token": " in", "bytes": [32, 105, 110], "logprob": -0.5},
                {"token": " at", "bytes": [32, 97, 116], "logprob": -2.0}]},
            {"token": "\u{fffd}", "bytes": [230], "logprob": -9999.0, "top_logprobs": []}]}});
        let columns = json!({"logprobs": {"tokens": [" in"], "token_logprobs": [-0.5], "text_offset": [0],
            "top_logprobs": [{" at": -2.0, " in": -0.5}]}});
        let content = tokens(&content, 9).unwrap();
        let columns = tokens(&columns, 9).unwrap();
        assert_eq!(
            (&content[0].token, content[0].logprob),
            (&columns[0].token, columns[0].logprob)
        );
        assert_eq!(content[0].top.len(), 2);
        assert!(content[0].top.iter().all(|one| columns[0].top.contains(one)));
        assert_eq!((content[1].token.as_str(), content[1].logprob), ("\\xE6", None));
    }

    #[test]
    fn what_says_no_tokens_has_none() {
        for choice in [
            json!({}),
            json!({"logprobs": null}),
            json!({"logprobs": {"content": []}}),
            json!({"logprobs": {"content": [{"logprob": -1}]}}),
            json!({"logprobs": {"tokens": ["a"]}}),
        ] {
            assert_eq!(tokens(&choice, 9), None, "{choice}");
        }
    }

    proptest! {
        #[test]
        fn different_bytes_have_different_spellings(a in prop::collection::vec(any::<u8>(), 0..12),
            b in prop::collection::vec(any::<u8>(), 0..12))
        {
            prop_assert_eq!(spelled(&a) == spelled(&b), a == b);
            prop_assert!(spelled(&a).chars().all(|c| !c.is_control() || c == '\n' || c == '\t'));
        }
    }
}
