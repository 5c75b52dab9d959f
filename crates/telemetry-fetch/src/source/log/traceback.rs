//! A Python traceback over many lines, until it is whole.

use super::head::{Level, Line};

/// Longest traceback, lines; recursion prints a thousand frames.
const MOST_LINES: usize = 3000;
/// Longest message behind an exception, lines.
const MOST_MESSAGE_LINES: usize = 50;
/// Longest text that is kept of a line, bytes.
const CAP: usize = 1000;

/// What stands between two parts of a chained traceback.
const CHAINS: [&str; 2] = [
    "During handling of the above exception",
    "The above exception was the direct cause",
];

/// A traceback that may go on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Traceback {
    /// Who wrote it.
    pub(crate) rank: Option<String>,
    /// When it began.
    pub(crate) at_ms: (i64, i64),
    /// `ValueError: x`, of the last part of the chain.
    pub(crate) exception: Option<String>,
    /// `File "x", line 3, in f`, the innermost of that part.
    pub(crate) frame: Option<String>,
    lines: usize,
    behind: usize,
}

impl Traceback {
    /// Whether a message begins one. It ends with the words: a prompt that repeats them goes on.
    pub(crate) fn begins(text: &str) -> bool {
        text.trim_end().ends_with("Traceback (most recent call last):")
    }

    pub(crate) fn new(rank: Option<&str>, at_ms: (i64, i64)) -> Traceback {
        Traceback {
            rank: rank.map(str::to_owned),
            at_ms,
            exception: None,
            frame: None,
            lines: 0,
            behind: 0,
        }
    }

    /// Whether the line is of this traceback; takes it in when it is. `is_new`: the engine stamped it.
    pub(crate) fn takes(&mut self, line: &Line<'_>, is_new: bool, text: &str) -> bool {
        self.lines += 1;
        if self.lines > MOST_LINES {
            return false;
        }
        let is_indented = text.starts_with([' ', '\t']) || text.is_empty();
        // A new line of the log; vLLM logs each line of a traceback as one, all of them errors.
        if is_new && line.level != Some(Level::Error) && !is_indented {
            return false;
        }
        let chains = CHAINS.iter().any(|chain| text.starts_with(chain));
        if self.exception.is_some() {
            self.behind += 1;
            if chains {
                self.exception = None;
                self.behind = 0;
                return true;
            }
            // The rest of a long message; a line with a level of its own is another message.
            let is_message = !is_new && line.level.is_none() && !Traceback::begins(text);
            return (text.trim().is_empty() || is_message) && self.behind <= MOST_MESSAGE_LINES;
        }
        if is_indented {
            let trimmed = text.trim_start();
            if trimmed.starts_with("File \"") {
                self.frame = Some(cut(trimmed));
            }
        } else if !chains && !text.starts_with("Traceback (most recent call last):") {
            self.exception = Some(cut(text));
        }
        true
    }

    /// The message that it is counted under.
    pub(crate) fn message(&self) -> String {
        let exception = self.exception.as_deref().unwrap_or("a traceback without its end");
        match &self.frame {
            Some(frame) => format!("{exception} ({frame})"),
            None => exception.to_owned(),
        }
    }
}

fn cut(text: &str) -> String {
    text.chars().take(CAP).collect::<String>().trim_end().to_owned()
}
