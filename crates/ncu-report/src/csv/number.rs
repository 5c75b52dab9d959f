//! A cell: a number as `ncu` prints it, scaled, or text. Numbers are unscaled by moving the point, so that no digit is lost.

use crate::model::Value;
use crate::text::{TEXT_CAP, bounded};

/// What a cell says.
#[derive(Debug, PartialEq)]
pub(super) enum Cell {
    /// Nothing was measured.
    Nothing,
    /// `nan` or infinity.
    NotFinite,
    /// A number in base units, or text.
    Value(Value),
    /// Looks like a number with a decimal comma.
    DecimalComma,
}

/// Reads a cell whose printed number is to be multiplied by ten to the power of `exponent`.
///
/// A column with a unit holds numbers, so there a comma in the wrong place is noticed.
pub(super) fn cell(bytes: &[u8], exponent: i32, has_unit: bool) -> Cell {
    let text = bounded(bytes.trim_ascii(), TEXT_CAP);
    match text.as_str() {
        "" | "no data" | "n/a" | "N/A" => return Cell::Nothing,
        "nan" | "-nan" | "inf" | "-inf" | "nan(ind)" | "-nan(ind)" => return Cell::NotFinite,
        _ => {}
    }
    match number(&text, exponent) {
        Some(value) => Cell::Value(value),
        None if has_unit && has_decimal_comma(&text) => Cell::DecimalComma,
        None => Cell::Value(Value::Text(text)),
    }
}

/// `-1,234.5`: digits, groups of them with commas, a point.
fn number(text: &str, exponent: i32) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(',').rev();
    let is_grouped = groups.next().is_some_and(|last| {
        // The last group has three digits, those before it as many as the language of the machine wants.
        are_digits(last)
            && (last.len() == 3 || last.len() == whole.len())
            && groups.all(|group| are_digits(group) && group.len() <= 3)
    });
    if !is_grouped || !fraction.is_none_or(are_digits) {
        return None;
    }
    let plain = text.replace(',', "");
    if fraction.is_none()
        && exponent == 0
        && let Ok(number) = plain.parse()
    {
        return Some(Value::Integer(number));
    }
    let number: f64 = format!("{plain}e{exponent}").parse().ok()?;
    number.is_finite().then_some(Value::Real(number))
}

/// `30.017,55`: two or six digits, as printed, behind a comma.
fn has_decimal_comma(text: &str) -> bool {
    let Some((whole, fraction)) = text.rsplit_once(',') else {
        return false;
    };
    let has_digit = whole.bytes().any(|byte| byte.is_ascii_digit());
    has_digit && matches!(fraction.len(), 1 | 2 | 6) && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn real(text: &str, exponent: i32) -> f64 {
        match cell(text.as_bytes(), exponent, true) {
            Cell::Value(value) => value.number().expect("a number"),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn separators_go_and_the_point_moves() {
        assert_eq!(cell(b"234,496", 0, true), Cell::Value(Value::Integer(234_496)));
        assert_eq!(real("30,017.55", 0), 30_017.55);
        assert_eq!(real("58.624000", 3), 58_624.0);
        assert_eq!(real("1.084025", 9), 1_084_025_000.0);
        assert_eq!(real("2.614000", -3), 0.002_614);
        assert_eq!(real("-5", 0), -5.0);
        // As India writes it.
        assert_eq!(real("12,34,567", 0), 1_234_567.0);
    }

    #[test]
    fn words_are_nothing_or_no_number_or_text() {
        assert_eq!(cell(b"", 0, true), Cell::Nothing);
        assert_eq!(cell(b"no data", 0, true), Cell::Nothing);
        assert_eq!(cell(b"nan", 0, false), Cell::NotFinite);
        let text = |text: &str| Cell::Value(Value::Text(text.to_owned()));
        assert_eq!(cell(b"PolicySpread", 0, false), text("PolicySpread"));
        assert_eq!(cell(b"0,1", 0, false), text("0,1"));
        assert_eq!(cell(b"1.2.3", 0, true), text("1.2.3"));
    }

    #[test]
    fn a_decimal_comma_is_noticed_where_numbers_are_expected() {
        for text in ["30.017,55", "58,624000", "30 017,55", "7,5"] {
            assert_eq!(cell(text.as_bytes(), 0, true), Cell::DecimalComma, "{text}");
        }
        assert_eq!(cell(b"1,234", 0, true), Cell::Value(Value::Integer(1_234)));
    }

    proptest! {
        #[test]
        fn any_cell_is_finite(bytes: Vec<u8>, exponent in -12..12) {
            if let Cell::Value(Value::Real(number)) = cell(&bytes, exponent, true) {
                prop_assert!(number.is_finite());
            }
        }

        #[test]
        fn any_number_comes_back(number in 0_u64..1 << 60) {
            let mut text = number.to_string();
            for at in (1..text.len()).rev().filter(|at| (text.len() - at) % 3 == 0).collect::<Vec<_>>() {
                text.insert(at, ',');
            }
            prop_assert_eq!(cell(text.as_bytes(), 0, true), Cell::Value(Value::Integer(number)));
        }
    }
}
