//! Flags in argvs, as documents keep them: looked up, set, left out, compared. Nothing here runs anything.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::secret;

/// The argv as documents and logs show it: without the values of secrets, in words that are a JSON text or a shell line
/// too. A server cannot be launched from it.
pub fn redacted(argv: &[String]) -> Vec<String> {
    let mut shown = argv.to_vec();
    for found in secret::in_argv(argv.iter().map(String::as_str)) {
        let word = &argv[found.at];
        // A JSON text is read as one, unless it is the secret.
        if found.value.len() == word.len() || !is_json(word) {
            shown[found.at] = secret::replaced(word, found.value);
        }
    }
    for word in &mut shown {
        *word = inside_redacted(word);
    }
    shown
}

fn is_json(word: &str) -> bool {
    word.starts_with(['[', '{']) && serde_json::from_str::<serde::de::IgnoredAny>(word).is_ok()
}

/// A word that holds words itself: a launch command as JSON, a configuration, or a line for a shell.
fn inside_redacted(word: &str) -> String {
    if is_flag(word)
        && let Some((flag, value)) = word.split_once('=')
    {
        return format!("{flag}={}", inside_redacted(value));
    }
    if word.starts_with('[')
        && let Ok(argv) = serde_json::from_str::<Vec<String>>(word)
    {
        let shown = redacted(&argv);
        // As it was typed, unless something has to go.
        return if shown == argv {
            word.to_owned()
        } else {
            Value::from(shown).to_string()
        };
    }
    if word.starts_with(['[', '{'])
        && let Ok(mut configuration) = serde_json::from_str(word)
    {
        return match secret::redact(&mut configuration) {
            Some(_) => configuration.to_string(),
            None => word.to_owned(),
        };
    }
    secret::line_redacted(word)
}

/// The value of a flag, given as `--flag VALUE` or as `--flag=VALUE`.
pub fn value<'a>(argv: &'a [String], flag: &str) -> Option<&'a str> {
    argv.iter().enumerate().find_map(|(at, word)| {
        if word == flag {
            return argv.get(at + 1).map(String::as_str);
        }
        word.strip_prefix(flag)?.strip_prefix('=')
    })
}

/// The argv without some flags: `valued` with their values, `switches` alone. A valued flag of one letter is also found
/// with its value attached (`-oFILE`).
pub fn without(argv: &[String], valued: &[&str], switches: &[&str]) -> Vec<String> {
    let attached = |word: &str| {
        valued.iter().any(|flag| {
            word.strip_prefix(flag)
                .is_some_and(|rest| rest.starts_with('=') || (!flag.starts_with("--") && !rest.is_empty()))
        })
    };
    let mut kept = Vec::new();
    let mut words = argv.iter();
    while let Some(word) = words.next() {
        if valued.contains(&word.as_str()) {
            words.next();
        } else if !switches.contains(&word.as_str()) && !attached(word) {
            kept.push(word.clone());
        }
    }
    kept
}

/// Sets a flag to a value, wherever it stood before.
pub fn set(argv: &mut Vec<String>, flag: &str, value: &str) {
    *argv = without(argv, &[flag], &[]);
    argv.extend([flag.to_owned(), value.to_owned()]);
}

/// Flags whose presence or value two launches do not share, by name. A `--no-flag` beside a `--flag` is a difference of
/// both.
pub fn differing_flags(before: &[String], now: &[String]) -> Vec<String> {
    let (before, now) = (flags(before), flags(now));
    let mut names: Vec<&str> = before.keys().chain(now.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .filter(|name| before.get(name) != now.get(name))
        .map(str::to_owned)
        .collect()
}

/// Flags of a launch with the words that follow each, up to the next flag.
fn flags(argv: &[String]) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut last = None;
    for word in argv {
        if is_flag(word) {
            let (name, value) = word
                .split_once('=')
                .map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
            found.entry(name).or_default().extend(value);
            last = Some(name);
        } else if let Some(name) = last {
            found.entry(name).or_default().push(word);
        }
    }
    found
}

