//! What two messages have in common when only their numbers and ids differ.

/// Longest shape, bytes.
const CAP: usize = 160;

/// The message with every word that holds a digit, and every long hexadecimal word, as `#`.
pub(crate) fn shape(message: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in message.chars() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        push(&mut out, &word);
        word.clear();
        // Runs of numbers (`10.0.0.1:5000`, uuids) are one.
        if !(out.ends_with('#') && matches!(c, '.' | ':' | '-' | ',')) {
            out.push(c);
        }
        if out.len() >= CAP {
            break;
        }
    }
    push(&mut out, &word);
    contracts::text::clean(out.trim_end_matches(['.', ':', ',', ' ']), CAP)
}

fn push(out: &mut String, word: &str) {
    let is_hex = word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if word.bytes().any(|byte| byte.is_ascii_digit()) || is_hex {
        if !out.ends_with('#') {
            out.push('#');
        }
    } else {
        out.push_str(word);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_ids_are_taken_out() {
        for (message, expected) in [
            ("Request 17 from 10.0.0.1:5000 failed", "Request # from # failed"),
            ("id ba42cedf-7ce8-484f-b5df-733c37e00e7d gone.", "id # gone"),
            ("chatcmpl-1f3a: KeyError: 'x'", "chatcmpl-# KeyError: 'x'"),
            (
                "CUDA out of memory. Tried to allocate 2.50 GiB.",
                "CUDA out of memory. Tried to allocate # GiB",
            ),
            ("", ""),
        ] {
            assert_eq!(shape(message), expected);
        }
    }

    proptest! {
        #[test]
        fn shapes_are_short_clean_and_without_digits(message in ".{0,300}") {
            let shape = shape(&message);
            prop_assert!(shape.len() <= CAP + '…'.len_utf8());
            prop_assert!(!shape.bytes().any(|byte| byte.is_ascii_digit()));
            prop_assert!(!shape.chars().any(char::is_control));
        }
    }
}
