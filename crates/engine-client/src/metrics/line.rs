//! One line of an exposition.

use super::kind::{Kind, Part};
use super::labels::{self, Labels};

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample<'a> {
    /// The name as it stands in the payload.
    pub name: &'a str,
    /// The metric's name: `name` without the ending of its part and, for a counter, without `_total`. `:` stays as written.
    pub family: &'a str,
    /// Type of the metric.
    pub kind: Kind,
    /// Which part of the metric this is.
    pub part: Part,
    /// Labels.
    pub labels: Labels<'a>,
    /// Value; may be NaN or infinite, as exporters write them.
    pub value: f64,
    /// When the exporter says it was taken, in milliseconds since 1970; most do not say.
    pub timestamp_ms: Option<i64>,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Line<'a> {
    Sample(Sample<'a>),
    Type(&'a str, Kind),
    /// Empty, help, unit, end, any other comment.
    Nothing,
    /// Meant to be a sample, and is none.
    Unreadable,
}

pub(super) fn read(line: &str) -> Line<'_> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return Line::Nothing;
    }
    if let Some(comment) = line.strip_prefix('#') {
        return declared(comment.trim_ascii_start()).unwrap_or(Line::Nothing);
    }
    sample(line).map_or(Line::Unreadable, Line::Sample)
}

fn declared(comment: &str) -> Option<Line<'_>> {
    let rest = comment.strip_prefix("TYPE")?;
    if !rest.starts_with([' ', '\t']) {
        return None;
    }
    let rest = rest.trim_ascii_start();
    let (name, kind) = match labels::quoted(rest) {
        Some((name, kind)) => (name, kind.trim_ascii()),
        None => {
            let (name, kind) = rest.split_once([' ', '\t'])?;
            (name, kind.trim_ascii())
        }
    };
    Some(Line::Type(name, Kind::declared(kind)))
}

fn sample(line: &str) -> Option<Sample<'_>> {
    let end = line
        .bytes()
        .position(|byte| !is_of_a_name(byte))
        .unwrap_or(line.len());
    let (mut name, rest) = line.split_at(end);
    let mut rest = rest.trim_ascii_start();
    let mut labels = Labels::default();
    if let Some(inner) = rest.strip_prefix('{') {
        let end = labels::end(inner)?;
        let text = &inner[..end];
        rest = &inner[end + 1..];
        labels = Labels::new(text);
        if name.is_empty() {
            name = labels::quoted(text.trim_ascii_start())?.0;
        }
    } else if end + rest.len() == line.len() {
        // No white space between name and value.
        return None;
    }
    if name.is_empty() || name.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    // An exemplar begins with `#`; neither value nor time stamp holds one.
    let rest = rest.split('#').next().unwrap_or_default();
    let mut words = rest.split_ascii_whitespace();
    let value = words.next()?.parse().ok()?;
    let timestamp_ms = match words.next() {
        None => None,
        Some(word) => Some(milliseconds(word.parse().ok()?)?),
    };
    words.next().is_none().then_some(Sample {
        name,
        family: name,
        kind: Kind::Unknown,
        part: Part::Value,
        labels,
        value,
        timestamp_ms,
    })
}

/// The format allows letters, digits, `_` and `:`; exporters are seen with dots and dashes.
fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'.' | b'-')
}

/// Prometheus text writes milliseconds and OpenMetrics seconds; no time of this century is both.
fn milliseconds(time: f64) -> Option<i64> {
    let milliseconds = if time.abs() < 1e11 { time * 1e3 } else { time };
    (milliseconds.is_finite() && milliseconds.abs() < 1e17).then_some(milliseconds as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Option<(f64, Option<i64>)> {
        match read(line) {
            Line::Sample(sample) => Some((sample.value, sample.timestamp_ms)),
            _ => None,
        }
    }

    #[test]
    fn values_times_and_exemplars() {
        assert_eq!(value("a 1"), Some((1.0, None)));
        assert_eq!(value("a{b=\"c\"}2.5e3"), Some((2500.0, None)));
        assert_eq!(value("a +Inf"), Some((f64::INFINITY, None)));
        assert!(value("a NaN").is_some_and(|(value, _)| value.is_nan()));
        assert_eq!(value("a 1 1795303186000"), Some((1.0, Some(1_795_303_186_000))));
        assert_eq!(value("a 1 1795303186.25"), Some((1.0, Some(1_795_303_186_250))));
        assert_eq!(
            value("a_bucket{le=\"1\"} 4 1.5 # {trace_id=\"x\"} 0.7 1.2"),
            Some((4.0, Some(1500)))
        );
        assert_eq!(
            value("a_bucket{le=\"1\"} 4 # {trace_id=\"x\"} 0.7"),
            Some((4.0, None))
        );
        assert_eq!(value("  a\t{ b=\"c\" , }\t7\r"), Some((7.0, None)));
    }

    #[test]
    fn names_in_quotes() {
        let Line::Sample(sample) = read("{\"engine.tokens\",le=\"1\"} 4") else {
            panic!("a sample")
        };
        assert_eq!(
            (sample.name, sample.labels.get("le").as_deref()),
            ("engine.tokens", Some("1"))
        );
    }

    #[test]
    fn what_is_no_sample() {
        for line in [
            "<html>",
            "a",
            "a b",
            "a{b=\"c\" 1",
            "1 2",
            "a 1 2 3",
            "a1",
            "{} 1",
            "{\"status\": 3}",
            "a 1 x",
        ] {
            assert_eq!(read(line), Line::Unreadable, "{line}");
        }
        for line in [
            "",
            "  ",
            "# HELP a b",
            "#",
            "# EOF",
            "# TYPE",
            "# TYPE a",
            "#TYPEa b",
        ] {
            assert_eq!(read(line), Line::Nothing, "{line}");
        }
        assert_eq!(read("# TYPE a:b histogram"), Line::Type("a:b", Kind::Histogram));
        assert_eq!(read("# TYPE \"a.b\" gauge"), Line::Type("a.b", Kind::Gauge));
        assert_eq!(read("# TYPE a untyped"), Line::Type("a", Kind::Unknown));
    }
}
