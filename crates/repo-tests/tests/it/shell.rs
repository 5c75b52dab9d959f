//! Shell text to simple commands: enough of the grammar for what documentation shows.

/// A simple command: its words after quotes, without assignments and redirections.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Simple {
    /// Line in the block, from 0.
    pub(crate) line: usize,
    /// Program and arguments.
    pub(crate) words: Vec<String>,
}

/// The commands of a `sh` or `console` block. In a block with `$ ` prompts only those lines are commands, the rest is
/// output.
pub(crate) fn commands(body: &str) -> Vec<Simple> {
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
        // A line goes on after a backslash, and inside quotes.
        while text.ends_with('\\') || split(&text).is_none() {
            if text.ends_with('\\') {
                text.pop();
            } else {
                text.push('\n');
            }
            let (_, next) = lines
                .next()
                .unwrap_or_else(|| panic!("line {number} does not end: {text}"));
            text.push_str(next);
        }
        let simple = split(&text).expect("the loop above ended").into_iter();
        found.extend(simple.map(|words| Simple { line: number, words }));
    }
    found
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
