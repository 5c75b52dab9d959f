//! HTTP/1.1 as servers speak it: how a body ends, what keeps a connection, what is not allowed.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use contracts::serve_bench::outcome::Outcome;
use engine_client::{Call, Endpoint, Headers, Observation, Slot};

use crate::server::{Server, Step, complete, whole};

/// Three tokens and the end of a stream.
const EVENTS: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n\
    data: {\"choices\":[{\"delta\":{\"content\":\"b\"},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n";

fn call() -> Call<'static> {
    Call {
        path: "/v1/chat/completions",
        body: Bytes::from_static(b"{\"stream\":true}"),
        timeout: Some(Duration::from_secs(10)),
        ignore_eos: false,
        requested_output_tokens: None,
        count_tokens: None,
        cancel: None,
    }
}

fn raw(text: &str) -> Step {
    Step::Raw(text.as_bytes().to_vec())
}

/// Sends two requests one after the other on one slot; says what was seen and how many connections it took.
async fn twice(steps: Vec<Step>) -> ([Observation; 2], usize) {
    let server = Server::start(move |_, _| steps.clone());
    let mut slot = Slot::new(server.endpoint(), Headers::new());
    let seen = [slot.send(&call()).await, slot.send(&call()).await];
    (seen, server.connections.load(Ordering::SeqCst))
}

async fn both_ok(steps: Vec<Step>) -> usize {
    let (seen, connections) = twice(steps).await;
    for seen in seen {
        assert_eq!(
            (seen.outcome, seen.chunk_offsets_us.len()),
            (Outcome::Ok, 2),
            "{seen:?}"
        );
    }
    connections
}

#[tokio::test]
async fn a_stream_with_a_length_keeps_the_connection() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", EVENTS.len());
    assert_eq!(both_ok(vec![raw(&head), raw(EVENTS)]).await, 1);
}

#[tokio::test]
async fn a_stream_that_ends_by_close_does_not() {
    let steps = vec![raw("HTTP/1.1 200 OK\r\n\r\n"), raw(EVENTS), Step::Close];
    assert_eq!(both_ok(steps).await, 2);
}

#[tokio::test]
async fn what_the_server_says_of_the_connection_counts() {
    for (start, kept) in [
        ("HTTP/1.1 200 OK\r\nconnection: close\r\n", false),
        ("HTTP/1.0 200 OK\r\n", false),
        ("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n", true),
    ] {
        let head = format!("{start}content-length: {}\r\n\r\n", EVENTS.len());
        let connections = both_ok(vec![raw(&head), raw(EVENTS)]).await;
        assert_eq!(connections, if kept { 1 } else { 2 }, "{start}");
    }
}

#[tokio::test]
async fn interim_answers_extensions_and_trailers_are_passed_over() {
    let answer = format!(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n\
         HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x};a=b\r\n{EVENTS}\r\n0;c\r\nd: e\r\n\r\n",
        EVENTS.len()
    );
    // In one piece, and byte by byte.
    assert_eq!(both_ok(vec![raw(&answer)]).await, 1);
    let bytes = answer.bytes().map(|byte| Step::Raw(vec![byte])).collect();
    assert_eq!(both_ok(bytes).await, 1);
}

#[tokio::test]
async fn a_status_without_a_body_keeps_the_connection() {
    let (seen, connections) = twice(vec![raw("HTTP/1.1 204 No Content\r\ncontent-length: 9\r\n\r\n")]).await;
    assert_eq!(seen[0].outcome, Outcome::HttpStatus);
    assert_eq!((seen[1].http_status, connections), (Some(204), 1));
}

#[tokio::test]
async fn what_leaves_the_framing_open_is_protocol() {
    let long = format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "b".repeat(70_000));
    for answer in [
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000000000000000\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab",
        "HTTP/2.0 200 OK\r\n\r\n",
        &long,
    ] {
        let (seen, connections) = twice(vec![raw(answer), Step::Hang]).await;
        for seen in &seen {
            assert_eq!(seen.outcome, Outcome::Protocol, "{answer:.90} {seen:?}");
            assert!(
                seen.error.as_ref().is_some_and(|error| error.contains("answer")),
                "{seen:?}"
            );
        }
        assert_eq!(
            connections, 2,
            "a connection in an unknown state is not used again"
        );
    }
}

