//! Shell text to simple commands: enough of the grammar for what documentation shows.

/// A simple command: its words after quotes, without assignments and redirections.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Simple {
    /// Line in the block, from 0.
    pub(crate) line: usize,
    /// Program and arguments.
    pub(crate) words: Vec<String>,
}

/// A line as a shell reads it: with its continuations and its here-document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// Line in the block, from 0.
    pub(crate) line: usize,
    /// What was written, without a prompt.
    pub(crate) text: String,
    /// Its simple commands.
    pub(crate) commands: Vec<Vec<String>>,
}

/// The commands of a `sh` or `console` block.
pub(crate) fn commands(body: &str) -> Vec<Simple> {
    let simple = |line: Line| {
        let number = line.line;
        let words = line.commands.into_iter();
        words.map(move |words| Simple { line: number, words })
    };
    lines(body).into_iter().flat_map(simple).collect()
}

/// The lines of a `sh` or `console` block that have commands. In a block with `$ ` prompts only those lines are commands,
/// the rest is output.
pub(crate) fn lines(body: &str) -> Vec<Line> {
    let prompted = body.lines().any(|line| line.starts_with("$ "));
    let mut found = Vec::new();
    let mut lines = body.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let first = match line.strip_prefix("$ ") {
            Some(rest) => rest,
            None if prompted => continue,
            None => line,
        };
        let mut text = first.to_owned();
        let mut more = |text: &str| match lines.next() {
            Some((_, next)) => next.to_owned(),
            None => panic!("line {number} does not end: {text}"),
        };
        // A line goes on after a backslash, and inside quotes.
        while text.ends_with('\\') || split(&text).is_none() {
            if text.ends_with('\\') {
                text.pop();
            } else {
                text.push('\n');
            }
            text.push_str(&more(&text));
        }
        let commands = split(&text).expect("the loop above ended");
        if let Some(end) = here_document(&text) {
            loop {
                let next = more(&text);
                text.push('\n');
                text.push_str(&next);
                if next == end {
                    break;
                }
            }
        }
        let commands: Vec<_> = commands.into_iter().filter_map(without_loop).collect();
        if !commands.is_empty() {
            found.push(Line {
                line: number,
                text,
                commands,
            });
        }
    }
    found
}

/// The turns of `for NAME in WORD…; do COMMAND; done`, each with its word; any other line is itself.
pub(crate) fn unrolled(text: &str) -> Vec<String> {
    let parts = text.strip_prefix("for ").and_then(|rest| {
        let (name, rest) = rest.split_once(" in ")?;
        let (words, rest) = rest.split_once("; do ")?;
        Some((name, words, rest.strip_suffix("; done")?))
    });
    let Some((name, words, command)) = parts else {
        return vec![text.to_owned()];
    };
    let variable = format!("${name}");
    words
        .split_whitespace()
        .map(|word| command.replace(&variable, word))
        .collect()
}

/// The word that ends the here-document of a line.
fn here_document(text: &str) -> Option<String> {
    let (_, after) = text.split_once("<<")?;
    let word = after.split_whitespace().next()?;
    Some(word.trim_matches(['\'', '"']).to_owned())
}

/// The command inside `for NAME in …; do COMMAND; done`; `None` for the words of the loop itself.
fn without_loop(mut words: Vec<String>) -> Option<Vec<String>> {
    match words[0].as_str() {
        "for" | "done" => None,
        "do" => {
            words.remove(0);
            (!words.is_empty()).then_some(words)
        }
        _ => Some(words),
    }
}

/// The simple commands of one logical line; `None` while a quote is open.
fn split(text: &str) -> Option<Vec<Vec<String>>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut redirected = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                let quoted = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '\'' => break,
                        other => quoted.push(other),
                    }
                }
            }
            '"' => {
                let quoted = word.get_or_insert_default();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => quoted.push(chars.next()?),
                        other => quoted.push(other),
                    }
                }
            }
            '\\' => word.get_or_insert_default().extend(chars.next()),
            '#' if word.is_none() => break,
            ' ' | '\t' | '\n' | ';' | '&' | '|' | '>' | '<' => {
                // `2>` and `&>` name a descriptor, not an argument.
                if c == '>' && word.as_deref() == Some("2") {
                    word = None;
                }
                take(&mut commands, &mut word, &mut redirected);
                match c {
                    // `2>&1`: what follows is a descriptor, not the next command.
                    '&' if redirected => {}
                    ';' | '&' | '|' => commands.push(Vec::new()),
                    '>' | '<' => redirected = true,
                    _ => {}
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    take(&mut commands, &mut word, &mut redirected);
    Some(commands.into_iter().filter(|words| !words.is_empty()).collect())
}

/// Ends a word: an argument, unless it is where a redirection goes or an assignment before the program.
fn take(commands: &mut [Vec<String>], word: &mut Option<String>, redirected: &mut bool) {
    let Some(word) = word.take() else {
        return;
    };
    let current = commands.last_mut().expect("there is always a command");
    let assigns = current.is_empty()
        && word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b == b'_' || b.is_ascii_uppercase() || b.is_ascii_digit())
        });
    if *redirected {
        *redirected = false;
    } else if !assigns {
        current.push(word);
    }
}

#[test]
fn documentation_shell_is_split_into_simple_commands() {
    let body = "# comment\nA=b x --y 'a b' \"c'd\" \\\n  z > out 2>&1 && p | q # end\n";
    let words: Vec<Vec<String>> = commands(body).into_iter().map(|simple| simple.words).collect();
    assert_eq!(words, [vec!["x", "--y", "a b", "c'd", "z"], vec!["p"], vec!["q"]]);
}

#[test]
fn output_below_a_prompt_is_no_command() {
    let words: Vec<Vec<String>> = commands("$ x 1\nanything's here\n$ y\n")
        .into_iter()
        .map(|s| s.words)
        .collect();
    assert_eq!(words, [vec!["x", "1"], vec!["y"]]);
}

#[test]
fn quotes_go_over_lines() {
    let words: Vec<Vec<String>> = commands("x '{\n}'\ny\n").into_iter().map(|s| s.words).collect();
    assert_eq!(words, [vec!["x", "{\n}"], vec!["y"]]);
}

#[test]
fn loops_and_here_documents_are_looked_into() {
    let body = "for s in a b; do x --y $s; done\ncat >t <<'EOF'\nk: it's\nEOF\nz &\n";
    let found = lines(body);
    assert_eq!(found[0].commands, [vec!["x", "--y", "$s"]]);
    assert_eq!(unrolled(&found[0].text), ["x --y a", "x --y b"]);
    assert_eq!(found[1].commands, [vec!["cat"]]);
    assert_eq!(found[1].text, "cat >t <<'EOF'\nk: it's\nEOF");
    assert_eq!((found[2].line, found[2].text.as_str()), (4, "z &"));
}
