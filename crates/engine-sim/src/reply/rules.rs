//! Which rules of a script hold for a request, and what they make of it.

use std::time::Duration;

use contracts::Finite;
use contracts::engine_sim::{
    Ending, KeepAlive, LineEnd, Meant, ReasoningField, Refusal, Reply, RoleChunk, Rule, Script, Split, Usage,
};

use super::{Plan, Refused};
use crate::api::Ask;

/// Tokens of an answer when neither script nor request says.
const DEFAULT_TOKENS: u32 = 128;

/// The reply for the request of this number: the defaults with every matching rule over them.
pub(crate) fn reply_for(script: &Script, number: u64) -> Reply {
    let mut reply = script.defaults.clone();
    for rule in script.rules.iter().filter(|rule| matches(rule, number)) {
        overlay(&mut reply, &rule.reply);
    }
    reply
}

fn matches(rule: &Rule, number: u64) -> bool {
    let by_turn = rule
        .every
        .is_some_and(|every| every > 0 && number % every == rule.offset.unwrap_or(0) % every);
    by_turn
        || rule
            .numbers
            .as_ref()
            .is_some_and(|numbers| numbers.contains(&number))
}

/// Copies every field that is set.
fn overlay(reply: &mut Reply, over: &Reply) {
    // Taken apart by name, so that a new field cannot be forgotten here.
    macro_rules! take {
        ($($field:ident),* $(,)?) => {
            let Reply { $($field),* } = over;
            $(if $field.is_some() { reply.$field.clone_from($field); })*
        };
    }
    take!(
        ttft_ms,
        itl_ms,
        tokens,
        tokens_per_chunk,
        events_per_write,
        role_chunk,
        reasoning_tokens,
        reasoning_field,
        tool_call_tokens,
        stop_after_tokens,
        finish_reason,
        usage,
        prompt_token_ratio,
        cached_tokens,
        ending,
        ending_after_tokens,
        refusal,
        stall_after_tokens,
        stall_ms,
        keep_alive,
        keep_alive_ms,
        line_end,
        split,
        split_gap_ms,
    );
}

/// Nanoseconds of a script's milliseconds; a negative time is no time.
pub(crate) fn nanos(ms: Option<Finite>, default_ms: u64) -> u64 {
    match ms {
        None => Duration::from_millis(default_ms).as_nanos() as u64,
        Some(ms) => (ms.get().max(0.0) * 1e6).round() as u64,
    }
}

/// Fills in what neither the script nor the request leaves open.
pub(crate) fn resolve(reply: &Reply, ask: &Ask) -> Plan {
    let whole = reply.tokens.or(ask.max_tokens).unwrap_or(DEFAULT_TOKENS).max(1);
    let whole = ask.max_tokens.map_or(whole, |most| whole.min(most));
    let stopped = reply.stop_after_tokens.filter(|&stop| stop < whole);
    let whole = stopped.unwrap_or(whole).max(1);
    let ending = reply.ending.unwrap_or(Ending::Complete);
    let strikes = match ending {
        Ending::Complete | Ending::WithoutDone | Ending::DoneOnly => None,
        _ => Some(reply.ending_after_tokens.unwrap_or(whole / 2)),
    };
    let tokens = strikes.map_or(whole, |at| at.min(whole));
    let tool_calls = reply.tool_call_tokens.unwrap_or(0).min(whole);
    let early = stopped.is_some() || ask.max_tokens.is_some_and(|most| whole < most);
    let finish_reason = reply.finish_reason.clone().unwrap_or_else(|| {
        let reason = if tool_calls > 0 {
            "tool_calls"
        } else if early {
            "stop"
        } else {
            "length"
        };
        reason.to_owned()
    });
    let usage = match reply.usage.unwrap_or(Usage::WhenAsked) {
        Usage::WhenAsked if ask.include_usage && ask.continuous_usage => Usage::EveryChunk,
        Usage::WhenAsked if !ask.include_usage && ask.stream => Usage::Never,
        usage => usage,
    };
    let ratio = reply.prompt_token_ratio.map_or(1.0, Finite::get);
    let gap = nanos(reply.split_gap_ms, 1);
    let pulse = nanos(reply.keep_alive_ms, 5).max(100_000);
    Plan {
        ttft_ns: nanos(reply.ttft_ms, 50),
        itl_ns: nanos(reply.itl_ms, 10),
        tokens,
        tokens_per_chunk: reply.tokens_per_chunk.unwrap_or(1).max(1),
        events_per_write: reply.events_per_write.unwrap_or(1).max(1),
        role_chunk: reply.role_chunk.unwrap_or(RoleChunk::WithFirstToken),
        reasoning_tokens: reply.reasoning_tokens.unwrap_or(0),
        reasoning_field: reply.reasoning_field.unwrap_or(ReasoningField::ReasoningContent),
        tool_call_from: whole - tool_calls,
        finish_reason,
        usage,
        prompt_tokens: (ask.prompt.len() as f64 * ratio).round().max(0.0) as u64,
        cached_tokens: reply.cached_tokens,
        ending,
        stall: reply
            .stall_after_tokens
            .map(|after| (after, nanos(reply.stall_ms, 0))),
        keep_alive: reply
            .keep_alive
            .filter(|&kind| kind != KeepAlive::Nothing)
            .map(|kind| (kind, pulse)),
        line_end: reply.line_end.unwrap_or(LineEnd::Lf),
        split: reply
            .split
            .filter(|&split| split != Split::Nowhere)
            .map(|split| (split, gap)),
        meant: meant(ending, usage, early && ask.ignore_eos),
    }
}

