//! What was wrong with a file and what it cost: each kind once, with its first place, how often, and the events lost.

/// Kinds of damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DefectKind {
    /// The compressed data ends before its end.
    GzipCut,
    /// The compressed data is broken.
    GzipCorrupt,
    /// Compressed, though the name says it is not.
    GzipNamedJson,
    /// Not compressed, though the name says it is.
    JsonNamedGzip,
    /// The JSON ends before its end.
    Truncated,
    /// A quote inside a string that is not escaped.
    UnescapedQuote,
    /// An event that is no JSON for another reason.
    MalformedEvent,
    /// Bytes that are no UTF-8.
    BadUtf8,
    /// `inf` or `nan` where JSON has no word for it.
    NonFiniteNumber,
    /// An integer of more than 64 bits.
    BigInteger,
    /// A time or an id as a string.
    StringNumber,
    /// A comma before a closing bracket.
    TrailingComma,
    /// No comma between two events.
    MissingComma,
    /// An event without the time, duration or name that its kind needs.
    IncompleteEvent,
    /// An event that lasts longer than any can.
    LongEvent,
}

impl DefectKind {
    /// Name in documents, kebab-case.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::GzipCut => "trace-gzip-cut",
            Self::GzipCorrupt => "trace-gzip-corrupt",
            Self::GzipNamedJson => "trace-gzip-named-json",
            Self::JsonNamedGzip => "trace-json-named-gzip",
            Self::Truncated => "trace-truncated",
            Self::UnescapedQuote => "trace-unescaped-quote",
            Self::MalformedEvent => "trace-malformed-event",
            Self::BadUtf8 => "trace-bad-utf8",
            Self::NonFiniteNumber => "trace-non-finite-number",
            Self::BigInteger => "trace-big-integer",
            Self::StringNumber => "trace-string-number",
            Self::TrailingComma => "trace-trailing-comma",
            Self::MissingComma => "trace-missing-comma",
            Self::IncompleteEvent => "trace-incomplete-event",
            Self::LongEvent => "trace-long-event",
        }
    }

    /// What it is, in words.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Self::GzipCut => "the compressed data ends before its end",
            Self::GzipCorrupt => "the compressed data is broken",
            Self::GzipNamedJson => "the file is compressed though its name does not end in .gz",
            Self::JsonNamedGzip => "the file is not compressed though its name ends in .gz",
            Self::Truncated => "the JSON ends before its end",
            Self::UnescapedQuote => "a quote inside a string is not escaped",
            Self::MalformedEvent => "an event is no JSON",
            Self::BadUtf8 => "text is no UTF-8",
            Self::NonFiniteNumber => "a number is inf or nan",
            Self::BigInteger => "an integer has more than 64 bits",
            Self::StringNumber => "a time or an id is a string",
            Self::TrailingComma => "a comma stands before a closing bracket",
            Self::MissingComma => "no comma stands between two events",
            Self::IncompleteEvent => "an event lacks its time, duration or name",
            Self::LongEvent => "an event lasts longer than an hour",
        }
    }
}

/// One kind of damage in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// What.
    pub kind: DefectKind,
    /// First place: byte of the uncompressed JSON.
    pub offset: u64,
    /// How often.
    pub count: u64,
    /// Events that could not be read because of it.
    pub events_lost: u64,
}

/// Collects defects, one entry a kind, in the order of their first place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Defects(pub(crate) Vec<Defect>);

impl Defects {
    pub(crate) fn add(&mut self, kind: DefectKind, offset: u64, count: u64, events_lost: u64) {
        if count == 0 {
            return;
        }
        if let Some(known) = self.0.iter_mut().find(|defect| defect.kind == kind) {
            known.count += count;
            known.events_lost += events_lost;
        } else {
            self.0.push(Defect {
                kind,
                offset,
                count,
                events_lost,
            });
        }
    }
}
