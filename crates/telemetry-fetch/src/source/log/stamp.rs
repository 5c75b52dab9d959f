//! The time stamp of a line, however the engine or what carries its log writes it.
//!
//! A stamp is looked for where one can stand: at the start, behind a process's name in parentheses, behind a level, or in
//! the bracket that follows a progress bar. A date in the middle of a message is text.

/// How far into a line a stamp may begin.
const REACH: usize = 160;

/// A moment as a line says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// Date and time, with or without a year, with or without a zone.
    Civil(Civil),
    /// Time since the process began, milliseconds (llama.cpp's `--log-timestamps`).
    Elapsed(i64),
}

/// Date and time as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    /// Missing in vLLM's and in syslog's form.
    pub(crate) year: Option<i16>,
    pub(crate) month: i8,
    pub(crate) day: i8,
    /// Milliseconds since midnight.
    pub(crate) ms: i64,
    /// Whether the stamp has a fraction of a second.
    pub(crate) has_fraction: bool,
    /// Minutes east of UTC, where the stamp says it.
    pub(crate) offset_min: Option<i32>,
}

/// The stamp of a line and where it ends.
pub(crate) fn find(line: &[u8]) -> Option<(Stamp, usize)> {
    if let Some(found) = elapsed(line).or_else(|| syslog(line)) {
        return Some(found);
    }
    let head = &line[..line.len().min(REACH)];
    let mut at = 0;
    while let Some(skip) = head[at..].iter().position(u8::is_ascii_digit) {
        let start = at + skip;
        if let Some((civil, len)) = date(&line[start..]) {
            let is_bracketed = start > 0 && line[start - 1] == b'[';
            return (is_bracketed || may_precede(&line[..start]))
                .then_some((Stamp::Civil(civil), start + len));
        }
        at = start
            + head[start..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
    }
    None
}

/// Whether what stands before a date belongs to the head of a line: nothing, `(Worker pid=1) `, `INFO `, `{"ts": "`.
fn may_precede(before: &[u8]) -> bool {
    let rest = match before {
        [b'(', ..] => before
            .iter()
            .position(|byte| *byte == b')')
            .map_or(before, |end| &before[end + 1..]),
        _ => before,
    };
    let is_word = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b' ' | b'\t' | b'[' | b':');
    let is_json = rest.first() == Some(&b'{') && rest.last().is_some_and(|byte| *byte == b'"');
    let is_logfmt = rest.starts_with(b"time=") || rest.starts_with(b"ts=");
    (rest.len() <= 16 && rest.iter().all(is_word)) || is_json || is_logfmt
}

/// `YYYY-MM-DD HH:MM:SS`, `YYYY-MM-DDTHH:MM:SS.fffZ`, `MM/DD/YYYY-HH:MM:SS` (TensorRT-LLM) or `MM-DD HH:MM:SS` (vLLM).
fn date(text: &[u8]) -> Option<(Civil, usize)> {
    let dash = |at: usize| text.get(at).is_some_and(|byte| matches!(byte, b'-' | b'/'));
    let (year, month, day, len) = if dash(4) && dash(7) {
        (
            Some(number(text, 0, 4)?),
            number(text, 5, 2)?,
            number(text, 8, 2)?,
            10,
        )
    } else if text.get(2) == Some(&b'/') && text.get(5) == Some(&b'/') {
        (
            Some(number(text, 6, 4)?),
            number(text, 0, 2)?,
            number(text, 3, 2)?,
            10,
        )
    } else if text.get(2) == Some(&b'-') && text.get(5) == Some(&b' ') {
        (None, number(text, 0, 2)?, number(text, 3, 2)?, 5)
    } else {
        return None;
    };
    if !matches!(text.get(len)?, b' ' | b'T' | b'-' | b'_') {
        return None;
    }
    let (ms, has_fraction, time_len) = time(&text[len + 1..])?;
    let end = len + 1 + time_len;
    let (offset_min, zone_len) = zone(&text[end..]);
    let civil = civil(year, month, day, ms, has_fraction, offset_min)?;
    Some((civil, end + zone_len))
}

