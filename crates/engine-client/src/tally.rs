//! Counting: events with the time of the read that brought them become token chunks and facts. No clock, no I/O.

use contracts::serve_bench::record::{ServerTimings, TokenSource};

use crate::chunk::{self, Chunk, Usage};
use crate::observation::Observation;
use crate::request::CountTokens;
use crate::sse::{Decoder, Event, EventTooLong};
use crate::template::Template;

/// When some bytes arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// Nanoseconds from the start of the request.
    pub(crate) at_ns: u64,
    /// Number of the socket read that brought the last of them.
    pub(crate) read: u64,
}

/// What a stream has said so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    decoder: Decoder,
    template: Template,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    first_token_ns: Option<u64>,
    first_answer_ns: Option<u64>,
    last_token_ns: Option<u64>,
    last_read: Option<u64>,
    offsets_us: Vec<u32>,
    same_read: u32,
    skipped: u32,
    /// Output tokens reported on each token chunk; given up with the first one that has none.
    totals: Option<Vec<u64>>,
    /// Token text, kept only when somebody will count it, and where each chunk's text ends in it.
    text: Option<(String, Vec<usize>)>,
    finish_reason: Option<String>,
    usage: Option<Usage>,
    timings: Option<ServerTimings>,
    error: Option<String>,
    is_done: bool,
}

/// Token chunks for which room is made at once; a server may send more.
const MOST_RESERVED: u64 = 4096;

impl Tally {
    /// A tally for one stream of about `expected_chunks`; `keep_text` when a tokenizer will count.
    pub(crate) fn new(expected_chunks: Option<u64>, keep_text: bool) -> Tally {
        let room = usize::try_from(expected_chunks.unwrap_or(0).min(MOST_RESERVED)).unwrap_or(0);
        let counts = Counts {
            offsets_us: Vec::with_capacity(room),
            text: keep_text.then(Default::default),
            totals: Some(Vec::new()),
            ..Counts::default()
        };
        Tally {
            decoder: Decoder::default(),
            template: Template::default(),
            counts,
        }
    }

    /// Takes the next bytes of the stream.
    pub(crate) fn push(&mut self, bytes: &[u8], arrival: Arrival) -> Result<(), EventTooLong> {
        let Tally {
            decoder,
            template,
            counts,
        } = self;
        decoder.push(bytes, |event| counts.take(template, event, arrival))
    }

    /// The body has ended.
    pub(crate) fn finish(&mut self, arrival: Arrival) {
        let Tally {
            decoder,
            template,
            counts,
        } = self;
        decoder.finish(|event| counts.take(template, event, arrival));
    }

    /// Takes the body of an answer that is no stream; `false` when it is not JSON either.
    pub(crate) fn take_body(&mut self, body: &[u8]) -> bool {
        let Ok(chunk) = chunk::read(body) else {
            return false;
        };
        self.counts.error = chunk.error.clone();
        if self.counts.error.is_none() && chunk.finish_reason.is_none() && chunk.text.is_empty() {
            // `{"detail": …}` and its like: JSON, but no completion.
            self.counts.error = Some(chunk::error_body_text(body));
        }
        true
    }

    pub(crate) fn has_token(&self) -> bool {
        self.counts.first_token_ns.is_some()
    }

    pub(crate) fn is_done(&self) -> bool {
        self.counts.is_done
    }

    pub(crate) fn has_usage(&self) -> bool {
        self.counts
            .usage
            .is_some_and(|usage| usage.output_tokens.is_some())
    }

    pub(crate) fn finish_reason(&self) -> Option<&str> {
        self.counts.finish_reason.as_deref()
    }

    pub(crate) fn error(&self) -> Option<&str> {
        self.counts.error.as_deref()
    }

    /// Output tokens as far as they are known, and where they come from.
    pub(crate) fn count(
        &self,
        tokenizer: Option<CountTokens<'_>>,
    ) -> (TokenSource, Option<u64>, Option<Vec<u32>>) {
        self.counts.count(tokenizer)
    }

    /// Moves what was counted into the observation.
    pub(crate) fn fill(self, observation: &mut Observation) {
        let counts = self.counts;
        observation.first_token_ns = counts.first_token_ns;
        observation.first_answer_ns = counts.first_answer_ns;
        observation.last_token_ns = counts.last_token_ns;
        observation.chunk_offsets_us = counts.offsets_us;
        observation.same_read_chunks = counts.same_read;
        observation.skipped_events = counts.skipped;
        observation.finish_reason = counts
            .finish_reason
            .map(|reason| contracts::text::clean(&reason, contracts::text::FOREIGN_TEXT_CAP));
        let usage = counts.usage.unwrap_or_default();
        observation.input_tokens = usage.input_tokens;
        observation.cached_tokens = usage.cached_tokens;
        observation.reasoning_tokens = usage.reasoning_tokens;
        observation.server_timings = counts.timings;
    }
}

