//! Text that repeats: kernel and op names, Python frames, shapes, thread ids. Each is kept once, as the file spells it.

use std::borrow::Cow;
use std::num::NonZeroU32;

use indexmap::IndexSet;
use rustc_hash::FxBuildHasher;

/// Text of one trace; equal ids mean equal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NameId(NonZeroU32);

/// Longer names are cut here: no kernel has one, and tables are read by people.
const MAX_BYTES: usize = 8 * 1024;

/// Every text of one trace.
#[derive(Clone, Debug, Default)]
pub struct Names {
    texts: IndexSet<Box<[u8]>, FxBuildHasher>,
}

impl Names {
    /// The id of `raw`, as it stands between the quotes of the file.
    pub(crate) fn intern(&mut self, raw: &[u8]) -> NameId {
        let raw = &raw[..raw.len().min(MAX_BYTES)];
        let index = match self.texts.get_index_of(raw) {
            Some(index) => index,
            None => self.texts.insert_full(raw.into()).0,
        };
        let number = u32::try_from(index + 1).ok().and_then(NonZeroU32::new);
        NameId(number.expect("a trace of 4 billion different names does not fit into memory"))
    }

    /// The text: escapes resolved, control characters gone, broken UTF-8 replaced.
    #[must_use]
    pub fn text(&self, id: NameId) -> Cow<'_, str> {
        let raw = self.raw(id);
        match std::str::from_utf8(raw) {
            Ok(text)
                if !text
                    .bytes()
                    .any(|byte| byte == b'\\' || byte < b' ' || byte == 0x7f) =>
            {
                Cow::Borrowed(text)
            }
            _ => Cow::Owned(clean(&String::from_utf8_lossy(raw))),
        }
    }

    /// The bytes between the quotes; for values that are JSON themselves, such as shapes.
    #[must_use]
    pub fn raw(&self, id: NameId) -> &[u8] {
        let index = id.0.get() as usize - 1;
        self.texts.get_index(index).map_or(&[], |text| text)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }
}

impl NameId {
    /// Place among the names of its trace, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// Resolves JSON escapes and drops what a terminal would act on.
fn clean(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let resolved = if character == '\\' {
            match rest.next() {
                Some('n' | 'r' | 't') => Some(' '),
                Some('u') => {
                    let digits: String = rest.by_ref().take(4).collect();
                    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
                }
                Some('b' | 'f') | None => None,
                other => other,
            }
        } else {
            Some(character)
        };
        result.extend(resolved.filter(|character| !character.is_control()));
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_text_has_one_id() {
        let mut names = Names::default();
        let (a, b) = (names.intern(b"gemm"), names.intern(b"norm"));
        assert_eq!(names.intern(b"gemm"), a);
        assert_ne!(a, b);
        assert_eq!(names.text(b), "norm");
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn text_is_safe_to_print() {
        let mut names = Names::default();
        let mut text = |raw: &[u8]| {
            let id = names.intern(raw);
            names.text(id).into_owned()
        };
        assert_eq!(text(br#"say \"hi\" \u0041\n\u001b[31m"#), "say \"hi\" A [31m");
        assert_eq!(text(b"bad \xff byte"), "bad \u{fffd} byte");
        assert_eq!(text(b"raw \x1b[0m"), "raw [0m");
        assert_eq!(text(&vec![b'a'; 20_000]).len(), MAX_BYTES);
    }

    proptest! {
        #[test]
        fn any_bytes_give_text_without_control_characters(raw: Vec<u8>) {
            let mut names = Names::default();
            let id = names.intern(&raw);
            prop_assert!(!names.text(id).chars().any(char::is_control));
        }
    }
}
