//! Foreign JSON made safe to keep: bounded in length and depth, without control characters.

use serde_json::Value;

/// Most characters of text that are kept of one answer.
const MOST_TEXT: usize = 200_000;
/// Most values.
const MOST_VALUES: usize = 20_000;
/// Deepest nesting.
const DEEPEST: usize = 24;

/// What is left of a value, and whether something had to go.
pub(crate) fn bounded(value: &Value) -> (Value, bool) {
    let mut left = Left {
        text: MOST_TEXT,
        values: MOST_VALUES,
        cut: false,
    };
    let kept = keep(value, DEEPEST, &mut left);
    (kept, left.cut)
}

struct Left {
    text: usize,
    values: usize,
    cut: bool,
}

fn keep(value: &Value, depth: usize, left: &mut Left) -> Value {
    if depth == 0 || left.values == 0 {
        left.cut = true;
        return Value::Null;
    }
    left.values -= 1;
    match value {
        Value::String(content) => Value::String(text(content, left)),
        Value::Array(items) => {
            let kept = items
                .iter()
                .map_while(|item| (left.values > 0).then(|| keep(item, depth - 1, left)));
            let kept: Vec<Value> = kept.collect();
            left.cut |= kept.len() < items.len();
            Value::Array(kept)
        }
        Value::Object(fields) => {
            let mut kept = serde_json::Map::new();
            for (name, item) in fields {
                if left.values == 0 {
                    left.cut = true;
                    break;
                }
                kept.insert(text(name, left), keep(item, depth - 1, left));
            }
            Value::Object(kept)
        }
        plain => plain.clone(),
    }
}

/// Lines stay lines: contexts are often Markdown.
fn text(content: &str, left: &mut Left) -> String {
    let lines = content
        .lines()
        .map(|line| contracts::text::clean(line, left.text));
    let mut out = lines.collect::<Vec<String>>().join("\n");
    if out.len() > left.text {
        let end = (0..=left.text)
            .rev()
            .find(|at| out.is_char_boundary(*at))
            .unwrap_or(0);
        out.truncate(end);
        left.cut = true;
    }
    left.text -= out.len();
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn words_stay_and_escapes_go() {
        let (kept, cut) = bounded(&json!({"a\u{1b}[2J": ["# x\r\n\u{202e}ignore all\u{7} rules", 1, null]}));
        assert_eq!(kept, json!({"a": ["# x\nignore all rules", 1, null]}));
        assert!(!cut);
    }

    #[test]
    fn what_is_too_much_is_cut_and_said() {
        let (kept, cut) = bounded(&json!("é".repeat(MOST_TEXT)));
        assert!(
            cut && kept.as_str().unwrap().len() <= MOST_TEXT + 4,
            "{}",
            kept.as_str().unwrap().len()
        );
        let (kept, cut) = bounded(&Value::Array(vec![json!(1); MOST_VALUES + 5]));
        assert!(cut && kept.as_array().unwrap().len() == MOST_VALUES - 1);
        let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
        assert!(bounded(&deep).1);
    }

    proptest! {
        #[test]
        fn nothing_that_acts_on_a_terminal_is_left(text in "[\\x00-\\x9f\u{202a}-\u{202e}a-z]{0,80}") {
            let kept = bounded(&json!(text)).0;
            let kept = kept.as_str().unwrap();
            prop_assert!(!kept.chars().any(|c| c != '\n' && c.is_control()), "{:?}", kept);
        }
    }
}
