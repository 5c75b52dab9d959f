//! Timing as far as a shared machine allows to assert it: nothing is ever early, nothing drifts, nobody is blocked.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::client::{ask, chat, get, last_truth, post_bytes, replies, server};

#[test]
fn nothing_is_early_and_lateness_does_not_add_up() {
    let running = replies(json!({"ttft_ms": 10, "itl_ms": 1}));
    ask(&running, 40);
    let truth = last_truth(&running);
    let of = |name: &str| truth[name].as_u64().unwrap();
    assert_eq!(of("first_token_due_ns") - of("received_ns"), 10_000_000);
    assert!(of("first_token_ns") >= of("first_token_due_ns"));
    let span_ms = (of("last_token_ns") - of("received_ns")) as f64 / 1e6;
    // 39 gaps of 1 ms; if lateness added up, 40 wake-ups of some 0.1 ms would show.
    let late_ms = truth["lateness"]["max_ms"].as_f64().unwrap();
    assert!(
        span_ms >= 49.0 && span_ms <= 49.0 + late_ms + 0.01,
        "{span_ms} {late_ms}"
    );
}

#[test]
fn a_client_that_does_not_read_delays_nobody() {
    let running = server(json!({
        "defaults": {"ttft_ms": 1, "itl_ms": 0.1},
        "rules": [{"numbers": [1], "reply": {"ttft_ms": 0, "itl_ms": 0}}],
    }));
    let mut lazy = TcpStream::connect(running.address()).unwrap();
    lazy.write_all(&post_bytes(
        "/v1/chat/completions",
        chat(60_000).to_string().as_bytes(),
        "",
    ))
    .unwrap();
    // The head is there, so the answer has begun and is filling every buffer there is.
    let mut head = [0; 16];
    lazy.read_exact(&mut head).unwrap();
    assert!(ask(&running, 10).done());
    let truth = get(&running, "/truth").json();
    let lazy_truth = &truth["requests"][0];
    assert_eq!(
        lazy_truth["end_ns"],
        json!(null),
        "12 MB fit into no socket buffer"
    );
    // When it reads after all, it gets everything.
    let mut rest = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    while !rest.ends_with(b"0\r\n\r\n") {
        let count = lazy.read(&mut buffer).unwrap();
        assert_ne!(count, 0);
        rest.extend_from_slice(&buffer[..count]);
    }
    assert_eq!(
        String::from_utf8(rest).unwrap().matches("\"content\":\"").count(),
        60_001
    );
}

#[test]
fn a_thousand_streams_lose_nothing() {
    let running = server(json!({"defaults": {"ttft_ms": 30, "itl_ms": 2}}));
    let request = post_bytes("/v1/chat/completions", chat(20).to_string().as_bytes(), "");
    let mut sockets: Vec<TcpStream> = Vec::new();
    for _ in 0..1000 {
        // A machine with fewer descriptors than that tests as many as it has.
        let Ok(socket) = TcpStream::connect(running.address()) else {
            break;
        };
        sockets.push(socket);
    }
    assert!(sockets.len() >= 200, "{}", sockets.len());
    for socket in &mut sockets {
        socket.write_all(&request).unwrap();
    }
    for socket in &mut sockets {
        assert!(crate::client::read_answer(socket).done());
    }
    let count = sockets.len() as u64;
    drop(sockets);
    let truth = get(&running, "/truth").json();
    assert_eq!(
        (truth["requests_total"].as_u64(), truth["tokens_total"].as_u64()),
        (Some(count), Some(20 * count))
    );
}

#[test]
fn a_new_connection_can_stay_unread_for_a_while() {
    let running = server(json!({"accept_delay_ms": 30, "defaults": {"ttft_ms": 0, "itl_ms": 0}}));
    let start = std::time::Instant::now();
    assert!(ask(&running, 1).done());
    assert!(start.elapsed().as_millis() >= 30);
}
