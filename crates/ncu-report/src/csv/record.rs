//! How large the next record is, before a reader keeps it: a quoted cell may hold line ends, so a record can have more cells, and more
//! bytes, than any of its lines. Quotes, commas and line ends mean what they mean to the crate `csv`, which reads the record then.

/// Most cells of a record. Real pages have up to 2,456, and each costs the reader eight bytes, whatever is in it.
const MAX_CELLS: usize = 1 << 16;

/// Most bytes of a record. Real ones have some 50,000; a quote that nobody closes would take the rest of the file for one cell.
const MAX_BYTES: usize = 16 << 20;

/// Where in a cell a byte stands.
enum Place {
    /// Nothing of the cell was seen.
    Start,
    /// In a cell without quotes, or behind its closing quote.
    Plain,
    /// Behind the opening quote.
    Quoted,
    /// Behind a quote that closes the cell, or is the first of two.
    Closed,
}

/// Bytes of the first record with its line end and empty lines before it; `None` where it is larger than a page of `ncu` can have.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    first(bytes).map(|(length, _)| length)
}

/// Whether a line ends no later than its record: no quote is open at its end, and it is not too large.
pub(super) fn is_whole(line: &[u8]) -> bool {
    first(line).is_some_and(|(_, place)| !matches!(place, Place::Quoted))
}

/// Length of the first record, and the place behind it.
fn first(bytes: &[u8]) -> Option<(usize, Place)> {
    let is_end = |byte: u8| matches!(byte, b'\n' | b'\r');
    let start = bytes
        .iter()
        .position(|byte| !is_end(*byte))
        .unwrap_or(bytes.len());
    let (mut place, mut cells) = (Place::Start, 1);
    for (at, byte) in bytes[start..].iter().enumerate() {
        place = match (place, *byte) {
            (Place::Start, b'"') | (Place::Closed, b'"') => Place::Quoted,
            (Place::Quoted, b'"') => Place::Closed,
            (Place::Quoted, _) => Place::Quoted,
            (_, b',') => {
                cells += 1;
                Place::Start
            }
            (_, byte) if is_end(byte) => return Some((start + at + 1, Place::Start)),
            _ => Place::Plain,
        };
        if cells > MAX_CELLS || at >= MAX_BYTES {
            return None;
        }
    }
    Some((bytes.len(), place))
}

#[cfg(test)]
mod tests {
    use csv::{ByteRecord, ReaderBuilder};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Records end where those of the crate end: it may take the line feed of `\r\n` with the next one.
        #[test]
        fn records_are_those_of_the_reader(text in r#"[a",\r\n]{0,40}"#) {
            let bytes = text.as_bytes();
            let mut builder = ReaderBuilder::new();
            let mut reader = builder.has_headers(false).flexible(true).from_reader(bytes);
            let mut record = ByteRecord::new();
            let mut at = 0;
            while reader.read_byte_record(&mut record).expect("bytes are always records") {
                at += length(&bytes[at..]).expect("it is small");
                let read = reader.position().byte() as usize;
                let ends = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
                prop_assert!(ends(&bytes[at.min(read)..at.max(read)]), "{at} {read}");
            }
            prop_assert!(bytes[at..].iter().all(|byte| matches!(byte, b'\r' | b'\n')));
        }
    }

    #[test]
    fn what_no_page_has_is_refused() {
        let cells = |count: usize| length(",".repeat(count - 1).as_bytes());
        assert_eq!(cells(MAX_CELLS), Some(MAX_CELLS - 1));
        assert_eq!(cells(MAX_CELLS + 1), None);
        let quoted = |count: usize| length(format!("\"{}", "\n".repeat(count - 1)).as_bytes());
        assert_eq!(quoted(MAX_BYTES), Some(MAX_BYTES));
        assert_eq!(quoted(MAX_BYTES + 1), None);
    }
}
