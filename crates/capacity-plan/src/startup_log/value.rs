//! Numbers, sizes and words behind their names.

use capacity::GIB;

use crate::size::Size;

/// What follows the first place of a name.
pub(super) fn after<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.find(name).map(|at| &text[at + name.len()..])
}

/// A number at the start of a text, after spaces: its value, how many digits follow the point, and what follows it.
/// Thousands may be divided by commas.
fn decimal(text: &str) -> Option<(f64, i32, &str)> {
    let text = text.trim_start();
    let mut digits = String::new();
    let mut decimals = None;
    let mut end = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate().take(40) {
        let digit_follows = bytes.get(at + 1).is_some_and(u8::is_ascii_digit);
        match byte {
            b'-' if at == 0 && digit_follows => digits.push('-'),
            b'0'..=b'9' => {
                digits.push(char::from(*byte));
                if let Some(count) = &mut decimals {
                    *count += 1;
                }
            }
            b'.' if decimals.is_none() && digit_follows => {
                digits.push('.');
                decimals = Some(0);
            }
            b',' if decimals.is_none() && thousands(&bytes[at + 1..]) => {}
            _ => break,
        }
        end = at + 1;
    }
    let value: f64 = digits.parse().ok()?;
    Some((value, decimals.unwrap_or(0), &text[end..]))
}

/// Three digits and no fourth.
fn thousands(bytes: &[u8]) -> bool {
    bytes.len() >= 3
        && bytes[..3].iter().all(u8::is_ascii_digit)
        && !bytes.get(3).is_some_and(u8::is_ascii_digit)
}

/// A number behind a name, with half of its last digit.
pub(super) fn number(text: &str, name: &str) -> Option<(f64, f64)> {
    let (value, decimals, _) = decimal(after(text, name)?)?;
    Some((value, 0.5 * 10_f64.powi(-decimals)))
}

/// A count behind a name.
pub(super) fn count(text: &str, name: &str) -> Option<u64> {
    let (value, decimals, _) = decimal(after(text, name)?)?;
    // 2^53: beyond, it is no count of anything.
    (decimals == 0 && (0.0..9e15).contains(&value)).then_some(value as u64)
}

/// A size behind a name. `GB` is what engines call a GiB (they divide by 2^30); no unit is a GiB, too.
pub(super) fn size(text: &str, name: &str) -> Option<Size> {
    size_at(after(text, name)?)
}

/// A size at the start of a text.
pub(super) fn size_at(text: &str) -> Option<Size> {
    let (value, decimals, rest) = decimal(text)?;
    let unit = rest.trim_start();
    let factor = if unit.starts_with("MB") || unit.starts_with("MiB") {
        GIB / 1024.0
    } else if unit.starts_with("KB") || unit.starts_with("KiB") {
        GIB / 1_048_576.0
    } else {
        GIB
    };
    // No device has a million GiB.
    (value.abs() < 1e6).then_some(Size {
        bytes: value * factor,
        half_digit: 0.5 * 10_f64.powi(-decimals) * factor,
    })
}

/// A size that ends right before a word: `12.55 GiB for weight`.
pub(super) fn size_before(text: &str, word: &str) -> Option<Size> {
    let before = text[..text.find(word)?].trim_end();
    let before = ["GiB", "GB"]
        .iter()
        .find_map(|unit| before.strip_suffix(unit))?
        .trim_end();
    let start = before
        .bytes()
        .rposition(|byte| !(byte.is_ascii_digit() || byte == b'.'))
        .map_or(0, |at| at + 1);
    size_at(&before[start..])
}

/// A setting: `name=value`, `'name': value` or `"name":value`, cleaned, without quotes. `None` for None.
pub(super) fn setting(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let at = rest.find(name)?;
        let begins = !rest[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let tail = &rest[at + name.len()..];
        let value = ["=", "': ", "\": ", "\":"]
            .iter()
            .find_map(|sign| tail.strip_prefix(sign));
        match value {
            Some(value) if begins => return word(value),
            _ => rest = tail,
        }
    }
}

fn word(value: &str) -> Option<String> {
    let quote = value.chars().next().filter(|c| matches!(c, '\'' | '"'));
    let word = match quote {
        Some(quote) => value[1..].split(quote).next()?,
        None => value.split([',', ')', '}', ' ', '\r']).next()?,
    };
    let word = contracts::text::clean(word, 300);
    (!word.is_empty() && word != "None" && word != "null").then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_signs_thousands_and_ends() {
        assert_eq!(count("size: 1,823,372 tokens", "size: "), Some(1_823_372));
        assert_eq!(count("#tokens: 834615, K", "#tokens: "), Some(834_615));
        assert_eq!(count("cuda blocks: 7191, 512", "blocks: "), Some(7191));
        assert_eq!(
            number("rest_memory=-3.51 GB", "rest_memory="),
            Some((-3.51, 0.005))
        );
        assert_eq!(number("x=5.", "x="), Some((5.0, 0.5)));
        assert_eq!((number("x=abc", "x="), count("x=1.5", "x=")), (None, None));
        assert_eq!(count("x=99999999999999999999", "x="), None);
    }

    #[test]
    fn a_gb_is_a_gib() {
        let size = size("avail mem=14.61 GB", "avail mem=").unwrap();
        assert_eq!((size.bytes, size.half_digit), (14.61 * GIB, 0.005 * GIB));
        assert_eq!(size_at("512 MiB").map(|size| size.bytes), Some(GIB / 2.0));
        assert_eq!(
            size_before("is 14.36 GiB for weight, 0.62 GiB for peak", " for peak").map(|size| size.bytes),
            Some(0.62 * GIB)
        );
        assert_eq!(size_at("9999999 GB"), None);
    }

    #[test]
    fn settings_are_python_calls_or_dictionaries() {
        let call = "server_args=ServerArgs(model_path='/m/Q, 3', draft_tp_size=1, tp_size=8, page_size=None)";
        assert_eq!(setting(call, "model_path").as_deref(), Some("/m/Q, 3"));
        assert_eq!(setting(call, "tp_size").as_deref(), Some("8"));
        assert_eq!(setting(call, "page_size"), None);
        let dictionary = "args: {'model': 'x', 'tensor_parallel_size': 2}";
        assert_eq!(setting(dictionary, "tensor_parallel_size").as_deref(), Some("2"));
        assert_eq!(
            setting(r#"={"tp_size":2,"x":null}"#, "tp_size").as_deref(),
            Some("2")
        );
        assert_eq!(setting(r#"={"tp_size":2,"x":null}"#, "x"), None);
    }
}
