//! JSON tokens from a slice: borrowed, lenient where profilers are sloppy, and aware that the slice may end too early.
//!
//! Knows no trace. What a strict reader would refuse and this one understands is counted in [`Leniency`].

use memchr::memchr2;

/// Why a token could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The slice ends inside the token: more bytes may complete it.
    End,
    /// The byte at this offset of the slice fits no JSON.
    Bad(usize),
}

/// What was read although JSON forbids it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leniency {
    /// `inf`, `nan` and their spellings.
    pub(crate) non_finite: u32,
    /// Integers of more than 19 digits.
    pub(crate) big_integers: u32,
    /// A comma before a closing bracket.
    pub(crate) trailing_commas: u32,
    /// A time or an id as a string.
    pub(crate) string_numbers: u32,
}

/// A value, as far as it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Bytes between the quotes, escapes not resolved.
    String(&'a [u8]),
    /// Digits, sign, point and exponent, or a spelling of infinity.
    Number(&'a [u8]),
    /// `true`, `false` or `null`.
    Literal,
    /// An object or an array, brackets included.
    Nested(&'a [u8]),
}

/// Bytes of a number: digits, sign, point, exponent.
const NUMERIC: u8 = 1;
/// Bytes that end a number or a literal.
const DELIMITER: u8 = 2;

/// What each byte may be in a scalar; one load instead of a chain of comparisons.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        class[byte] = match byte as u8 {
            b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-' => NUMERIC,
            b',' | b'}' | b']' | b':' | b'"' | b'{' | b'[' | 0..=b' ' => DELIMITER,
            _ => 0,
        };
        byte += 1;
    }
    class
};

/// Most strings of a trace end within so many words; a call to a vector search costs more than they do.
const SHORT_WORDS: usize = 4;

/// Nesting beyond this is no trace.
const MAX_DEPTH: u32 = 128;

/// Every byte of a word: 1.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The highest bit of every byte of a word.
const HIGH: u64 = u64::from_le_bytes([0x80; 8]);

/// Eight bytes as a word whose lowest byte is the first.
#[inline]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    let eight = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*eight))
}

/// The high bit of each byte that is no white space: greater than 32.
#[inline]
fn above_space(word: u64) -> u64 {
    (((word & !HIGH) + ONES * u64::from(0x7f - b' ')) | word) & HIGH
}

/// The high bit of the first byte that is `byte`; bits above it mean nothing.
#[inline]
fn equal_to(word: u64, byte: u8) -> u64 {
    let zero_where_equal = word ^ (ONES * u64::from(byte));
    zero_where_equal.wrapping_sub(ONES) & !zero_where_equal & HIGH
}

/// Which byte the lowest bit is in.
#[inline]
fn place(bits: u64) -> usize {
    bits.trailing_zeros() as usize / 8
}