/// Whether a word is a long flag, or a short one of a letter.
pub fn is_flag(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    let dashes = word.len() - name.len();
    (1..=2).contains(&dashes) && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_value_is_found_in_both_spellings() {
        assert_eq!(value(&words("t --a 1 --b=2"), "--a"), Some("1"));
        assert_eq!(value(&words("t --a 1 --b=2"), "--b"), Some("2"));
        assert_eq!(value(&words("t --ab 1"), "--a"), None);
        assert_eq!(value(&words("t --a"), "--a"), None);
    }

    #[test]
    fn flags_are_left_out_with_their_values() {
        let argv = words("t sub --a 1 --b=2 -oX -o Y --resume --ab 3");
        assert_eq!(
            without(&argv, &["--a", "--b", "-o"], &["--resume"]),
            words("t sub --ab 3")
        );
    }

    #[test]
    fn a_flag_is_set_once() {
        let mut argv = words("t --a 1 --b 2 --a=3");
        set(&mut argv, "--a", "4");
        assert_eq!(argv, words("t --b 2 --a 4"));
    }

    #[test]
    fn launches_differ_by_flag_and_by_value() {
        let before = words("serve model --tp 1 --chunk=512 --eager");
        let now = words("serve model --tp=2 --chunk 512 --mem 0.9");
        assert_eq!(differing_flags(&before, &now), ["--eager", "--mem", "--tp"]);
        assert!(differing_flags(&before, &before).is_empty());
    }

    #[test]
    fn documents_show_no_secret_of_a_launch() {
        let launch = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        for (argv, shown) in [
            (
                launch(&["serve", "m", "--api-key", "sk-1", "--tp=2", "--hf-token=hf_1"]),
                launch(&[
                    "serve",
                    "m",
                    "--api-key",
                    "<secret>",
                    "--tp=2",
                    "--hf-token=<secret>",
                ]),
            ),
            (
                launch(&["compare", "--a-cmd", r#"["serve", "--api-key", "sk-1"]"#]),
                launch(&["compare", "--a-cmd", r#"["serve","--api-key","<secret>"]"#]),
            ),
            (
                launch(&[
                    "compare",
                    r#"--b-cmd=["serve","--api-key","sk-1","--script","{\"a\": {\"b\": 1}}"]"#,
                ]),
                launch(&[
                    "compare",
                    r#"--b-cmd=["serve","--api-key","<secret>","--script","{\"a\": {\"b\": 1}}"]"#,
                ]),
            ),
            (
                launch(&[
                    "compare",
                    "--a-cmd",
                    r#"["serve","--api-key=sk-1","--script","{\"a\": 1}"]"#,
                ]),
                launch(&[
                    "compare",
                    "--a-cmd",
                    r#"["serve","--api-key=<secret>","--script","{\"a\": 1}"]"#,
                ]),
            ),
            (
                launch(&["serve", "--override", r#"{"auth": {"api_key": "sk-1"}}"#]),
                launch(&["serve", "--override", r#"{"auth":{"api_key":"<secret>"}}"#]),
            ),
            (
                launch(&["sh", "-c", "exec serve --api-key sk-1 $X"]),
                launch(&["sh", "-c", "exec serve --api-key <secret> $X"]),
            ),
            (
                launch(&["curl", "-H", "X-Api-Key: sk-1"]),
                launch(&["curl", "-H", "X-Api-Key: <secret>"]),
            ),
        ] {
            assert_eq!(redacted(&argv), shown);
            assert_eq!(redacted(&shown), shown);
        }
        let plain = words("run --api-key-env KEY --a-cmd [\"serve\"]");
        assert_eq!(redacted(&plain), plain);
    }

    #[test]
    fn a_negative_number_is_a_value() {
        assert!(is_flag("--tp") && is_flag("-x") && !is_flag("-1") && !is_flag("model") && !is_flag("---x"));
    }

    proptest! {
        #[test]
        fn arbitrary_words_never_panic(argv in proptest::collection::vec(".{0,12}", 0..12), flag in "-{1,2}.{0,4}") {
            let _ = (value(&argv, &flag), differing_flags(&argv, &[]), redacted(&argv));
            let mut changed = without(&argv, &[&flag], &[]);
            set(&mut changed, &flag, "v");
            prop_assert_eq!(changed.last().map(String::as_str), Some("v"));
        }
    }
}
