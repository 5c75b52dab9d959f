//! `ROLE=URL`: what a server does beside the others of one deployment.

/// Longest role, bytes.
const LONGEST: usize = 32;

/// The role that stands before a URL, and the URL; a role is of letters, digits, `-` and `_`.
pub fn split_role(text: &str) -> (Option<&str>, &str) {
    let is_role = |role: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        !role.is_empty() && role.len() <= LONGEST && role.chars().all(is_plain)
    };
    // A URL has a colon before anything that could be an equals sign.
    match text.trim().split_once('=') {
        Some((role, url)) if is_role(role) => (Some(role), url.trim()),
        _ => (None, text.trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_stands_before_its_url() {
        assert_eq!(split_role("prefill=http://h:1"), (Some("prefill"), "http://h:1"));
        assert_eq!(split_role(" http://h:1/a=b "), (None, "http://h:1/a=b"));
        assert_eq!(split_role("pre fill=http://h:1"), (None, "pre fill=http://h:1"));
        assert_eq!(split_role("=http://h:1"), (None, "=http://h:1"));
    }
}