impl Counts {
    fn take(&mut self, template: &mut Template, event: Event<'_>, arrival: Arrival) {
        // Usage on some chunks and text that is wanted both need the parser.
        if self.text.is_none()
            && !event.is_error
            && let Some(token) = template.matches(event.data)
        {
            self.totals = None;
            self.token(token.is_answer, arrival);
            return;
        }
        match event.data {
            b"[DONE]" => self.is_done = true,
            // An event without data keeps the connection alive.
            b"" => {}
            data => match chunk::read(data) {
                Ok(chunk) => {
                    template.learn(data, &chunk);
                    self.chunk(chunk, event, arrival);
                }
                Err(_) if event.is_error => self.set_error(chunk::error_body_text(data)),
                Err(_) => self.skipped = self.skipped.saturating_add(1),
            },
        }
    }

    fn chunk(&mut self, chunk: Chunk<'_>, event: Event<'_>, arrival: Arrival) {
        if let Some(error) = chunk.error {
            self.set_error(error);
        } else if event.is_error {
            self.set_error(chunk::error_body_text(event.data));
        }
        if let Some(usage) = chunk.usage {
            self.usage = Some(usage);
        }
        if !chunk.text.is_empty() {
            match (
                &mut self.totals,
                chunk.usage.and_then(|usage| usage.output_tokens),
            ) {
                (Some(totals), Some(total)) => totals.push(total),
                (totals, _) => *totals = None,
            }
            if let Some((text, ends)) = &mut self.text {
                text.extend(chunk.text.parts().iter().map(AsRef::as_ref));
                ends.push(text.len());
            }
            self.token(chunk.text.has_answer(), arrival);
        }
        if chunk.finish_reason.is_some() && self.finish_reason.is_none() {
            self.finish_reason = chunk.finish_reason;
        }
        if chunk.timings.is_some() {
            self.timings = chunk.timings;
        }
    }

    fn token(&mut self, is_answer: bool, arrival: Arrival) {
        let at_ns = arrival.at_ns;
        self.first_token_ns.get_or_insert(at_ns);
        if is_answer {
            self.first_answer_ns.get_or_insert(at_ns);
        }
        self.last_token_ns = Some(at_ns);
        if self.last_read == Some(arrival.read) {
            self.same_read = self.same_read.saturating_add(1);
        }
        self.last_read = Some(arrival.read);
        // More than 71 minutes after the start: the offset stays at its highest value.
        self.offsets_us
            .push(u32::try_from((at_ns + 500) / 1000).unwrap_or(u32::MAX));
    }

    fn set_error(&mut self, error: String) {
        self.error.get_or_insert(error);
    }

    fn count(&self, tokenizer: Option<CountTokens<'_>>) -> (TokenSource, Option<u64>, Option<Vec<u32>>) {
        if self.offsets_us.is_empty() {
            let reported = self.usage.and_then(|usage| usage.output_tokens);
            return (TokenSource::None, reported, None);
        }
        let reported = self.usage.and_then(|usage| usage.output_tokens);
        if let (Some(total), Some(totals)) = (reported, &self.totals)
            && let Some(tokens) = steps(totals)
        {
            return (TokenSource::PerChunkUsage, Some(total), Some(tokens));
        }
        if let (Some(tokenizer), Some((text, ends))) = (tokenizer, &self.text) {
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let tokens: Vec<u32> = starts
                .zip(ends)
                .map(|(start, end)| u32::try_from(tokenizer(&text[start..*end])).unwrap_or(u32::MAX))
                .collect();
            let total = reported.unwrap_or_else(|| tokenizer(text) as u64);
            return (TokenSource::Tokenizer, Some(total), Some(tokens));
        }
        match reported {
            Some(total) => (TokenSource::Usage, Some(total), None),
            None => (TokenSource::Chunks, Some(self.offsets_us.len() as u64), None),
        }
    }
}

