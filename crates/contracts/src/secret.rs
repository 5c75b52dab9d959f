//! Secrets: which names speak of one, where values of theirs stand, and what documents show instead.

use serde_json::Value;

use crate::argv;

/// What documents show instead of a secret.
pub const REDACTED: &str = "<secret>";

/// Parts of a name that speaks of a secret wherever they stand.
const PARTS: [&str; 11] = [
    "PASSWORD",
    "PASSPHRASE",
    "PRIVATE_KEY",
    "SIGNATURE",
    "PASSWD",
    "SECRET",
    "CREDENTIAL",
    "AUTHORIZATION",
    "COOKIE",
    "API_KEY",
    "APIKEY",
];
/// Ends of such a name; `num_key_value_heads` and `max_total_tokens` are none.
const ENDS: [&str; 2] = ["KEY", "TOKEN"];

/// Whether the value of a variable, a flag, a header or a setting must never reach a document or a log: `HF_TOKEN`,
/// `--api-key`, but not `max-total-tokens`, `TOKENIZER`, or `--api-key-env`, which names a variable.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace('-', "_");
    !name.ends_with("_ENV")
        && (PARTS.iter().any(|part| name.contains(part)) || ENDS.iter().any(|end| name.ends_with(end)))
}

/// A secret among words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Which word holds it, from 0.
    pub at: usize,
    /// The name that says so, without dashes.
    pub name: &'a str,
    /// Its value: the end of the word.
    pub value: &'a str,
}

/// The secrets of an argv: `--flag VALUE`, `--flag=VALUE`, `NAME=VALUE` and `Name: VALUE`.
pub fn in_argv<'a>(argv: impl IntoIterator<Item = &'a str>) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    // The name whose values are the next words, and whether it takes several.
    let mut open: Option<(&str, bool)> = None;
    for (at, word) in argv.into_iter().enumerate() {
        if let Some((name, takes_several)) = open.filter(|_| !argv::is_flag(word)) {
            let value = word;
            found.push(Found { at, name, value });
            open = open.filter(|_| takes_several);
        } else if let Some((name, value)) = attached(word) {
            found.push(Found { at, name, value });
            // A shell cuts `Authorization: Bearer x` into words.
            open = (value.is_empty() && word.ends_with(':')).then_some((name, true));
        } else {
            let name = word.trim_start_matches('-');
            // vLLM takes several values after this flag; every other flag of engines takes one.
            let takes_several = name.replace('_', "-") == "api-key";
            open = (argv::is_flag(word) && is_secret(name)).then_some((name, takes_several));
        }
    }
    found.retain(|found| !found.value.is_empty() && found.value != REDACTED);
    found
}

/// The secrets of a line that a shell cuts into words, those of URLs too. What only names a variable or a secret store is none.
pub fn in_line(line: &str) -> Vec<Found<'_>> {
    let words = line.split_whitespace().map(unquoted);
    let mut found = in_argv(words);
    for found in &mut found {
        found.value = unquoted(found.value);
    }
    for (at, word) in line.split_whitespace().enumerate() {
        let name = "userinfo";
        found.extend(userinfo(word).map(|value| Found { at, name, value }));
    }
    found.retain(|found| is_literal(found.value));
    // In the order of the line; what begins inside another is gone with it.
    found.sort_by_key(|found| found.value.as_ptr() as usize);
    let mut end = 0;
    found.retain(|found| {
        let start = found.value.as_ptr() as usize;
        let is_new = start >= end;
        end = end.max(start + found.value.len());
        is_new
    });
    found
}

/// Who logs in, and with what, in a URL: `user:password` of `https://user:password@host/`. A user of a shell (`ssh://git@host`)
/// is no secret.
fn userinfo(word: &str) -> Option<&str> {
    let (before, rest) = word.split_once("://")?;
    let authority = rest.split(['/', '?', '#', '"', '\'', '`', '<', ')']).next()?;
    let (info, _) = authority.rsplit_once('@')?;
    (info.contains(':') || before.to_ascii_lowercase().contains("http")).then_some(info)
}

/// The line without its secrets.
pub fn line_redacted(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut copied = 0;
    for found in in_line(line) {
        // Values are parts of the line, in its order.
        let start = found.value.as_ptr() as usize - line.as_ptr() as usize;
        out.push_str(&line[copied..start]);
        out.push_str(REDACTED);
        copied = start + found.value.len();
    }
    out + &line[copied..]
}

