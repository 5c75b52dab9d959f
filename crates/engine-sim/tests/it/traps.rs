//! Every defect a script can ask for, as bytes on a raw socket, and what the truth says is meant by it.

use serde_json::{Value, json};

use crate::client::{End, ask, last_truth, post, replies, server};

fn meant(running: &engine_sim::Running) -> String {
    last_truth(running)["meant"].as_str().unwrap().to_owned()
}

#[test]
fn a_plain_answer_is_a_role_tokens_a_finish_usage_and_done() {
    let running = replies(json!({}));
    let got = ask(&running, 4);
    assert_eq!((got.status(), got.end), (200, End::Complete));
    assert!(got.head().contains("content-type: text/event-stream"));
    let events = got.events();
    assert_eq!(events.len(), 8);
    assert_eq!(
        events[0]["choices"][0]["delta"],
        json!({"role": "assistant", "content": ""})
    );
    assert_eq!(events[1]["choices"][0]["delta"], json!({"content": "the"}));
    assert_eq!(events[5]["choices"][0]["finish_reason"], "length");
    assert_eq!(events[6]["choices"], json!([]));
    assert_eq!(events[6]["usage"]["completion_tokens"], 4);
    assert_eq!(events[6]["usage"]["prompt_tokens"], 3);
    assert!(got.done());
    let truth = last_truth(&running);
    assert_eq!(
        (truth["meant"].as_str(), truth["tokens"].as_u64()),
        (Some("ok"), Some(4))
    );
}

#[test]
fn plain_completions_and_whole_bodies_have_the_same_tokens() {
    let running = replies(json!({}));
    let mut body = json!({"prompt": "a b c", "max_tokens": 3, "stream": true});
    let got = post(&running, "/v1/completions", &body);
    let text: String = got
        .events()
        .iter()
        .filter_map(|event| event["choices"][0]["text"].as_str())
        .collect();
    assert_eq!(text, "the batch of");
    // Nobody asked for usage.
    assert!(got.events().iter().all(|event| event.get("usage").is_none()));
    body["stream"] = json!(false);
    let whole = post(&running, "/v1/completions", &body).json();
    assert_eq!(whole["choices"][0]["text"], "the batch of");
    assert_eq!(whole["usage"]["total_tokens"], 6);
}

#[test]
fn the_role_can_come_before_the_prefill_ends() {
    let running = replies(json!({"role_chunk": "at_once", "ttft_ms": 40}));
    let got = ask(&running, 2);
    assert_eq!(got.deltas()[0]["role"], "assistant");
    assert_eq!(got.deltas().len(), 4);
    let without = ask(&replies(json!({"role_chunk": "never"})), 2);
    assert_eq!(
        without.deltas()[0],
        json!({"role": "assistant", "content": "the"})
    );
}

#[test]
fn reasoning_arrives_in_either_field() {
    for field in ["reasoning_content", "reasoning"] {
        let running = replies(json!({"reasoning_tokens": 2, "reasoning_field": field}));
        let got = ask(&running, 3);
        let deltas = got.deltas();
        assert_eq!(deltas[1], json!({field: "the"}));
        assert_eq!(deltas[2], json!({field: " batch"}));
        assert_eq!(deltas[3], json!({"content": " of"}));
        let usage = &got.events()[5]["usage"];
        assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 2);
    }
}

#[test]
fn several_tokens_share_a_chunk_and_several_events_a_write() {
    let got = ask(&replies(json!({"tokens_per_chunk": 4})), 10);
    let texts: Vec<String> = got
        .deltas()
        .iter()
        .filter_map(|delta| Some(delta["content"].as_str()?.to_owned()))
        .collect();
    assert_eq!(
        texts[1..4],
        ["the batch of tokens", " moves through every layer", " and each"]
    );
    assert_eq!(got.events()[5]["usage"]["completion_tokens"], 10);
    let running = replies(json!({"events_per_write": 5}));
    ask(&running, 10);
    let truth = last_truth(&running);
    assert_eq!(
        (
            truth["token_chunks"].as_u64(),
            truth["lateness"]["count"].as_u64()
        ),
        (Some(10), Some(2))
    );
}

#[test]
fn a_cut_ends_the_connection_inside_an_event() {
    for (ending, end) in [("cut", End::Closed), ("reset", End::Reset)] {
        let running = replies(json!({"ending": ending, "ending_after_tokens": 3}));
        let got = ask(&running, 10);
        assert_eq!(got.end, end);
        assert!(got.text().ends_with(|last: char| last != '\n'), "{}", got.text());
        assert_eq!(meant(&running), "truncated");
        if ending == "cut" {
            assert_eq!(
                got.events()
                    .iter()
                    .filter(|event| event.get("choices").is_some())
                    .count(),
                4
            );
        }
    }
}

