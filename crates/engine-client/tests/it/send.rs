//! One request, every way it can end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use contracts::serve_bench::outcome::Outcome;
use contracts::serve_bench::record::TokenSource;
use engine_client::{Call, Cancel, Endpoint, Headers, Observation, Slot};

use crate::server::{Server, Step, complete, event, finish, stream_end, stream_head, token, usage, whole};

fn call() -> Call<'static> {
    Call {
        path: "/v1/chat/completions",
        body: Bytes::from_static(b"{\"stream\":true}"),
        timeout: Some(Duration::from_secs(10)),
        ignore_eos: true,
        requested_output_tokens: Some(3),
        count_tokens: None,
        cancel: None,
    }
}

async fn observe(steps: Vec<Step>) -> Observation {
    let server = Server::start(move |_, _| steps.clone());
    Slot::new(server.endpoint(), Headers::new()).send(&call()).await
}

fn concat(parts: Vec<Vec<Step>>) -> Vec<Step> {
    parts.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_complete_stream_is_ok_and_stamped_in_order() {
    let mut steps = complete(3);
    steps.insert(1, Step::Pause(20));
    steps.insert(3, Step::Pause(10));
    let seen = observe(steps).await;
    assert_eq!((seen.outcome, seen.error.as_deref()), (Outcome::Ok, None));
    assert_eq!(
        (seen.input_tokens, seen.output_tokens, seen.token_source),
        (Some(3), Some(3), TokenSource::Usage)
    );
    assert_eq!(seen.finish_reason.as_deref(), Some("length"));
    assert_eq!(seen.chunk_offsets_us.len(), 3);
    assert!(seen.opened_connection);
    let times = [
        seen.connect_ns,
        seen.request_sent_ns,
        seen.headers_ns,
        seen.first_token_ns,
        seen.last_token_ns,
        Some(seen.ended_ns),
    ];
    assert!(times.iter().all(Option::is_some), "{seen:?}");
    assert!(times.is_sorted(), "{seen:?}");
    let gap = seen.first_token_ns.unwrap() - seen.headers_ns.unwrap();
    // Half of the pauses: a busy machine reads the first of two things late, and not the second.
    assert!(
        gap >= 10_000_000,
        "the head came 20 ms before the first token: {gap}"
    );
    assert!(seen.last_token_ns.unwrap() - seen.first_token_ns.unwrap() >= 5_000_000);
}

#[tokio::test]
async fn the_connection_is_kept_and_only_a_dead_one_is_replaced() {
    // The third answer is followed by a close, which a look at the idle socket shows.
    let server = Server::start(|number, _| match number {
        2 => concat(vec![complete(3), vec![Step::Close]]),
        _ => complete(3),
    });
    let mut slot = Slot::new(server.endpoint(), Headers::new());
    let mut opened = Vec::new();
    for number in 0..4 {
        if number == 3 {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        let seen = slot.send(&call()).await;
        assert_eq!(seen.outcome, Outcome::Ok, "{seen:?}");
        opened.push(seen.connect_ns.is_some());
    }
    assert_eq!(opened, [true, false, false, true]);
    assert_eq!(slot.connections_opened(), 2);
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
}

/// llama.cpp does this (build 7e4c0a9), and announces `Keep-Alive` all the same.
#[tokio::test]
async fn a_server_that_closes_after_every_answer_loses_no_request() {
    let server = Server::start(|_, _| concat(vec![complete(3), vec![Step::Close]]));
    let endpoint = server.endpoint();
    let (mut one, mut other) = (
        Slot::new(endpoint.clone(), Headers::new()),
        Slot::new(endpoint, Headers::new()),
    );
    for _ in 0..4 {
        let (seen, also) = (call(), call());
        let (seen, also) = tokio::join!(one.send(&seen), other.send(&also));
        assert_eq!((seen.outcome, also.outcome), (Outcome::Ok, Outcome::Ok));
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn a_request_that_was_written_is_never_sent_again() {
    let server = Server::start(|number, _| {
        if number == 1 {
            vec![Step::Close]
        } else {
            complete(3)
        }
    });
    let mut slot = Slot::new(server.endpoint(), Headers::new());
    let outcomes = [
        slot.send(&call()).await,
        slot.send(&call()).await,
        slot.send(&call()).await,
    ]
    .map(|seen| seen.outcome);
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Connect, Outcome::Ok]);
    assert_eq!(server.requests.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn nobody_there_is_connect() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let endpoint = Endpoint::parse(&format!("http://{free}")).unwrap();
    let seen = Slot::new(endpoint, Headers::new()).send(&call()).await;
    assert_eq!(seen.outcome, Outcome::Connect);
    assert!(seen.error.unwrap().contains("nothing listens"));
    assert_eq!(
        (seen.connect_ns, seen.request_sent_ns, seen.http_status),
        (None, None, None)
    );
}

#[tokio::test]
async fn a_cut_is_truncated_with_what_was_seen() {
    let seen = observe(vec![
        stream_head(),
        token("a"),
        token("b"),
        Step::Raw(b"20\r\ndata: {\"cho".to_vec()),
        Step::Close,
    ])
    .await;
    assert_eq!(seen.outcome, Outcome::Truncated, "{seen:?}");
    assert_eq!(seen.chunk_offsets_us.len(), 2);
    assert_eq!(
        (seen.output_tokens, seen.token_source),
        (Some(2), TokenSource::Chunks)
    );
}

#[tokio::test]
async fn a_clean_end_without_finish_reason_is_truncated() {
    let clean = observe(vec![stream_head(), token("a"), token("b"), stream_end()]).await;
    assert_eq!(clean.outcome, Outcome::Truncated);
    let done_only = observe(vec![stream_head(), token("a"), event("[DONE]"), stream_end()]).await;
    assert_eq!(done_only.outcome, Outcome::Truncated);
}

#[tokio::test]
async fn an_error_in_band_fails_although_done_follows() {
    let error = event(r#"{"error":{"message":"CUDA out of memory","code":500}}"#);
    let seen = observe(vec![
        stream_head(),
        token("a"),
        error,
        event("[DONE]"),
        stream_end(),
    ])
    .await;
    assert_eq!(
        (seen.outcome, seen.error.as_deref()),
        (Outcome::InBandError, Some("CUDA out of memory"))
    );
}

#[tokio::test]
async fn a_json_body_with_200_is_an_error_or_no_stream() {
    let json = "content-type: application/json\r\n";
    let error = observe(whole("200 OK", json, r#"{"error":{"message":"bad"}}"#)).await;
    assert_eq!(
        (error.outcome, error.error.as_deref()),
        (Outcome::InBandError, Some("bad"))
    );
    let completion = r#"{"choices":[{"message":{"content":"a b"},"finish_reason":"stop"}],"usage":{"completion_tokens":2}}"#;
    let seen = observe(whole("200 OK", json, completion)).await;
    assert_eq!(seen.outcome, Outcome::Protocol);
    assert!(seen.error.unwrap().contains("although a stream was asked"));
    assert_eq!(
        seen.first_token_ns, None,
        "an answer in one piece has no first token"
    );
    let html = observe(whole(
        "200 OK",
        "content-type: text/html\r\n",
        "<html>login</html>",
    ))
    .await;
    assert_eq!(html.outcome, Outcome::Protocol);
}

#[tokio::test]
async fn a_failing_status_carries_its_text_and_keeps_the_connection() {
    let server = Server::start(|number, _| match number {
        0 => whole(
            "429 Too Many Requests",
            "retry-after: 7\r\n",
            r#"{"error":{"message":"slow down"}}"#,
        ),
        _ => complete(3),
    });
    let mut slot = Slot::new(server.endpoint(), Headers::new());
    let seen = slot.send(&call()).await;
    assert_eq!(
        (seen.outcome, seen.http_status, seen.retry_after_s),
        (Outcome::HttpStatus, Some(429), Some(7))
    );
    assert_eq!(seen.error.as_deref(), Some("HTTP 429: slow down"));
    assert_eq!(slot.send(&call()).await.outcome, Outcome::Ok);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn neither_token_nor_error_is_protocol_and_so_is_bad_framing() {
    let empty = observe(vec![stream_head(), event("[DONE]"), stream_end()]).await;
    assert_eq!(empty.outcome, Outcome::Protocol);
    let framing = observe(vec![
        stream_head(),
        token("a"),
        Step::Raw(b"zz\r\nxx".to_vec()),
        Step::Hang,
    ])
    .await;
    assert_eq!(framing.outcome, Outcome::Protocol, "{framing:?}");
    let no_http = observe(vec![
        Step::Raw(b"\x15\x03\x01\x00\x02\x02\x46".to_vec()),
        Step::Close,
    ])
    .await;
    assert_eq!(no_http.outcome, Outcome::Protocol, "{no_http:?}");
}

#[tokio::test]
async fn time_limit_and_switch_end_a_hanging_stream_with_what_was_seen() {
    let server = Server::start(|_, _| vec![stream_head(), token("a"), Step::Hang]);
    let mut slot = Slot::new(server.endpoint(), Headers::new());
    let seen = slot
        .send(&Call {
            // Long enough for the token on a machine that does other work.
            timeout: Some(Duration::from_millis(400)),
            ..call()
        })
        .await;
    assert_eq!(seen.outcome, Outcome::Timeout);
    assert_eq!(seen.chunk_offsets_us.len(), 1);
    assert!(seen.ended_ns >= 400_000_000);
    let cancel = Cancel::new();
    let throw = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        cancel.cancel();
    };
    let limited = Call {
        cancel: Some(&cancel),
        ..call()
    };
    let (seen, ()) = tokio::join!(slot.send(&limited), throw);
    assert_eq!((seen.outcome, seen.opened_connection), (Outcome::Cancelled, true));
    // A switch that is thrown already lets nothing out.
    assert_eq!(slot.send(&limited).await.outcome, Outcome::Cancelled);
    assert_eq!(server.requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_dropped_request_leaves_a_slot_that_works() {
    let server = Server::start(|number, _| match number {
        0 => vec![stream_head(), token("a"), Step::Hang],
        _ => complete(3),
    });
    let mut slot = Slot::new(server.endpoint(), Headers::new());
    let dropped = tokio::time::timeout(Duration::from_millis(30), slot.send(&call())).await;
    assert!(dropped.is_err());
    assert_eq!(slot.send(&call()).await.outcome, Outcome::Ok);
}

#[tokio::test]
async fn early_stop_is_told_from_a_stop_that_was_allowed() {
    let steps = || {
        vec![
            stream_head(),
            token("a"),
            finish("stop"),
            usage(3, 1),
            event("[DONE]"),
            stream_end(),
        ]
    };
    assert_eq!(observe(steps()).await.outcome, Outcome::EarlyStop);
    let server = Server::start(move |_, _| steps());
    let seen = Slot::new(server.endpoint(), Headers::new())
        .send(&Call {
            ignore_eos: false,
            ..call()
        })
        .await;
    assert_eq!(seen.outcome, Outcome::Ok);
}

#[tokio::test]
async fn events_and_characters_split_over_reads_are_whole() {
    let bytes = "data: {\"choices\":[{\"delta\":{\"content\":\"é\"}}]}\r\n\r\n".as_bytes();
    let cut = bytes.iter().position(|byte| *byte == 0xc3).unwrap() + 1;
    let mut steps = vec![stream_head()];
    for (head, tail) in [
        bytes.split_at(cut),
        bytes.split_at(bytes.len() - 2),
        bytes.split_at(bytes.len() - 1),
    ] {
        steps.extend([
            Step::Chunk(head.to_vec()),
            Step::Pause(5),
            Step::Chunk(tail.to_vec()),
        ]);
    }
    steps.extend([finish("length"), event("[DONE]"), stream_end()]);
    let seen = observe(steps).await;
    assert_eq!((seen.outcome, seen.skipped_events), (Outcome::Ok, 0), "{seen:?}");
    assert_eq!(seen.chunk_offsets_us.len(), 3);
}

#[tokio::test]
async fn chunks_of_one_read_are_counted_as_such() {
    let one = |text: &str| {
        let Step::Chunk(bytes) = token(text) else {
            unreachable!()
        };
        [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat()
    };
    let burst = [one("a"), one("b"), one("c")].concat();
    let seen = observe(vec![
        stream_head(),
        Step::Pause(10),
        Step::Raw(burst),
        finish("length"),
        event("[DONE]"),
        stream_end(),
    ])
    .await;
    assert_eq!((seen.outcome, seen.same_read_chunks), (Outcome::Ok, 2));
    assert_eq!(
        seen.chunk_offsets_us
            .iter()
            .collect::<std::collections::BTreeSet<_>>()
            .len(),
        1
    );
}

#[tokio::test]
async fn ipv6_loopback_works() {
    if let Err(error) = std::net::TcpListener::bind("[::1]:0") {
        // A machine without IPv6 has no such address; everything else is a failure.
        assert!(!std::path::Path::new("/proc/net/if_inet6").exists(), "{error}");
        return;
    }
    let server = Server::start_at("[::1]:0", |_, _| complete(3));
    let seen = Slot::new(server.endpoint(), Headers::new()).send(&call()).await;
    assert_eq!(seen.outcome, Outcome::Ok, "{seen:?}");
    assert!(server.requests.lock().unwrap()[0].head.contains("host: [::1]:"));
}

#[tokio::test]
async fn a_secret_that_the_server_repeats_is_not_kept() {
    let server = Server::start(|_, _| {
        whole(
            "401 Unauthorized",
            "",
            r#"{"error":"key sk-verysecret is wrong"}"#,
        )
    });
    let mut headers = Headers::new();
    headers.set_bearer("sk-verysecret").unwrap();
    let seen = Slot::new(server.endpoint(), headers).send(&call()).await;
    assert_eq!(seen.error.as_deref(), Some("HTTP 401: key *** is wrong"));
    let requests = server.requests.lock().unwrap();
    assert!(requests[0].head.contains("Bearer sk-verysecret"));
    assert_eq!(requests[0].body, b"{\"stream\":true}");
}

#[tokio::test]
async fn a_server_that_stays_open_after_done_does_not_hold_the_request() {
    // A stream that ends by close, and a server that forgets to close: the grace is one second, so the limit acts.
    let steps = vec![
        stream_head(),
        token("a"),
        finish("length"),
        usage(3, 1),
        event("[DONE]"),
        Step::Hang,
    ];
    let server = Server::start(move |_, _| steps.clone());
    let limit = Some(Duration::from_millis(500));
    let seen = Slot::new(server.endpoint(), Headers::new())
        .send(&Call {
            timeout: limit,
            ..call()
        })
        .await;
    assert_eq!(seen.outcome, Outcome::Ok, "all that counts had arrived: {seen:?}");
}

#[test]
fn a_multi_thread_runtime_carries_many_slots() {
    let server = Server::start(|_, _| complete(20));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..32)
            .map(|_| {
                let mut slot = Slot::new(server.endpoint(), Headers::new());
                tokio::spawn(async move {
                    for _ in 0..5 {
                        let seen = slot.send(&call()).await;
                        assert_eq!((seen.outcome, seen.chunk_offsets_us.len()), (Outcome::Ok, 20));
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(server.connections.load(Ordering::SeqCst), 32);
}
