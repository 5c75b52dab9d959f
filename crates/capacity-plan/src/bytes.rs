//! Bytes into documents and into words.

use capacity::GIB;
use contracts::Finite;

use crate::size::Size;

/// A printed size in whole bytes; `None` for less than nothing.
pub(crate) fn whole(size: Size) -> Option<u64> {
    (size.bytes >= 0.0).then_some(size.bytes.round() as u64)
}

/// What documents hold.
pub(crate) fn finite(value: f64) -> Option<Finite> {
    Finite::new(value)
}

/// `12.34 GiB`.
pub(crate) fn gib(bytes: f64) -> String {
    format!("{:.2} GiB", bytes / GIB)
}

/// `1 request`, `2 041 requests`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// Digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!(
            (grouped(999).as_str(), grouped(1_234_567).as_str()),
            ("999", "1 234 567")
        );
        assert_eq!(
            (counted(1, "request").as_str(), counted(2041, "request").as_str()),
            ("1 request", "2 041 requests")
        );
        assert_eq!(gib(1.5 * GIB), "1.50 GiB");
        let below = Size {
            bytes: -1.0,
            half_digit: 0.0,
        };
        assert_eq!(whole(below), None);
    }
}
