//! The fast path: most events of a stream differ from the one before in one string only.
//!
//! ```text
//! {"id":"c1","choices":[{"index":0,"delta":{"content":" the"},"finish_reason":null}],"usage":null}
//! |------------------- head ------------------------| body |-------------------- tail -----------|
//! ```
//! An event whose head and tail equal those of an event that was parsed, and whose body is a non-empty JSON string
//! body without an unescaped quote, has the same structure and says the same: one plain token. Nothing else differs,
//! so there is nothing to parse.

use std::borrow::Cow;

use crate::chunk::Chunk;

/// Head and tail of the last plain token event.
#[derive(Debug, Default)]
pub struct Template {
    head: Vec<u8>,
    tail: Vec<u8>,
    is_answer: bool,
}

/// What a matched event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainToken {
    /// Whether its text is answer text, as opposed to reasoning.
    pub is_answer: bool,
}

impl Template {
    /// Whether `data` is a plain token like the last one that was learned.
    pub fn matches(&self, data: &[u8]) -> Option<PlainToken> {
        if self.head.is_empty() {
            return None;
        }
        let body = data
            .strip_prefix(self.head.as_slice())?
            .strip_suffix(self.tail.as_slice())?;
        (!body.is_empty() && is_string_body(body)).then_some(PlainToken {
            is_answer: self.is_answer,
        })
    }

    /// Learns from an event that was parsed in full; only an event with one piece of token text and nothing else
    /// that counts is a template.
    pub fn learn(&mut self, data: &[u8], chunk: &Chunk<'_>) {
        let [Cow::Borrowed(text)] = chunk.text.parts() else {
            return;
        };
        let is_plain = chunk.finish_reason.is_none()
            && chunk.usage.is_none()
            && chunk.error.is_none()
            && chunk.timings.is_none();
        if !is_plain {
            return;
        }
        // The text is borrowed from `data`, so the distance of the two starts is its place.
        let Some(start) = (text.as_ptr() as usize).checked_sub(data.as_ptr() as usize) else {
            return;
        };
        let (Some(head), Some(tail)) = (data.get(..start), data.get(start + text.len()..)) else {
            return;
        };
        if head.last() != Some(&b'"') || tail.first() != Some(&b'"') {
            return;
        }
        self.head.clear();
        self.head.extend_from_slice(head);
        self.tail.clear();
        self.tail.extend_from_slice(tail);
        self.is_answer = chunk.text.has_answer();
    }
}

/// Whether the bytes may stand between two quotes of a JSON document and mean a non-empty string. `\u` escapes are
/// left to the parser: surrogates come in pairs.
fn is_string_body(body: &[u8]) -> bool {
    let mut bytes = body.iter();
    let mut is_ascii = true;
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' | 0..=0x1f => return false,
            b'\\' => match bytes.next() {
                Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                _ => return false,
            },
            0x80.. => is_ascii = false,
            _ => {}
        }
    }
    is_ascii || std::str::from_utf8(body).is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chunk;

    fn learned(data: &[u8]) -> Template {
        let mut template = Template::default();
        template.learn(data, &chunk::read(data).unwrap());
        template
    }

    #[test]
    fn the_same_event_with_another_token_matches() {
        let template = learned(br#"{"id":"a","choices":[{"delta":{"content":"x"},"finish_reason":null}]}"#);
        let token = |body: &str| {
            let json = format!(
                r#"{{"id":"a","choices":[{{"delta":{{"content":"{body}"}},"finish_reason":null}}]}}"#
            );
            template.matches(json.as_bytes()).is_some()
        };
        assert!(token(" the"));
        assert!(token("\\n"));
        assert!(token("é"));
        assert!(!token(""), "an empty delta is no token");
        assert!(!token("\\"), "the quote after it is escaped");
        assert!(!token("a\",\"role\":\"b"), "a second field may be anything");
        assert!(
            !token("\\ud83d"),
            "half a surrogate pair is for the parser to refuse"
        );
    }

    #[test]
    fn only_plain_tokens_are_learned() {
        for json in [
            r#"{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"#,
            r#"{"choices":[{"delta":{"content":"x"}}],"usage":{"completion_tokens":1}}"#,
            r#"{"choices":[{"delta":{"content":"x","reasoning":"y"}}]}"#,
            r#"{"choices":[{"delta":{"content":"\n"}}]}"#,
            r#"{"choices":[{"delta":{"content":""}}]}"#,
        ] {
            assert!(
                learned(json.as_bytes()).matches(json.as_bytes()).is_none(),
                "{json}"
            );
        }
    }

    /// String bodies with what may go wrong in them.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"a".to_vec()),
            Just(b"\"".to_vec()),
            Just(b"\\".to_vec()),
            Just(b"\\\"".to_vec()),
            Just(b"\\n".to_vec()),
            Just(b"\\u00e9".to_vec()),
            Just(b"\\ud83d\\ude00".to_vec()),
            Just("é".as_bytes().to_vec()),
            Just(vec![0xc3]),
            Just(vec![0x0a]),
            Just(b"\"},\"finish_reason\":\"stop".to_vec()),
            Just(b"\",\"x\":\"".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..3),
        ];
        proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
    }

    const SHAPES: [(&str, &str); 5] = [
        (
            r#"{"id":"a","choices":[{"delta":{"content":""#,
            r#""},"finish_reason":null}],"usage":null}"#,
        ),
        (
            r#"{"choices":[{"delta":{"role":"assistant","reasoning_content":""#,
            r#""}}]}"#,
        ),
        (
            r#"{"choices":[{"delta":{"reasoning":""#,
            r#"","content":null}}]}"#,
        ),
        (r#"{"choices":[{"text":""#, r#"","logprobs":null}]}"#),
        (
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":""#,
            r#""}}]}}]}"#,
        ),
    ];

    proptest! {
        #[test]
        fn the_fast_path_says_what_the_parser_says(first in body(), second in body(), shape in 0usize..5, other in 0usize..5) {
            let event = |shape: usize, body: &[u8]| {
                let (head, tail) = SHAPES[shape];
                [head.as_bytes(), body, tail.as_bytes()].concat()
            };
            let (taught, asked) = (event(shape, &first), event(other, &second));
            let mut template = Template::default();
            if let Ok(chunk) = chunk::read(&taught) {
                template.learn(&taught, &chunk);
            }
            if let Some(token) = template.matches(&asked) {
                let chunk = chunk::read(&asked).expect("a match is valid JSON");
                prop_assert!(!chunk.text.is_empty());
                prop_assert_eq!(chunk.text.parts().len(), 1);
                prop_assert_eq!(chunk.text.has_answer(), token.is_answer);
                prop_assert!(chunk.finish_reason.is_none() && chunk.usage.is_none());
                prop_assert!(chunk.error.is_none() && chunk.timings.is_none());
            } else if shape == other && !second.contains(&b'\\') {
                // The other way round: whoever is not matched after a plain token was not one, escapes aside.
                if let (Ok(before), Ok(chunk)) = (chunk::read(&taught), chunk::read(&asked)) {
                    let was_plain = matches!(before.text.parts(), [Cow::Borrowed(_)]) && before.finish_reason.is_none();
                    let is_plain = matches!(chunk.text.parts(), [Cow::Borrowed(text)] if text.as_bytes() == second)
                        && chunk.finish_reason.is_none();
                    prop_assert!(!(was_plain && is_plain && !first.contains(&b'"')));
                }
            }
        }
    }
}
