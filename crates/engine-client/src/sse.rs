//! Server-sent events: bytes in, borrowed events out. No clock, no I/O, no opinion on what an event says.
//!
//! Any split of the bytes gives the same events. An event that lies whole in one piece is handed out without a copy.

use memchr::{memchr, memchr2};

/// Longest event that is accepted unless told otherwise, in bytes.
pub const DEFAULT_EVENT_LIMIT: usize = 8 << 20;

/// The data of an event is longer than the decoder's limit; nothing more will be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {limit} bytes")]
pub struct EventTooLong {
    /// The limit, in bytes.
    pub limit: usize,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// The data lines, joined by `\n`.
    pub data: &'a [u8],
    /// Whether the event calls itself an error: `event: error`, or the `error:` line of older llama.cpp servers.
    pub is_error: bool,
}

/// A decoder for one stream.
#[derive(Debug)]
pub struct Decoder {
    /// The start of a line whose end has not arrived.
    line: Vec<u8>,
    /// Data lines of the event whose blank line has not arrived.
    data: Vec<u8>,
    has_data: bool,
    is_error: bool,
    /// The last byte was CR: a LF that follows belongs to it.
    after_cr: bool,
    at_start: bool,
    too_long: bool,
    limit: usize,
}

impl Default for Decoder {
    fn default() -> Decoder {
        Decoder::new(DEFAULT_EVENT_LIMIT)
    }
}

impl Decoder {
    /// A decoder that holds at most `limit` bytes of an event.
    pub fn new(limit: usize) -> Decoder {
        Decoder {
            line: Vec::new(),
            data: Vec::new(),
            has_data: false,
            is_error: false,
            after_cr: false,
            at_start: true,
            too_long: false,
            limit,
        }
    }

    /// Decodes the next bytes of the stream and hands every event that they complete to `on_event`.
    ///
    /// # Errors
    /// [`EventTooLong`] when an event outgrows the limit, then and from then on.
    pub fn push(&mut self, bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), EventTooLong> {
        let mut rest = bytes;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while !rest.is_empty() {
            if self.too_long {
                return Err(EventTooLong { limit: self.limit });
            }
            if self.is_between_events()
                && let Some((data, after)) = whole_event(rest)
                && data.len() <= self.limit
            {
                on_event(Event {
                    data,
                    is_error: false,
                });
                rest = after;
                continue;
            }
            rest = self.push_line(rest, &mut on_event);
        }
        if self.too_long {
            return Err(EventTooLong { limit: self.limit });
        }
        Ok(())
    }

