//! Types of metrics, and which part of one a sample is.

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Grows until its process restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets.
    Histogram,
    /// Quantiles that the exporter computed over a time it does not say.
    Summary,
    /// Neither declared nor to be told from the name.
    Unknown,
}

impl Kind {
    /// The type that a `TYPE` line declares.
    pub(super) fn declared(word: &str) -> Kind {
        match word {
            "counter" => Kind::Counter,
            "gauge" | "info" | "stateset" => Kind::Gauge,
            "histogram" | "gaugehistogram" => Kind::Histogram,
            "summary" => Kind::Summary,
            _ => Kind::Unknown,
        }
    }
}

/// Which part of its metric a sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The value itself.
    Value,
    /// A cumulative bucket; its label `le` is the upper bound.
    Bucket,
    /// The sum of what was observed.
    Sum,
    /// How often something was observed.
    Count,
    /// When the series began, in seconds since 1970.
    Created,
}

/// Endings of the samples of one metric.
pub(super) const ENDINGS: [(&str, Part); 6] = [
    ("_bucket", Part::Bucket),
    ("_sum", Part::Sum),
    ("_gsum", Part::Sum),
    ("_count", Part::Count),
    ("_gcount", Part::Count),
    ("_created", Part::Created),
];

/// A sample's name without the ending of its part, if it has one.
pub(super) fn split(name: &str) -> Option<(&str, Part)> {
    ENDINGS
        .iter()
        .find_map(|(ending, part)| Some((name.strip_suffix(ending)?, *part)))
        .filter(|(family, _)| !family.is_empty())
}
