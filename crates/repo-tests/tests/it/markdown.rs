//! What Markdown holds that can be checked: fenced blocks, inline code, front matter.

/// A fenced code block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fence {
    /// The word after the fence.
    pub(crate) language: String,
    /// Number of its first line, from 1.
    pub(crate) line: usize,
    /// The lines between the fences.
    pub(crate) body: String,
}

/// Every fenced block; the indentation of the fence is taken off its lines.
pub(crate) fn fences(text: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut open: Option<(usize, Fence)> = None;
    for (number, line) in text.lines().enumerate() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        match &mut open {
            Some((_, fence)) if content.trim_end() == "```" => {
                found.push(fence.clone());
                open = None;
            }
            Some((indent, fence)) => {
                let cut = line
                    .char_indices()
                    .take_while(|(at, c)| at < indent && *c == ' ')
                    .count();
                fence.body.push_str(&line[cut..]);
                fence.body.push('\n');
            }
            None if content.starts_with("```") => {
                let language = content.trim_start_matches('`').trim().to_owned();
                let fence = Fence {
                    language,
                    line: number + 2,
                    body: String::new(),
                };
                open = Some((indent, fence));
            }
            None => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    found
}

/// Inline code outside fenced blocks, with its line number from 1.
pub(crate) fn spans(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            // Odd pieces between backticks are code; a span over two lines is not used in this repository.
            let pieces: Vec<&str> = line.split('`').collect();
            assert!(
                pieces.len() % 2 == 1,
                "line {}: a backtick is not closed: {line}",
                number + 1
            );
            found.extend(
                pieces
                    .iter()
                    .skip(1)
                    .step_by(2)
                    .map(|code| (number + 1, (*code).to_owned())),
            );
        }
    }
    found
}

/// Front matter as `key: value` lines, and the text after it.
pub(crate) fn front_matter(text: &str) -> (Vec<(String, String)>, &str) {
    let after = text
        .strip_prefix("---\n")
        .expect("a skill begins with front matter");
    let (matter, body) = after.split_once("\n---\n").expect("the front matter ends");
    let fields = matter
        .lines()
        .map(|line| {
            let (key, value) = line.split_once(": ").expect("front matter is `key: value` lines");
            (key.to_owned(), value.to_owned())
        })
        .collect();
    (fields, body)
}

#[test]
fn blocks_and_spans_are_told_apart() {
    let text = "a `b` c\n\n```sh\n# `not a span`\nx --y\n```\n  ```yaml\n  k: v\n  ```\n`d`\n";
    let found = fences(text);
    assert_eq!(found[0].language, "sh");
    assert_eq!(found[0].line, 4);
    assert_eq!(found[0].body, "# `not a span`\nx --y\n");
    assert_eq!(found[1].body, "k: v\n");
    assert_eq!(spans(text), [(1, "b".to_owned()), (10, "d".to_owned())]);
}