/// A place in a slice.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
    pub(crate) leniency: Leniency,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            leniency: Leniency::default(),
        }
    }

    /// The next byte that is no white space, not taken.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<u8, Stop> {
        match self.bytes.get(self.at) {
            Some(&byte) if byte > b' ' => Ok(byte),
            _ => self.behind_space(),
        }
    }

    /// Indentation is a third of what a profiler writes: eight bytes at a time.
    fn behind_space(&mut self) -> Result<u8, Stop> {
        while let Some(word) = word_at(self.bytes, self.at) {
            let found = above_space(word);
            if found != 0 {
                self.at += place(found);
                return Ok(self.bytes[self.at]);
            }
            self.at += size_of::<u64>();
        }
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte > b' ' {
                return Ok(byte);
            }
            self.at += 1;
        }
        Err(Stop::End)
    }

    /// Takes `wanted`, white space before it included.
    #[inline]
    pub(crate) fn expect(&mut self, wanted: u8) -> Result<(), Stop> {
        if self.peek()? == wanted {
            self.at += 1;
            Ok(())
        } else {
            Err(Stop::Bad(self.at))
        }
    }

    /// A string, the opening quote being next.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<&'a [u8], Stop> {
        self.expect(b'"')?;
        let start = self.at;
        for _ in 0..SHORT_WORDS {
            let Some(word) = word_at(self.bytes, self.at) else {
                break;
            };
            let found = equal_to(word, b'"') | equal_to(word, b'\\');
            if found != 0 {
                self.at += place(found);
                if self.bytes[self.at] == b'"' {
                    let text = &self.bytes[start..self.at];
                    self.at += 1;
                    return Ok(text);
                }
                break;
            }
            self.at += size_of::<u64>();
        }
        self.long_string(start)
    }

    fn long_string(&mut self, start: usize) -> Result<&'a [u8], Stop> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                return Err(Stop::End);
            };
            self.at += found;
            if rest[found] == b'"' {
                let text = &self.bytes[start..self.at];
                self.at += 1;
                return Ok(text);
            }
            self.at += 2;
        }
    }

    /// The key of the next member; `None` at the end of the object, whose bracket is taken.
    #[inline]
    pub(crate) fn key(&mut self, first: &mut bool) -> Result<Option<&'a [u8]>, Stop> {
        if !self.more(first, b'}')? {
            return Ok(None);
        }
        let key = self.string()?;
        self.expect(b':')?;
        Ok(Some(key))
    }

    /// Whether another member or element follows; takes the comma, or the bracket that closes.
    #[inline]
    pub(crate) fn more(&mut self, first: &mut bool, close: u8) -> Result<bool, Stop> {
        let byte = self.peek()?;
        if byte == close {
            self.at += 1;
            return Ok(false);
        }
        if std::mem::take(first) {
            return Ok(true);
        }
        if byte != b',' {
            return Err(Stop::Bad(self.at));
        }
        self.at += 1;
        if self.peek()? == close {
            self.at += 1;
            self.leniency.trailing_commas += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// Any value.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Value<'a>, Stop> {
        match self.peek()? {
            b'"' => self.string().map(Value::String),
            b'{' | b'[' => {
                let start = self.at;
                self.skip_nested()?;
                Ok(Value::Nested(&self.bytes[start..self.at]))
            }
            b'-' | b'+' | b'.' | b'0'..=b'9' | b'i' | b'I' | b'n' | b'N' | b't' | b'f' => self.scalar(),
            _ => Err(Stop::Bad(self.at)),
        }
    }

    /// A number or a literal: everything up to a delimiter.
    #[inline]
    fn scalar(&mut self) -> Result<Value<'a>, Stop> {
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|byte| CLASS[*byte as usize] != NUMERIC)
            .ok_or(Stop::End)?;
        if length > 0 && CLASS[rest[length] as usize] == DELIMITER {
            let token = &rest[..length];
            if length > 19 && token.iter().filter(|byte| byte.is_ascii_digit()).count() > 19 {
                self.leniency.big_integers +=
                    u32::from(token.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-'));
            }
            self.at += length;
            return Ok(Value::Number(token));
        }
        self.word()
    }

    /// `true`, `null`, `inf` and the like, or nothing that JSON knows.
    #[cold]
    fn word(&mut self) -> Result<Value<'a>, Stop> {
        let start = self.at;
        let rest = &self.bytes[start..];
        let length = rest
            .iter()
            .position(|byte| CLASS[*byte as usize] == DELIMITER)
            .ok_or(Stop::End)?;
        let token = &rest[..length];
        self.at += length;
        if matches!(token, b"null" | b"true" | b"false") {
            return Ok(Value::Literal);
        }
        let unsigned = token.strip_prefix(b"-").unwrap_or(token);
        let not_finite = ["inf", "infinity", "nan"]
            .iter()
            .any(|word| unsigned.eq_ignore_ascii_case(word.as_bytes()));
        if not_finite {
            self.leniency.non_finite += 1;
            return Ok(Value::Number(token));
        }
        let wrong = token.iter().position(|byte| CLASS[*byte as usize] != NUMERIC);
        Err(Stop::Bad(start + wrong.unwrap_or(0)))
    }

    /// Passes an object or an array, checking only what its structure needs.
    fn skip_nested(&mut self) -> Result<(), Stop> {
        let mut closes = [0_u8; MAX_DEPTH as usize];
        let mut depth = 0_usize;
        loop {
            let byte = self.peek()?;
            match byte {
                b'"' => {
                    self.string()?;
                }
                b'{' | b'[' => {
                    if depth == closes.len() {
                        return Err(Stop::Bad(self.at));
                    }
                    closes[depth] = byte + 2;
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    if closes[depth.saturating_sub(1)] != byte {
                        return Err(Stop::Bad(self.at));
                    }
                    self.at += 1;
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                b',' | b':' => self.at += 1,
                _ => {
                    self.scalar()?;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> Result<(Value<'_>, Leniency), Stop> {
        let mut cursor = Cursor::new(text.as_bytes(), 0);
        cursor.value().map(|value| (value, cursor.leniency))
    }

    #[test]
    fn values_are_borrowed_whole() {
        assert_eq!(value(r#" "a\"b" "#).map(|v| v.0), Ok(Value::String(br#"a\"b"#)));
        assert_eq!(value("-12.5e3,").map(|v| v.0), Ok(Value::Number(b"-12.5e3")));
        assert_eq!(value("null}").map(|v| v.0), Ok(Value::Literal));
        assert_eq!(
            value(r#"{"a":[1,{"b":"]"}]} "#).map(|v| v.0),
            Ok(Value::Nested(br#"{"a":[1,{"b":"]"}]}"#))
        );
    }

    #[test]
    fn an_end_inside_a_token_is_no_error_yet() {
        for text in ["", "\"ab", "12", "{\"a\": 1", "[1, 2", "\"a\\", "nul"] {
            assert_eq!(value(text).map(|v| v.0), Err(Stop::End), "{text}");
        }
    }

    #[test]
    fn sloppy_numbers_are_understood_and_counted() {
        assert_eq!(value("inf,").map(|v| v.1.non_finite), Ok(1));
        assert_eq!(value("-Infinity ").map(|v| v.1.non_finite), Ok(1));
        assert_eq!(value("NaN}").map(|v| v.1.non_finite), Ok(1));
        assert_eq!(value("12345678901234567890123,").map(|v| v.1.big_integers), Ok(1));
        assert_eq!(value("1234567890123456789,").map(|v| v.1.big_integers), Ok(0));
        assert_eq!(value("[1,nan,] ").map(|v| v.1.non_finite), Ok(1));
        assert_eq!(value("bogus,"), Err(Stop::Bad(0)));
        assert_eq!(value("12x4,"), Err(Stop::Bad(2)));
        assert_eq!(value("[1}"), Err(Stop::Bad(2)));
    }

    #[test]
    fn members_end_with_or_without_a_comma_too_many() {
        for (text, commas) in [(r#"{"a": 1}"#, 0), (r#"{"a": 1,}"#, 1), ("{}", 0)] {
            let mut cursor = Cursor::new(text.as_bytes(), 1);
            let mut first = true;
            while cursor.key(&mut first).expect(text).is_some() {
                cursor.value().expect(text);
            }
            assert_eq!(cursor.at, text.len());
            assert_eq!(cursor.leniency.trailing_commas, commas);
        }
    }

    proptest! {
        #[test]
        fn words_find_what_bytes_find(bytes: [u8; 8], byte in prop_oneof![Just(b'"'), Just(b'\\')], from in 0_usize..8) {
            let mut bytes = bytes;
            bytes[from] = byte;
            let word = word_at(&bytes, 0).expect("eight bytes");
            let first = |wanted: &dyn Fn(u8) -> bool| bytes.iter().position(|byte| wanted(*byte));
            prop_assert_eq!(Some(place(equal_to(word, byte))), first(&|found| found == byte));
            prop_assert_eq!(Some(place(above_space(word))), first(&|found| found > b' '));
        }

        #[test]
        fn space_and_text_of_any_length_are_passed(space in "[ \n\t]{0,40}", text in "[a-z]{0,80}", escape: bool) {
            let text = if escape { format!("{text}\\\"{text}") } else { text };
            let json = format!("{space}\"{text}\"{space}x");
            let mut cursor = Cursor::new(json.as_bytes(), 0);
            prop_assert_eq!(cursor.string(), Ok(text.as_bytes()));
            prop_assert_eq!(cursor.peek(), Ok(b'x'));
        }

        #[test]
        fn any_bytes_end_in_a_value_or_a_stop(bytes: Vec<u8>) {
            let mut cursor = Cursor::new(&bytes, 0);
            while cursor.value().is_ok() && cursor.at < bytes.len() {}
        }

        #[test]
        fn what_serde_reads_is_read_whole(value in json()) {
            let text = format!("{value} ");
            let mut cursor = Cursor::new(text.as_bytes(), 0);
            prop_assert!(cursor.value().is_ok());
            prop_assert_eq!(cursor.at, text.len() - 1);
        }
    }

    /// JSON text of any shape.
    fn json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            any::<i64>().prop_map(|value| value.to_string()),
            any::<f32>()
                .prop_filter("finite", |value| value.is_finite())
                .prop_map(|value| format!("{value:e}")),
            "[a-z \\[\\]{},:]{0,8}".prop_map(|text| format!("\"{text}\\\"\"")),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4)
                    .prop_map(|items| format!("[{}]", items.join(", "))),
                prop::collection::vec(inner, 0..4).prop_map(|items| {
                    let members: Vec<String> = items.iter().map(|item| format!("\"k\": {item}")).collect();
                    format!("{{{}}}", members.join(",\n"))
                }),
            ]
        })
    }
}