/// Tokens of each chunk from the running total on it; `None` when the total ever falls.
fn steps(totals: &[u64]) -> Option<Vec<u32>> {
    let before = std::iter::once(0).chain(totals.iter().copied());
    totals
        .iter()
        .zip(before)
        .map(|(total, before)| u32::try_from(total.checked_sub(before)?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arrival(at_ms: u64) -> Arrival {
        Arrival {
            at_ns: at_ms * 1_000_000,
            read: at_ms,
        }
    }

    fn token(text: &str) -> String {
        format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":null}}]}}\n\n")
    }

    fn tally(events: &[(u64, &str)]) -> Tally {
        let mut tally = Tally::new(None, false);
        for (at_ms, event) in events {
            tally.push(event.as_bytes(), arrival(*at_ms)).unwrap();
        }
        tally
    }

    #[test]
    fn a_role_chunk_is_no_first_token() {
        let role = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
        let tally = tally(&[(1, role), (500, &token("a")), (510, &token("b"))]);
        assert_eq!(tally.counts.first_token_ns, Some(500_000_000));
        assert_eq!(tally.counts.offsets_us, [500_000, 510_000]);
    }

    #[test]
    fn reasoning_is_a_first_token_but_no_first_answer() {
        let reasoning = "data: {\"choices\":[{\"delta\":{\"reasoning\":\"hm\"}}]}\n\n";
        let tally = tally(&[(50, reasoning), (60, reasoning), (70, &token("a"))]);
        assert_eq!(tally.counts.first_token_ns, Some(50_000_000));
        assert_eq!(tally.counts.first_answer_ns, Some(70_000_000));
    }

    #[test]
    fn chunks_of_one_read_share_its_time_and_are_counted() {
        let three = token("a") + &token("b") + &token("c");
        let tally = tally(&[(5, &three), (9, &token("d"))]);
        assert_eq!(tally.counts.offsets_us, [5000, 5000, 5000, 9000]);
        assert_eq!(tally.counts.same_read, 2);
    }

    #[test]
    fn usage_on_every_chunk_gives_tokens_per_chunk() {
        let with_usage = |total: u64| {
            format!(
                "data: {{\"choices\":[{{\"delta\":{{\"content\":\"x\"}}}}],\"usage\":{{\"completion_tokens\":{total}}}}}\n\n"
            )
        };
        let counted = tally(&[(1, &with_usage(4)), (2, &with_usage(7)), (3, &with_usage(8))]);
        assert_eq!(
            counted.count(None),
            (TokenSource::PerChunkUsage, Some(8), Some(vec![4, 3, 1]))
        );
        let falling = tally(&[(1, &with_usage(4)), (2, &with_usage(3))]);
        assert_eq!(falling.count(None), (TokenSource::Usage, Some(3), None));
    }

    #[test]
    fn usage_at_the_end_is_spread_by_whoever_folds() {
        let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":8}}\n\n";
        let tally = tally(&[(1, &token("a")), (2, &token("b")), (3, usage)]);
        assert_eq!(tally.count(None), (TokenSource::Usage, Some(8), None));
        assert_eq!(
            tally.counts.last_token_ns,
            Some(2_000_000),
            "the usage chunk is no token"
        );
    }

    #[test]
    fn a_tokenizer_gives_tokens_per_chunk_and_usage_the_total() {
        let mut tally = Tally::new(None, true);
        for event in [token("one two"), token(" three")] {
            tally.push(event.as_bytes(), arrival(1)).unwrap();
        }
        let words = |text: &str| text.split_whitespace().count();
        assert_eq!(
            tally.count(Some(&words)),
            (TokenSource::Tokenizer, Some(3), Some(vec![2, 1]))
        );
        tally
            .push(b"data: {\"usage\":{\"completion_tokens\":5}}\n\n", arrival(2))
            .unwrap();
        assert_eq!(
            tally.count(Some(&words)),
            (TokenSource::Tokenizer, Some(5), Some(vec![2, 1]))
        );
    }

    #[test]
    fn without_any_source_a_chunk_is_a_token() {
        assert_eq!(
            tally(&[(1, &token("a")), (2, &token("b"))]).count(None),
            (TokenSource::Chunks, Some(2), None)
        );
        assert_eq!(tally(&[]).count(None), (TokenSource::None, None, None));
    }

    #[test]
    fn what_cannot_be_read_is_counted_and_errors_are_kept() {
        let tally = tally(&[
            (1, "data: {\"choi\n\n"),
            (2, "data: \n\n: ping\n\n"),
            (3, "event: error\ndata: oh\n\n"),
        ]);
        assert_eq!(tally.counts.skipped, 1);
        assert_eq!(tally.error(), Some("oh"));
    }

    proptest! {
        #[test]
        fn keeping_text_does_not_change_what_is_counted(texts in proptest::collection::vec("[a-zé\\\\n\"]{0,3}", 0..20)) {
            let (mut fast, mut slow) = (Tally::new(None, false), Tally::new(None, true));
            for (index, text) in texts.iter().enumerate() {
                let event = token(text);
                fast.push(event.as_bytes(), arrival(index as u64)).unwrap();
                slow.push(event.as_bytes(), arrival(index as u64)).unwrap();
            }
            prop_assert_eq!(fast.counts.offsets_us, slow.counts.offsets_us);
            prop_assert_eq!(fast.counts.skipped, slow.counts.skipped);
            prop_assert_eq!(fast.counts.first_answer_ns, slow.counts.first_answer_ns);
        }
    }
}
