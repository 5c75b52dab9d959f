//! The command of a candidate: an argv, or where the plan says so a line for `sh`.

use std::collections::BTreeMap;

use contracts::config_search::plan::Framework;
use serde_json::Value;

use super::parameter::VARIABLE;

/// What becomes the port of a launch.
pub(crate) const PORT: &str = "{port}";

/// `server_command` as words; a line for `sh` is one word.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn words(framework: &Framework) -> Result<Vec<String>, String> {
    match &framework.server_command {
        Value::Array(list) => {
            if framework.shell {
                return Err("`shell: true` goes with a string, and `server_command` is a list".to_owned());
            }
            let words: Option<Vec<String>> = list.iter().map(word).collect();
            match words {
                Some(words) if words.first().is_some_and(|first| !first.is_empty()) => Ok(words),
                Some(_) => Err("`server_command` is empty".to_owned()),
                None => Err("`server_command` holds something that is neither text nor number".to_owned()),
            }
        }
        Value::String(line) if framework.shell && !line.trim().is_empty() => Ok(vec![line.clone()]),
        Value::String(_) if !framework.shell => {
            Err("`server_command` is a string, and the plan does not say `shell: true`".to_owned())
        }
        _ => Err("`server_command` is missing".to_owned()),
    }
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Flags that a candidate adds.
pub(crate) fn flags(params: &BTreeMap<String, Value>) -> Vec<String> {
    let mut words = Vec::new();
    for (flag, value) in params.iter().filter(|(flag, _)| !flag.starts_with(VARIABLE)) {
        match value {
            Value::Null | Value::Bool(false) => {}
            Value::Bool(true) => words.push(flag.clone()),
            value => {
                words.push(flag.clone());
                words.push(word(value).unwrap_or_else(|| value.to_string()));
            }
        }
    }
    words
}

/// The framework with the variables that a candidate sets; `true` is 1.
pub(crate) fn with_variables(framework: &Framework, params: &BTreeMap<String, Value>) -> Framework {
    let mut framework = framework.clone();
    let set = params.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(VARIABLE)?;
        let value = match value {
            Value::Null | Value::Bool(false) => return None,
            Value::Bool(true) => "1".to_owned(),
            value => word(value)?,
        };
        Some((name.to_owned(), value))
    });
    framework.env.extend(set);
    framework
}

/// Whether a word of an argv is a flag and not a value; a negative number is a value.
pub(crate) fn is_flag(word: &str) -> bool {
    word.starts_with('-') && word.parse::<f64>().is_err()
}

/// Each word of an argv as if it were a flag: its name, and what stands behind `=` or as the next word.
pub(crate) fn named(words: &[String]) -> impl DoubleEndedIterator<Item = (&str, Option<&str>)> {
    (0..words.len()).map(|at| match words[at].split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (words[at].as_str(), words.get(at + 1).map(String::as_str)),
    })
}

/// The words without the flags that a candidate sets itself: their values are the baseline's. At most so many words behind a flag
/// are its values: a command has words that belong to no flag.
fn without_set(words: &[String], params: &BTreeMap<String, Value>, most_values: usize) -> Vec<String> {
    let mut kept = Vec::new();
    let mut values_left = 0;
    for word in words {
        if is_flag(word) {
            let (name, value) = word.split_once('=').unzip();
            let set = params.get(name.unwrap_or(word)).filter(|value| !value.is_null());
            if let Some(set) = set {
                values_left = if set.is_boolean() || value.is_some() {
                    0
                } else {
                    most_values
                };
                continue;
            }
            values_left = 0;
        } else if values_left > 0 {
            values_left -= 1;
            continue;
        }
        kept.push(word.clone());
    }
    kept
}

/// The argv of a candidate, `{port}` still in it.
///
/// # Errors
/// Those of [`words`].
pub(crate) fn argv(framework: &Framework, params: &BTreeMap<String, Value>) -> Result<Vec<String>, String> {
    let mut words = words(framework)?;
    let base = without_set(&framework.base_server_flags, params, usize::MAX).into_iter();
    let more = base.chain(flags(params));
    if !framework.shell {
        words = without_set(&words, params, 1);
        words.extend(more);
        return Ok(words);
    }
    let quoted: Vec<String> = more.map(|word| quoted(&word)).collect();
    // `exec`, so that the server is the process that is stopped.
    let line = format!("exec {} {}", words[0], quoted.join(" "));
    Ok(vec!["sh".to_owned(), "-c".to_owned(), line.trim_end().to_owned()])
}

/// A word as a POSIX shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_searched_takes_the_place_of_the_base_s() {
        let framework = Framework {
            server_command: json!(["serve"]),
            base_server_flags: ["--len", "100", "--on", "--seed", "-3", "--len=5"]
                .map(str::to_owned)
                .to_vec(),
            ..Framework::default()
        };
        let params = BTreeMap::from([
            ("--len".to_owned(), json!(200)),
            ("--seed".to_owned(), json!(null)),
        ]);
        assert_eq!(
            argv(&framework, &params).unwrap(),
            ["serve", "--on", "--seed", "-3", "--len", "200"]
        );
    }

    #[test]
    fn so_does_it_in_the_command_whose_other_words_stay() {
        let framework = Framework {
            server_command: json!([
                "serve", "--eager", "model", "--len=5", "--seqs", "4", "--port", "{port}", "last"
            ]),
            ..Framework::default()
        };
        let params = BTreeMap::from([
            ("--eager".to_owned(), json!(true)),
            ("--len".to_owned(), json!(7)),
            ("--seqs".to_owned(), json!(8)),
        ]);
        assert_eq!(
            argv(&framework, &params).unwrap(),
            [
                "serve", "model", "--port", "{port}", "last", "--eager", "--len", "7", "--seqs", "8"
            ]
        );
    }

    #[test]
    fn a_string_needs_shell_in_so_many_words() {
        let mut framework = Framework {
            server_command: json!("serve --port {port}"),
            base_server_flags: vec!["--name".to_owned(), "it's".to_owned()],
            ..Framework::default()
        };
        assert!(argv(&framework, &BTreeMap::new()).is_err());
        framework.shell = true;
        let line = argv(&framework, &BTreeMap::new()).unwrap();
        assert_eq!(line, ["sh", "-c", "exec serve --port {port} '--name' 'it'\\''s'"]);
        framework.server_command = json!(["serve", 3]);
        assert!(argv(&framework, &BTreeMap::new()).is_err(), "a list with shell");
        framework.shell = false;
        let params = BTreeMap::from([
            ("--n".to_owned(), json!(4)),
            ("--on".to_owned(), json!(true)),
            ("--off".to_owned(), json!(false)),
        ]);
        let words = argv(&framework, &params).unwrap();
        assert_eq!(words, ["serve", "3", "--name", "it's", "--n", "4", "--on"]);
        let params = BTreeMap::from([
            ("env.ATTENTION".to_owned(), json!("FLASH")),
            ("env.ON".to_owned(), json!(true)),
            ("env.OFF".to_owned(), json!(null)),
        ]);
        assert_eq!(
            argv(&framework, &params).unwrap(),
            ["serve", "3", "--name", "it's"]
        );
        let env = with_variables(&framework, &params).env;
        assert_eq!(
            env,
            BTreeMap::from([
                ("ATTENTION".to_owned(), "FLASH".to_owned()),
                ("ON".to_owned(), "1".to_owned())
            ])
        );
    }
}
