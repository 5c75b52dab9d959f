//! A server that gives one answer after the other to `/metrics`, and 404 to everything else.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Status line and body.
pub(crate) type Answer = (&'static str, String);

/// Starts one; the last answer is repeated. It ends with the test process.
pub(crate) fn serve(path: &'static str, answers: Vec<Answer>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let next = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
                head.push(byte[0]);
            }
            let asked = String::from_utf8_lossy(&head).into_owned();
            let (status, body) = if asked.starts_with(&format!("GET {path} ")) {
                let index = next.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
                answers[index].clone()
            } else {
                ("404 Not Found", "{}".to_owned())
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

/// Metrics, one payload a reading.
pub(crate) fn metrics(payloads: &[&str]) -> String {
    serve(
        "/metrics",
        payloads
            .iter()
            .map(|text| ("200 OK", (*text).to_owned()))
            .collect(),
    )
}