/// Replaces every secret of a configuration and gives the name of the first one; references to variables and to
/// secret stores stay.
pub fn redact(configuration: &mut Value) -> Option<String> {
    let mut first = None;
    match configuration {
        Value::Object(fields) => {
            for (name, value) in fields {
                let is_value = match &*value {
                    Value::String(text) => is_literal(unquoted(text)),
                    Value::Number(_) => true,
                    Value::Array(items) => items.iter().any(Value::is_string),
                    Value::Null | Value::Bool(_) | Value::Object(_) => false,
                };
                let inside = if is_value && is_secret(name) {
                    *value = Value::from(REDACTED);
                    Some(name.clone())
                } else {
                    redact(value)
                };
                first = first.or(inside);
            }
        }
        Value::Array(items) => {
            let words: Vec<String> = items
                .iter()
                .map(|item| match item {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => String::new(),
                })
                .collect();
            for found in in_argv(words.iter().map(String::as_str)) {
                if is_literal(unquoted(found.value)) {
                    items[found.at] = Value::from(replaced(&words[found.at], found.value));
                    first = first.or_else(|| Some(found.name.to_owned()));
                }
            }
            for item in items {
                let inside = redact(item);
                first = first.or(inside);
            }
        }
        Value::String(text) => {
            first = in_line(text).first().map(|found| found.name.to_owned());
            if first.is_some() {
                *text = line_redacted(text);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    first
}

/// A word whose end is a secret, with the mark instead.
pub(crate) fn replaced(word: &str, value: &str) -> String {
    format!("{}{REDACTED}", word.strip_suffix(value).unwrap_or_default())
}

/// A name of a secret and the value in the same word. The name is what stands right before the mark: in
/// `http://host/?token=x` it is `token`.
fn attached(word: &str) -> Option<(&str, &str)> {
    let is_in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    word.match_indices([':', '=']).find_map(|(at, _)| {
        let name = word[..at].rsplit(|c| !is_in_name(c)).next().unwrap_or_default();
        let name = name.trim_start_matches('-');
        is_secret(name).then(|| (name, word[at + 1..].trim_start()))
    })
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '\'', ';', ','])
}

/// Whether a text is a value itself, and does not only say where one is: `$HF_TOKEN`, `${{ secrets.hf_token }}`.
fn is_literal(value: &str) -> bool {
    !value.is_empty() && !value.starts_with('$') && value != REDACTED
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_tells_a_secret() {
        for name in [
            "HF_TOKEN",
            "TOKEN",
            "x_api_key",
            "--api-key",
            "api_keys",
            "OPENAI_APIKEY",
            "DB_PASSWORD",
            "ssl-keyfile-password",
            "CLIENT_SECRET",
            "X-Amz-Signature",
            "AWS_CREDENTIALS",
            "PROXY_AUTHORIZATION",
            "cookie",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "PATH",
            "TOKENIZER",
            "max-total-tokens",
            "num_key_value_heads",
            "KEYS",
            "TOKENIZERS_PARALLELISM",
            "--api-key-env",
            "",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn every_way_to_write_a_secret_in_a_line_is_found() {
        for (line, kept) in [
            (
                "serve m --api-key sk-1 sk-2 --tp 2",
                "serve m --api-key <secret> <secret> --tp 2",
            ),
            (
                "serve --hf-token hf_1 m --api-key=sk-1",
                "serve --hf-token <secret> m --api-key=<secret>",
            ),
            ("env HF_TOKEN='hf 1' serve", "env HF_TOKEN='<secret> 1' serve"),
            (
                "curl -H 'Authorization: Bearer sk-1' --url u",
                "curl -H 'Authorization: <secret> <secret>' --url u",
            ),
            ("get http://h/?token=abc", "get http://h/?token=<secret>"),
            (
                "pull from \"https://ann:pw@h:80/x?token=abc\" failed",
                "pull from \"https://<secret>@h:80/x?token=<secret>\" failed",
            ),
            (
                "https://ghp_1@github.com and redis://:pw@h/0, ssh://git@h and a@b",
                "https://<secret>@github.com and redis://<secret>@h/0, ssh://git@h and a@b",
            ),
            (
                "serve --api-key $KEY --api-key-env KEY",
                "serve --api-key $KEY --api-key-env KEY",
            ),
            ("serve --use-auth-token --tp 2", "serve --use-auth-token --tp 2"),
        ] {
            assert_eq!(line_redacted(line), kept);
        }
    }

    #[test]
    fn a_configuration_loses_them_wherever_they_stand() {
        let mut configuration = json!({
            "commands": ["serve --api-key sk-1"], "argv": ["serve", "--api-key", "sk-2", "--admin-api-key", 1234],
            "env": {"HF_TOKEN": "hf_3", "DB_PASSWORD": 12345, "X_API_KEY": "$X"}, "api_key": ["sk-4"], "port": 8000,
        });
        assert_eq!(redact(&mut configuration).as_deref(), Some("api-key"));
        assert_eq!(
            configuration,
            json!({
                "commands": ["serve --api-key <secret>"],
                "argv": ["serve", "--api-key", "<secret>", "--admin-api-key", "<secret>"],
                "env": {"HF_TOKEN": "<secret>", "DB_PASSWORD": "<secret>", "X_API_KEY": "$X"},
                "api_key": "<secret>", "port": 8000,
            })
        );
        assert_eq!(redact(&mut configuration), None, "nothing is left");
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(key in ".{0,12}", line in "(--?[a-z-]{0,6}(key|token)[=: ]{0,2}|.{0,6}| ){0,8}") {
            let redacted = line_redacted(&line);
            prop_assert_eq!(line_redacted(&redacted), redacted);
            let _ = redact(&mut json!({&key: [line.clone(), {&key: line}]}));
        }
    }
}