    /// Hands out an event whose lines all arrived but whose blank line did not: some servers close right after
    /// `data: [DONE]`. A line that was cut in the middle is dropped, as the format asks.
    pub fn finish(&mut self, mut on_event: impl FnMut(Event<'_>)) {
        self.line.clear();
        if !self.too_long {
            self.dispatch(&mut on_event);
        }
    }

    fn is_between_events(&self) -> bool {
        !self.at_start && !self.has_data && !self.is_error && self.line.is_empty()
    }

    /// Takes one line, or the start of one, and returns what follows.
    fn push_line<'b>(&mut self, bytes: &'b [u8], on_event: &mut impl FnMut(Event<'_>)) -> &'b [u8] {
        let Some(end) = memchr2(b'\n', b'\r', bytes) else {
            self.line.extend_from_slice(bytes);
            self.too_long = self.line.len() + self.data.len() > self.limit;
            return &[];
        };
        if self.line.is_empty() {
            self.take_line(&bytes[..end], on_event);
        } else {
            self.line.extend_from_slice(&bytes[..end]);
            let line = std::mem::take(&mut self.line);
            self.take_line(&line, on_event);
            self.line = line;
            self.line.clear();
        }
        let rest = &bytes[end + 1..];
        if bytes[end] != b'\r' {
            return rest;
        }
        match rest.first() {
            Some(b'\n') => &rest[1..],
            Some(_) => rest,
            None => {
                self.after_cr = true;
                rest
            }
        }
    }

    fn take_line(&mut self, line: &[u8], on_event: &mut impl FnMut(Event<'_>)) {
        let mut line = line;
        if std::mem::take(&mut self.at_start) {
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            self.dispatch(on_event);
            return;
        }
        let (field, value) = match memchr(b':', line) {
            Some(colon) => {
                let value = &line[colon + 1..];
                (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &b""[..]),
        };
        match field {
            b"data" => self.add_data(value),
            b"event" => self.is_error = value == b"error",
            b"error" => {
                self.is_error = true;
                self.add_data(value);
            }
            // Comments (an empty field name), `id`, `retry` and what nobody knows.
            _ => {}
        }
    }

    fn add_data(&mut self, value: &[u8]) {
        if self.data.len() + value.len() > self.limit {
            self.too_long = true;
            return;
        }
        if self.has_data {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        self.has_data = true;
    }

    fn dispatch(&mut self, on_event: &mut impl FnMut(Event<'_>)) {
        if self.has_data {
            on_event(Event {
                data: &self.data,
                is_error: self.is_error,
            });
        }
        self.data.clear();
        self.has_data = false;
        self.is_error = false;
    }
}

/// The data of an event that is one `data:` line and a blank line, both ended by LF or both by CRLF, at the start
/// of `bytes`; and what follows it. Anything else takes the way line by line.
fn whole_event(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let value = bytes.strip_prefix(b"data:")?;
    let value = value.strip_prefix(b" ").unwrap_or(value);
    let end = memchr2(b'\n', b'\r', value)?;
    let (data, ends) = value.split_at(end);
    let after = ends
        .strip_prefix(b"\n\n")
        .or_else(|| ends.strip_prefix(b"\r\n\r\n"))?;
    Some((data, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Owned = (Vec<u8>, bool);

    fn decode(pieces: &[&[u8]]) -> Vec<Owned> {
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        for piece in pieces {
            decoder
                .push(piece, |event| events.push((event.data.to_vec(), event.is_error)))
                .unwrap();
        }
        decoder.finish(|event| events.push((event.data.to_vec(), event.is_error)));
        events
    }

    fn data(events: &[Owned]) -> Vec<&str> {
        events
            .iter()
            .map(|(data, _)| std::str::from_utf8(data).unwrap())
            .collect()
    }

    /// The format's own algorithm on the whole text, written without any of the decoder's state.
    fn reference(bytes: &[u8]) -> Vec<Owned> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
        let mut index = 0;
        while index < bytes.len() {
            match bytes[index] {
                b'\r' => {
                    if bytes.get(index + 1) == Some(&b'\n') {
                        index += 1;
                    }
                    lines.push(Vec::new());
                }
                b'\n' => lines.push(Vec::new()),
                byte => lines.last_mut().unwrap().push(byte),
            }
            index += 1;
        }
        // The last line has no end: it is dropped, and a pending event is handed out at the end of the stream.
        lines.pop();
        let mut events = Vec::new();
        let mut data: Option<Vec<u8>> = None;
        let mut is_error = false;
        for line in lines.iter().chain([&Vec::new()]) {
            if line.is_empty() {
                if let Some(data) = data.take() {
                    events.push((data, is_error));
                }
                is_error = false;
                continue;
            }
            let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
            let mut value = line.get(colon + 1..).unwrap_or_default();
            if value.first() == Some(&b' ') {
                value = &value[1..];
            }
            let name = &line[..colon];
            if name == b"event" {
                is_error = value == b"error";
            }
            if name == b"error" {
                is_error = true;
            }
            if name == b"data" || name == b"error" {
                match &mut data {
                    Some(data) => {
                        data.push(b'\n');
                        data.extend_from_slice(value);
                    }
                    None => data = Some(value.to_vec()),
                }
            }
        }
        events
    }

    #[test]
    fn takes_all_line_ends_comments_and_several_data_lines() {
        let text = b": ping\n\ndata: a\n\ndata:b\r\n\r\nid: 7\rdata: c\rdata: d\r\rretry: 5\n\ndata\n\n";
        assert_eq!(data(&decode(&[text])), ["a", "b", "c\nd", ""]);
    }

    #[test]
    fn hands_out_done_without_its_blank_line_but_no_half_line() {
        assert_eq!(data(&decode(&[b"data: [DONE]\n"])), ["[DONE]"]);
        assert_eq!(data(&decode(&[b"data: {\"cho"])), Vec::<&str>::new());
    }

    #[test]
    fn knows_error_events() {
        let events = decode(&[b"event: error\ndata: {}\n\nerror: {\"a\":1}\n\ndata: x\n\n"]);
        assert_eq!(
            events.iter().map(|(_, is_error)| *is_error).collect::<Vec<_>>(),
            [true, true, false]
        );
    }

    #[test]
    fn refuses_an_event_without_end() {
        let mut decoder = Decoder::new(64);
        let mut pushed = Ok(());
        for _ in 0..9 {
            pushed = decoder.push(b"data: 12", |_| panic!("no event has ended"));
        }
        assert_eq!(pushed, Err(EventTooLong { limit: 64 }));
        assert!(
            decoder
                .push(b"\n\ndata: x\n\n", |_| panic!("the stream is broken"))
                .is_err()
        );
        let mut decoder = Decoder::new(64);
        let many = b"data: 0123456789\n".repeat(7);
        assert!(decoder.push(&many, |_| panic!("no event has ended")).is_err());
    }

    /// Text made of the parts that matter, so that random cases meet them.
    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            Just(b"data: ".to_vec()),
            Just(b"data:".to_vec()),
            Just(b"data: {\"a\":\"\xc3\xa9\"}\n\n".to_vec()),
            Just(b"data: z\r\n\r\n".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"\r".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(b"\n\n".to_vec()),
            Just(b": ping\n".to_vec()),
            Just(b"event: error\n".to_vec()),
            Just(b"error: x".to_vec()),
            Just(b"\xef\xbb\xbf".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..6),
        ];
        proptest::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_events(text in stream(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8)) {
            let expected = reference(&text);
            prop_assert_eq!(&decode(&[&text]), &expected);
            let bytewise: Vec<&[u8]> = text.chunks(1).collect();
            prop_assert_eq!(&decode(&bytewise), &expected);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            prop_assert_eq!(&decode(&pieces), &expected);
        }

        #[test]
        fn a_small_limit_never_panics(text in stream(), limit in 0usize..20) {
            let mut decoder = Decoder::new(limit);
            for piece in text.chunks(3) {
                let _ = decoder.push(piece, |event| assert!(event.data.len() <= limit));
            }
            decoder.finish(|event| assert!(event.data.len() <= limit));
        }
    }
}
