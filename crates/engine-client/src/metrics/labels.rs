//! The labels of a sample, read when they are asked for.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

/// The text between the braces of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Labels<'a> {
    text: &'a str,
}

impl<'a> Labels<'a> {
    pub(super) fn new(text: &'a str) -> Labels<'a> {
        Labels { text }
    }

    /// Names and values in the order in which they stand; escapes are undone.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        let mut rest = self.text;
        std::iter::from_fn(move || {
            loop {
                rest = rest.trim_start_matches([',', ' ', '\t']);
                if rest.starts_with('"') {
                    // The name of the metric itself, or of a label, in quotes (Prometheus 3).
                    let (quoted, tail) = quoted(rest)?;
                    let tail = tail.trim_start();
                    let Some(value) = tail.strip_prefix('=') else {
                        rest = tail;
                        continue;
                    };
                    let (value, tail) = self::quoted(value.trim_start())?;
                    rest = tail;
                    return Some((quoted, unescape(value)));
                }
                let (name, tail) = rest.split_once('=')?;
                let (value, tail) = quoted(tail.trim_start())?;
                rest = tail;
                return Some((name.trim(), unescape(value)));
            }
        })
    }

    /// The value of one label.
    pub fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.iter()
            .find(|(label, _)| *label == name)
            .map(|(_, value)| value)
    }
}

/// The text of a quoted string with its escapes, and what follows the closing quote.
pub(super) fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let end = closing_quote(inner.as_bytes())?;
    Some((&inner[..end], &inner[end + 1..]))
}

fn closing_quote(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Where the brace that ends the labels stands; `text` begins after the one that opens them.
pub(super) fn end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'}', &bytes[at..])?;
        if bytes[at] == b'}' {
            return Some(at);
        }
        at += closing_quote(&bytes[at + 1..])? + 2;
    }
}

fn unescape(text: &str) -> Cow<'_, str> {
    if memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some(escaped @ ('"' | '\\')) => plain.push(escaped),
            // Not an escape of the format: both characters stay.
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_braces_and_spaces() {
        let labels = Labels::new(r#"a="x\"y}\\", b = "1\n2" ,c="\d","#);
        let read: Vec<(&str, Cow<'_, str>)> = labels.iter().collect();
        assert_eq!(
            read,
            [
                ("a", Cow::from("x\"y}\\")),
                ("b", Cow::from("1\n2")),
                ("c", Cow::from("\\d")),
            ]
        );
        assert_eq!(labels.get("b").as_deref(), Some("1\n2"));
        assert_eq!(labels.get("z"), None);
    }

    #[test]
    fn a_brace_in_quotes_ends_nothing() {
        assert_eq!(end(r#"a="}"} 1"#), Some(5));
        assert_eq!(end(r#"a="\"}"} 1"#), Some(7));
        assert_eq!(end(r#"a="}"#), None);
        assert_eq!(end(r#"a="\"#), None);
    }
}
