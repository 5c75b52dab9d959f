//! The frame of every rendered Markdown file: title, what is simulated, and the head it was rendered from.

use cli_kit::{Block, View};

use super::source::Source;

/// A whole file.
pub(crate) fn page(source: &Source<'_>, title: &str, body: View) -> String {
    let mut text = format!("# {title}\n\n");
    if source.simulated() {
        text.push_str("**SIMULATED**: a simulated engine answered; never compare with a real one.\n\n");
    }
    text.push_str(body.to_markdown().trim_end());
    text.push_str(&format!(
        "\n\nRendered from {} entries.\n\nLedger-Head: {}\n",
        source.state.entries.len(),
        source.head
    ));
    text
}

/// A block of code that nothing in it can end.
pub(crate) fn code(language: &str, body: &str) -> Block {
    let longest = body
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default()
        .max(2);
    let fence = "`".repeat(longest + 1);
    Block::Verbatim(format!("{fence}{language}\n{}\n{fence}\n", body.trim_end()))
}
