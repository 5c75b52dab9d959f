//! `jsonl`: one request a line, `{"prompt": string|messages, "output_len"?, "extra_request_body"?, "timestamp_ms"?}`.
//! Other fields are ignored, so that rows of other tools need no rewriting.

use std::path::Path;

use serde_json::{Map, Value};

use super::body::Prompt;
use super::compose::Composer;
use super::draft::Draft;
use super::error::WorkloadError;
use super::lines::Lines;
use super::plan::{MAX_OUTPUT_LEN, MAX_PROMPTS, ScenarioPlan};

pub(super) fn drafts(
    plan: &ScenarioPlan,
    path: &Path,
    output_len: Option<u64>,
    composer: &mut Composer<'_>,
) -> Result<Vec<Draft>, WorkloadError> {
    let most = plan.num_prompts.unwrap_or(MAX_PROMPTS);
    let mut lines = Lines::open(path)?;
    let mut drafts: Vec<Draft> = Vec::new();
    while (drafts.len() as u64) < most {
        let Some(line) = lines.next_line()? else { break };
        if line.bytes.trim_ascii().is_empty() {
            continue;
        }
        let mut draft = row(line.bytes).map_err(|reason| WorkloadError::DatasetRow {
            path: path.to_owned(),
            line: line.number,
            reason,
        })?;
        let number = line.number;
        composer.charge(drafts.len() as u64, line.bytes.len())?;
        draft.line = number;
        draft.output_len = draft.output_len.or(output_len);
        draft.input_len = match &draft.prompt {
            Prompt::Text(text) => Some(composer.count(text)?),
            Prompt::Messages(messages) => match texts(messages) {
                Some(text) => Some(composer.count(&text)?),
                None => None,
            },
        };
        drafts.push(draft);
    }
    if drafts.is_empty() {
        return Err(WorkloadError::DatasetEmpty {
            path: path.to_owned(),
            reason: "no line".to_owned(),
        });
    }
    Ok(drafts)
}

fn row(bytes: &[u8]) -> Result<Draft, String> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| contracts::text::clean(&error.to_string(), 200))?;
    let Value::Object(mut row) = value else {
        return Err("not a JSON object".to_owned());
    };
    let prompt = match row.remove("prompt") {
        Some(Value::String(text)) if !text.is_empty() => Prompt::Text(text),
        Some(Value::Array(messages)) if !messages.is_empty() => {
            for (number, message) in messages.iter().enumerate() {
                check_message(message).map_err(|reason| format!("message {number}: {reason}"))?;
            }
            Prompt::Messages(messages)
        }
        Some(Value::String(_) | Value::Array(_)) => return Err("`prompt` is empty".to_owned()),
        Some(_) => return Err("`prompt` is neither a string nor an array of messages".to_owned()),
        None => return Err("no `prompt`".to_owned()),
    };
    let output_len = match take(&mut row, "output_len") {
        None => None,
        Some(value) => Some(
            value
                .as_u64()
                .filter(|length| (1..=MAX_OUTPUT_LEN).contains(length))
                .ok_or_else(|| format!("`output_len` is not a whole number within 1 to {MAX_OUTPUT_LEN}"))?,
        ),
    };
    let timestamp_ms = match take(&mut row, "timestamp_ms") {
        None => None,
        Some(value) => Some(
            value
                .as_f64()
                .filter(|at| at.is_finite())
                .ok_or("`timestamp_ms` is not a number")?,
        ),
    };
    let extra_body = take(&mut row, "extra_request_body");
    if extra_body.as_ref().is_some_and(|extra| !extra.is_object()) {
        return Err("`extra_request_body` is not a JSON object".to_owned());
    }
    Ok(Draft {
        prompt,
        output_len,
        timestamp_ms,
        extra_body,
        ..Draft::text(String::new())
    })
}

/// A field that is there and not null.
fn take(row: &mut Map<String, Value>, key: &str) -> Option<Value> {
    row.remove(key).filter(|value| !value.is_null())
}

fn check_message(message: &Value) -> Result<(), String> {
    let role = message.get("role").and_then(Value::as_str).unwrap_or_default();
    if role.is_empty() {
        return Err("no `role`".to_owned());
    }
    match message.get("content") {
        Some(Value::String(_) | Value::Array(_)) => Ok(()),
        Some(Value::Null) | None if message.get("tool_calls").is_some_and(Value::is_array) => Ok(()),
        _ => Err("`content` is neither a string nor an array of parts".to_owned()),
    }
}

/// The text of all messages; none when a part is no text (an image has no length in words).
fn texts(messages: &[Value]) -> Option<String> {
    let mut out = String::new();
    let mut push = |text: &str| {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(text);
    };
    for message in messages {
        match message.get("content") {
            Some(Value::String(text)) => push(text),
            Some(Value::Array(parts)) => {
                for part in parts {
                    push(part.get("text")?.as_str()?);
                }
            }
            _ => {}
        }
    }
    Some(out)
}
