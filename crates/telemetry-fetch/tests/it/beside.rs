//! What is read beside the metrics: GPUs, and spans that come by themselves.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use contracts::Exit;
use serde_json::Value;

use crate::server::metrics;
use crate::{document, run, warnings};

const TEXT: &str = "# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total 1\n";

/// The message of an error, its code and its exit.
fn refusal(line: &str) -> (String, Exit) {
    let failure = run(line).unwrap_err();
    (failure.document.code, failure.exit)
}

#[test]
fn without_a_driver_one_line_says_so() {
    let url = metrics(&[TEXT]);
    for line in [
        format!("snapshot --url {url} --gpu"),
        format!("window --url {url} --gpu --interval 10s -- true"),
    ] {
        let report = run(&line).unwrap();
        let read = document(&report);
        assert_eq!(report.exit(), Exit::Ok);
        let told = warnings(&read)
            .iter()
            .filter(|code| **code == "gpu-unavailable")
            .count();
        // A machine that has a driver reads it.
        assert_eq!(told, usize::from(read["data"]["gpu"].is_null()), "{line}");
    }
    let read = document(&run(&format!("window --url {url} --interval 10s -- true")).unwrap());
    assert!(read["data"]["gpu"].is_null() && !warnings(&read).contains(&"gpu-unavailable"));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let url = metrics(&[TEXT]);
    let (code, exit) = refusal(&format!("window --url {url} --otlp {port} -- true"));
    assert_eq!(
        (code.as_str(), exit),
        ("otlp-port-unavailable", Exit::Unavailable)
    );
}

#[test]
fn no_span_is_a_warning() {
    let url = metrics(&[TEXT]);
    let line = format!("window --url {url} --interval 10s --otlp 0 --otlp-wait 0s -- true");
    let read = document(&run(&line).unwrap());
    assert!(warnings(&read).contains(&"spans-missing"));
    let source = &read["data"]["sources"][1];
    assert_eq!(
        (&source["kind"], &source["status"]),
        (&Value::from("otlp"), &Value::from("partial"))
    );
}

#[test]
fn spans_of_the_window_are_rows_with_exact_quantiles() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    // An engine that ends a request every few milliseconds, from before the window until the port closes.
    let engine = std::thread::spawn(move || {
        let mut sent = 0_u64;
        let mut waits = 0;
        loop {
            match send(port, sent + 1) {
                Some(answer) => {
                    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
                    sent += 1;
                }
                None if sent > 0 || waits > 1000 => return sent,
                None => waits += 1,
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let url = metrics(&[TEXT]);
    let line = format!("window --url {url} --interval 10s --otlp {port} --otlp-wait 20ms -- sleep 0.1");
    let read = document(&run(&line).unwrap());
    let sent = engine.join().unwrap();
    let rows = read["data"]["metrics"].as_array().unwrap();
    let ttft = rows
        .iter()
        .find(|row| row["id"] == "ttft_ms")
        .unwrap_or_else(|| panic!("{sent} sent: {rows:#?}"));
    assert_eq!(
        (&ttft["kind"], &ttft["semantics"]),
        (&Value::from("spans"), &Value::from("per_request"))
    );
    let count = ttft["count"].as_u64().unwrap();
    assert!((1..=sent).contains(&count), "{count} of {sent}");
    for quantile in ttft["quantiles"].as_array().unwrap() {
        assert_eq!(quantile["value"], 83.0);
        assert_eq!(
            (&quantile["lo"], &quantile["hi"]),
            (&quantile["value"], &quantile["value"])
        );
    }
    assert_eq!(read["data"]["sources"][1]["readings"], count);
}

/// Sends a span that ends now; the head of the answer, or nothing when nobody listens.
fn send(port: u16, id: u64) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let ttft = [
        field(1, b"gen_ai.latency.time_to_first_token"),
        field(2, &fixed(4, 0.083_f64.to_bits())),
    ]
    .concat();
    let span = [
        field(1, &[7; 16]),
        field(2, &id.to_le_bytes()),
        field(5, b"llm_request"),
        fixed(7, now),
        fixed(8, now),
        field(9, &ttft),
    ];
    let body = field(1, &field(2, &field(2, &span.concat())));
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/x-protobuf\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    // The port closed while it was asked.
    (!answer.is_empty()).then_some(answer)
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len();
    let mut out = vec![number << 3 | 2, (length & 127) as u8 | 128, (length >> 7) as u8];
    out.extend(bytes);
    out
}

fn fixed(number: u8, value: u64) -> Vec<u8> {
    [&[number << 3 | 1][..], &value.to_le_bytes()].concat()
}