#[test]
fn a_clean_cut_ends_the_body_in_order_with_nothing_that_says_so() {
    let running = replies(json!({"ending": "clean_cut"}));
    let got = ask(&running, 10);
    assert_eq!(got.end, End::Complete);
    assert_eq!(got.deltas().len(), 6);
    assert!(!got.done() && got.finish_reason().is_none());
    assert_eq!(meant(&running), "truncated");
}

#[test]
fn done_and_finish_reason_can_each_be_missing() {
    let running = replies(json!({"ending": "without_done"}));
    let got = ask(&running, 2);
    assert!(!got.done() && got.finish_reason().is_some());
    assert_eq!(meant(&running), "ok");
    let running = replies(json!({"ending": "done_only"}));
    let got = ask(&running, 2);
    assert!(got.done() && got.finish_reason().is_none());
    assert_eq!(meant(&running), "truncated");
}

#[test]
fn an_error_can_come_in_band() {
    let running = replies(json!({"ending": "in_band_error", "ending_after_tokens": 5}));
    let got = ask(&running, 10);
    let events = got.events();
    assert_eq!(events.len(), 8);
    assert_eq!(events[6]["error"]["code"], 500);
    assert!(got.done());
    assert_eq!(meant(&running), "in_band_error");
}

#[test]
fn usage_can_be_missing_on_every_chunk_or_with_the_finish() {
    let usages = |usage: &str| -> Vec<u64> {
        let got = ask(&replies(json!({"usage": usage})), 3);
        got.events()
            .iter()
            .filter_map(|event| event.get("usage")?["completion_tokens"].as_u64())
            .collect()
    };
    assert_eq!(usages("never"), [0_u64; 0]);
    assert_eq!(usages("every_chunk"), [0, 1, 2, 3, 3, 3]);
    assert_eq!(usages("with_finish"), [3]);
    let with_finish = ask(&replies(json!({"usage": "with_finish"})), 3);
    let last = &with_finish.events()[4];
    assert!(last["choices"][0]["finish_reason"] == "length" && last["usage"]["completion_tokens"] == 3);
    let mut body = crate::client::chat(2);
    body["stream_options"]["continuous_usage_stats"] = json!(true);
    let asked = post(&replies(json!({})), "/v1/chat/completions", &body);
    assert_eq!(
        asked
            .events()
            .iter()
            .filter(|event| event.get("usage").is_some())
            .count(),
        5
    );
}

#[test]
fn keep_alives_fill_the_time_between_tokens() {
    let comments = ask(
        &replies(json!({"keep_alive": "comment", "keep_alive_ms": 2, "ttft_ms": 12})),
        1,
    );
    assert!(
        comments.text().matches(": ping\n\n").count() >= 5,
        "{}",
        comments.text()
    );
    assert_eq!(comments.events().len(), 5);
    let empty = ask(
        &replies(json!({"keep_alive": "empty_content", "keep_alive_ms": 2, "ttft_ms": 12})),
        1,
    );
    let blank = json!({"content": ""});
    assert!(empty.deltas().iter().filter(|delta| **delta == blank).count() >= 5);
}

#[test]
fn lines_can_end_with_carriage_returns() {
    let got = ask(&replies(json!({"line_end": "crlf"})), 2);
    let body = String::from_utf8(got.chunks().concat()).unwrap();
    assert!(!body.replace("\r\n", "").contains('\n'));
    assert!(got.done());
}

#[test]
fn a_character_is_split_over_two_writes() {
    let got = ask(&replies(json!({"split": "utf8"})), 3);
    let chunks = got.chunks();
    assert!(
        chunks
            .iter()
            .filter(|chunk| std::str::from_utf8(chunk).is_err())
            .count()
            >= 3
    );
    let whole = String::from_utf8(chunks.concat()).unwrap();
    assert!(whole.contains("été"));
    assert!(got.done());
}

#[test]
fn an_event_is_split_inside_its_blank_line() {
    let got = ask(&replies(json!({"split": "event_end"})), 3);
    let chunks = got.chunks();
    let torn: Vec<_> = chunks.iter().filter(|chunk| !chunk.ends_with(b"\n\n")).collect();
    assert_eq!(
        torn.len(),
        6,
        "three halves that end in one newline, three that are one newline"
    );
    assert_eq!(chunks.iter().filter(|chunk| *chunk == b"\n").count(), 3);
    assert!(got.done());
}

