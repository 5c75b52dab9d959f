//! A server that gives one answer after the other to `/metrics`, and 404 to everything else.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

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

/// Starts one that answers by the request line and the body, which it also gives to `asked`.
pub(crate) fn answer(
    handler: impl Fn(&str, &str) -> Answer + Send + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).is_ok_and(|read| read > 0) {}
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            });
            let mut body = vec![0; length.unwrap_or(0)];
            if stream.read_exact(&mut body).is_err() {
                continue;
            }
            let body = String::from_utf8(body).unwrap();
            let (status, reply) = handler(head.lines().next().unwrap_or_default(), &body);
            log.lock().unwrap().push(format!("{head}{body}"));
            let length = reply.len();
            let _ = write!(
                stream.get_mut(),
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{reply}"
            );
        }
    });
    (url, asked)
}
