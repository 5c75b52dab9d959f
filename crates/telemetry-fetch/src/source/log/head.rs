//! A line taken apart: when, who, how bad, what.

use super::stamp::{self, Stamp};

/// How bad the writer says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Debugging and information.
    Info,
    /// A warning.
    Warning,
    /// An error or worse.
    Error,
}

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// The outermost stamp: what carries a log stamps later than the engine, and in one clock for all.
    pub(crate) stamp: Option<Stamp>,
    /// How many stamps it has: one of what carries it, one of the engine.
    pub(crate) stamps: u8,
    /// The process or rank that wrote it, without what changes from start to start.
    pub(crate) rank: Option<&'a str>,
    /// Level; `None` where the format has none.
    pub(crate) level: Option<Level>,
    /// What it says, indented as it was.
    pub(crate) body: &'a [u8],
}

/// Takes a line apart.
pub(crate) fn take_apart(line: &[u8]) -> Line<'_> {
    // A progress bar overwrites itself; what was written last stands behind the last return.
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = memchr::memrchr(b'\r', line).map_or(line, |at| &line[at + 1..]);
    let mut taken = one(line);
    // `docker logs -t` and the like put a stamp of their own before the engine's line.
    if taken.stamp.is_some() {
        let inner = one(taken.body);
        if inner.stamp.is_some() {
            taken = Line {
                stamp: taken.stamp,
                stamps: 2,
                rank: inner.rank.or(taken.rank),
                level: inner.level.or(taken.level),
                body: inner.body,
            };
        }
    }
    taken
}

fn one(line: &[u8]) -> Line<'_> {
    let Some((stamp, end)) = stamp::find(line) else {
        let (rank, rest) = process(line);
        let (level, rest) = level_word(rest);
        return Line {
            stamp: None,
            stamps: 0,
            rank,
            level,
            body: rest,
        };
    };
    // What stands before a stamp never is the message.
    let before = line.get(..end).unwrap_or_default();
    let (process, rest) = process(before);
    let (mut level, _) = level_word(rest);
    let mut body = &line[end..];
    let mut rank = process;
    // `[2025-12-28 10:40:09 DP0 TP1] x`, `[12/28/2025-10:40:09] [TRT-LLM] [E] x`.
    if matches!(body.first(), Some(b' ' | b']'))
        && let Some(close) = memchr::memchr(b']', &body[..body.len().min(64)])
        && !body[..close].contains(&b'[')
    {
        let inside = std::str::from_utf8(&body[..close]).unwrap_or_default().trim();
        let is_place = inside.contains(".py:") || inside.contains(".cc:") || inside.contains(".cpp:");
        if !inside.is_empty() && !is_place {
            rank = Some(inside);
        }
        body = &body[close + 1..];
    }
    body = body.strip_prefix(b" ").unwrap_or(body);
    loop {
        let (found, rest) = level_word(body);
        if found.is_some() && level.is_none() {
            level = found;
            body = rest;
        } else if let Some(rest) = bracketed(body, &mut level) {
            body = rest;
        } else {
            break;
        }
    }
    Line {
        stamp: Some(stamp),
        stamps: 1,
        rank,
        level,
        body,
    }
}

/// `(EngineCore_DP0 pid=26283) `: the name, and what follows.
fn process(line: &[u8]) -> (Option<&str>, &[u8]) {
    let inside = || {
        let close = memchr::memchr(b')', &line[..line.len().min(80)])?;
        let text = std::str::from_utf8(line.get(1..close)?).ok()?;
        text.contains("pid=").then_some((text, close))
    };
    match (line.first(), inside()) {
        (Some(b'('), Some((text, close))) => {
            let rest = &line[close + 1..];
            let name = text.split([' ', ',']).next().filter(|name| !name.contains('='));
            (name, rest.strip_prefix(b" ").unwrap_or(rest))
        }
        _ => (None, line),
    }
}

