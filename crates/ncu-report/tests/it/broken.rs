//! Files that are cut, changed or something else: an error that says where, never a panic, never half a report.

use ncu_report::{Limits, ReadError, Report, Rule, Value, encode, encode_compressed, read};
use proptest::prelude::*;

use crate::reports::{metric, two_kernels};

fn error(bytes: &[u8]) -> ReadError {
    read(bytes, Limits::default()).expect_err("no report")
}

/// Where blocks start, and the end.
pub(crate) fn block_starts(bytes: &[u8]) -> Vec<usize> {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
    let mut starts = vec![8 + word(4)];
    loop {
        let at = *starts.last().expect("one start");
        if at == bytes.len() {
            return starts;
        }
        let header = &bytes[at + 4..at + 4 + word(at)];
        starts.push(at + 4 + header.len() + payload_bytes(header));
    }
}

/// Field 5 of a block's header.
fn payload_bytes(mut header: &[u8]) -> usize {
    let varint = |bytes: &mut &[u8]| {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    };
    loop {
        let key = varint(&mut header);
        let value = varint(&mut header);
        match key {
            0x28 => return value,
            key if key & 7 == 2 => header = &header[value..],
            _ => {}
        }
    }
}

#[test]
fn a_cut_file_is_an_error_that_says_where() {
    let bytes = encode(&two_kernels());
    let starts = block_starts(&bytes);
    assert!(starts.len() > 8, "{starts:?}");
    for cut in 1..bytes.len() {
        let result = read(&bytes[..cut], Limits::default());
        // A file that ends between two blocks looks whole: nothing in it says how many there are.
        match result {
            Ok(report) => {
                assert!(starts.contains(&cut), "{cut}");
                assert!(!report.kernels.is_empty());
            }
            Err(ReadError::NoKernels { offset }) => {
                assert!(starts.contains(&cut), "{cut}");
                assert_eq!(offset, cut as u64);
            }
            Err(ReadError::Truncated {
                offset, wanted, left, ..
            }) => {
                assert!(!starts.contains(&cut), "{cut}");
                assert!(
                    offset + left == cut as u64 && wanted > left,
                    "{cut}: {offset} {wanted} {left}"
                );
            }
            Err(other) => assert!(cut < 4, "{cut}: {other}"),
        }
    }
}

#[test]
fn a_cut_compressed_file_is_an_error() {
    let bytes = encode_compressed(&two_kernels());
    for cut in 4..bytes.len() {
        let error = error(&bytes[..cut]);
        assert_eq!(error.code(), "truncated-file", "{cut}: {error}");
    }
    for (place, bit) in (0..bytes.len()).zip((0..8).cycle()) {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << bit;
        // The checksum sees what the decoder does not.
        let unchanged = read(&bytes, Limits::default()).expect("a report");
        match read(&changed, Limits::default()) {
            Ok(report) => assert_eq!(report, unchanged, "byte {place}"),
            Err(error) => assert!(!error.hint().is_empty()),
        }
    }
}

/// Frames cost time whatever is in them: each is set up and ended, and a few bytes ask for one.
#[test]
fn a_million_empty_frames_are_too_many() {
    let report = encode_compressed(&two_kernels());
    let empty: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0];
    let skipped: &[u8] = &[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
    for frame in [empty, skipped] {
        let few = [frame.repeat(2_000), report.clone(), frame.repeat(2_000)].concat();
        let read = read(&few, Limits::default()).expect("a report");
        assert_eq!(read.kernels, two_kernels().kernels);
        let many = [report.clone(), frame.repeat(1_000_000)].concat();
        let error = error(&many);
        assert_eq!(error.code(), "ncu-report-corrupt");
        assert!(error.to_string().contains("frames"), "{error}");
    }
}

#[test]
fn what_is_no_report_is_named() {
    assert_eq!(error(b"").code(), "ncu-report-empty");
    let elf = error(b"\x7fELF\x02\x01\x01\0\0\0");
    assert_eq!(elf.code(), "ncu-report-not-recognised");
    assert_eq!(
        elf.to_string(),
        "recognise a report: it starts with `7f 45 4c 46 02 01 01 00` (offset 0)"
    );
    let other = ruzstd::encoding::compress_to_vec(&b"a log"[..], ruzstd::encoding::CompressionLevel::Fastest);
    assert_eq!(error(&other).code(), "ncu-report-not-recognised");
}