#[tokio::test]
async fn a_head_may_be_longer_than_a_read() {
    let head = format!(
        "HTTP/1.1 200 OK\r\na: {}\r\ncontent-length: {}\r\n\r\n",
        "b".repeat(60_000),
        EVENTS.len()
    );
    let steps = vec![raw("HTTP/1.1 100 Continue\r\n\r\n"), raw(&head), raw(EVENTS)];
    assert_eq!(both_ok(steps).await, 1);
}

#[tokio::test]
async fn a_cut_is_told_by_where_it_is() {
    for (answer, outcome, place) in [
        ("", Outcome::Connect, "without an answer"),
        ("HTTP/1.1 200 OK\r\ncont", Outcome::Truncated, "in the head"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\ndata",
            Outcome::Truncated,
            "inside its answer",
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
            Outcome::Truncated,
            "inside its answer",
        ),
    ] {
        let (seen, _) = twice(vec![raw(answer), Step::Close]).await;
        assert_eq!(seen[0].outcome, outcome, "{answer}");
        assert!(
            seen[0].error.as_ref().is_some_and(|error| error.contains(place)),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn bytes_nobody_asked_for_end_a_connection() {
    // The first answer ends in one write with the start of another: read as the next answer, it would be the wrong one.
    let server = Server::start(|number, _| {
        let mut steps = complete(3);
        if number == 0 {
            steps.pop();
            steps.push(raw("0\r\n\r\nHTTP/1.1 500 no\r\ncontent-length: 0\r\n\r\n"));
        }
        steps
    });
    let mut slot = Slot::new(server.endpoint(), Headers::new());
    for _ in 0..3 {
        let seen = slot.send(&call()).await;
        assert_eq!(seen.outcome, Outcome::Ok, "{seen:?}");
    }
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_answer_before_the_whole_request_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    let server = std::thread::spawn(move || {
        let mut connections = 0;
        for keeps_reading in [false, true] {
            let (mut stream, _) = listener.accept().unwrap();
            connections += 1;
            stream.read_exact(&mut [0; 16]).unwrap();
            let Step::Raw(answer) = whole("413 Content Too Large", "", r#"{"error":"too long"}"#).remove(0)
            else {
                unreachable!()
            };
            stream.write_all(&answer).unwrap();
            if keeps_reading {
                // Until the client goes away: it has its answer. A server that reads faster could take in the whole request first.
                while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            } else {
                stream.shutdown(Shutdown::Write).unwrap();
                let _ = stream.read(&mut [0; 1]);
            }
        }
        connections
    });
    let mut slot = Slot::new(endpoint, Headers::new());
    for _ in 0..2 {
        let seen = slot
            .send(&Call {
                body: Bytes::from(vec![b' '; 64 << 20]),
                ..call()
            })
            .await;
        assert_eq!(seen.error.as_deref(), Some("HTTP 413: too long"), "{seen:?}");
        assert_eq!(seen.request_sent_ns, None, "64 MiB do not fit into the socket");
    }
    assert_eq!(
        server.join().unwrap(),
        2,
        "a request half written leaves no usable connection"
    );
}

#[tokio::test]
async fn a_large_request_arrives_whole_and_is_sent_when_its_last_byte_is() {
    let server = Server::start(|_, _| complete(3));
    let body = Bytes::from(
        (0..8 << 20)
            .map(|index: u32| index.to_le_bytes()[1])
            .collect::<Vec<u8>>(),
    );
    let mut slot = Slot::new(server.endpoint(), Headers::new());
    for _ in 0..2 {
        let seen = slot
            .send(&Call {
                body: body.clone(),
                ..call()
            })
            .await;
        assert_eq!(seen.outcome, Outcome::Ok, "{seen:?}");
        assert!(
            seen.request_sent_ns.is_some() && seen.request_sent_ns < seen.headers_ns,
            "{seen:?}"
        );
    }
    assert!(
        server
            .requests
            .lock()
            .unwrap()
            .iter()
            .all(|seen| seen.body == body)
    );
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_path_cannot_smuggle_a_header() {
    let server = Server::start(|_, _| complete(3));
    let mut slot = Slot::new(server.endpoint(), Headers::new());
    let seen = slot
        .send(&Call {
            path: "/v1/a HTTP/1.1\r\nx: y",
            ..call()
        })
        .await;
    assert_eq!(seen.outcome, Outcome::Connect);
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}
