//! An answer out of a text: where the text states it, else where it labels it, else what comes last. Pure.

use std::sync::LazyLock;

use contracts::quality_gate::result::ExtractionLevel::{self, Labelled, Last, Stated};
use regex::Regex;

/// What kind of answer is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of the first so many letters.
    Letter(u8),
    /// A number.
    Number,
}

type Levels = LazyLock<[(ExtractionLevel, Regex); 3]>;

fn levels(patterns: [&str; 3]) -> [(ExtractionLevel, Regex); 3] {
    let compile = |pattern| Regex::new(pattern).expect("the pattern is fixed");
    let [stated, labelled, last] = patterns.map(compile);
    [(Stated, stated), (Labelled, labelled), (Last, last)]
}

static LETTERS: Levels = LazyLock::new(|| {
    levels([
        r"(?i:answer is):?[\s*]*\(?([A-Z])\b",
        r"(?i:answer)\**\s*:[\s*]*\(?([A-Z])\b",
        r"\b([A-Z])\b",
    ])
});

static NUMBERS: Levels = LazyLock::new(|| {
    levels([
        r"####\s*\$?(-?[0-9][0-9,]*(?:\.[0-9]+)?)",
        r"(?i:answer)(?:\s+is)?\**\s*:?[\s*]*\$?(-?[0-9][0-9,]*(?:\.[0-9]+)?)",
        r"(-?[0-9][0-9,]*(?:\.[0-9]+)?)",
    ])
});

/// The answer, and where it stood. On each level the last one counts: models correct themselves.
pub fn extract(text: &str, kind: Kind) -> Option<(String, ExtractionLevel)> {
    let levels = match kind {
        Kind::Letter(_) => &LETTERS,
        Kind::Number => &NUMBERS,
    };
    levels.iter().find_map(|(level, pattern)| {
        let found = pattern.captures_iter(text).filter_map(|found| match kind {
            Kind::Letter(count) => {
                let letter = found[1].bytes().next()?;
                (letter - b'A' < count).then(|| found[1].to_owned())
            }
            Kind::Number => Some(number(&found[1])),
        });
        found.last().map(|answer| (answer, *level))
    })
}

/// A number in one spelling: no commas, no zeros that say nothing.
pub fn number(text: &str) -> String {
    let text = text.trim().trim_start_matches('$').replace(',', "");
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.as_str()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let fraction = fraction.trim_end_matches('0');
    match (whole, fraction) {
        ("0", "") => "0".to_owned(),
        (_, "") => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_by_level() {
        let cases = [
            ("So B or C. The answer is (D).", Some(("D", Stated))),
            ("The answer is (A). No: the answer is **B**", Some(("B", Stated))),
            ("**Answer:** C", Some(("C", Labelled))),
            ("It is C", Some(("C", Last))),
            ("The answer is apple", None),
            ("The answer is (Z), so B", Some(("B", Last))),
            ("", None),
        ];
        for (text, wanted) in cases {
            let found = extract(text, Kind::Letter(4));
            let found = found.as_ref().map(|(answer, level)| (answer.as_str(), *level));
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn numbers_by_level_in_one_spelling() {
        let cases = [
            ("3 and 4 make\n#### 1,234.50", Some(("1234.5", Stated))),
            ("The answer is $18.00.", Some(("18", Labelled))),
            ("first 3, then -7", Some(("-7", Last))),
            ("#### -0.0", Some(("0", Stated))),
            ("none", None),
        ];
        for (text, wanted) in cases {
            let found = extract(text, Kind::Number);
            let found = found.as_ref().map(|(answer, level)| (answer.as_str(), *level));
            assert_eq!(found, wanted, "{text}");
        }
    }
}
