//! A view of a document: blocks that become a terminal table or Markdown. Nothing is computed here.

use tabled::builder::Builder;
use tabled::settings::object::{Columns, Rows};
use tabled::settings::peaker::PriorityMax;
use tabled::settings::{Alignment, Modify, Style, Width};

/// Widest terminal view, in columns.
const TERMINAL_WIDTH: usize = 100;

/// What people and agents see of a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    blocks: Vec<Block>,
}

/// A piece of a view.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Several short lines.
    List(Vec<String>),
    /// A table.
    Table(Table),
    /// Commands to run next, each with its reason.
    Commands(Vec<(String, Vec<String>)>),
    /// Text that is what was asked for, as it stands: a prompt, a plan.
    Verbatim(String),
}

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows under a header.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Column names with their alignment.
    pub columns: Vec<(String, Align)>,
    /// The rows, as wide as the columns.
    pub rows: Vec<Vec<String>>,
    /// Rows that `--top` left out.
    pub omitted: usize,
}

impl Table {
    /// An empty table.
    pub fn new(columns: &[(&str, Align)]) -> Table {
        Table {
            columns: columns
                .iter()
                .map(|(name, align)| ((*name).to_owned(), *align))
                .collect(),
            rows: Vec::new(),
            omitted: 0,
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Keeps the first `top` rows.
    #[must_use]
    pub fn top(mut self, top: usize) -> Table {
        self.omitted = self.rows.len().saturating_sub(top);
        self.rows.truncate(top);
        self
    }
}

impl View {
    /// An empty view.
    pub fn new() -> View {
        View::default()
    }

    /// Adds a heading.
    #[must_use]
    pub fn heading(self, text: impl Into<String>) -> View {
        self.with(Block::Heading(text.into()))
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> View {
        self.with(Block::Text(text.into()))
    }

    /// Adds lines, unless there are none.
    #[must_use]
    pub fn list(self, lines: Vec<String>) -> View {
        if lines.is_empty() {
            self
        } else {
            self.with(Block::List(lines))
        }
    }

    /// Adds a table.
    #[must_use]
    pub fn table(self, table: Table) -> View {
        self.with(Block::Table(table))
    }

    /// Adds the summary, warnings and next actions of a document: the shared frame of every view.
    #[must_use]
    pub fn head<D>(self, document: &contracts::Document<D>) -> View {
        let mut view = self.text(document.summary.clone());
        if document.simulated {
            view = view.text("SIMULATED: a simulated engine answered; never compare with a real one.");
        }
        view.list(
            document
                .warnings
                .iter()
                .map(|w| format!("warning[{}]: {}", w.code, w.message))
                .collect(),
        )
    }

    /// Adds the next actions of a document, last.
    #[must_use]
    pub fn next<D>(self, document: &contracts::Document<D>) -> View {
        if document.next_actions.is_empty() {
            return self;
        }
        let commands = document
            .next_actions
            .iter()
            .map(|action| (action.why.clone(), action.command.clone()))
            .collect();
        self.with(Block::Commands(commands))
    }

    /// Adds any block.
    #[must_use]
    pub fn with(mut self, block: Block) -> View {
        self.blocks.push(block);
        self
    }

    /// For a terminal of 100 columns.
    pub fn to_terminal(&self) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            if !out.is_empty() {
                out.push('\n');
            }
            match block {
                Block::Heading(text) => {
                    out.push_str(&format!("{text}\n{}\n", "─".repeat(text.chars().count())))
                }
                Block::Text(text) => out.push_str(&wrap(text, "", "")),
                Block::List(lines) => {
                    for line in lines {
                        out.push_str(&wrap(line, "• ", "  "));
                    }
                }
                Block::Table(table) => out.push_str(&terminal_table(table)),
                Block::Verbatim(text) => out.push_str(text),
                Block::Commands(commands) => {
                    out.push_str("next:\n");
                    for (why, argv) in commands {
                        out.push_str(&wrap(why, "  # ", "  # "));
                        // Never wrapped: it is there to be copied.
                        out.push_str(&format!("  {}\n", shell_words(argv)));
                    }
                }
            }
        }
        out
    }

    /// For an agent or a report.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        for block in &self.blocks {
            if !out.is_empty() {
                out.push('\n');
            }
            match block {
                Block::Heading(text) => out.push_str(&format!("## {text}\n")),
                Block::Text(text) => out.push_str(&format!("{text}\n")),
                Block::List(lines) => {
                    for line in lines {
                        out.push_str(&format!("- {line}\n"));
                    }
                }
                Block::Table(table) => out.push_str(&markdown_table(table)),
                Block::Verbatim(text) => out.push_str(text),
                Block::Commands(commands) => {
                    out.push_str("Next:\n\n```sh\n");
                    for (why, argv) in commands {
                        out.push_str(&format!("# {why}\n{}\n", shell_words(argv)));
                    }
                    out.push_str("```\n");
                }
            }
        }
        out
    }
}