/// `Nov 22 16:05:41`, at the start of a line only.
fn syslog(line: &[u8]) -> Option<(Stamp, usize)> {
    const MONTHS: [&[u8]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
    ];
    let name = line.get(..3)?;
    let month = MONTHS.iter().position(|month| *month == name)? as i64 + 1;
    let day = match line.get(4..6)? {
        [b' ', digit] => i64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?),
        _ => number(line, 4, 2)?,
    };
    if line.get(3) != Some(&b' ') || line.get(6) != Some(&b' ') {
        return None;
    }
    let (ms, has_fraction, len) = time(&line[7..])?;
    Some((
        Stamp::Civil(civil(None, month, day, ms, has_fraction, None)?),
        7 + len,
    ))
}

/// `M.SS.mmm.uuu`, at the start of a line only.
fn elapsed(line: &[u8]) -> Option<(Stamp, usize)> {
    let minutes = line
        .iter()
        .take(8)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let rest = line.get(minutes..minutes + 11)?;
    if minutes == 0
        || rest[0] != b'.'
        || rest[3] != b'.'
        || rest[7] != b'.'
        || line.get(minutes + 11) != Some(&b' ')
    {
        return None;
    }
    // The microseconds only prove the form.
    number(rest, 8, 3)?;
    let ms = (number(line, 0, minutes)? * 60 + number(rest, 1, 2)?) * 1000 + number(rest, 4, 3)?;
    Some((Stamp::Elapsed(ms), minutes + 11))
}

/// `HH:MM:SS` with an optional fraction: milliseconds since midnight, whether there is a fraction, and the length.
fn time(text: &[u8]) -> Option<(i64, bool, usize)> {
    if text.get(2) != Some(&b':') || text.get(5) != Some(&b':') {
        return None;
    }
    let (hour, minute, second) = (number(text, 0, 2)?, number(text, 3, 2)?, number(text, 6, 2)?);
    // A leap second is written as 60.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let whole = ((hour * 60 + minute) * 60 + second) * 1000;
    let digits = match text.get(8) {
        Some(b'.' | b',') => text[9..].iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    if digits == 0 {
        return Some((whole, false, 8));
    }
    let kept = digits.min(3);
    let scale = [100, 10, 1][kept - 1];
    Some((whole + number(text, 9, kept)? * scale, true, 9 + digits))
}

/// `Z`, `+01:00` or `+0100`, right behind the time.
fn zone(text: &[u8]) -> (Option<i32>, usize) {
    let sign = match text.first() {
        Some(b'Z') => return (Some(0), 1),
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return (None, 0),
    };
    let colon = usize::from(text.get(3) == Some(&b':'));
    let minutes = || Some(number(text, 1, 2)? * 60 + number(text, 3 + colon, 2)?);
    match minutes() {
        Some(minutes) if minutes <= 18 * 60 => (Some(sign * minutes as i32), 5 + colon),
        _ => (None, 0),
    }
}

fn civil(
    year: Option<i64>,
    month: i64,
    day: i64,
    ms: i64,
    has_fraction: bool,
    offset_min: Option<i32>,
) -> Option<Civil> {
    let year = match year {
        Some(year) => Some(
            i16::try_from(year)
                .ok()
                .filter(|year| (1970..=9000).contains(year))?,
        ),
        None => None,
    };
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day);
    in_range.then_some(Civil {
        year,
        month: month as i8,
        day: day as i8,
        ms,
        has_fraction,
        offset_min,
    })
}

