//! Patterns of metrics.

/// `*` stands for any characters, `?` for one. No more than one step back: linear in what it looks at.
pub(crate) fn is_match(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    n = from + 1;
                    star = Some((at, n));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn patterns() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*sum", "dram__bytes.sum", true),
            ("dram*sum", "dram__bytes.sum", true),
            ("dram*sum", "dram__bytes.sum.per_second", false),
            ("?ram__*.s?m", "dram__bytes.sum", true),
            ("a*b*c", "aXbXbXc", true),
            ("", "x", false),
            ("x", "xy", false),
        ] {
            assert_eq!(is_match(pattern, name), expected, "{pattern} {name}");
        }
        assert!(!is_match(&"*a".repeat(50), &"b".repeat(5000)));
    }
}