fn terminal_table(table: &Table) -> String {
    let mut builder = Builder::default();
    builder.push_record(table.columns.iter().map(|(name, _)| name.clone()));
    for row in &table.rows {
        builder.push_record(row.clone());
    }
    let mut rendered = builder.build();
    rendered
        .with(Style::rounded())
        .with(Modify::new(Rows::first()).with(Alignment::left()));
    for (index, (_, align)) in table.columns.iter().enumerate() {
        if *align == Align::Right {
            rendered.with(Modify::new(Columns::one(index)).with(Alignment::right()));
        }
    }
    // The widest column gives way first, or a short one would be wrapped letter by letter.
    rendered.with(
        Width::wrap(TERMINAL_WIDTH)
            .keep_words(true)
            .priority(PriorityMax::right()),
    );
    let mut text = rendered.to_string();
    text.push('\n');
    if table.omitted > 0 {
        text.push_str(&format!("… {} more rows (--top)\n", table.omitted));
    }
    text
}

fn markdown_table(table: &Table) -> String {
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let cells: Vec<String> = cells.collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut out = line(&mut table.columns.iter().map(|(name, _)| name.replace('|', "\\|")));
    out.push_str(&line(&mut table.columns.iter().map(|(_, align)| match align {
        Align::Left => "---".to_owned(),
        Align::Right => "---:".to_owned(),
    })));
    for row in &table.rows {
        out.push_str(&line(
            &mut row.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")),
        ));
    }
    if table.omitted > 0 {
        out.push_str(&format!("\n… {} more rows (`--top`)\n", table.omitted));
    }
    out
}

/// Greedy word wrap at the terminal width.
fn wrap(text: &str, first: &str, rest: &str) -> String {
    let mut out = String::from(first);
    let mut width = first.chars().count();
    let mut at_start = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !at_start && width + 1 + length > TERMINAL_WIDTH {
            out.push('\n');
            out.push_str(rest);
            width = rest.chars().count();
            at_start = true;
        }
        if !at_start {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
        at_start = false;
    }
    out.push('\n');
    out
}

/// An argv as a person would type it.
pub fn shell_words(argv: &[String]) -> String {
    let quoted: Vec<String> = argv
        .iter()
        .map(|word| {
            let plain = !word.is_empty()
                && word
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c));
            if plain {
                word.clone()
            } else {
                format!("'{}'", word.replace('\'', "'\\''"))
            }
        })
        .collect();
    quoted.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> View {
        let mut table = Table::new(&[("name", Align::Left), ("ms", Align::Right)]);
        table.row(vec!["ttft".into(), "51.2".into()]);
        table.row(vec!["a|b".into(), "1.0".into()]);
        View::new()
            .heading("Latency")
            .text("word ".repeat(40))
            .table(table.top(1))
            .with(Block::Commands(vec![(
                "go on".into(),
                vec!["gap-decide".into(), "it's".into()],
            )]))
    }

    #[test]
    fn terminal_view_keeps_to_its_width() {
        let text = sample().to_terminal();
        assert!(
            text.lines().all(|line| line.chars().count() <= TERMINAL_WIDTH),
            "{text}"
        );
        assert!(text.contains("… 1 more rows"), "{text}");
    }

    #[test]
    fn markdown_has_a_table_and_a_command_that_can_be_pasted() {
        let text = sample().to_markdown();
        assert!(
            text.contains("| name | ms |\n| --- | ---: |\n| ttft | 51.2 |"),
            "{text}"
        );
        assert!(text.contains("gap-decide 'it'\\''s'"), "{text}");
    }
}
