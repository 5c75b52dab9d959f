//! Reading a script, strictly: a field that does not exist is an error, not a defect that never happens.

use std::path::Path;

use contracts::engine_sim::{Answers, Identity, SCRIPT_SCHEMA, Script};
use serde_json::{Value, json};

use crate::SimError;
use crate::api::Served;
use crate::reply::AnswerBook;

/// Model name when a script names none.
const DEFAULT_MODEL: &str = "sim-model";
/// Longest context when a script names none.
const DEFAULT_CONTEXT: u64 = 131_072;

/// Reads `--script`: JSON when it begins with a brace, else a file.
///
/// # Errors
/// A file that cannot be read, and whatever [`parse`] finds.
pub(crate) fn load(argument: &str) -> Result<Script, SimError> {
    if argument.trim_start().starts_with('{') {
        return parse(argument);
    }
    let unreadable = |source| SimError::ScriptUnreadable {
        path: argument.to_owned(),
        source,
    };
    parse(&std::fs::read_to_string(Path::new(argument)).map_err(unreadable)?)
}

/// Reads a script.
///
/// # Errors
/// Text that is not JSON, values of the wrong kind, fields that do not exist, another schema.
pub(crate) fn parse(text: &str) -> Result<Script, SimError> {
    let value: Value = serde_json::from_str(text).map_err(SimError::ScriptMalformed)?;
    let script: Script = serde_json::from_value(value.clone()).map_err(SimError::ScriptMalformed)?;
    if let Some(found) = script.schema.as_ref().filter(|schema| *schema != SCRIPT_SCHEMA) {
        return Err(SimError::ScriptSchema {
            found: found.clone(),
            expected: SCRIPT_SCHEMA,
        });
    }
    // Written out again, a script has every field that exists, so what is missing there does not exist.
    let known = serde_json::to_value(&script).map_err(SimError::ScriptMalformed)?;
    let mut fields = Vec::new();
    unknown(&value, &known, "", &mut fields);
    if fields.is_empty() {
        Ok(script)
    } else {
        Err(SimError::ScriptUnknownFields { fields })
    }
}

fn unknown(given: &Value, known: &Value, at: &str, fields: &mut Vec<String>) {
    match (given, known) {
        (Value::Object(given), Value::Object(known)) => {
            for (name, value) in given {
                let at = format!("{at}/{name}");
                match known.get(name) {
                    Some(known) => unknown(value, known, &at, fields),
                    None => fields.push(at),
                }
            }
        }
        (Value::Array(given), Value::Array(known)) => {
            for (index, (given, known)) in given.iter().zip(known).enumerate() {
                unknown(given, known, &format!("{at}/{index}"), fields);
            }
        }
        // serde reads a struct from a list of values too; a script is written with names.
        (Value::Array(_), Value::Object(_)) => fields.push(format!("{at}/0")),
        _ => {}
    }
}

/// Reads the suite that a script answers, and checks the shares.
///
/// # Errors
/// A share outside 0..1, a drift below 0, a file that cannot be read or has a line that is no question.
pub(crate) fn answer_book(answers: Answers) -> Result<AnswerBook, SimError> {
    for (flag, value, most) in [
        ("answers.accuracy_ratio", answers.accuracy_ratio, 1.0),
        ("answers.changed_ratio", answers.changed_ratio, 1.0),
        ("answers.drift_nats", answers.drift_nats, 10.0),
    ] {
        let got = value.map_or(0.0, contracts::Finite::get);
        if !(0.0..=most).contains(&got) {
            let expected = if most == 1.0 {
                "a share from 0 to 1"
            } else {
                "a number from 0 to 10"
            };
            return Err(SimError::OutOfRange { flag, got, expected });
        }
    }
    let text = match &answers.file {
        None => String::new(),
        Some(path) => std::fs::read_to_string(path).map_err(|source| SimError::AnswersUnreadable {
            path: path.clone(),
            source,
        })?,
    };
    let path = answers.file.clone().unwrap_or_default();
    AnswerBook::new(answers, &text).map_err(|(line, what)| SimError::AnswersMalformed { path, line, what })
}

/// What the control endpoints of a scripted server report.
pub(crate) fn served(script: &Script) -> Served {
    Served {
        model: script.model.clone().unwrap_or_else(|| DEFAULT_MODEL.to_owned()),
        identity: script.identity.unwrap_or(Identity::Vllm),
        version: concat!("0.0.0+engine-sim.", env!("CARGO_PKG_VERSION")).to_owned(),
        context_tokens: script.context_tokens.unwrap_or(DEFAULT_CONTEXT),
        server_args: json!({"scripted": true}),
        internal: json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_script_is_a_script() {
        assert_eq!(parse("{}").unwrap(), Script::default());
        assert_eq!(served(&Script::default()).model, "sim-model");
    }

    #[test]
    fn names_fields_that_do_not_exist() {
        let text =
            r#"{"defaults": {"ttft": 5}, "rules": [{"every": 5, "reply": {"ending": "cut"}}, {"evry": 1}]}"#;
        match parse(text) {
            Err(SimError::ScriptUnknownFields { fields }) => {
                assert_eq!(fields, ["/defaults/ttft", "/rules/1/evry"])
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn refuses_other_documents() {
        assert!(matches!(parse("[]"), Err(SimError::ScriptUnknownFields { .. })));
        assert!(matches!(
            parse(r#"{"schema":"engine-sim.script/9"}"#),
            Err(SimError::ScriptSchema { .. })
        ));
        assert!(matches!(
            parse(r#"{"defaults":{"ending":"explode"}}"#),
            Err(SimError::ScriptMalformed(_))
        ));
        assert!(matches!(
            load("/nonexistent/x.json"),
            Err(SimError::ScriptUnreadable { .. })
        ));
    }
}
