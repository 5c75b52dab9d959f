//! A line to records: who speaks, and what is said.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::facts::Rank;

/// One record of a line.
pub(super) struct Record<'a> {
    /// Who speaks.
    pub(super) rank: Rank,
    /// From its header to the next one.
    pub(super) text: &'a [u8],
}

/// `[2025-12-28 10:40:09 TP2]` of SGLang, `[10:40:09 TP2]` in its images for AMD, but no progress bar
/// (`[10:40:09<00:01]`); `(Worker_TP0 pid=1) INFO 11-06 10:51:39` of vLLM, with or without the process.
static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)\[(?:\d{4}-\d\d-\d\d[ T])?\d\d:\d\d:\d\d[^\]<\n]{0,80}\]|(?:\([A-Za-z][A-Za-z0-9_]{0,40}(?: [^()\n]{0,60})?\) )?(?:INFO|WARNING|ERROR|DEBUG) \d\d-\d\d \d\d:\d\d:\d\d",
    )
    .expect("the pattern is a regular expression")
});

static RANK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)[ _(](DP|PP|TP|rank=)([0-9]{1,5})").expect("the pattern is a regular expression")
});

/// A process that speaks without a header: vLLM's workers, when something prints into their line.
static PROCESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)^\s*\((?:Worker|VllmWorker|EngineCore)[^()\n]{0,80}\)")
        .expect("the pattern is a regular expression")
});

static COLOUR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?-u)\x1b\[[0-9;]{0,20}m").expect("the pattern is a regular expression"));

/// The line without the colours of a terminal.
pub(super) fn plain(line: &[u8]) -> Cow<'_, [u8]> {
    if line.contains(&0x1b) {
        COLOUR.replace_all(line, &b""[..])
    } else {
        Cow::Borrowed(line)
    }
}

/// The records of a line, in order. What stands before the first header is a record without a rank.
pub(super) fn records(line: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut starts: Vec<(usize, Rank)> = HEADER
        .find_iter(line)
        .map(|header| (header.start(), rank(header.as_bytes())))
        .collect();
    if starts.first().is_none_or(|(start, _)| *start > 0) {
        let process = PROCESS
            .find(line)
            .map_or(Rank::default(), |found| rank(found.as_bytes()));
        starts.insert(0, (0, process));
    }
    let ends: Vec<usize> = starts
        .iter()
        .skip(1)
        .map(|(start, _)| *start)
        .chain([line.len()])
        .collect();
    starts.into_iter().zip(ends).map(|((start, rank), end)| Record {
        rank,
        text: &line[start..end],
    })
}

fn rank(header: &[u8]) -> Rank {
    let mut rank = Rank::default();
    for found in RANK.captures_iter(header) {
        let number = std::str::from_utf8(&found[2])
            .ok()
            .and_then(|digits| digits.parse().ok());
        let place = match &found[1] {
            b"DP" => &mut rank.dp,
            b"PP" => &mut rank.pp,
            // vLLM's workers of 2025 count all ranks of an engine: without pipelines that is the tensor parallel rank.
            _ => &mut rank.tp,
        };
        *place = place.or(number);
    }
    rank
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(line: &str) -> Vec<(String, String)> {
        records(line.as_bytes())
            .map(|record| {
                (
                    record.rank.to_string(),
                    String::from_utf8_lossy(record.text).into_owned(),
                )
            })
            .filter(|(_, text)| !text.is_empty())
            .collect()
    }

    fn ranks(line: &str) -> Vec<String> {
        seen(line).into_iter().map(|(rank, _)| rank).collect()
    }

    #[test]
    fn headers_name_the_rank() {
        assert_eq!(ranks("[2025-12-28 10:40:09 TP2] x"), ["TP2"]);
        assert_eq!(ranks("[2025-12-28 10:40:09 DP1 PP0 TP3 EP3] x"), ["DP1 PP0 TP3"]);
        assert_eq!(ranks("[2025-12-28 10:40:09] x"), [""]);
        assert_eq!(
            ranks("(Worker_TP0 pid=26347) INFO 11-06 10:51:48 [gpu_worker.py:349] x"),
            ["TP0"]
        );
        assert_eq!(
            ranks("(Worker_DP1_TP0_EP2 pid=3) INFO 11-06 10:51:48 x"),
            ["DP1 TP0"]
        );
        assert_eq!(ranks("(VllmWorker rank=3 pid=1) INFO 11-06 10:51:48 x"), ["TP3"]);
        assert_eq!(ranks("(EngineCore_DP0 pid=26283) INFO 11-06 10:51:48 x"), ["DP0"]);
        assert_eq!(ranks("INFO 01-30 03:18:12 gpu_model_runner.py:848] x"), [""]);
    }

    #[test]
    fn a_line_behind_a_progress_bar_is_found() {
        let line = "Capturing batches: 100%|##| 4/4 [00:18<00:00,  4.51s/it][2025-07-14 05:49:02 TP1] Capture cuda graph end. x[2025-07-14 05:49:02 TP0] Capture";
        let seen = seen(line);
        assert_eq!(seen.len(), 3);
        assert_eq!((seen[1].0.as_str(), seen[2].0.as_str()), ("TP1", "TP0"));
        assert!(seen[1].1.ends_with("end. x"), "{seen:?}");
    }
}