/// `ok` needs a `finish_reason` and (usage or `[DONE]`).
fn meant(ending: Ending, usage: Usage, short: bool) -> Meant {
    match ending {
        Ending::InBandError => Meant::InBandError,
        Ending::Hang => Meant::Timeout,
        Ending::CleanCut | Ending::Cut | Ending::Reset | Ending::DoneOnly => Meant::Truncated,
        Ending::WithoutDone if usage == Usage::Never => Meant::Truncated,
        Ending::Complete | Ending::WithoutDone if short => Meant::EarlyStop,
        Ending::Complete | Ending::WithoutDone => Meant::Ok,
    }
}

/// The refusal with its defaults, its delay in nanoseconds, and what a client is meant to make of it.
pub(crate) fn refused(refusal: &Refusal) -> (Refused, u64, Meant) {
    let status = refusal.status.unwrap_or(503);
    let message = refusal.message.clone().unwrap_or_else(|| {
        let text = match status {
            429 => "The engine is overloaded, please try again later.",
            503 => "Service is temporarily unavailable.",
            200 => "The model produced an error before the first token.",
            _ => "The scripted server was told to fail.",
        };
        text.to_owned()
    });
    let meant = if status == 200 {
        Meant::InBandError
    } else {
        Meant::HttpStatus
    };
    (
        Refused {
            status,
            retry_after_s: refusal.retry_after_s,
            message,
        },
        nanos(refusal.delay_ms, 0),
        meant,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask() -> Ask {
        Ask {
            chat: true,
            model: None,
            prompt: vec![1; 10],
            max_tokens: Some(100),
            stream: true,
            include_usage: true,
            continuous_usage: false,
            ignore_eos: true,
        }
    }

    #[test]
    fn later_rules_win_field_by_field() {
        let script: Script = serde_json::from_str(
            r#"{"defaults": {"ttft_ms": 20, "itl_ms": 2},
            "rules": [{"every": 5, "reply": {"ending": "cut", "ttft_ms": 9}},
                      {"every": 7, "offset": 1, "reply": {"refusal": {"status": 503}}},
                      {"numbers": [15], "reply": {"ttft_ms": 1}}]}"#,
        )
        .unwrap();
        assert_eq!(reply_for(&script, 3).ending, None);
        assert_eq!(reply_for(&script, 5).ending, Some(Ending::Cut));
        assert_eq!(reply_for(&script, 15).ttft_ms.map(Finite::get), Some(1.0));
        assert_eq!(reply_for(&script, 15).ending, Some(Ending::Cut));
        assert!(reply_for(&script, 8).refusal.is_some() && reply_for(&script, 7).refusal.is_none());
        assert_eq!(resolve(&reply_for(&script, 5), &ask()).tokens, 50);
    }

    #[test]
    fn says_what_an_honest_client_makes_of_it() {
        let of = |json: &str| resolve(&serde_json::from_str(json).unwrap(), &ask()).meant;
        assert_eq!(of("{}"), Meant::Ok);
        assert_eq!(of(r#"{"stop_after_tokens": 3}"#), Meant::EarlyStop);
        assert_eq!(of(r#"{"tokens": 99}"#), Meant::EarlyStop);
        assert_eq!(of(r#"{"ending": "without_done"}"#), Meant::Ok);
        assert_eq!(
            of(r#"{"ending": "without_done", "usage": "never"}"#),
            Meant::Truncated
        );
        assert_eq!(of(r#"{"ending": "clean_cut"}"#), Meant::Truncated);
        assert_eq!(of(r#"{"ending": "in_band_error"}"#), Meant::InBandError);
        assert_eq!(of(r#"{"ending": "hang"}"#), Meant::Timeout);
    }

    #[test]
    fn deadlines_count_from_the_request_and_do_not_drift() {
        let reply: Reply = serde_json::from_str(
            r#"{"ttft_ms": 50, "itl_ms": 0.5, "stall_after_tokens": 10, "stall_ms": 7}"#,
        )
        .unwrap();
        let plan = resolve(&reply, &ask());
        assert_eq!(plan.due_ns(0), 50_000_000);
        assert_eq!(plan.due_ns(9), 54_500_000);
        assert_eq!(plan.due_ns(10), 62_000_000);
        assert_eq!(plan.due_ns(99), 50_000_000 + 99 * 500_000 + 7_000_000);
    }
}