fn number(text: &[u8], at: usize, len: usize) -> Option<i64> {
    text.get(at..at + len)?.iter().try_fold(0_i64, |sum, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        Some(sum * 10 + i64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Year, month, day, milliseconds, offset, and the rest of the line.
    type Found<'a> = (Option<i16>, i8, i8, i64, Option<i32>, &'a str);

    fn of(line: &str) -> Option<Found<'_>> {
        match find(line.as_bytes())? {
            (Stamp::Civil(civil), end) => Some((
                civil.year,
                civil.month,
                civil.day,
                civil.ms,
                civil.offset_min,
                &line[end..],
            )),
            (Stamp::Elapsed(_), _) => None,
        }
    }

    const T: i64 = ((10 * 60 + 40) * 60 + 9) * 1000;

    #[test]
    fn every_engine_and_carrier_is_read() {
        for (line, year, offset, rest) in [
            ("[2025-12-28 10:40:09 TP0] x", Some(2025), None, " TP0] x"),
            ("[2025-12-28 10:40:09] x", Some(2025), None, "] x"),
            (
                "(SGLangEngine pid=1, ip=10.1.1.1) [2025-12-28 10:40:09 DP1 TP0] x",
                Some(2025),
                None,
                " DP1 TP0] x",
            ),
            (
                "INFO 12-28 10:40:09 [monitor.py:33] x",
                None,
                None,
                " [monitor.py:33] x",
            ),
            (
                "(EngineCore_DP0 pid=2) WARNING 12-28 10:40:09 [k.py:1] x",
                None,
                None,
                " [k.py:1] x",
            ),
            (
                "INFO 2025-12-28 10:40:09 [k.py:1] x",
                Some(2025),
                None,
                " [k.py:1] x",
            ),
            (
                "[12/28/2025-10:40:09] [TRT-LLM] [I] x",
                Some(2025),
                None,
                "] [TRT-LLM] [I] x",
            ),
            ("2025-12-28T10:40:09Z x", Some(2025), Some(0), " x"),
            ("2025-12-28T10:40:09+01:00 x", Some(2025), Some(60), " x"),
            (
                "2025-12-28T10:40:09-0530 host x",
                Some(2025),
                Some(-330),
                " host x",
            ),
            (
                "{\"ts\": \"2025-12-28T10:40:09Z\", \"m\": 1}",
                Some(2025),
                Some(0),
                "\", \"m\": 1}",
            ),
            ("Dec 28 10:40:09 host unit[7]: x", None, None, " host unit[7]: x"),
            (
                "100%|##| 3/3 [00:01<00:00,  2.1it/s][2025-12-28 10:40:09 TP0] x",
                Some(2025),
                None,
                " TP0] x",
            ),
        ] {
            assert_eq!(of(line), Some((year, 12, 28, T, offset, rest)), "{line}");
        }
        assert_eq!(
            of("2025-12-28T10:40:09.573064Z x").map(|stamp| stamp.3),
            Some(T + 573)
        );
        assert_eq!(of("2025-12-28 10:40:09,05 x").map(|stamp| stamp.3), Some(T + 50));
        assert_eq!(
            find(b"12.34.567.890 I srv  x"),
            Some((Stamp::Elapsed(754_567), 13))
        );
    }

    #[test]
    fn a_date_in_a_message_is_text() {
        for line in [
            "the knowledge ends on 2025-12-28 10:40:09 and so on",
            "  File \"/a/2025-12-28 10:40:09.py\", line 3",
            "INFO:     127.0.0.1:1234 - \"POST /v1 HTTP/1.1\" 200 OK",
            "RuntimeError: 12-28 10:40:09",
            "2025-13-28 10:40:09 x",
            "2025-12-28 25:40:09 x",
            "99999999999999999999.00.000.000 x",
            "",
        ] {
            assert_eq!(find(line.as_bytes()), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_stamp_inside_or_none(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some((_, end)) = find(&line) {
                prop_assert!(end <= line.len());
            }
        }

        #[test]
        fn nearly_stamps_never_panic(line in "[(\\[]?[A-Z]{0,4} ?[0-9]{1,4}[-/.][0-9]{2}[-/ .][0-9]{2,4}[T ][0-9]{2}:[0-9]{2}:?[0-9]{0,2}[.,]?[0-9]{0,12}[Z+-]?[0-9:]{0,6}") {
            let _ = find(line.as_bytes());
        }
    }
}
