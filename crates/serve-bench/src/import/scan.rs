//! The JSON that Python writes: one or more documents in a row, with `NaN` and `Infinity` where numbers have none.

use std::borrow::Cow;

use serde_json::Value;

use super::error::ImportError;

/// Most documents of one file.
const MAX_DOCUMENTS: usize = 1000;

/// All documents of a file.
pub(super) fn documents(bytes: &[u8]) -> Result<Vec<Value>, ImportError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let cleaned = without_non_finite(bytes);
    let mut all = Vec::new();
    for value in serde_json::Deserializer::from_slice(&cleaned).into_iter::<Value>() {
        if all.len() == MAX_DOCUMENTS {
            return Err(ImportError::TooMany { most: MAX_DOCUMENTS });
        }
        let document = all.len() + 1;
        all.push(value.map_err(|error| {
            if error.is_eof() {
                ImportError::Truncated { document }
            } else {
                ImportError::NotJson {
                    document,
                    reason: contracts::text::clean(&error.to_string(), 200),
                }
            }
        })?);
    }
    if all.is_empty() {
        return Err(ImportError::Empty);
    }
    Ok(all)
}

/// Puts `null` where Python's `json` writes a number that JSON does not have. Strings stay as they are.
fn without_non_finite(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut out: Option<Vec<u8>> = None;
    let mut copied = 0;
    let mut at = 0;
    let mut in_string = false;
    while at < bytes.len() {
        let rest = &bytes[at..];
        match bytes[at] {
            b'"' => in_string = !in_string,
            b'\\' if in_string => at += 1,
            b'N' | b'I' | b'-' if !in_string => {
                let word = [&b"NaN"[..], b"Infinity", b"-Infinity"]
                    .into_iter()
                    .find(|word| rest.starts_with(word));
                if let Some(word) = word {
                    let out = out.get_or_insert_default();
                    out.extend_from_slice(&bytes[copied..at]);
                    out.extend_from_slice(b"null");
                    at += word.len();
                    copied = at;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    match out {
        None => Cow::Borrowed(bytes),
        Some(mut out) => {
            out.extend_from_slice(&bytes[copied..]);
            Cow::Owned(out)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn python_numbers_become_null_and_strings_stay() {
        let text = br#"{"a": Infinity, "b": -Infinity, "c": [NaN, -1], "NaN \" NaN": "Infinity"}"#;
        assert_eq!(
            documents(text).unwrap(),
            [json!({"a": null, "b": null, "c": [null, -1], "NaN \" NaN": "Infinity"})]
        );
    }

    #[test]
    fn documents_follow_each_other_with_or_without_line_feeds() {
        assert_eq!(documents(b"\xef\xbb\xbf{}{\"a\":1}\n\n[2]\n").unwrap().len(), 3);
    }

    #[test]
    fn more_documents_than_are_read_are_refused() {
        assert_eq!(
            documents(&b"{}\n".repeat(MAX_DOCUMENTS)).unwrap().len(),
            MAX_DOCUMENTS
        );
        let error = documents(&b"{}\n".repeat(MAX_DOCUMENTS + 1)).unwrap_err();
        assert!(matches!(error, ImportError::TooMany { .. }), "{error}");
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = documents(&bytes);
        }

        #[test]
        fn json_means_the_same_afterwards(key in "\\PC{0,20}", text in "\\PC{0,40}", number in any::<i64>()) {
            let value = json!({key: [text, number, null, {"Infinity": "NaN"}]});
            prop_assert_eq!(documents(value.to_string().as_bytes()).unwrap(), [value]);
        }
    }
}
