//! What a line of analysis claims: `name=value` and `name: value unit`. Bytes in, claims out; nothing is looked up.

/// Most claims that are read from a line.
const MOST: usize = 64;

/// A name and the value that it is said to have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Claim {
    /// Key, dotted path, or the name of a row; with the name in front of it where the line gives one.
    pub(crate) name: String,
    /// The value.
    pub(crate) value: Value,
}

/// A value as it was printed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A number, how far from it the true one may be, and its unit.
    Number {
        /// As printed.
        number: f64,
        /// Half of its last digit.
        half: f64,
        /// What follows it without a break or as the next word; empty for none.
        unit: String,
    },
    /// A word: `true`, `null`, `fa3`.
    Word(String),
}

/// The claims of a line, in order.
///
/// A name in backticks before a colon is the row that the claims after it are about:
/// ``Profile `Scheduler.run_batch`: avg=3.47ms`` claims `Scheduler.run_batch.avg`.
pub(crate) fn claims(line: &str) -> Vec<Claim> {
    let mut found = Vec::new();
    let mut row: Option<String> = None;
    let mut rest = line;
    while let Some(at) = rest.find(['=', ':']) {
        let before = &rest[..at];
        let is_equals = rest[at..].starts_with('=');
        let after = &rest[at + 1..];
        rest = after;
        // `==`, `<=`, `::`, `http://` and times of day name nothing.
        if before.ends_with(['=', '<', '>', '!', ':']) || after.starts_with(['=', ':', '/']) {
            continue;
        }
        let Some((name, is_quoted)) = name_before(before) else {
            continue;
        };
        match value_after(after, is_equals) {
            Some(value) => {
                let name = match &row {
                    Some(row) if !is_quoted => format!("{row}.{name}"),
                    _ => name,
                };
                found.push(Claim { name, value });
                if found.len() == MOST {
                    break;
                }
            }
            None if is_quoted && !is_equals => row = Some(name),
            None => {}
        }
    }
    found
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || "._-/[]".contains(c)
}

/// The name that ends where the text ends, and whether it stands in backticks. Backticked names may hold anything.
fn name_before(text: &str) -> Option<(String, bool)> {
    let text = text.trim_end();
    if let Some(inner) = text.strip_suffix('`') {
        let name = inner.rsplit('`').next().unwrap_or_default().trim();
        return (!name.is_empty() && name.len() < inner.len()).then(|| (name.to_owned(), true));
    }
    let start = text
        .char_indices()
        .rev()
        .take_while(|(_, c)| is_name(*c))
        .last()
        .map(|(at, _)| at)?;
    let name = text[start..].trim_start_matches(['.', '-', '/', '[', ']']);
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        .then(|| (name.to_owned(), false))
}

/// The value that begins where the text begins. After a colon only numbers and the words that JSON knows are values,
/// because prose has colons too.
fn value_after(text: &str, is_equals: bool) -> Option<Value> {
    let text = text.trim_start_matches([' ', '`']);
    if let Some(number) = number(text) {
        return Some(number);
    }
    let quoted = text
        .strip_prefix('"')
        .and_then(|inner| inner.split_once('"'))
        .map(|(word, _)| word);
    if let Some(word) = quoted {
        return Some(Value::Word(word.to_owned()));
    }
    let end = text.find(|c: char| !is_name(c)).unwrap_or(text.len());
    let word = text[..end].trim_end_matches(['.', '-', '/']);
    let is_json = ["true", "false", "null"].contains(&word.to_ascii_lowercase().as_str());
    (!word.is_empty() && (is_equals || is_json)).then(|| {
        Value::Word(if is_json {
            word.to_ascii_lowercase()
        } else {
            word.to_owned()
        })
    })
}

