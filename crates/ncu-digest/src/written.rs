//! How numbers are written for people.

/// A duration with a unit that suits it.
pub(crate) fn duration(ns: f64) -> String {
    let (value, unit) = match ns {
        // Longer than any kernel runs: a defect of its report.
        ns if ns >= 1e18 => return format!("{:.2e} s", ns / 1e9),
        ns if ns >= 1e9 => (ns / 1e9, "s"),
        ns if ns >= 1e6 => (ns / 1e6, "ms"),
        ns if ns >= 1e3 => (ns / 1e3, "µs"),
        ns => (ns, "ns"),
    };
    format!("{value:.2} {unit}")
}

/// A number as short as it can be read.
pub(crate) fn plain(value: f64) -> String {
    match value.abs() {
        size if size >= 1e15 => format!("{value:.4e}"),
        size if size >= 1e5 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(duration(58_624.0), "58.62 µs");
        assert_eq!(duration(173_293_760.0), "173.29 ms");
        assert_eq!(
            [plain(0.0), plain(32.0), plain(21.061), plain(0.0123)],
            ["0", "32", "21.06", "0.0123"]
        );
        assert_eq!(plain(3.452e12), "3452000000000");
    }
}
