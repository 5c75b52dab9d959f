//! Words of warnings that more than one form of a report gives.

use std::collections::BTreeSet;

/// Code of the warning about [`non_finite`] metrics.
pub(crate) const NON_FINITE: &str = "non-finite-metric";

/// Most names that one warning lists.
const LISTED: usize = 8;

/// Metrics whose value, or that of an instance, is no finite number.
pub(crate) fn non_finite(names: &BTreeSet<String>) -> String {
    format!("no finite number in {}", listed(names))
}

/// The first names, and how many there are more.
pub(crate) fn listed(names: &BTreeSet<String>) -> String {
    let first: Vec<&str> = names.iter().take(LISTED).map(String::as_str).collect();
    match names.len() - first.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut() {
        let names = (10..30).map(|number| format!("m{number}")).collect();
        assert_eq!(
            non_finite(&names),
            "no finite number in m10, m11, m12, m13, m14, m15, m16, m17 and 12 more"
        );
    }
}