#[test]
fn a_report_without_kernels_is_an_error() {
    let report = Report {
        kernels: Vec::new(),
        ..two_kernels()
    };
    let error = error(&encode(&report));
    assert_eq!(error.code(), "no-kernels");
    assert!(error.hint().contains("--profile-from-start"));
}

/// A block with the result of a range, as range replay leaves it: what is in the result is not known.
fn range() -> Vec<u8> {
    let result = [0x32, 4, b'm', b'a', b'i', b'n'];
    let payload = [&(result.len() as u32).to_le_bytes()[..], &result].concat();
    // Field 5, length of the payload, and field 7, one range.
    let header = [0x28, payload.len() as u8, 0x38, 1];
    [&(header.len() as u32).to_le_bytes()[..], &header, &payload].concat()
}

#[test]
fn results_of_ranges_are_passed_over_and_told() {
    let report = two_kernels();
    let bytes = [encode(&report), range(), range()].concat();
    let again = read(&bytes, Limits::default()).expect("a report");
    assert_eq!(again.kernels, report.kernels);
    assert_eq!(again.warnings.len(), 1);
    assert_eq!(again.warnings[0].code, "ranges-skipped");
    let none = Report {
        kernels: Vec::new(),
        ..two_kernels()
    };
    let bytes = [encode(&none), range()].concat();
    let refused = error(&bytes);
    assert_eq!(refused.code(), "ncu-report-ranges-only");
    assert!(refused.hint().contains("--replay-mode kernel"));
    // One that is cut is a cut file.
    assert_eq!(error(&bytes[..bytes.len() - 1]).code(), "truncated-file");
}

/// What a rule points to is counted while it is read: a few bytes each ask for many.
#[test]
fn a_rule_with_a_million_metrics_is_too_much() {
    let mut report = two_kernels();
    report.kernels[0].rules[0].focus = vec![String::new(); 1_000_000];
    let bytes = encode(&report);
    assert!(bytes.len() < 5_000_000, "{}", bytes.len());
    let limits = Limits {
        memory_bytes: 20_000_000,
        ..Limits::default()
    };
    let error = read(&bytes, limits).expect_err("24 MB of names");
    assert_eq!(error.code(), "ncu-report-too-large");
    assert!(read(&bytes, Limits::default()).is_ok());
}

/// A kernel of which nothing is said takes four bytes of a file.
#[test]
fn a_report_of_a_million_kernels_is_too_much() {
    let kernels = |count: u32| {
        // Numbers of 21 bits in three bytes of seven.
        let number = |value: u32| [0x80 | value as u8, 0x80 | (value >> 7) as u8, (value >> 14) as u8];
        let header = [&[0x10][..], &number(count), &[0x28], &number(4 * count)].concat();
        let payload = vec![0; 4 * count as usize];
        let start = b"NVR\0\x02\0\0\0\x08\x07\x08\0\0\0";
        read(&[&start[..], &header, &payload].concat(), Limits::default())
    };
    assert_eq!(kernels(1_000).expect("a report").kernels.len(), 1_000);
    let error = kernels(200_000).expect_err("no capture has as many");
    assert_eq!(error.code(), "ncu-report-too-large");
    assert!(error.to_string().contains("131072 kernels"), "{error}");
}

/// A rule's message takes four bytes of a file, and forty times that in memory.
#[test]
fn a_report_of_a_million_messages_is_too_much() {
    let rules = |count: usize| {
        let mut report = two_kernels();
        let rule = report.kernels[0].rules[0].clone();
        let rule = Rule {
            text: String::new(),
            focus: Vec::new(),
            ..rule
        };
        report.kernels[0].rules = vec![rule; count];
        read(&encode(&report), Limits::default())
    };
    assert_eq!(rules(100_000).expect("a report").kernels[0].rules.len(), 100_000);
    let error = rules(1_000_000).expect_err("no set has as many");
    assert_eq!(error.code(), "ncu-report-too-large");
    assert!(error.to_string().contains("messages"), "{error}");
}

