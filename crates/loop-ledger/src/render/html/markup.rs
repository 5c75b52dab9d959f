//! HTML that nothing foreign can break: markup has to be a constant of this program, and every other text is escaped.

/// A piece of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Html(String);

impl Html {
    /// Nothing yet.
    pub(crate) fn new() -> Html {
        Html::default()
    }

    /// A piece that is only text.
    pub(crate) fn of(text: &str) -> Html {
        Html::new().text(text)
    }

    /// Adds markup of our own. It is `'static`, so that no text that was read or typed can be passed.
    #[must_use]
    pub(crate) fn raw(mut self, markup: &'static str) -> Html {
        self.0.push_str(markup);
        self
    }

    /// Adds text, escaped.
    #[must_use]
    pub(crate) fn text(mut self, text: &str) -> Html {
        escape(text, &mut self.0);
        self
    }

    /// Adds ` name="value"` with the value escaped.
    #[must_use]
    pub(crate) fn attr(mut self, name: &'static str, value: &str) -> Html {
        self.0.push(' ');
        self.0.push_str(name);
        self.0.push_str("=\"");
        escape(value, &mut self.0);
        self.0.push('"');
        self
    }

    /// Adds ` name="12.3"`, for coordinates.
    #[must_use]
    pub(crate) fn at(self, name: &'static str, value: f64) -> Html {
        let value = if value.is_finite() { value } else { 0.0 };
        self.attr(name, &format!("{value:.1}"))
    }

    /// Adds another piece.
    #[must_use]
    pub(crate) fn with(mut self, other: Html) -> Html {
        self.0.push_str(&other.0);
        self
    }

    /// The page.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Escapes for text and for quoted attributes alike; what cannot stand in a page is replaced.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || is_reordering(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

/// Characters that show a text in another order than it has.
fn is_reordering(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Numbers: to the right, on one line.
    Number,
    /// Names: broken only where there is no other way.
    Name,
    /// Sentences, and whatever somebody typed: as wide as the others leave room for.
    Prose,
}

impl Column {
    fn head(self) -> &'static str {
        match self {
            Column::Number => "<th scope=\"col\" class=\"n\">",
            Column::Name | Column::Prose => "<th scope=\"col\">",
        }
    }

    fn cell(self) -> &'static str {
        match self {
            Column::Number => "<td class=\"n\" data-label=\"",
            Column::Name => "<td data-label=\"",
            Column::Prose => "<td class=\"prose\" data-label=\"",
        }
    }
}

/// A table whose cells name their column, so that it can be read as cards on a narrow screen.
pub(crate) fn table(caption: &'static str, columns: &[(&'static str, Column)], rows: Vec<Vec<Html>>) -> Html {
    let mut html = Html::new()
        .raw("<div class=\"scroll\"><table><caption>")
        .raw(caption)
        .raw("</caption><thead><tr>");
    for (name, column) in columns {
        html = html.raw(column.head()).raw(name).raw("</th>");
    }
    html = html.raw("</tr></thead><tbody>");
    for row in rows {
        html = html.raw("<tr>");
        for ((name, column), cell) in columns.iter().zip(row) {
            html = html
                .raw(column.cell())
                .raw(name)
                .raw("\"><span>")
                .with(cell)
                .raw("</span></td>");
        }
        html = html.raw("</tr>\n");
    }
    html.raw("</tbody></table></div>\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_foreign_becomes_markup() {
        let html = Html::new()
            .raw("<p")
            .attr("title", "\" onmouseover=\"alert(1)")
            .raw(">")
            .text("<script>alert('x')</script>&\u{202e}\u{1b}[31m");
        assert_eq!(
            html.into_string(),
            "<p title=\"&quot; onmouseover=&quot;alert(1)\">&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\u{fffd}\u{fffd}[31m"
        );
    }

    proptest! {
        #[test]
        fn any_text_reads_back_and_holds_no_markup(text in any::<String>()) {
            let escaped = Html::of(&text).into_string();
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            prop_assert!(!escaped.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
            let back = escaped
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            let shown: String = text
                .chars()
                .map(|c| if (c.is_control() && c != '\n' && c != '\t') || is_reordering(c) { '\u{fffd}' } else { c })
                .collect();
            prop_assert_eq!(back, shown);
            // Every ampersand begins one of our five entities.
            for (at, _) in escaped.match_indices('&') {
                prop_assert!(["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"].iter().any(|entity| escaped[at..].starts_with(entity)));
            }
        }
    }
}