/// A number with its digits, `1,234.5e-3ms` or `31 %`.
fn number(text: &str) -> Option<Value> {
    let sign = usize::from(text.starts_with(['-', '+', '−'])) * text.chars().next().map_or(0, char::len_utf8);
    let digits = &text[sign..];
    let mut plain = String::new();
    let mut decimals: Option<i32> = None;
    let mut end = 0;
    let bytes = digits.as_bytes();
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'0'..=b'9' => {
                plain.push(char::from(*byte));
                decimals = decimals.map(|count| count + 1);
            }
            b'.' if decimals.is_none() && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) && end > 0 => {
                plain.push('.');
                decimals = Some(0);
            }
            // A comma between groups of three.
            b',' if decimals.is_none() && end > 0 && groups(&bytes[end..]) => {}
            _ => break,
        }
        end += 1;
    }
    if plain.is_empty() {
        return None;
    }
    let mut exponent = 0;
    let tail = &digits[end..];
    if let Some(power) = tail.strip_prefix(['e', 'E']) {
        let length = power
            .char_indices()
            .take_while(|(at, c)| c.is_ascii_digit() || *at == 0 && "+-".contains(*c))
            .count();
        if let Ok(power) = power[..length].parse::<i32>() {
            exponent = power.clamp(-400, 400);
            end += 1 + length;
        }
    }
    let tail = &digits[end..];
    // `3.2.1`, `2026-11-20` and `0a1b2c3` begin as numbers and are words.
    let word_end = tail.find(|c: char| !is_name(c)).unwrap_or(tail.len());
    if tail[..word_end].contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let unit: String = tail
        .trim_start_matches(' ')
        .chars()
        .take_while(|c| c.is_alphabetic() || *c == '%')
        .take(12)
        .collect();
    let magnitude: f64 = format!("{plain}e{exponent}").parse().ok()?;
    let half = 0.5 * 10_f64.powi(exponent - decimals.unwrap_or(0));
    let number = if sign > 0 && !text.starts_with('+') {
        -magnitude
    } else {
        magnitude
    };
    number.is_finite().then_some(Value::Number { number, half, unit })
}

/// Whether a comma is followed by three digits and no fourth.
fn groups(text: &[u8]) -> bool {
    text.len() > 3
        && text[1..4].iter().all(u8::is_ascii_digit)
        && !text.get(4).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(line: &str) -> Vec<String> {
        claims(line).into_iter().map(|claim| claim.name).collect()
    }

    fn first(line: &str) -> Value {
        claims(line).remove(0).value
    }

    fn of(number: f64, half: f64, unit: &str) -> Value {
        Value::Number {
            number,
            half,
            unit: unit.to_owned(),
        }
    }

    #[test]
    fn names_and_values_are_found_in_prose() {
        assert_eq!(
            names("tpot_ms.p50=8.70 → decode is slow, num_prompts: 80"),
            ["tpot_ms.p50", "num_prompts"]
        );
        assert_eq!(first("tpot_ms.p50=8.70 ms"), of(8.70, 0.005, "ms"));
        assert_eq!(first("sglang.cache_hit_rate: 0.85"), of(0.85, 0.005, ""));
        assert_eq!(first("calls: 94,552 over"), of(94552.0, 0.5, "over"));
        assert_eq!(first("effect_pct=-8.0%"), of(-8.0, 0.05, "%"));
        assert_eq!(first("bytes=1.5e9"), of(1.5e9, 5e7, ""));
        assert_eq!(
            first("enable_mixed_chunk: False"),
            Value::Word("false".to_owned())
        );
        assert_eq!(first("attention_backend=fa3."), Value::Word("fa3".to_owned()));
    }

    #[test]
    fn a_row_in_front_belongs_to_the_claims_after_it() {
        assert_eq!(
            names("Profile `Scheduler.run_batch`: avg=1.07ms, calls=405"),
            ["Scheduler.run_batch.avg", "Scheduler.run_batch.calls"]
        );
        assert_eq!(
            names("Span counter `time_to_first_token`: 164,006,022 ns"),
            ["time_to_first_token"]
        );
    }

    #[test]
    fn prose_claims_nothing() {
        for line in [
            "Analysis: the scheduler is slow",
            "see http://127.0.0.1:30000/metrics",
            "at 05:30 it was quiet",
            "a <= b and c == d and std::fmt",
            "",
            "=",
            "`:`=",
            "checked on: 2026-11-20",
        ] {
            assert_eq!(claims(line), [], "{line}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics_and_gives_few_claims(line in any::<String>()) {
            let found = claims(&line);
            prop_assert!(found.len() <= MOST);
            for claim in found {
                prop_assert!(claim.name.len() <= 2 * line.len() + 1);
            }
        }

        #[test]
        fn dense_text_is_bounded(line in "[a-z0-9`=:., %e+-]{0,400}") {
            prop_assert!(claims(&line).len() <= MOST);
        }

        #[test]
        fn what_is_printed_is_read_back(number in -1e9_f64..1e9, decimals in 0_usize..6) {
            let line = format!("some.key={number:.decimals$} ms");
            let printed: f64 = format!("{number:.decimals$}").parse().unwrap();
            match first(&line) {
                Value::Number { number: read, half, unit } => {
                    prop_assert_eq!(read, printed);
                    // What binary cannot hold of the decimals comes on top.
                    prop_assert!((read - number).abs() <= half + number.abs() * 1e-15);
                    prop_assert_eq!(unit, "ms");
                }
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }
}