/// A level at the start of a text, and what follows it.
fn level_word(text: &[u8]) -> (Option<Level>, &[u8]) {
    const WORDS: [(&[u8], Level); 13] = [
        (b"DEBUG", Level::Info),
        (b"INFO", Level::Info),
        (b"WARNING", Level::Warning),
        (b"WARN", Level::Warning),
        (b"ERROR", Level::Error),
        (b"CRITICAL", Level::Error),
        (b"FATAL", Level::Error),
        (b"D", Level::Info),
        (b"I", Level::Info),
        (b"V", Level::Info),
        (b"W", Level::Warning),
        (b"E", Level::Error),
        (b"F", Level::Error),
    ];
    for (word, level) in WORDS {
        let Some(rest) = text.strip_prefix(word) else {
            continue;
        };
        let ends_here = match rest.first() {
            Some(b' ') => true,
            // `INFO:     x` of uvicorn; a single letter with a colon is no level.
            Some(b':') => word.len() > 1,
            _ => false,
        };
        if ends_here {
            let rest = rest.strip_prefix(b":").unwrap_or(rest);
            return (Some(level), rest.strip_prefix(b" ").unwrap_or(rest));
        }
    }
    (None, text)
}

/// `[monitor.py:33] `, `[TRT-LLM] `, `[E] `, and what follows; old vLLM leaves the opening bracket out.
fn bracketed<'a>(text: &'a [u8], level: &mut Option<Level>) -> Option<&'a [u8]> {
    let close = memchr::memchr(b']', &text[..text.len().min(64)])?;
    let inside = std::str::from_utf8(&text[..close]).ok()?;
    let inside = match inside.strip_prefix('[') {
        Some(inside) => inside,
        None => inside
            .split_once(".py:")
            .and_then(|(name, _)| (!name.contains(' ')).then_some(inside))?,
    };
    match inside {
        "E" | "F" => *level = Some(Level::Error),
        "W" => *level = Some(Level::Warning),
        "I" | "D" | "V" => *level = Some(Level::Info),
        _ if inside.contains(".py:") || inside.starts_with("TRT") || inside.starts_with("TensorRT") => {}
        _ => return None,
    }
    let rest = &text[close + 1..];
    Some(rest.strip_prefix(b" ").unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn apart(line: &str) -> (bool, Option<&str>, Option<Level>, &str) {
        let taken = take_apart(line.as_bytes());
        let body = std::str::from_utf8(taken.body).unwrap();
        (taken.stamp.is_some(), taken.rank, taken.level, body)
    }

    #[test]
    fn heads_are_taken_off() {
        use Level::{Error, Info, Warning};
        for (line, expected) in [
            (
                "[2025-12-28 10:40:09 DP0 TP1] x y",
                (true, Some("DP0 TP1"), None, "x y"),
            ),
            ("[2025-12-28 10:40:09] x", (true, None, None, "x")),
            (
                "[2025-12-28 10:40:09] INFO:     1.2.3.4:5 - x",
                (true, None, Some(Info), "    1.2.3.4:5 - x"),
            ),
            (
                "(Worker_TP0 pid=7) ERROR 11-06 10:51:48 [a.py:4]   File \"x\"",
                (true, Some("Worker_TP0"), Some(Error), "  File \"x\""),
            ),
            (
                "INFO 01-30 03:18:12 gpu_model_runner.py:848] Loading",
                (true, None, Some(Info), "Loading"),
            ),
            (
                "[12/28/2025-10:40:09] [TRT-LLM] [E] x",
                (true, None, Some(Error), "x"),
            ),
            (
                "2025-12-28T10:40:09.5Z WARNING 12-28 10:40:09 [k.py:1] x",
                (true, None, Some(Warning), "x"),
            ),
            (
                "2025-12-28T10:40:09.5Z plain text",
                (true, None, None, "plain text"),
            ),
            ("0.12.345.678 E srv  x", (true, None, Some(Error), "srv  x")),
            (
                "(EngineCore_DP0 pid=9) Traceback (most recent call last):",
                (
                    false,
                    Some("EngineCore_DP0"),
                    None,
                    "Traceback (most recent call last):",
                ),
            ),
            (
                "  File \"x\", line 3, in f",
                (false, None, None, "  File \"x\", line 3, in f"),
            ),
            (
                "bar 10%\rbar 20%\r[2025-12-28 10:40:09 TP0] x\r",
                (true, Some("TP0"), None, "x"),
            ),
            ("I think so", (false, None, Some(Info), "think so")),
        ] {
            assert_eq!(apart(line), expected, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_apart(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let taken = take_apart(&line);
            prop_assert!(taken.body.len() <= line.len());
        }
    }
}
