//! Numbers as written to integers: microseconds to nanoseconds, and ids. Units change here and nowhere else.

/// Nanoseconds of a decimal number of microseconds, rounded to the nearest; `None` for what is no finite number or does
/// not fit. Exact: a time such as `7721328754928.567` would lose its last digits as a 64-bit float of nanoseconds.
pub(crate) fn micros_to_ns(text: &[u8]) -> Option<i64> {
    // What every profiler writes: at most 18 digits, of them none or three behind the point.
    if text.len() <= 18 {
        let mut value: i64 = 0;
        let mut whole = text.len();
        for (index, byte) in text.iter().enumerate() {
            match byte {
                b'0'..=b'9' => value = value * 10 + i64::from(byte - b'0'),
                b'.' if index > 0 && index + 4 == text.len() => whole = index,
                _ => return exact(text),
            }
        }
        return match (text.len(), text.len() - whole) {
            (0, _) => None,
            (_, 0) => value.checked_mul(1000).and_then(bounded),
            _ => bounded(value),
        };
    }
    exact(text)
}

fn exact(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let mut value: i64 = 0;
    // Digits after the point still to take: a nanosecond is the third.
    let mut fraction: Option<u32> = None;
    let mut round_up = false;
    for (index, &byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => match fraction {
                Some(3) => {
                    // Only the first digit beyond decides; the rest cannot change it.
                    round_up = byte >= b'5';
                    fraction = Some(4);
                }
                Some(4) => {}
                _ => {
                    value = value.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
                    fraction = fraction.map(|taken| taken + 1);
                }
            },
            b'.' if fraction.is_none() && index > 0 => fraction = Some(0),
            b'e' | b'E' => return from_float(text),
            _ => return None,
        }
    }
    if digits.is_empty() {
        return None;
    }
    let missing = 3 - fraction.unwrap_or(0).min(3);
    let value = value
        .checked_mul(10_i64.pow(missing))?
        .checked_add(i64::from(round_up))?;
    bounded(if negative { -value } else { value })
}

/// No clock shows more; differences of two such times still fit.
fn bounded(ns: i64) -> Option<i64> {
    (ns.abs() <= 4_000_000_000_000_000_000).then_some(ns)
}

/// The rare number with an exponent; precise enough, because nobody writes an absolute time so.
fn from_float(text: &[u8]) -> Option<i64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let ns = (value * 1e3).round();
    ns.is_finite().then_some(ns as i64).and_then(bounded)
}

/// An id: unsigned, at most 64 bits; `None` for anything else.
pub(crate) fn id(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    text.iter().try_fold(0_u64, |value, byte| match byte {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn microseconds_are_exact() {
        assert_eq!(micros_to_ns(b"7721328754928.567"), Some(7_721_328_754_928_567));
        assert_eq!(micros_to_ns(b"1683564902133354"), Some(1_683_564_902_133_354_000));
        assert_eq!(micros_to_ns(b"1.5"), Some(1500));
        assert_eq!(micros_to_ns(b"-0.001"), Some(-1));
        assert_eq!(micros_to_ns(b"0.0005"), Some(1));
        assert_eq!(micros_to_ns(b"0.0004999"), Some(0));
        assert_eq!(micros_to_ns(b"1e3"), Some(1_000_000));
        for wrong in [
            &b""[..],
            b"-",
            b"inf",
            b"1.2.3",
            b"99999999999999999999",
            b"1e300",
        ] {
            assert_eq!(micros_to_ns(wrong), None, "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn ids_are_whole_and_unsigned() {
        assert_eq!(id(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(id(b"18446744073709551616"), None);
        assert_eq!(id(b"-1"), None);
        assert_eq!(id(b""), None);
    }

    proptest! {
        #[test]
        fn a_nanosecond_count_survives_its_decimal_form(ns in -1_000_000_000_000_000_000_i64..1_000_000_000_000_000_000) {
            let text = format!("{}{}.{:03}", if ns < 0 { "-" } else { "" }, (ns / 1000).abs(), (ns % 1000).abs());
            prop_assert_eq!(micros_to_ns(text.as_bytes()), Some(ns));
        }

        #[test]
        fn any_bytes_are_a_number_or_none(bytes: Vec<u8>) {
            let _ = micros_to_ns(&bytes);
            let _ = id(&bytes);
        }
    }
}
