//! Questions out of JSON lines. A line with `options` or `choices` is multiple choice (MMLU, MMLU-Pro), one whose `answer`
//! ends in `#### n` is arithmetic (GSM8K).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cli_kit::{Failure, input_of, read_bounded};
use contracts::Input;
use contracts::fields::sha256_hex;
use contracts::text::clean;
use serde_json::{Value, json};

use crate::error::QualityError;
use crate::extract::{Kind, extract, number};

const FILE_CAP: u64 = 256 << 20;
/// Letters A to P; MMLU-Pro has ten options.
const MOST_OPTIONS: usize = 16;

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Id within the suite.
    pub id: String,
    /// Category.
    pub category: Option<String>,
    /// What is asked.
    pub prompt: String,
    /// The right answer.
    pub expected: String,
    /// What kind of answer.
    pub kind: Kind,
}

/// Reads the files, in their order, as one suite; the answered questions of `examples` stand before each of its questions.
pub(crate) fn load(
    paths: &[PathBuf],
    examples: Option<&PathBuf>,
) -> Result<(Vec<Question>, Vec<Input>), Failure> {
    let (mut questions, mut inputs, mut ids) = (Vec::new(), Vec::new(), BTreeSet::new());
    let shots = match examples {
        Some(path) => {
            let (shots, input) = shots(path)?;
            inputs.push(input);
            shots
        }
        None => String::new(),
    };
    for path in paths {
        let bytes = read_bounded(path, FILE_CAP)?;
        inputs.push(input_of(path, &bytes));
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let bad = |what: String| QualityError::Suite {
                path: path.display().to_string(),
                line: at + 1,
                what,
            };
            let value: Value =
                serde_json::from_slice(line).map_err(|error| bad(clean(&error.to_string(), 200)))?;
            let mut question = question(&value, &format!("q{}", questions.len() + 1)).map_err(bad)?;
            if !shots.is_empty() {
                question.prompt = format!("{shots}{}", asked(&value, question.kind));
            }
            if !ids.insert(question.id.clone()) {
                return Err(bad(format!("the id `{}` is there twice", question.id)).into());
            }
            questions.push(question);
        }
    }
    if questions.is_empty() {
        return Err(QualityError::NoItems.into());
    }
    Ok((questions, inputs))
}

/// Most examples, in bytes of text: they are sent with every question.
const SHOTS_CAP: usize = 64 << 10;

/// Answered questions, one after another, as a model that only continues text has to see them.
fn shots(path: &Path) -> Result<(String, Input), Failure> {
    let bytes = read_bounded(path, FILE_CAP)?;
    let mut text = String::new();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let bad = |what: String| QualityError::Suite {
            path: path.display().to_string(),
            line: at + 1,
            what,
        };
        let value: Value =
            serde_json::from_slice(line).map_err(|error| bad(clean(&error.to_string(), 200)))?;
        let question = question(&value, "example").map_err(bad)?;
        let answer = match question.kind {
            Kind::Letter(_) => format!(" ({}).", question.expected),
            Kind::Number => format!(" {}", value["answer"].as_str().unwrap_or_default().trim()),
        };
        text.push_str(&format!("{}{answer}\n\n", asked(&value, question.kind)));
        if text.len() > SHOTS_CAP {
            return Err(bad(format!("the examples are longer than {SHOTS_CAP} bytes")).into());
        }
    }
    Ok((text, input_of(path, &bytes)))
}

/// A question that was read, up to where its answer begins.
fn asked(value: &Value, kind: Kind) -> String {
    let text = value["question"].as_str().unwrap_or_default().trim();
    match kind {
        // No blank at the end: models have words that begin with one.
        Kind::Number => format!("Question: {text}\nAnswer:"),
        Kind::Letter(_) => {
            let options = value.get("options").or_else(|| value.get("choices"));
            let options: Vec<&str> = options
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            format!("Question: {text}\n{}\nThe answer is", listed(&options))
        }
    }
}

fn listed(options: &[&str]) -> String {
    let lines: Vec<String> = ('A'..='P')
        .zip(options)
        .map(|(letter, option)| format!("{letter}. {option}"))
        .collect();
    lines.join("\n")
}

/// Hash over what is asked and what is right.
pub fn hash(questions: &[Question]) -> String {
    let all: Vec<Value> = questions
        .iter()
        .map(|one| json!([one.id, one.prompt, one.expected]))
        .collect();
    sha256_hex(Value::from(all).to_string().as_bytes())
}

