//! The matrix itself: a script for the server, and what an honest client reports.

use std::time::Duration;

use contracts::Finite;
use contracts::engine_sim::{
    Ending, KeepAlive, LineEnd, ReasoningField, Refusal, Reply, RoleChunk, Rule, Script, Split, Usage,
};
use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::TokenSource;

use super::Case;
use super::judge::{all_ok, chunk_count, keep_alive, mean, multi_token, ok, outcomes, reasoning, tokens};
use crate::selftest::scripted::Ask;

/// Not every machine has it.
pub(super) const IPV6_LOOPBACK: &str = "::1";

/// Ten short streams, five at a time.
pub(super) const FAST: Ask = Ask {
    concurrency: 5,
    requests: 10,
    output_len: 20,
    timeout: Duration::from_secs(10),
};
/// Two streams of a hundred tokens.
const ONE_LONG: Ask = Ask {
    concurrency: 2,
    requests: 2,
    output_len: 100,
    timeout: Duration::from_secs(10),
};

/// All cases.
pub(super) fn cases() -> Vec<Case> {
    let ms = |value: f64| Finite::new(value);
    let quick = || Reply {
        ttft_ms: ms(20.0),
        itl_ms: ms(2.0),
        ..Reply::default()
    };
    let script = |defaults: Reply| Script {
        defaults,
        ..Script::default()
    };
    let every = |n: u64, reply: Reply| Script {
        defaults: quick(),
        rules: vec![Rule {
            every: Some(n),
            reply,
            ..Rule::default()
        }],
        ..Script::default()
    };
    let case = |name, expected, script, judge| Case {
        name,
        expected,
        script,
        ask: FAST,
        host: "127.0.0.1",
        judge,
    };
    let mut cases = vec![
        case(
            "role-chunk-before-prefill-ends",
            "TTFT 150 to 160 ms",
            script(Reply {
                role_chunk: Some(RoleChunk::AtOnce),
                ttft_ms: ms(150.0),
                ..quick()
            }),
            |seen| {
                let ttft = mean(seen, |record| record.ttft_ms);
                (
                    all_ok(seen) && (149.0..165.0).contains(&ttft),
                    format!("{} ok, TTFT {ttft:.1} ms", ok(seen)),
                )
            },
        ),
        case(
            "reasoning_content-deltas",
            "TTFT at the first reasoning token, TTFO 20 ms later",
            script(Reply {
                reasoning_tokens: Some(10),
                reasoning_field: Some(ReasoningField::ReasoningContent),
                ..quick()
            }),
            reasoning,
        ),
        case(
            "reasoning-deltas",
            "TTFT at the first reasoning token, TTFO 20 ms later",
            script(Reply {
                reasoning_tokens: Some(10),
                reasoning_field: Some(ReasoningField::Reasoning),
                ..quick()
            }),
            reasoning,
        ),
        case(
            "four-tokens-per-chunk",
            "tpot 9.70, itl 10.0, chunk gap 40 ms, source usage",
            script(Reply {
                tokens_per_chunk: Some(4),
                itl_ms: ms(10.0),
                ..quick()
            }),
            |seen| multi_token(seen, "usage"),
        ),
        case(
            "four-tokens-per-chunk-with-usage-on-each",
            "tpot 9.70, itl 10.0, chunk gap 40 ms, source per_chunk_usage",
            script(Reply {
                tokens_per_chunk: Some(4),
                itl_ms: ms(10.0),
                usage: Some(Usage::EveryChunk),
                ..quick()
            }),
            |seen| multi_token(seen, "per_chunk_usage"),
        ),
        case(
            "abrupt-cut",
            "8 ok, 2 truncated",
            every(
                5,
                Reply {
                    ending: Some(Ending::Cut),
                    ..Reply::default()
                },
            ),
            |seen| outcomes(seen, Outcome::Truncated, 2),
        ),
        case(
            "connection-reset",
            "8 ok, 2 truncated",
            every(
                5,
                Reply {
                    ending: Some(Ending::Reset),
                    ..Reply::default()
                },
            ),
            |seen| outcomes(seen, Outcome::Truncated, 2),
        ),
        case(
            "http-503",
            "9 ok, 1 http_status",
            every(
                7,
                Reply {
                    refusal: Some(Refusal::default()),
                    ..Reply::default()
                },
            ),
            |seen| outcomes(seen, Outcome::HttpStatus, 1),
        ),
        case(
            "clean-end-without-finish-reason",
            "8 ok, 2 truncated",
            every(
                5,
                Reply {
                    ending: Some(Ending::CleanCut),
                    ..Reply::default()
                },
            ),
            |seen| outcomes(seen, Outcome::Truncated, 2),
        ),
        case(
            "done-without-finish-reason",
            "8 ok, 2 truncated",
            every(
                5,
                Reply {
                    ending: Some(Ending::DoneOnly),
                    ..Reply::default()
                },
            ),
            |seen| outcomes(seen, Outcome::Truncated, 2),
        ),
        case(
            "in-band-error-then-done",
            "8 ok, 2 in_band_error",
            every(
                5,
                Reply {
                    ending: Some(Ending::InBandError),
                    ..Reply::default()
                },
            ),
            |seen| outcomes(seen, Outcome::InBandError, 2),
        ),
        case(
            "usage-missing",
            "10 ok, 20 tokens each from chunks",
            script(Reply {
                usage: Some(Usage::Never),
                ..quick()
            }),
            |seen| tokens(seen, 20, TokenSource::Chunks),
        ),
        case(
            "usage-on-every-chunk",
            "10 ok, 20 tokens each from per_chunk_usage",
            script(Reply {
                usage: Some(Usage::EveryChunk),
                ..quick()
            }),
            |seen| tokens(seen, 20, TokenSource::PerChunkUsage),
        ),
        case(
            "usage-without-done",
            "10 ok, 20 tokens each from usage",
            script(Reply {
                ending: Some(Ending::WithoutDone),
                ..quick()
            }),
            |seen| tokens(seen, 20, TokenSource::Usage),
        ),
        case(
            "choices-and-usage-in-one-chunk",
            "10 ok, 20 tokens each from usage",
            script(Reply {
                usage: Some(Usage::WithFinish),
                ..quick()
            }),
            |seen| tokens(seen, 20, TokenSource::Usage),
        ),
        case(
            "empty-content-keep-alives",
            "TTFT 60 to 70 ms, 20 token chunks each",
            script(Reply {
                keep_alive: Some(KeepAlive::EmptyContent),
                keep_alive_ms: ms(3.0),
                ttft_ms: ms(60.0),
                ..quick()
            }),
            keep_alive,
        ),
        case(
            "comment-keep-alives",
            "TTFT 60 to 70 ms, 20 token chunks each",
            script(Reply {
                keep_alive: Some(KeepAlive::Comment),
                keep_alive_ms: ms(3.0),
                ttft_ms: ms(60.0),
                ..quick()
            }),
            keep_alive,
        ),
        case(
            "crlf-line-ends",
            "10 ok, 20 tokens each from usage",
            script(Reply {
                line_end: Some(LineEnd::Crlf),
                ..quick()
            }),
            |seen| tokens(seen, 20, TokenSource::Usage),
        ),
        case(
            "utf8-character-split-over-two-reads",
            "10 ok, 20 tokens each from usage",
            script(Reply {
                split: Some(Split::Utf8),
                ..quick()
            }),
            |seen| tokens(seen, 20, TokenSource::Usage),
        ),
        case(
            "event-boundary-split-over-two-reads",
            "10 ok, 20 tokens each from usage",
            script(Reply {
                split: Some(Split::EventEnd),
                ..quick()
            }),
            |seen| tokens(seen, 20, TokenSource::Usage),
        ),
        case(
            "tool-call-deltas",
            "10 ok, 20 token chunks each",
            script(Reply {
                tool_call_tokens: Some(10),
                ..quick()
            }),
            |seen| {
                let chunks = seen
                    .records
                    .iter()
                    .all(|record| record.chunk_offsets_us.len() == 20);
                (
                    all_ok(seen) && chunks,
                    format!("{} ok, {} chunks", ok(seen), chunk_count(seen)),
                )
            },
        ),
        case(
            "stop-under-ignore_eos",
            "8 ok, 2 early_stop",
            every(
                5,
                Reply {
                    stop_after_tokens: Some(7),
                    ..Reply::default()
                },
            ),
            |seen| outcomes(seen, Outcome::EarlyStop, 2),
        ),
        case(
            "status-200-with-json-error-body",
            "8 ok, 2 in_band_error",
            every(
                5,
                Reply {
                    refusal: Some(Refusal {
                        status: Some(200),
                        ..Refusal::default()
                    }),
                    ..Reply::default()
                },
            ),
            |seen| outcomes(seen, Outcome::InBandError, 2),
        ),
        case(
            "status-429-with-retry-after",
            "8 ok, 2 http_status with retry_after_s 3, no retry",
            every(
                5,
                Reply {
                    refusal: Some(Refusal {
                        status: Some(429),
                        retry_after_s: Some(3),
                        ..Refusal::default()
                    }),
                    ..Reply::default()
                },
            ),
            |seen| {
                let (fine, text) = outcomes(seen, Outcome::HttpStatus, 2);
                let told = seen
                    .records
                    .iter()
                    .filter(|record| record.retry_after_s == Some(3))
                    .count();
                (
                    fine && told == 2 && seen.records.len() == 10,
                    format!("{text}, {told} with retry_after_s 3"),
                )
            },
        ),
        case(
            "several-events-in-one-write",
            "10 ok, same-read chunks counted",
            script(Reply {
                events_per_write: Some(4),
                ..quick()
            }),
            |seen| {
                let same: u32 = seen.records.iter().map(|record| record.same_read_chunks).sum();
                // 20 tokens in writes of four: three of every four chunks share a read.
                (
                    all_ok(seen) && same >= 140,
                    format!("{} ok, {same} same-read chunks", ok(seen)),
                )
            },
        ),
    ];
    cases.push(Case {
        ask: Ask {
            timeout: Duration::from_millis(400),
            ..FAST
        },
        ..case(
            "stall",
            "8 ok, 2 timeout",
            every(
                5,
                Reply {
                    ending: Some(Ending::Hang),
                    ..Reply::default()
                },
            ),
            |seen| outcomes(seen, Outcome::Timeout, 2),
        )
    });
    cases.push(Case {
        host: IPV6_LOOPBACK,
        ..case(
            "ipv6-loopback",
            "10 ok, 20 tokens each from usage",
            script(quick()),
            |seen| tokens(seen, 20, TokenSource::Usage),
        )
    });
    for case in &mut cases {
        if case.name.starts_with("four-tokens") {
            case.ask = ONE_LONG;
        }
    }
    cases
}
