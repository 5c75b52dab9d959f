//! Units of a CSV: `ncu` scales values by thousands unless it is told not to. Here they become base units again.

/// A printed unit in base units, and by which power of ten its values are to be multiplied.
pub(super) fn base(unit: &str) -> (String, i32) {
    let (numerator, denominator) = match unit.split_once('/') {
        Some((numerator, denominator)) => (numerator, Some(denominator)),
        None => (unit, None),
    };
    let (name, exponent) = match time(numerator) {
        Some(power) => ("ns", 9 + power),
        None => prefixed(numerator),
    };
    let Some(denominator) = denominator else {
        return (name.to_owned(), exponent);
    };
    // `2.5 %/Kbyte` is printed for a value of 2500 %/byte (2025.2.1 and 2025.3.1, against their reports): a prefix always stands
    // for a value that was divided, wherever it is written.
    let (below, below_exponent) = match time(denominator) {
        Some(power) => ("s", -power),
        None => prefixed(denominator),
    };
    let name = match (name, below) {
        ("cycle", "s") => "hz".to_owned(),
        _ => format!("{name}/{below}"),
    };
    (name, exponent + below_exponent)
}

/// A time as a power of ten of a second. The long words are those of versions before 2023; not checked against a file.
fn time(unit: &str) -> Option<i32> {
    match unit {
        "s" | "second" => Some(0),
        "ms" | "msecond" => Some(-3),
        "us" | "usecond" => Some(-6),
        "ns" | "nsecond" => Some(-9),
        _ => None,
    }
}

/// `Kbyte` is 1000 bytes. `SM` is a unit of its own.
fn prefixed(unit: &str) -> (&str, i32) {
    let prefixes = [("K", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15)];
    for (prefix, exponent) in prefixes {
        let rest = unit.strip_prefix(prefix);
        if let Some(rest) =
            rest.filter(|rest| rest.starts_with(|character: char| character.is_ascii_lowercase()))
        {
            return (rest, exponent);
        }
    }
    (unit, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scaled_unit_seen_and_its_base() {
        for (printed, expected, exponent) in [
            ("", "", 0),
            ("%", "%", 0),
            ("SM", "SM", 0),
            ("cycle", "cycle", 0),
            ("register/thread", "register/thread", 0),
            ("Kbyte", "byte", 3),
            ("Mbyte", "byte", 6),
            ("Gbyte/s", "byte/s", 9),
            ("Tbyte/s", "byte/s", 12),
            ("Kbyte/block", "byte/block", 3),
            ("Kbyte/cycle", "byte/cycle", 3),
            ("%/Kbyte", "%/byte", 3),
            ("Mhz", "hz", 6),
            ("Ghz", "hz", 9),
            ("ns", "ns", 0),
            ("us", "ns", 3),
            ("ms", "ns", 6),
            ("s", "ns", 9),
            ("sector/s", "sector/s", 0),
            ("sector/ms", "sector/s", 3),
            ("sector/us", "sector/s", 6),
            ("sector/ns", "sector/s", 9),
            ("usecond", "ns", 3),
            ("cycle/nsecond", "hz", 9),
            ("Gbyte/second", "byte/s", 9),
        ] {
            assert_eq!(base(printed), (expected.to_owned(), exponent), "{printed}");
        }
    }
}