#[test]
fn another_version_is_read_with_a_warning() {
    let mut report = two_kernels();
    report.session.file_version = Some(8);
    let again = read(&encode(&report), Limits::default()).expect("a report");
    assert_eq!(again.kernels, report.kernels);
    assert_eq!(again.warnings.len(), 1);
    assert_eq!(again.warnings[0].code, "unknown-version");
    assert!(again.warnings[0].message.contains("version 8"));
}

#[test]
fn a_name_that_is_not_in_the_table_is_an_error() {
    let bytes = encode(&two_kernels());
    // The second name of the table, `gpu__…`, in the metric that uses it: name 1 with a real number of nine bytes.
    let place = bytes
        .windows(4)
        .position(|window| window == [0x08, 1, 0x12, 9])
        .expect("a metric with name 1");
    let mut changed = bytes.clone();
    changed[place + 1] = 99;
    let error = error(&changed);
    assert_eq!(error.code(), "ncu-report-metric-name");
    assert_eq!(
        error.to_string(),
        format!("name the metric at offset {place}: it has name 99, there are 5")
    );
}

#[test]
fn a_number_that_is_not_finite_is_none_and_named() {
    let mut report = two_kernels();
    for (name, number) in [("a.ratio", 1234.567), ("b.ratio", 7654.321)] {
        report.kernels[1]
            .metrics
            .insert(name.to_owned(), metric(Value::Real(number)));
    }
    let mut bytes = encode(&report);
    for (number, other) in [(1234.567_f64, f64::NAN), (7654.321, f64::NEG_INFINITY)] {
        let place = bytes
            .windows(8)
            .position(|window| window == number.to_le_bytes())
            .expect("the number");
        bytes[place..place + 8].copy_from_slice(&other.to_le_bytes());
    }
    let again = read(&bytes, Limits::default()).expect("a report");
    assert_eq!(again.kernels[1].metrics["a.ratio"].value, None);
    assert_eq!(again.kernels[1].number("b.ratio"), None);
    assert_eq!(again.kernels[0], report.kernels[0]);
    assert_eq!(again.warnings.len(), 1);
    assert_eq!(again.warnings[0].code, "non-finite-metric");
    assert_eq!(again.warnings[0].message, "no finite number in a.ratio, b.ratio");
}

#[test]
fn limits_hold_before_memory_is_taken() {
    let bytes = encode(&two_kernels());
    let limits = Limits {
        file_bytes: 100,
        ..Limits::default()
    };
    let refused = |bytes: &[u8], limits| read(bytes, limits).expect_err("too large").code();
    assert_eq!(refused(&bytes, limits), "ncu-report-too-large");
    // Small as a file, large as content.
    let mut large = two_kernels();
    large.session.private.environment = Some("A=1 ".repeat(10_000));
    let compressed = encode_compressed(&large);
    let limits = Limits {
        file_bytes: compressed.len() as u64 + 1_000,
        ..Limits::default()
    };
    assert!(compressed.len() < 10_000);
    assert_eq!(refused(&compressed, limits), "ncu-report-too-large");
    let limits = Limits {
        memory_bytes: 2_000,
        ..Limits::default()
    };
    assert_eq!(refused(&bytes, limits), "ncu-report-too-large");
}

#[test]
fn a_file_that_is_not_there_is_an_error_with_its_path() {
    let error = ncu_report::read_file(std::path::Path::new("no/such.ncu-rep")).expect_err("no file");
    assert_eq!(error.code(), "ncu-report-unreadable");
    assert!(error.to_string().starts_with("read no/such.ncu-rep: "));
}

proptest! {
    #[test]
    fn any_bytes_never_panic(bytes: Vec<u8>, magic in 0..3) {
        let start: &[u8] = [&b"NVR\0\x02\0\0\0\x08\x07"[..], &[0x28, 0xb5, 0x2f, 0xfd], b""][magic as usize];
        let _ = read(&[start, &bytes].concat(), Limits::default());
    }

    #[test]
    fn changed_bytes_never_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = encode(&two_kernels());
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        match read(&bytes, Limits::default()) {
            Ok(report) => prop_assert!(!report.kernels.is_empty()),
            Err(error) => prop_assert!(!error.to_string().is_empty() && !error.hint().is_empty()),
        }
    }
}
