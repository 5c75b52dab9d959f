//! Signs that a log goes on with another start where no line begins one: excerpts put together lack the lines that would.
//! A sign is no proof, so nothing is taken apart by it; it is said.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// How far records may be behind each other, seconds: ranks write into one log, and machines differ in their clocks.
const MOST_BEHIND_S: i64 = 120;
/// A jump back over most of a year is its end: vLLM's records have no year.
const YEAR_S: i64 = 300 * 86_400;
/// Longest header of a record.
const HEADER_CAP: usize = 160;
/// Most processes that are kept in mind.
const MOST_PROCESSES: usize = 4096;

/// `[2025-12-28 10:40:09 TP2]` of SGLang, `INFO 11-06 10:51:39` of vLLM.
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)(?:\[(?<year>\d{4})-| )(?<month>\d\d)-(?<day>\d\d)[ T](?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)",
    )
    .expect("the pattern is a regular expression")
});

/// vLLM's engine and workers, each of which is one process of one start.
static PROCESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)^\s*\(((?:EngineCore|Worker_)[A-Za-z0-9_]{0,40}) pid=(\d{1,9})\)")
        .expect("the pattern is a regular expression")
});

/// What the records of one start have shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Signs {
    last_s: Option<i64>,
    processes: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Signs {
    /// Looks at the header of a record; what it shows of another start, in words.
    pub(super) fn see(&mut self, record: &[u8]) -> Option<&'static str> {
        let header = &record[..record.len().min(HEADER_CAP)];
        let by_time = self.is_back(header).then_some("its time goes back");
        let by_process = self
            .is_another(header)
            .then_some("a process of the engine has another pid");
        by_time.or(by_process)
    }

    fn is_back(&mut self, header: &[u8]) -> bool {
        let Some(now) = TIME.captures(header).map(|found| {
            let number = |name: &str| -> i64 {
                let digits = found.name(name).map_or(&b""[..], |digits| digits.as_bytes());
                digits
                    .iter()
                    .fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
            };
            // Months of 31 days: order is what counts.
            let days = (number("year") * 12 + number("month")) * 31 + number("day");
            ((days * 24 + number("hour")) * 60 + number("minute")) * 60 + number("second")
        }) else {
            return false;
        };
        let behind = self.last_s.map_or(0, |last| last - now);
        // The latest, or the records of slow ranks would hide how far one is behind; from a jump on, the new time.
        if behind <= 0 || behind > MOST_BEHIND_S {
            self.last_s = Some(now);
        }
        (MOST_BEHIND_S..YEAR_S).contains(&behind)
    }

    fn is_another(&mut self, header: &[u8]) -> bool {
        let Some(found) = PROCESS.captures(header) else {
            return false;
        };
        let (name, pid) = (found[1].to_vec(), found[2].to_vec());
        if self.processes.len() >= MOST_PROCESSES && !self.processes.contains_key(&name) {
            return false;
        }
        let before = self.processes.insert(name, pid.clone());
        before.is_some_and(|before| before != pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(records: &[&str]) -> Vec<Option<&'static str>> {
        let mut signs = Signs::default();
        records
            .iter()
            .map(|record| signs.see(record.as_bytes()))
            .collect()
    }

    #[test]
    fn time_that_goes_back_is_a_sign() {
        let back = Some("its time goes back");
        assert_eq!(
            seen(&[
                "[2026-05-15 09:09:53 TP0] x",
                "[2026-05-15 09:08:53 TP1] a slow rank",
                "[2026-05-15 09:10:00 TP0] x",
                "[2026-05-14 23:59:59 TP0] x",
                "[2026-05-15 00:00:01 TP0] x",
            ]),
            [None, None, None, back, None]
        );
        assert_eq!(
            seen(&["INFO 03-01 00:00:05 x", "INFO 02-28 10:00:00 x", "no header"]),
            [None, back, None]
        );
        // The end of a year.
        assert_eq!(
            seen(&["INFO 12-31 23:59:59 x", "INFO 01-01 00:00:01 x"]),
            [None, None]
        );
    }

    #[test]
    fn another_pid_of_the_same_process_is_a_sign() {
        let other = Some("a process of the engine has another pid");
        assert_eq!(
            seen(&[
                "(Worker_TP0 pid=1) INFO 11-06 10:51:48 x",
                "(Worker_TP1 pid=2) INFO 11-06 10:51:48 x",
                "(Worker_TP0 pid=1) INFO 11-06 10:51:49 x",
                "(Worker_TP0 pid=7) INFO 11-06 10:51:50 x",
                // All workers of 2025 have one name, and so have several API servers.
                "(VllmWorker rank=0 pid=1) INFO 11-06 10:51:50 x",
                "(APIServer pid=1) INFO 11-06 10:51:50 x",
                "(APIServer pid=2) INFO 11-06 10:51:50 x",
            ]),
            [None, None, None, other, None, None, None]
        );
    }
}
