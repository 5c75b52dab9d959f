//! Words that belong to one machine or person: addresses, host names, absolute paths, accounts. A prompt is copied into
//! other sessions and shown to others, so it has none.

/// What stands for such a word. Never longer than the word.
const INSTEAD: &str = "…";

/// Ends of host names. A word with a dot is a file or a module far more often than a host.
const HOST_ENDS: [&str; 16] = [
    "com", "net", "org", "io", "ai", "dev", "edu", "cn", "de", "eu", "internal", "local", "lan", "corp",
    "cloud", "home",
];

fn is_between(c: char) -> bool {
    c.is_whitespace() || "\"'`()[]{}<>,;=|…!?*".contains(c)
}

/// The first such word of a text.
#[cfg(test)]
pub(crate) fn find(text: &str) -> Option<&str> {
    text.split(is_between).find(|word| is_private(word))
}

/// The text without such words.
pub(crate) fn redact(text: &str) -> String {
    let mut out = String::new();
    for piece in text.split_inclusive(is_between) {
        let word = piece.trim_end_matches(is_between);
        if is_private(word) {
            out.push_str(INSTEAD);
            out.push_str(&piece[word.len()..]);
        } else {
            out.push_str(piece);
        }
    }
    out
}

fn is_private(word: &str) -> bool {
    let word = word.trim_matches(|c| ".:".contains(c));
    word.contains("://")
        || word.contains(":\\")
        || is_path(word)
        || is_account(word)
        || is_address(word)
        || is_host(word)
}

/// An absolute path of more than one part, or one in a home folder. `/goal` is a command.
fn is_path(word: &str) -> bool {
    match word.strip_prefix('/') {
        Some(rest) => rest.contains('/') || matches!(rest, "root" | "home" | "Users"),
        None => word.starts_with('~') && (word.len() == 1 || word.contains('/')),
    }
}

/// `name@host`; `package@1.2` and `package@0a1b2c` are versions.
fn is_account(word: &str) -> bool {
    word.split_once('@').is_some_and(|(name, host)| {
        let is_version = host
            .trim_start_matches('v')
            .starts_with(|c: char| c.is_ascii_digit());
        let is_commit = host.len() >= 7 && host.bytes().all(|byte| byte.is_ascii_hexdigit());
        !name.is_empty() && !host.is_empty() && !is_version && !is_commit
    })
}

fn is_address(word: &str) -> bool {
    let is_v6 = word.matches(':').count() >= 2
        && word
            .chars()
            .all(|c| c.is_ascii_hexdigit() || c == ':' || c == '.' || c == '%');
    let before_port = word.split([':', '/']).next().unwrap_or_default();
    is_v6 || before_port.parse::<std::net::Ipv4Addr>().is_ok()
}

fn is_host(word: &str) -> bool {
    let (name, port) = match word.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (word, None),
    };
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-');
    if !is_name {
        return false;
    }
    let has_port = port.is_some_and(|port| {
        let digits = port.chars().take_while(char::is_ascii_digit).count();
        digits >= 2 && port[digits..].chars().next().is_none_or(|c| c == '/')
    });
    let ends_as_host = name
        .rsplit_once('.')
        .is_some_and(|(_, end)| HOST_ENDS.contains(&end.to_ascii_lowercase().as_str()));
    has_port || ends_as_host || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn places_are_known() {
        for word in [
            "127.0.0.1",
            "10.0.0.7:30000",
            "fe80::1",
            "http://gpu7/v1",
            "gpu-node-17:30000",
            "gpu-node-17:30000/v1",
            "gpu7.cluster.internal",
            "localhost",
            "/home/somebody/model",
            "--model-path=/mnt/models/q.gguf",
            "/root",
            "~/models",
            "~",
            "somebody@gpu7",
            "C:\\Users",
        ] {
            assert!(find(&format!("at {word}.")).is_some(), "{word}");
            assert_eq!(find(&redact(&format!("at {word}, so"))), None, "{word}");
        }
    }

    #[test]
    fn words_of_the_field_are_no_places() {
        for word in [
            "/goal",
            "Qwen/Qwen3-Next-80B-A3B-Instruct-FP8",
            "llama.cpp",
            "sglang.launch_server",
            "python/sglang/srt/layers",
            "sglang@0.5.2",
            "owner/repository",
            "lmsysorg/sglang:latest",
            "p50_ttft_ms<=2000",
            "1000->1000",
            "~3",
            "TTFT/TPOT",
            "B200-192GB-SXM",
        ] {
            assert_eq!(find(word), None, "{word}");
            assert_eq!(redact(word), word);
        }
    }

    proptest! {
        #[test]
        fn what_was_redacted_has_no_place_and_is_not_longer(text in "[a-z0-9/~@:. =`\\[\\]%ü-]{0,80}|.{0,80}") {
            let redacted = redact(&text);
            prop_assert_eq!(find(&redacted), None);
            prop_assert!(redacted.chars().count() <= text.chars().count());
        }
    }
}
