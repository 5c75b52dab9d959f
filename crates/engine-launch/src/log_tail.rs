//! The end of a server's log, safe to print.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use contracts::text;

use crate::secrets::Secrets;

/// Bytes of the log that are read.
const READ: u64 = 32 << 10;
/// Lines that are kept.
const LINES: usize = 40;
/// Longest line, in bytes.
const LINE: usize = 300;

/// The last lines of the log, cleaned and without secrets; empty when it cannot be read.
pub(crate) fn log_tail(path: &Path, secrets: &Secrets) -> Vec<String> {
    let Ok(bytes) = read_end(path) else {
        return Vec::new();
    };
    lines(&bytes, secrets)
}

fn read_end(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(READ)))?;
    let mut bytes = Vec::new();
    file.take(READ).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn lines(bytes: &[u8], secrets: &Secrets) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        // A secret may be longer than a line that is kept, so it goes first.
        .map(|line| text::clean(&secrets.removed_from(&text::clean(line, 4096)), LINE))
        .filter(|line| !line.is_empty())
        .take(LINES)
        .collect();
    lines.reverse();
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_the_last_lines_clean() {
        let log = (0..100)
            .map(|n| format!("\u{1b}[31mline {n}\u{1b}[0m\r\n\n"))
            .collect::<String>();
        let tail = lines(log.as_bytes(), &Secrets::default());
        assert_eq!(tail.len(), LINES);
        assert_eq!(
            (tail[0].as_str(), tail[LINES - 1].as_str()),
            ("line 60", "line 99")
        );
    }

    #[test]
    fn a_missing_log_is_empty_and_a_long_one_is_read_from_its_end() {
        assert!(log_tail(Path::new("/nowhere/at/all"), &Secrets::default()).is_empty());
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{}\nlast", "x".repeat(200_000))).unwrap();
        let tail = log_tail(file.path(), &Secrets::default());
        assert_eq!(tail.last().map(String::as_str), Some("last"));
        assert!(tail[0].len() <= LINE + '…'.len_utf8());
    }

    proptest! {
        #[test]
        fn any_bytes_come_out_bounded(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let tail = lines(&bytes, &Secrets::default());
            prop_assert!(tail.len() <= LINES);
            prop_assert!(tail.iter().all(|line| !line.chars().any(char::is_control)));
        }
    }
}
