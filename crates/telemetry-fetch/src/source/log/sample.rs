//! One message as a document may show it: without secrets, without controls, short.

use std::sync::OnceLock;

use contracts::secret::{REDACTED, line_redacted};
use contracts::text::clean;
use regex::Regex;

/// Longest sample, bytes.
const CAP: usize = 300;

/// Makes a message fit to be shown.
pub(crate) fn sample(message: &str) -> String {
    // Cleaned first: an escape in the middle of a key must not hide it.
    let message = clean(message, CAP * 4);
    let message = line_redacted(&message);
    let message = quoted().replace_all(&message, format!("${{1}}{REDACTED}"));
    clean(&tokens().replace_all(&message, REDACTED), CAP)
}

/// `"api_key": "x"` of JSON and `'Authorization': 'Bearer x'` of Python, which no shell would cut so.
fn quoted() -> &'static Regex {
    static PATTERN: OnceLock<Regex> = OnceLock::new();
    PATTERN.get_or_init(|| {
        let names = "api[_-]?key|apikey|[a-z_-]*pass(?:word|phrase)|[a-z_-]*secret|authorization|cookie|[a-z_-]*token";
        Regex::new(&format!(r#"(?i)(["']?\b(?:{names})["']?\s*[:=]\s*["'])[^"']*"#))
            .expect("the pattern is written here")
    })
}

/// Keys that are known by how they begin, wherever they stand; their makers publish the prefixes.
fn tokens() -> &'static Regex {
    static PATTERN: OnceLock<Regex> = OnceLock::new();
    PATTERN.get_or_init(|| {
        let shapes = r"\b(?:hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|AKIA[A-Z0-9]{16}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|AIza[\w-]{30,}|xox[a-z]-[\w-]{8,}|glpat-[\w-]{16,})|(?i:\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY-----.*";
        Regex::new(shapes).expect("the pattern is written here")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_and_escapes_are_not_shown() {
        for (message, shown) in [
            (
                "ServerArgs(api_key='abc123', tp_size=2)",
                "ServerArgs(api_key='<secret>', tp_size=2)",
            ),
            (
                "body {\"api_key\": \"abc 123\", \"n\": 1}",
                "body {\"api_key\": \"<secret>\", \"n\": 1}",
            ),
            (
                "headers {'authorization': 'Bearer abcdef123'}",
                "headers {'authorization': '<secret>'}",
            ),
            (
                "tried with hf_abcdefghijklmnopqrstuvwx twice",
                "tried with <secret> twice",
            ),
            ("got Bearer abcdefgh12345", "got <secret>"),
            ("sent Basic 0123456789abcdef==", "sent <secret>"),
            ("slack xoxb-1234567890-abcdef", "slack <secret>"),
            ("-----BEGIN RSA PRIVATE KEY----- MIIEow== -----END", "<secret>"),
            ("passphrase = 'my pass phrase'", "passphrase = '<secret>'"),
            (
                "GET http://h/o?X-Amz-Signature=0ab1",
                "GET http://h/o?X-Amz-Signature=<secret>",
            ),
            (
                "GET https://user:hunter2@example.com/x failed",
                "GET https://<secret>@example.com/x failed",
            ),
            ("\u{1b}[31mred\u{1b}[0m \u{202e}text", "red text"),
        ] {
            assert_eq!(sample(message), shown);
        }
        let split = sample("key hf_abcdefgh\u{1b}[0mijklmnopqrstuvwx");
        assert_eq!(split, "key <secret>");
    }

    proptest! {
        #[test]
        fn any_message_is_short_and_clean(message in ".{0,2000}") {
            let shown = sample(&message);
            prop_assert!(shown.len() <= CAP + '…'.len_utf8());
            prop_assert!(!shown.chars().any(|c| c.is_control() || contracts::text::is_invisible(c)));
        }
    }
}