#[test]
fn tool_calls_arrive_as_pieces_of_their_arguments() {
    let got = ask(&replies(json!({"tool_call_tokens": 3})), 5);
    let calls: Vec<Value> = got
        .deltas()
        .iter()
        .filter_map(|delta| Some(delta.get("tool_calls")?[0].clone()))
        .collect();
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[0]["function"]["name"], "look_up");
    let arguments: String = calls
        .iter()
        .map(|call| call["function"]["arguments"].as_str().unwrap())
        .collect();
    assert_eq!(
        serde_json::from_str::<Value>(&arguments).unwrap(),
        json!({"text": " of tokens moves"})
    );
    assert_eq!(got.finish_reason().as_deref(), Some("tool_calls"));
}

#[test]
fn an_answer_can_stop_early_although_it_should_not() {
    let running = replies(json!({"stop_after_tokens": 2}));
    let got = ask(&running, 5);
    assert_eq!(got.finish_reason().as_deref(), Some("stop"));
    assert_eq!(meant(&running), "early_stop");
}

#[test]
fn refusals_have_status_body_and_retry_after() {
    let refused = |refusal: Value| {
        let running = replies(json!({"refusal": refusal}));
        let got = ask(&running, 5);
        (got, meant(&running))
    };
    let (got, meant) = refused(json!({}));
    assert_eq!((got.status(), meant.as_str()), (503, "http_status"));
    let (got, meant) = refused(json!({"status": 429, "retry_after_s": 2}));
    assert_eq!((got.status(), meant.as_str()), (429, "http_status"));
    assert!(got.head().contains("retry-after: 2"));
    let (got, meant) = refused(json!({"status": 200, "message": "boom"}));
    assert_eq!((got.status(), meant.as_str()), (200, "in_band_error"));
    assert!(got.head().contains("content-type: application/json"));
    assert_eq!(got.json()["error"]["message"], "boom");
}

#[test]
fn defects_strike_the_requests_they_are_meant_for() {
    let running = server(json!({
        "defaults": {"ttft_ms": 0, "itl_ms": 0},
        "rules": [{"every": 3, "reply": {"ending": "clean_cut"}}, {"every": 4, "offset": 1,
            "reply": {"refusal": {"status": 500}}}, {"numbers": [2], "reply": {"stop_after_tokens": 1}}],
    }));
    let seen: Vec<(u16, bool)> = (1..=6)
        .map(|_| {
            let got = ask(&running, 2);
            (got.status(), got.status() == 200 && got.done())
        })
        .collect();
    assert_eq!(
        seen,
        [
            (500, false),
            (200, true),
            (200, false),
            (200, true),
            (500, false),
            (200, false)
        ]
    );
}

#[test]
fn a_stall_is_a_pause_and_a_hang_has_no_end() {
    let running = replies(json!({"stall_after_tokens": 2, "stall_ms": 40}));
    let got = ask(&running, 4);
    assert!(got.done());
    let truth = last_truth(&running);
    // From the request on: the first token may be late on a busy machine, no token is ever early.
    let span_ns = truth["last_token_ns"].as_u64().unwrap() - truth["received_ns"].as_u64().unwrap();
    assert!(span_ns >= 41_300_000, "{span_ns}");

    let running = replies(json!({"ending": "hang", "ending_after_tokens": 2}));
    let mut socket = std::net::TcpStream::connect(running.address()).unwrap();
    let body = crate::client::chat(5).to_string();
    std::io::Write::write_all(
        &mut socket,
        &crate::client::post_bytes("/v1/chat/completions", body.as_bytes(), ""),
    )
    .unwrap();
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    // The role and two tokens, and then nothing although the connection stays open.
    while String::from_utf8_lossy(&all).matches("\"content\":\"").count() < 3 {
        let count = std::io::Read::read(&mut socket, &mut buffer).unwrap();
        assert_ne!(count, 0);
        all.extend_from_slice(&buffer[..count]);
    }
    socket
        .set_read_timeout(Some(std::time::Duration::from_millis(40)))
        .unwrap();
    let silence = std::io::Read::read(&mut socket, &mut buffer).unwrap_err().kind();
    assert!(
        matches!(
            silence,
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
        ),
        "{silence}"
    );
    let truth = last_truth(&running);
    assert_eq!(
        (truth["meant"].as_str(), truth["end_ns"].as_u64()),
        (Some("timeout"), None)
    );
    drop(socket);
    let gone = (0..2000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(5));
        last_truth(&running)["client_gone"] == json!(true)
    });
    assert!(gone, "the server notices that the client gave up");
}