/// One line as a question.
///
/// # Errors
/// What is wrong with it, in words.
pub fn question(value: &Value, default_id: &str) -> Result<Question, String> {
    let text = value.get("question").and_then(Value::as_str);
    let text = text
        .filter(|text| !text.trim().is_empty())
        .ok_or("no `question`")?;
    let answer = value.get("answer").or_else(|| value.get("answer_index"));
    let answer = answer.ok_or("no `answer`")?;
    let id = value.get("id").or_else(|| value.get("question_id"));
    let id = match id {
        Some(Value::String(id)) => clean(id, 80),
        Some(Value::Number(id)) => id.to_string(),
        _ => default_id.to_owned(),
    };
    let category = value.get("category").or_else(|| value.get("subject"));
    let category = category.and_then(Value::as_str).map(|name| clean(name, 80));
    let options = value.get("options").or_else(|| value.get("choices"));
    let (prompt, expected, kind) = match options {
        Some(options) => choice(text, options, answer)?,
        None => {
            let answer = answer.as_str().filter(|answer| answer.contains("####"));
            let answer = answer.ok_or("neither `options` nor an `answer` with `#### n`")?;
            let (found, _) = extract(answer, Kind::Number).ok_or("no number after `####`")?;
            let prompt =
                format!("{text}\n\nThink step by step, then end with a line `#### n`, n the number.");
            (prompt, number(&found), Kind::Number)
        }
    };
    Ok(Question {
        id,
        category,
        prompt,
        expected,
        kind,
    })
}

fn choice(text: &str, options: &Value, answer: &Value) -> Result<(String, String, Kind), String> {
    let options = options.as_array().ok_or("`options` is no list")?;
    let options: Option<Vec<&str>> = options.iter().map(Value::as_str).collect();
    let options = options.ok_or("an option is no text")?;
    if !(2..=MOST_OPTIONS).contains(&options.len()) {
        return Err(format!("{} options; 2 to {MOST_OPTIONS} are read", options.len()));
    }
    let letters = || 'A'..='P';
    let expected = match answer {
        Value::String(letter) => letters().find(|known| letter.trim() == known.to_string()),
        other => other
            .as_u64()
            .and_then(|at| letters().nth(usize::try_from(at).ok()?)),
    };
    let at = expected.and_then(|letter| letters().position(|known| known == letter));
    let expected = expected
        .filter(|_| at.is_some_and(|at| at < options.len()))
        .ok_or("`answer` names no option")?;
    let prompt = format!(
        "{text}\n\n{}\n\nThink briefly, then end with a line: The answer is (X), X the letter.",
        listed(&options)
    );
    let count = u8::try_from(options.len()).expect("16 at most");
    Ok((prompt, expected.to_string(), Kind::Letter(count)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_known_by_content() {
        let mmlu = json!({"question": "2+2?", "choices": ["3", "4"], "answer": 1, "subject": "sums"});
        let pro = json!({"question_id": 7, "question": "2+2?", "options": ["3", "4"], "answer": "B", "answer_index": 1});
        let gsm = json!({"question": "2+2?", "answer": "2 and 2\n#### 4"});
        assert_eq!(question(&mmlu, "q1").unwrap().expected, "B");
        let pro = question(&pro, "q1").unwrap();
        assert_eq!((pro.id.as_str(), pro.expected.as_str()), ("7", "B"));
        let gsm = question(&gsm, "q1").unwrap();
        assert_eq!((gsm.expected.as_str(), gsm.kind), ("4", Kind::Number));
    }

    #[test]
    fn examples_stand_before_each_question_as_text_that_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, lines: &[Value]| {
            let path = folder.path().join(name);
            let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
            std::fs::write(&path, lines.join("\n")).unwrap();
            path
        };
        let shown = [
            json!({"question": "1+1?", "choices": ["2", "3"], "answer": 0}),
            json!({"question": "2+3?", "answer": "2 and 3 are 5.\n#### 5"}),
        ];
        let asked = [
            json!({"question": "2+2?", "choices": ["3", "4"], "answer": 1}),
            json!({"question": "4+4?", "answer": "#### 8"}),
        ];
        let (suite, shots) = (write("suite.jsonl", &asked), write("shots.jsonl", &shown));
        let (questions, inputs) = load(&[suite], Some(&shots)).unwrap();
        assert_eq!(inputs.len(), 2);
        let before = "Question: 1+1?\nA. 2\nB. 3\nThe answer is (A).\n\nQuestion: 2+3?\nAnswer: 2 and 3 are 5.\n#### 5\n\n";
        assert_eq!(
            questions[0].prompt,
            format!("{before}Question: 2+2?\nA. 3\nB. 4\nThe answer is")
        );
        assert_eq!(questions[1].prompt, format!("{before}Question: 4+4?\nAnswer:"));
    }

    #[test]
    fn what_is_no_question_is_refused() {
        for (bad, word) in [
            (json!({}), "question"),
            (json!({"question": "x"}), "answer"),
            (json!({"question": "x", "answer": "4"}), "####"),
            (json!({"question": "x", "options": ["a"], "answer": 0}), "options"),
            (
                json!({"question": "x", "options": ["a", "b"], "answer": "C"}),
                "names no option",
            ),
            (
                json!({"question": "x", "options": ["a", "b"], "answer": 17}),
                "names no option",
            ),
        ] {
            let why = question(&bad, "q1").unwrap_err();
            assert!(why.contains(word), "{why}");
        }
    }
}
