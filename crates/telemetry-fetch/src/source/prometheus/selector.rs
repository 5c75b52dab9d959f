//! What the store is asked for: selectors of the vocabulary's names, and forms that carry them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::OnceLock;

use jiff::Timestamp;

use crate::history::Labels;
use crate::vocabulary::TERMS;

/// Label of the name.
pub(super) const NAME: &str = "__name__";
/// When the process behind a target began.
pub(super) const BIRTH: &str = "process_start_time_seconds";
/// Whether the store could scrape a target.
pub(super) const UP: &str = "up";

/// Names of the vocabulary as a regular expression, with `:` or `_` behind an engine's prefix: which of the two a store has
/// depends on what exporter and scraper agreed on (prometheus/client_python#1180), so both are asked for.
pub(super) fn names() -> &'static str {
    static NAMES: OnceLock<String> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut by_prefix: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for name in TERMS.iter().flat_map(|term| term.names) {
            let (prefix, rest) = name.split_once('_').unwrap_or((name, ""));
            by_prefix.entry(prefix).or_default().insert(rest);
        }
        let groups = by_prefix.into_iter().map(|(prefix, rests)| {
            let rests: Vec<&str> = rests.into_iter().collect();
            format!("{prefix}[:_](?:{})", rests.join("|"))
        });
        let groups: Vec<String> = groups.collect();
        format!("(?:{})(?:_total|_bucket|_sum|_count)?", groups.join("|"))
    })
}

/// A selector of these names, narrowed by labels.
pub(super) fn selector(labels: &Labels) -> String {
    matching(names(), labels)
}

/// A selector of what the store says of the process and the scrapes of a target.
pub(super) fn process(target: &Labels) -> String {
    matching(&format!("{BIRTH}|{UP}"), target)
}

fn matching(names: &str, labels: &Labels) -> String {
    let mut out = format!("{{{NAME}=~{}", quoted(names));
    for (label, value) in labels {
        let _ = write!(out, ",{label}={}", quoted(value));
    }
    out.push('}');
    out
}

/// A string of PromQL.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether PromQL takes it as the name of a label.
pub(super) fn is_label(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Form of a question for the series that a selector has in a window.
pub(super) fn series_form(selector: &str, start: Timestamp, end: Timestamp) -> String {
    form(&[
        ("match[]", selector),
        ("start", &seconds(start)),
        ("end", &seconds(end)),
    ])
}

/// Form of an instant query for the raw samples of a window: no step, no extrapolation, nothing computed by the store.
pub(super) fn samples_form(selector: &str, start: Timestamp, end: Timestamp) -> String {
    let window = end.as_millisecond().saturating_sub(start.as_millisecond()).max(1);
    let query = format!("{selector}[{window}ms]");
    form(&[("query", &query), ("time", &seconds(end))])
}

/// Form of a question for the store's clock.
pub(super) fn clock_form() -> String {
    form(&[("query", "time()")])
}

fn seconds(at: Timestamp) -> String {
    let ms = at.as_millisecond();
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}

fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        let mut out = String::with_capacity(text.len() * 2);
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                let _ = write!(out, "%{byte:02X}");
            }
        }
        out
    };
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_of_names_are_asked_for() {
        assert!(names().contains("vllm[:_](?:"), "{}", names());
        assert!(names().contains("|generation_tokens|"), "{}", names());
        // VictoriaMetrics takes queries of up to 16 KiB (`-search.maxQueryLen`).
        assert!(names().len() < 12_000, "{}", names().len());
        assert!(!names().contains(['"', '\\']));
    }

    #[test]
    fn values_of_labels_stay_values() {
        let labels = BTreeMap::from([("job".to_owned(), "a\"}[1h]) or {x=\"\\\n".to_owned())]);
        let text = process(&labels);
        assert!(text.contains("|up\","), "{text}");
        assert!(text.ends_with(r#",job="a\"}[1h]) or {x=\"\\\n"}"#), "{text}");
        assert!(is_label("model_name") && is_label("_x1"));
        assert!(!is_label("") && !is_label("1x") && !is_label("a=b") && !is_label("a-b"));
    }

    #[test]
    fn a_window_is_asked_for_to_the_millisecond() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let form = samples_form("{a=\"b\"}", at(1_000), at(61_250));
        assert!(form.ends_with("%5B60250ms%5D&time=61.250"), "{form}");
        assert!(
            series_form("{a=\"b c\"}", at(0), at(1))
                .starts_with("match%5B%5D=%7Ba%3D%22b%20c%22%7D&start=0.000&end=0.001")
        );
    }
}
