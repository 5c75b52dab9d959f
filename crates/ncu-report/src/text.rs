//! Text of a report is data from elsewhere: bounded, valid, without control characters. Views clean it once more for a terminal.

/// Longest name of a metric, a section or a rule, in bytes.
pub(crate) const NAME_CAP: usize = 512;

/// Longest text, in bytes: a kernel's name (template arguments make them long), a list of metrics, a rule's message, a command
/// line, an environment.
pub(crate) const TEXT_CAP: usize = 64 << 10;

/// The text of `bytes`: broken UTF-8 replaced, control characters made spaces, what is over `cap` bytes cut and marked with `…`.
pub(crate) fn bounded(bytes: &[u8], cap: usize) -> String {
    let cut = bytes.len() > cap;
    // A character that the cut halves is dropped.
    let head = &bytes[..bytes.len().min(cap)];
    let head = match std::str::from_utf8(head) {
        Err(error) if cut && error.error_len().is_none() => &head[..error.valid_up_to()],
        _ => head,
    };
    let text = String::from_utf8_lossy(head);
    let mut text = if text.chars().any(char::is_control) {
        text.replace(char::is_control, " ")
    } else {
        text.into_owned()
    };
    text.truncate(text.trim_end().len());
    if cut {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_terminating_zero_goes_and_a_line_feed_becomes_a_space() {
        assert_eq!(bounded(b"main.exe\0", 100), "main.exe");
        assert_eq!(bounded(b"one\ntwo", 100), "one two");
    }

    #[test]
    fn a_character_is_never_halved() {
        assert_eq!(bounded("aé".as_bytes(), 2), "a…");
        assert_eq!(bounded("aé".as_bytes(), 3), "aé");
    }

    proptest! {
        #[test]
        fn any_bytes_are_bounded(bytes: Vec<u8>, cap in 0_usize..40) {
            let text = bounded(&bytes, cap);
            // A broken byte becomes a character of three.
            prop_assert!(text.len() <= cap * 3 + '…'.len_utf8());
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
}
