//! A view of a document: blocks that become a terminal table or Markdown. Nothing is computed here.

use tabled::builder::Builder;
use tabled::settings::object::{Columns, Rows};
use tabled::settings::peaker::PriorityMax;
use tabled::settings::{Alignment, Modify, Style, Width};

/// Widest terminal view, in columns.
const TERMINAL_WIDTH: usize = 100;
/// Narrowest: below it columns of a table would be wrapped letter by letter.
const NARROWEST: usize = 60;

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

    /// Adds a table. One without rows is left out, and below a heading said to be none.
    #[must_use]
    pub fn table(self, table: Table) -> View {
        match self.blocks.last() {
            _ if !table.rows.is_empty() || table.omitted > 0 => self.with(Block::Table(table)),
            Some(Block::Heading(_)) => self.text("none"),
            _ => self,
        }
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
        self.to_columns(TERMINAL_WIDTH)
    }

    /// For a terminal of so many columns: 60 at least, 100 at most.
    pub fn to_columns(&self, columns: usize) -> String {
        let width = columns.clamp(NARROWEST, TERMINAL_WIDTH);
        let mut out = String::new();
        for block in &self.blocks {
            if !out.is_empty() {
                out.push('\n');
            }
            match block {
                Block::Heading(text) => {
                    let text = line(text);
                    out.push_str(&format!("{text}\n{}\n", "─".repeat(text.chars().count())))
                }
                Block::Text(text) => out.push_str(&wrap(text, "", "", width)),
                Block::List(lines) => {
                    for line in lines {
                        out.push_str(&wrap(line, "• ", "  ", width));
                    }
                }
                Block::Table(table) => out.push_str(&terminal_table(table, width)),
                Block::Verbatim(text) => out.push_str(text),
                Block::Commands(commands) => {
                    out.push_str("next:\n");
                    for (why, argv) in commands {
                        out.push_str(&wrap(why, "  # ", "  # ", width));
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
                Block::Heading(text) => out.push_str(&format!("## {}\n", line(text))),
                Block::Text(text) => out.push_str(&format!("{}\n", line(text))),
                Block::List(lines) => {
                    for text in lines {
                        out.push_str(&format!("- {}\n", line(text)));
                    }
                }
                Block::Table(table) => out.push_str(&markdown_table(table)),
                Block::Verbatim(text) => out.push_str(text),
                Block::Commands(commands) => {
                    out.push_str("Next:\n\n```sh\n");
                    for (why, argv) in commands {
                        out.push_str(&format!("# {}\n{}\n", line(why), shell_words(argv)));
                    }
                    out.push_str("```\n");
                }
            }
        }
        out
    }
}

/// Words of a document as one line that is only text: no end of it, no escape, nothing invisible.
fn line(text: &str) -> String {
    contracts::text::clean(text, usize::MAX)
}

fn terminal_table(table: &Table, width: usize) -> String {
    let mut builder = Builder::default();
    builder.push_record(table.columns.iter().map(|(name, _)| name.clone()));
    for row in &table.rows {
        builder.push_record(row.iter().map(|cell| line(cell)));
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
    rendered.with(Width::wrap(width).keep_words(true).priority(PriorityMax::right()));
    let mut text = rendered.to_string();
    text.push('\n');
    if table.omitted > 0 {
        text.push_str(&format!("… {} more rows (--top; -o has all)\n", table.omitted));
    }
    text
}

fn markdown_table(table: &Table) -> String {
    let row_of = |cells: &mut dyn Iterator<Item = String>| {
        let cells: Vec<String> = cells.collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let mut out = row_of(&mut table.columns.iter().map(|(name, _)| name.replace('|', "\\|")));
    out.push_str(&row_of(&mut table.columns.iter().map(|(_, align)| match align {
        Align::Left => "---".to_owned(),
        Align::Right => "---:".to_owned(),
    })));
    for row in &table.rows {
        out.push_str(&row_of(
            &mut row.iter().map(|cell| line(cell).replace('|', "\\|")),
        ));
    }
    if table.omitted > 0 {
        out.push_str(&format!(
            "\n… {} more rows (`--top`; `-o` has all)\n",
            table.omitted
        ));
    }
    out
}

/// Words between which a line may end: the digits of one number, in groups of three, are one word.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        match words.last_mut() {
            Some(last) if digits == 3 && last.ends_with(|c: char| c.is_ascii_digit()) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// Greedy word wrap at `columns`.
fn wrap(text: &str, first: &str, rest: &str, columns: usize) -> String {
    let mut out = String::from(first);
    let mut width = first.chars().count();
    let mut at_start = true;
    for word in words(&line(text)) {
        let length = word.chars().count();
        if !at_start && width + 1 + length > columns {
            out.push('\n');
            out.push_str(rest);
            width = rest.chars().count();
            at_start = true;
        }
        if !at_start {
            out.push(' ');
            width += 1;
        }
        out.push_str(&word);
        width += length;
        at_start = false;
    }
    out.push('\n');
    out
}

/// An argv as a person would type it.
pub fn shell_words(argv: &[String]) -> String {
    let quoted: Vec<String> = argv.iter().map(|word| quoted(word)).collect();
    quoted.join(" ")
}

fn quoted(word: &str) -> String {
    let unseen = |c: char| c.is_control() || contracts::text::is_invisible(c);
    if word.contains(unseen) {
        // The shell's own escapes keep the word what it is, and on its line.
        let shown: String = word
            .chars()
            .map(|c| match c {
                '\'' | '\\' => format!("\\{c}"),
                c if unseen(c) => format!("\\u{:04x}", u32::from(c)),
                c => c.to_string(),
            })
            .collect();
        return format!("$'{shown}'");
    }
    let plain = !word.is_empty()
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c));
    if plain {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
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
    fn a_number_is_not_broken_in_two() {
        // 11 characters a line: a break between 297 and 600 would fit better.
        assert_eq!(
            wrap("needs 297 600: 12 GB", "", "", 11),
            "needs\n297 600: 12\nGB\n"
        );
        assert_eq!(wrap("tp 2 at 12 ms", "", "", 7), "tp 2 at\n12 ms\n");
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
    fn a_narrow_terminal_gets_narrow_tables() {
        let mut table = Table::new(&[("name", Align::Left), ("why", Align::Left)]);
        table.row(vec!["word ".repeat(10), "word ".repeat(30)]);
        let view = sample().table(table);
        let widest = |columns: usize| {
            let text = view.to_columns(columns);
            text.lines().map(|line| line.chars().count()).max()
        };
        assert_eq!(widest(72), Some(72));
        assert_eq!((widest(10), widest(500)), (Some(60), widest(100)));
    }

    #[test]
    fn a_table_without_rows_has_no_head() {
        let empty = || Table::new(&[("name", Align::Left)]);
        assert_eq!(View::new().text("a").table(empty()).to_markdown(), "a\n");
        let below = View::new().heading("Rows").table(empty()).to_markdown();
        assert_eq!(below, "## Rows\n\nnone\n");
        let mut omitted = empty();
        omitted.row(vec!["a".to_owned()]);
        let text = View::new().table(omitted.top(0)).to_markdown();
        assert!(text.contains("1 more rows"), "{text}");
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

    proptest::proptest! {
        #[test]
        fn no_text_adds_a_line_or_acts_on_a_terminal(text in ".{0,12}(\n|\u{1b}\\[2J|\u{9b}|\u{202e}|\r).{0,12}") {
            let view = |text: &str| {
                let mut table = Table::new(&[("name", Align::Left)]);
                table.row(vec![text.to_owned()]);
                View::new()
                    .heading(text)
                    .text(text)
                    .list(vec![text.to_owned()])
                    .table(table)
                    .with(Block::Commands(vec![(text.to_owned(), vec!["t".to_owned(), text.to_owned()])]))
            };
            let markdown = view(&text).to_markdown();
            proptest::prop_assert_eq!(markdown.lines().count(), view("x").to_markdown().lines().count());
            for shown in [markdown, view(&text).to_terminal()] {
                let bad = |c: char| (c.is_control() && c != '\n') || contracts::text::is_invisible(c);
                proptest::prop_assert!(!shown.contains(bad), "{:?}", shown);
            }
        }
    }
}
