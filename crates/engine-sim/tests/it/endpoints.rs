//! Who serves what, the errors of the API, and the rules of HTTP.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use engine_sim::Running;
use serde_json::{Value, json};

use crate::client::{End, ask, chat, exchange, get, post, post_bytes, read_answer, replies, server};

#[test]
fn every_identity_says_that_it_is_simulated() {
    let of = |identity: &str, path: &str| get(&server(json!({"identity": identity, "model": "m"})), path);
    for identity in [
        "vllm",
        "sglang",
        "tensorrt_llm",
        "tokenspeed",
        "llama_cpp",
        "other",
    ] {
        let models = of(identity, "/v1/models").json();
        assert_eq!(
            (models["simulated"].as_bool(), models["data"][0]["id"].as_str()),
            (Some(true), Some("m"))
        );
        assert_eq!(of(identity, "/health").status(), 200);
    }
    for path in ["/server_info", "/get_server_info"] {
        assert_eq!(of("sglang", path).json()["simulated"], true);
        assert_eq!(of("other", path).status(), 404);
    }
    assert_eq!(of("vllm", "/version").json()["simulated"], true);
    assert_eq!(of("sglang", "/version").status(), 404);
    assert_eq!(of("llama_cpp", "/props").json()["simulated"], true);
}

#[test]
fn a_key_is_asked_for_and_never_shown() {
    let running = server(json!({"api_key": "s3cret", "defaults": {"ttft_ms": 0, "itl_ms": 0}}));
    assert_eq!(ask(&running, 1).status(), 401);
    assert_eq!(get(&running, "/v1/models").status(), 401);
    assert_eq!(get(&running, "/health").status(), 200);
    let body = chat(1).to_string();
    let got = exchange(
        &running,
        &post_bytes(
            "/v1/chat/completions",
            body.as_bytes(),
            "authorization: Bearer s3cret\r\n",
        ),
    );
    assert!(got.done());
    assert!(!get(&running, "/truth").text().contains("s3cret"));
}

#[test]
fn another_model_is_refused_with_the_names_that_are_served() {
    let running = server(json!({"model": "real-one"}));
    let got = ask(&running, 1);
    assert_eq!(got.status(), 404);
    assert!(got.text().contains("real-one"), "{}", got.text());
}

#[test]
fn a_prompt_over_the_context_is_refused_in_the_words_of_the_engine() {
    for (identity, words) in [
        ("vllm", "maximum context length is 4 tokens"),
        ("sglang", "maximum context length of 4 tokens"),
    ] {
        let running = server(json!({"context_tokens": 4, "identity": identity}));
        let got = ask(&running, 2);
        assert_eq!(got.status(), 400);
        assert!(got.text().contains(words), "{}", got.text());
        assert_eq!(got.json().get("error").is_some(), identity == "vllm");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    let running = replies(json!({}));
    assert_eq!(
        post(&running, "/v1/chat/completions", &json!({"messages": 1})).status(),
        400
    );
    assert_eq!(post(&running, "/v1/chat/completions", &json!([])).status(), 400);
    assert_eq!(get(&running, "/v1/chat/completions").status(), 405);
    assert_eq!(get(&running, "/nothing").status(), 404);
    let tls = exchange(&running, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n");
    assert_eq!((tls.status(), tls.end), (400, End::Complete));
}

#[test]
fn a_connection_serves_one_request_after_the_other_pipelined_too() {
    let running = replies(json!({}));
    let mut socket = TcpStream::connect(running.address()).unwrap();
    for _ in 0..3 {
        socket
            .write_all(&post_bytes(
                "/v1/chat/completions",
                chat(2).to_string().as_bytes(),
                "",
            ))
            .unwrap();
        assert!(read_answer(&mut socket).done());
    }
    let one = post_bytes(
        "/v1/chat/completions",
        chat(2).to_string().as_bytes(),
        "connection: close\r\n",
    );
    let health = b"GET /health HTTP/1.1\r\n\r\n";
    socket
        .write_all(&[&health[..], &health[..], &one].concat())
        .unwrap();
    let mut all = String::new();
    std::io::Read::read_to_string(&mut socket, &mut all).unwrap();
    assert_eq!(all.matches("HTTP/1.1 200 OK").count(), 3);
    assert!(all.ends_with("0\r\n\r\n") && all.contains("connection: close"));
    let truth = get(&running, "/truth").json();
    assert_eq!(truth["connections_total"], 2);
}

#[test]
fn old_clients_get_no_chunks_and_careful_ones_are_told_to_go_on() {
    let running = replies(json!({}));
    let body = chat(2).to_string();
    let mut old = post_bytes("/v1/chat/completions", body.as_bytes(), "");
    let at = old.windows(8).position(|window| window == b"HTTP/1.1").unwrap();
    old[at + 7] = b'0';
    let got = exchange(&running, &old);
    assert_eq!(got.end, End::Closed);
    assert!(got.text().ends_with("data: [DONE]\n\n") && !got.head().contains("chunked"));

    let mut socket = TcpStream::connect(running.address()).unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    std::io::Read::read_exact(&mut socket, &mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(body.as_bytes()).unwrap();
    assert!(read_answer(&mut socket).done());
}

#[test]
fn it_listens_on_the_other_loopback_as_well() {
    let script = serde_json::from_value(json!({"defaults": {"ttft_ms": 0, "itl_ms": 0}})).unwrap();
    match Running::start_at(SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0)), script) {
        Ok(running) => {
            assert!(running.url().starts_with("http://[::1]:"));
            assert!(ask(&running, 1).done());
        }
        // A machine without IPv6 has no such address; everything else is a failure.
        Err(error) => assert!(!std::path::Path::new("/proc/net/if_inet6").exists(), "{error}"),
    }
}

#[test]
fn the_truth_validates_and_can_be_reset() {
    let running = replies(json!({}));
    ask(&running, 3);
    let truth = get(&running, "/truth").json();
    let schema = serde_json::to_value(schemars::schema_for!(contracts::engine_sim::Truth)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(
        validator.is_valid(&truth),
        "{:?}",
        validator
            .iter_errors(&truth)
            .map(|e| e.to_string())
            .collect::<Vec<_>>()
    );
    assert_eq!(
        (truth["requests_total"].as_u64(), truth["tokens_total"].as_u64()),
        (Some(1), Some(3))
    );
    assert_eq!(post(&running, "/truth/reset", &Value::Null).status(), 200);
    let truth = get(&running, "/truth").json();
    assert_eq!(
        (
            truth["requests_total"].as_u64(),
            truth["requests"].as_array().unwrap().len()
        ),
        (Some(0), 0)
    );
}

#[test]
fn words_are_tokens() {
    let running = replies(json!({"prompt_token_ratio": 1.5}));
    let tokens = post(
        &running,
        "/tokenize",
        &json!({"model": "sim-model", "prompt": "one two  three"}),
    )
    .json();
    assert_eq!(tokens["count"], 3);
    let got = ask(&running, 1);
    assert_eq!(got.events()[3]["usage"]["prompt_tokens"], 5);
}
