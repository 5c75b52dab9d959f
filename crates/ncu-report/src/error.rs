//! Why there is no report. Fragments complete "failed to …".

/// What is wrong with a file. Offsets are bytes from its start; of a compressed one, from the start of its content.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("read {path}: {source}")]
    Unreadable {
        /// File.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file has no bytes.
    #[error("read a report: it has no bytes (offset 0)")]
    Empty,
    /// The file is longer than is read.
    #[error("read a report of {bytes} bytes: {limit} are read at most")]
    TooLarge {
        /// Its length, or how far its content came.
        bytes: u64,
        /// Bound.
        limit: u64,
    },
    /// What is in it would take too much memory.
    #[error("keep what is in the report: it takes more than {limit} bytes")]
    TooMuchMemory {
        /// Bound.
        limit: u64,
    },
    /// More of something than any capture has.
    #[error("keep what is in the report: it has more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// Bound.
        limit: usize,
    },
    /// Neither a report nor a CSV of `ncu`.
    #[error("recognise a report: it starts with `{start}` (offset 0)")]
    NotRecognised {
        /// First bytes, in hexadecimal.
        start: String,
    },
    /// The file ends inside something.
    #[error("read {what} at offset {offset}: {wanted} bytes are announced, {left} are left")]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Where it starts.
        offset: u64,
        /// Its length.
        wanted: u64,
        /// What the file has.
        left: u64,
    },
    /// A CSV ends inside a row: what is left of a number would be another number.
    #[error("read the row at offset {offset}: the file ends inside it")]
    CsvCut {
        /// Where the row starts.
        offset: u64,
    },
    /// Compressed data ends before its end.
    #[error("decompress the report: its data ends at offset {offset}, before its end")]
    CompressedCut {
        /// End of the file.
        offset: u64,
    },
    /// Something cannot be what it should be.
    #[error("read the bytes at offset {offset}: {what}")]
    Corrupt {
        /// Where.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A CSV whose columns are not those of `ncu`.
    #[error("recognise a CSV: its first line is `{header}`, not a header of `ncu --csv`")]
    UnknownCsv {
        /// Its first line, cut.
        header: String,
    },
    /// The session page alone.
    #[error("find kernels in a session page: it holds the command line and the machine only")]
    SessionPage,
    /// Numbers with a decimal comma: `1,234` could be two numbers.
    #[error("read the numbers of the row at offset {offset}: they have a decimal comma")]
    DecimalComma {
        /// Where the row starts.
        offset: u64,
    },
    /// A metric has a name that is not in the table of names.
    #[error("name the metric at offset {offset}: it has name {id}, there are {names}")]
    NameOutOfRange {
        /// Where the metric starts.
        offset: u64,
        /// Number of its name.
        id: u64,
        /// Names read so far.
        names: usize,
    },
    /// The report holds results of ranges, and no kernel.
    #[error(
        "find a profiled kernel: there are {ranges} results of ranges and nothing else until the end at offset {offset}"
    )]
    RangesOnly {
        /// How many.
        ranges: u64,
        /// End of the file.
        offset: u64,
    },
    /// The report ends without a profiled kernel.
    #[error("find a profiled kernel: none until the end at offset {offset}")]
    NoKernels {
        /// End of the file.
        offset: u64,
    },
}

impl ReadError {
    /// Kebab-case name of the error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "ncu-report-unreadable",
            Self::Empty => "ncu-report-empty",
            Self::TooLarge { .. } | Self::TooMuchMemory { .. } | Self::TooMany { .. } => {
                "ncu-report-too-large"
            }
            Self::NotRecognised { .. } => "ncu-report-not-recognised",
            Self::Truncated { .. } | Self::CsvCut { .. } | Self::CompressedCut { .. } => "truncated-file",
            Self::Corrupt { .. } => "ncu-report-corrupt",
            Self::NameOutOfRange { .. } => "ncu-report-metric-name",
            Self::UnknownCsv { .. } => "ncu-csv-unknown",
            Self::SessionPage => "ncu-csv-session-page",
            Self::DecimalComma { .. } => "ncu-csv-decimal-comma",
            Self::RangesOnly { .. } => "ncu-report-ranges-only",
            Self::NoKernels { .. } => "no-kernels",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => "check the path and its permissions".to_owned(),
            Self::Empty => "collect the report again; `ncu` writes it when the program has ended".to_owned(),
            Self::TooLarge { .. } | Self::TooMuchMemory { .. } | Self::TooMany { .. } => {
                "collect fewer kernels: `ncu -k REGEX -c 20`".to_owned()
            }
            Self::NotRecognised { .. } => {
                "give what `ncu -o` wrote (.ncu-rep, .ncu-repz), or `ncu --import FILE --page raw --csv`".to_owned()
            }
            Self::Truncated { .. } | Self::CsvCut { .. } | Self::CompressedCut { .. } => {
                "copy the file again and compare its length; a capture that was ended early is collected again".to_owned()
            }
            Self::Corrupt { .. } | Self::NameOutOfRange { .. } => {
                "copy the file again and compare its sha256; if `ncu --import` opens it, send the offset with a bug report".to_owned()
            }
            Self::UnknownCsv { .. } => {
                "give the report itself, or `ncu --import FILE --page raw --csv`; tables made by hand are not read".to_owned()
            }
            Self::SessionPage => {
                "export the kernels: `ncu --import FILE --page raw --csv`, or give the .ncu-rep itself".to_owned()
            }
            Self::DecimalComma { .. } => {
                "export it again with `LC_ALL=C ncu --import FILE --page raw --csv`".to_owned()
            }
            Self::RangesOnly { .. } => {
                "counters of a range belong to no kernel: collect with `--replay-mode kernel` or `application`".to_owned()
            }
            Self::NoKernels { .. } => {
                "nothing matched while it was collected: check -k, -s, -c and --profile-from-start of the `ncu` command".to_owned()
            }
        }
    }
}
