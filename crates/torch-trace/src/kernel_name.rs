//! Kernel names as a trace has them: made safe and comparable ([`canonical`]), made readable ([`short`]).
//!
//! A name is data from a file: it is capped, and control characters never get through. What a kernel is for is not
//! decided here, see [`crate::family`].

mod anatomy;
mod mangled;
mod short;

use std::borrow::Cow;

pub use anatomy::Anatomy;
pub use short::{SHORT_NAME_CHARS, short};

/// Longest name that is kept, in bytes. The longest CUTLASS 3 names seen are about 5 KB.
pub const NAME_CAP: usize = 8192;

/// Hexadecimal digits that an address has at least; tile sizes such as `320x224` have fewer.
const ADDRESS_DIGITS: usize = 6;

/// One spelling for one kernel: runs of white space and control characters become one space, addresses become
/// `0xADDR`, and what is over [`NAME_CAP`] bytes is cut and marked with `…`.
///
/// An address is `0x` at the start of a word with six hexadecimal digits or more, so the tile of `MT320x224x64`
/// stays.
pub fn canonical(name: &str) -> Cow<'_, str> {
    if is_canonical(name) {
        return Cow::Borrowed(name);
    }
    let (name, cut) = capped(name);
    let mut out = String::with_capacity(name.len());
    let mut pending_space = false;
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        if is_dropped(c) {
            pending_space = !out.is_empty();
            rest = &rest[c.len_utf8()..];
            continue;
        }
        if std::mem::take(&mut pending_space) {
            out.push(' ');
        }
        let at_word_start = !out.chars().next_back().is_some_and(is_word);
        match address_length(rest) {
            Some(length) if at_word_start => {
                out.push_str("0xADDR");
                rest = &rest[length..];
            }
            _ => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    if cut {
        out.push('…');
    }
    Cow::Owned(out)
}

/// The first [`NAME_CAP`] bytes, and whether there were more.
pub(crate) fn capped(name: &str) -> (&str, bool) {
    if name.len() <= NAME_CAP {
        return (name, false);
    }
    let mut end = NAME_CAP - '…'.len_utf8();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    (&name[..end], true)
}

/// Whether [`canonical`] would change nothing: the usual case, decided without copying.
fn is_canonical(name: &str) -> bool {
    let bytes = name.as_bytes();
    let clean = |at: usize| match bytes[at] {
        b' ' => at > 0 && at + 1 < bytes.len() && bytes[at - 1] != b' ',
        b'0' => bytes.get(at + 1) != Some(&b'x') || address_length(&name[at..]).is_none(),
        byte => byte.is_ascii_graphic(),
    };
    bytes.len() <= NAME_CAP && (0..bytes.len()).all(clean)
}

/// Length of the address that `text` starts with.
fn address_length(text: &str) -> Option<usize> {
    let digits = text.strip_prefix("0x")?;
    let count = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
    let ends = !digits[count..].chars().next().is_some_and(is_word);
    (count >= ADDRESS_DIGITS && ends).then_some(2 + count)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// White space, controls, and the characters that make a terminal show something else than what is there.
fn is_dropped(c: char) -> bool {
    c.is_control()
        || c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tile_sizes_survive_and_addresses_do_not() {
        for tile in [
            "Cijk_Ailk_MT320x224x64_MI16x16x1",
            "gemm_160x256x64",
            "t128x0x16",
            "foo0x12345678",
        ] {
            assert_eq!(canonical(tile), tile);
        }
        assert_eq!(canonical("jit_kernel 0x7f3a12bc40"), "jit_kernel 0xADDR");
        assert_eq!(canonical("k(0xDEADBEEF, 0x10)"), "k(0xADDR, 0x10)");
        assert_eq!(canonical("MT0x1234567_tile"), "MT0x1234567_tile");
    }

    #[test]
    fn white_space_and_controls_become_one_space() {
        assert_eq!(canonical("  void  foo\t<int>\n"), "void foo <int>");
        assert_eq!(canonical("a\u{1b}[31mb\u{202e}c"), "a [31mb c");
        assert_eq!(canonical(""), "");
    }

    #[test]
    fn a_usual_name_is_not_copied() {
        assert!(matches!(canonical("void foo<int, 0>(int)"), Cow::Borrowed(_)));
    }

    #[test]
    fn length_is_capped_at_a_character() {
        let long = "é".repeat(NAME_CAP);
        let out = canonical(&long);
        assert!(out.len() <= NAME_CAP && out.ends_with('…'));
    }

    proptest! {
        #[test]
        fn any_text_is_safe_and_a_second_time_changes_nothing(name in any::<String>()) {
            let once = canonical(&name).into_owned();
            prop_assert!(!once.chars().any(char::is_control));
            prop_assert!(once.len() <= NAME_CAP);
            prop_assert_eq!(canonical(&once), once.as_str());
        }

        #[test]
        fn addresses_go_wherever_they_stand(parts in proptest::collection::vec("0x[0-9a-f]{0,9}|[ a-zA-Z_<,]|0", 0..12)) {
            let name = parts.concat();
            let once = canonical(&name).into_owned();
            prop_assert_eq!(canonical(&once), once.as_str());
        }
    }
}
