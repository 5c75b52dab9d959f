//! Text that comes from elsewhere is data: stripped of control characters, capped in length.

/// Longest piece of foreign text (an error body, a model name) that enters a document, in bytes.
pub const FOREIGN_TEXT_CAP: usize = 500;

/// Makes foreign text safe to print and store: control characters and terminal escapes become spaces, runs of
/// white space one space, and what is over `cap` bytes is cut at a character boundary and marked with `…`.
pub fn clean(text: &str, cap: usize) -> String {
    let mut out = String::new();
    let mut pending_space = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            skip_escape(&mut chars);
            continue;
        }
        if c.is_control() || c.is_whitespace() || is_invisible(c) {
            pending_space = !out.is_empty();
            continue;
        }
        if pending_space {
            out.push(' ');
            pending_space = false;
        }
        out.push(c);
        if out.len() > cap {
            let mut end = cap;
            while !out.is_char_boundary(end) {
                end -= 1;
            }
            out.truncate(end);
            out.push('…');
            break;
        }
    }
    out
}

/// [`clean`] on bytes of unknown encoding.
pub fn clean_bytes(bytes: &[u8], cap: usize) -> String {
    // Four bytes a character at most, and control characters may take room too: bounded work on any body.
    let head = &bytes[..bytes.len().min(cap.saturating_mul(8))];
    clean(&String::from_utf8_lossy(head), cap)
}

/// Skips a CSI (`ESC [ … final byte`) or OSC (`ESC ] … BEL or ST`) sequence.
fn skip_escape(chars: &mut std::str::Chars<'_>) {
    match chars.next() {
        Some('[') => {
            for c in chars.by_ref() {
                if ('\u{40}'..='\u{7e}').contains(&c) {
                    break;
                }
            }
        }
        Some(']') => {
            for c in chars.by_ref() {
                if c == '\u{07}' || c == '\\' {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// Bidirectional controls and zero-width characters can make a terminal show something else than what is there.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strips_escapes_and_controls() {
        assert_eq!(clean("a\u{1b}[31mred\u{1b}[0m\r\n\tb\u{7}", 100), "ared b");
        assert_eq!(clean("\u{1b}]0;title\u{7}x", 100), "x");
    }

    #[test]
    fn caps_at_a_character_boundary() {
        assert_eq!(clean("ééé", 3), "é…");
    }

    proptest! {
        #[test]
        fn any_bytes_come_out_printable_and_short(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let out = clean_bytes(&bytes, 50);
            prop_assert!(out.len() <= 50 + '…'.len_utf8());
            prop_assert!(!out.chars().any(char::is_control));
        }
    }
}
