//! Text for a place that everybody reads: no host of a machine, no address, no user, no home path.

/// Places that may stand in public: where code, models and papers lie.
const PUBLIC: [&str; 7] = [
    "github.com",
    "gitlab.com",
    "huggingface.co",
    "arxiv.org",
    "pypi.org",
    "docs.vllm.ai",
    "docs.sglang.ai",
];
/// Endings that only a machine of somebody's own has.
const PRIVATE: [&str; 7] = [
    ".local",
    ".internal",
    ".lan",
    ".corp",
    ".cluster",
    ".intranet",
    ".svc",
];
/// What stands instead of a host.
const HOST: &str = "HOST";
/// What stands instead of the path to a file.
const PATH: &str = "PATH";

/// The text with every such part replaced.
pub(crate) fn scrub(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        out.push_str(&of_word(word));
        word.clear();
    };
    for c in text.chars() {
        if c.is_whitespace() || "'\"`()[]{}<>,;|=".contains(c) {
            flush(&mut word, &mut out);
            out.push(c);
        } else {
            word.push(c);
        }
    }
    flush(&mut word, &mut out);
    out
}

/// An argv, scrubbed: what follows a flag that names a host is one, whatever it looks like.
pub(crate) fn argv(words: &[String]) -> Vec<String> {
    let mut out = Vec::with_capacity(words.len());
    let mut after_host = false;
    for word in words {
        if after_host {
            out.push(of_host(word));
        } else if let Some((flag, value)) = word.split_once('=').filter(|(flag, _)| names_host(flag)) {
            out.push(format!("{flag}={}", of_host(value)));
        } else {
            out.push(scrub(word));
        }
        after_host = names_host(word);
    }
    out
}

fn names_host(flag: &str) -> bool {
    let name = flag.trim_start_matches('-').to_ascii_lowercase();
    flag.starts_with('-')
        && ["host", "addr", "address", "node-ip", "hostname"]
            .iter()
            .any(|end| name == *end || name.ends_with(&format!("-{end}")))
}

/// A host with or without port.
fn of_host(value: &str) -> String {
    let (host, port) = match value.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.chars().all(|c| c.is_ascii_digit()) => {
            (host, Some(port))
        }
        _ => (value, None),
    };
    if is_neutral(host) {
        return value.to_owned();
    }
    port.map_or_else(|| HOST.to_owned(), |port| format!("{HOST}:{port}"))
}

/// Loopback and "all interfaces" say nothing about a machine.
fn is_neutral(host: &str) -> bool {
    ["127.0.0.1", "0.0.0.0", "localhost", "::", "::1", "[::1]", "[::]"].contains(&host)
}

fn of_word(word: &str) -> String {
    if let Some((scheme, rest)) = word.split_once("://") {
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let host = authority.rsplit('@').next().unwrap_or(authority);
        let is_public = PUBLIC
            .iter()
            .any(|public| host == *public || host.ends_with(&format!(".{public}")));
        return match (is_public, scheme) {
            (true, _) => format!("{scheme}://{host}{path}"),
            // A file address is a path.
            (false, "file") => of_path(path),
            (false, _) => format!("{scheme}://{}{path}", of_host(host)),
        };
    }
    // git@github.com:owner/name is public, user@node17 is not.
    if let Some((user, host)) = word.split_once('@')
        && !user.is_empty()
        && !host.is_empty()
        && !host.starts_with(|c: char| c.is_ascii_digit() && !is_address(host))
    {
        let name = host.split([':', '/']).next().unwrap_or(host);
        return if PUBLIC.contains(&name) {
            word.to_owned()
        } else {
            HOST.to_owned()
        };
    }
    if is_path(word) {
        return of_path(word);
    }
    let end = word.len() - word.chars().rev().take_while(|c| ".:!?".contains(*c)).count();
    let (core, tail) = word.split_at(end);
    let host = core.split(':').next().unwrap_or(core);
    if is_address(host) || PRIVATE.iter().any(|private| host.ends_with(private)) {
        return format!("{}{tail}", of_host(core));
    }
    word.to_owned()
}

/// Four numbers below 256 with dots between.
fn is_address(host: &str) -> bool {
    let host = host.split([':', '/']).next().unwrap_or(host);
    let parts: Vec<&str> = host.split('.').collect();
    parts.len() == 4
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.len() <= 3 && part.parse::<u8>().is_ok())
}

/// An absolute path, or one below a home.
fn is_path(word: &str) -> bool {
    let is_absolute = word.starts_with('/') && word.chars().skip(1).any(|c| c.is_alphanumeric());
    let is_windows = word.get(1..3) == Some(":\\");
    is_absolute || word.starts_with("~/") || is_windows || word.contains("/home/") || word.contains("/Users/")
}

/// The last part of a path says which file; the rest says whose machine.
fn of_path(path: &str) -> String {
    let name = path
        .trim_end_matches(['/', '\\'])
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default();
    let parents = path.matches(['/', '\\']).count();
    // `/home/alice` itself ends in a user name.
    if name.is_empty() || parents < 3 && (path.starts_with("/home") || path.starts_with("/Users")) {
        PATH.to_owned()
    } else {
        format!("{PATH}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_names_a_machine_goes_and_the_rest_stays() {
        for (text, scrubbed) in [
            ("--model-path /home/alice/models/Qwen3", "--model-path PATH/Qwen3"),
            ("in /home/alice", "in PATH"),
            ("http://node17.example:8000/v1", "http://HOST:8000/v1"),
            ("http://127.0.0.1:30000/v1", "http://127.0.0.1:30000/v1"),
            (
                "https://github.com/sgl-project/sglang/pull/1",
                "https://github.com/sgl-project/sglang/pull/1",
            ),
            ("https://bob:secret@github.com/x/y", "https://github.com/x/y"),
            ("on 10.1.2.3:8000.", "on HOST:8000."),
            ("version 0.5.1.post2 of 1.2.3", "version 0.5.1.post2 of 1.2.3"),
            ("alice@node17 did", "HOST did"),
            ("git@github.com:x/y", "git@github.com:x/y"),
            ("gpu-3.cluster.local is slow", "HOST is slow"),
            ("python/sglang/srt/a.py +1", "python/sglang/srt/a.py +1"),
            ("a ratio of 3/4", "a ratio of 3/4"),
            ("HF_HOME=/root/.cache", "HF_HOME=PATH/.cache"),
        ] {
            assert_eq!(scrub(text), scrubbed);
        }
    }

    #[test]
    fn a_flag_that_names_a_host_hides_what_follows() {
        let words = [
            "--host",
            "node17",
            "--port",
            "8000",
            "--dist-init-addr=head:5000",
            "--host",
            "0.0.0.0",
        ]
        .map(str::to_owned);
        assert_eq!(
            argv(&words),
            [
                "--host",
                "HOST",
                "--port",
                "8000",
                "--dist-init-addr=HOST:5000",
                "--host",
                "0.0.0.0"
            ]
        );
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics_and_no_home_is_left(text in ".{0,200}", user in "[a-z]{3,8}", file in "[a-z]{1,8}") {
            let _ = scrub(&text);
            let public = scrub(&format!("{text} /home/{user}/x/{file} {user}@{file}"));
            let path = format!("/home/{user}");
            let mail = format!("{user}@{file}");
            prop_assert!(!public.contains(&path), "{public}");
            prop_assert!(!public.contains(&mail), "{public}");
        }
    }
}
