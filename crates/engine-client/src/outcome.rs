//! The outcome of a request, decided from the facts that were seen. Pure.

use contracts::serve_bench::outcome::Outcome;

/// How the exchange of bytes ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The answer ended as HTTP says it should.
    Clean,
    /// No connection, or it broke before any byte of an answer.
    NoAnswer(String),
    /// The connection broke inside the answer.
    Broken(String),
    /// The bytes are not what HTTP or the event stream allow.
    Malformed(String),
    /// An answer that is not a stream, although a stream was asked for.
    NotAStream(String),
    /// The time limit passed.
    TimedOut,
    /// We stopped it.
    Cancelled,
}

/// What was seen of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts<'a> {
    /// How the exchange ended.
    pub ending: Ending,
    /// HTTP status of the answer.
    pub http_status: Option<u16>,
    /// The text of a failing status's body.
    pub status_text: Option<&'a str>,
    /// The text of an error object in a 200 answer.
    pub in_band_error: Option<&'a str>,
    /// `finish_reason`.
    pub finish_reason: Option<&'a str>,
    /// Whether a token arrived.
    pub has_token: bool,
    /// Whether usage arrived.
    pub has_usage: bool,
    /// Whether `[DONE]` arrived.
    pub is_done: bool,
    /// Tokens, as far as known.
    pub output_tokens: Option<u64>,
    /// Tokens asked for.
    pub requested_output_tokens: Option<u64>,
    /// Whether `ignore_eos` was asked.
    pub ignore_eos: bool,
}

/// The outcome, and for all but `ok` what went wrong.
///
/// The first rule that applies decides: a failing status, an error object (even when `[DONE]` follows or the
/// connection breaks), our own stop, and then how the stream ended. A stream that broke after `[DONE]` was complete.
pub fn decide(facts: &Facts<'_>) -> (Outcome, Option<String>) {
    let failed = |outcome: Outcome, text: &str| (outcome, Some(text.to_owned()));
    if let Some(status) = facts.http_status.filter(|status| *status != 200) {
        let text = facts.status_text.unwrap_or_default();
        return (Outcome::HttpStatus, Some(format!("HTTP {status}: {text}")));
    }
    if let Some(text) = facts.in_band_error {
        return failed(
            Outcome::InBandError,
            if text.is_empty() {
                "an error without a text"
            } else {
                text
            },
        );
    }
    if !facts.is_done || facts.finish_reason.is_none() {
        match &facts.ending {
            Ending::Clean => {}
            Ending::NoAnswer(text) => return failed(Outcome::Connect, text),
            Ending::Broken(text) => return failed(Outcome::Truncated, text),
            Ending::Malformed(text) | Ending::NotAStream(text) => return failed(Outcome::Protocol, text),
            Ending::TimedOut => return failed(Outcome::Timeout, "the time limit passed"),
            Ending::Cancelled => return failed(Outcome::Cancelled, "the run was stopped"),
        }
    }
    if !facts.has_token {
        return failed(Outcome::Protocol, "the answer holds neither a token nor an error");
    }
    let Some(reason) = facts.finish_reason else {
        return failed(Outcome::Truncated, "the stream ended without a finish_reason");
    };
    if !facts.has_usage && !facts.is_done {
        return failed(
            Outcome::Truncated,
            "the stream ended without usage and without [DONE]",
        );
    }
    if let (true, "stop", Some(got), Some(asked)) = (
        facts.ignore_eos,
        reason,
        facts.output_tokens,
        facts.requested_output_tokens,
    ) && got < asked
    {
        let text = format!("finish_reason stop after {got} of {asked} tokens although ignore_eos was asked");
        return (Outcome::EarlyStop, Some(text));
    }
    (Outcome::Ok, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complete() -> Facts<'static> {
        Facts {
            ending: Ending::Clean,
            http_status: Some(200),
            status_text: None,
            in_band_error: None,
            finish_reason: Some("length"),
            has_token: true,
            has_usage: true,
            is_done: true,
            output_tokens: Some(10),
            requested_output_tokens: Some(10),
            ignore_eos: true,
        }
    }

    fn outcome(change: impl FnOnce(&mut Facts<'static>)) -> Outcome {
        let mut facts = complete();
        change(&mut facts);
        let (outcome, error) = decide(&facts);
        assert_eq!(error.is_none(), outcome == Outcome::Ok);
        outcome
    }

    #[test]
    fn ok_needs_a_finish_reason_and_usage_or_done() {
        assert_eq!(outcome(|_| {}), Outcome::Ok);
        assert_eq!(outcome(|facts| facts.has_usage = false), Outcome::Ok);
        assert_eq!(outcome(|facts| facts.is_done = false), Outcome::Ok);
        assert_eq!(
            outcome(|facts| (facts.is_done, facts.has_usage) = (false, false)),
            Outcome::Truncated
        );
        assert_eq!(outcome(|facts| facts.finish_reason = None), Outcome::Truncated);
    }

    #[test]
    fn a_broken_connection_is_truncated_unless_everything_was_there() {
        let broken = || Ending::Broken("reset".to_owned());
        assert_eq!(
            outcome(|facts| (facts.ending, facts.is_done) = (broken(), false)),
            Outcome::Truncated
        );
        assert_eq!(outcome(|facts| facts.ending = broken()), Outcome::Ok);
        assert_eq!(
            outcome(|facts| (facts.ending, facts.finish_reason) = (broken(), None)),
            Outcome::Truncated
        );
    }

    #[test]
    fn an_error_in_band_wins_over_done_and_over_a_cut() {
        assert_eq!(
            outcome(|facts| facts.in_band_error = Some("boom")),
            Outcome::InBandError
        );
        let cut = |facts: &mut Facts<'static>| {
            (facts.in_band_error, facts.ending) = (Some("boom"), Ending::Broken("cut".to_owned()));
        };
        assert_eq!(outcome(cut), Outcome::InBandError);
    }

    #[test]
    fn stop_before_the_asked_length_is_early_only_under_ignore_eos() {
        let stop =
            |facts: &mut Facts<'static>| (facts.finish_reason, facts.output_tokens) = (Some("stop"), Some(7));
        assert_eq!(outcome(stop), Outcome::EarlyStop);
        assert_eq!(
            outcome(|facts| {
                stop(facts);
                facts.ignore_eos = false
            }),
            Outcome::Ok
        );
        assert_eq!(outcome(|facts| facts.finish_reason = Some("stop")), Outcome::Ok);
    }

    #[test]
    fn nothing_at_all_is_protocol() {
        assert_eq!(outcome(|facts| facts.has_token = false), Outcome::Protocol);
        let empty = |facts: &mut Facts<'static>| {
            (
                facts.has_token,
                facts.finish_reason,
                facts.is_done,
                facts.has_usage,
            ) = (false, None, false, false);
        };
        assert_eq!(outcome(empty), Outcome::Protocol);
    }

    #[test]
    fn the_other_endings_have_their_names() {
        let unfinished = |ending: Ending| outcome(|facts| (facts.ending, facts.is_done) = (ending, false));
        assert_eq!(unfinished(Ending::NoAnswer(String::new())), Outcome::Connect);
        assert_eq!(unfinished(Ending::Malformed(String::new())), Outcome::Protocol);
        assert_eq!(unfinished(Ending::NotAStream(String::new())), Outcome::Protocol);
        assert_eq!(unfinished(Ending::TimedOut), Outcome::Timeout);
        assert_eq!(unfinished(Ending::Cancelled), Outcome::Cancelled);
        assert_eq!(
            outcome(|facts| facts.http_status = Some(503)),
            Outcome::HttpStatus
        );
    }
}
