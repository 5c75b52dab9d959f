//! From the start of the process to the first byte of its first request, probe included: a child of ours against a
//! listener of ours.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use cli_kit::Failure;
use contracts::Exit;

const MODELS: &str = r#"{"object":"list","data":[{"id":"sim-model","object":"model"}]}"#;
const ANSWER: &str =
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// Milliseconds from spawn to the first byte of the first completion request.
pub(super) fn measure() -> Result<f64, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::Unavailable,
            "first-byte",
            format!("cannot measure the start-up: {error}"),
        )
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || answer(stream, &sender));
        }
    });
    let binary = std::env::current_exe().map_err(failed)?;
    let start = Instant::now();
    let mut child = Command::new(binary)
        .args([
            "run",
            "--url",
            &format!("http://127.0.0.1:{port}"),
            "--num-prompts",
            "1",
            "--concurrency",
            "1",
        ])
        .args(["--warmup", "0", "--quiet", "--format", "json"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let arrived = receiver.recv_timeout(Duration::from_secs(10));
    let _ = child.wait();
    let arrived: Instant = arrived.map_err(|_| {
        Failure::new(
            Exit::Unavailable,
            "first-byte",
            "the child sent no request within 10 s",
        )
    })?;
    Ok(arrived.saturating_duration_since(start).as_secs_f64() * 1e3)
}

/// Answers requests on one connection until it closes.
fn answer(mut stream: TcpStream, sender: &mpsc::Sender<Instant>) {
    let mut buffer = Vec::new();
    let mut chunk = [0_u8; 4096];
    let mut arrived = Instant::now();
    loop {
        let read = match stream.read(&mut chunk) {
            Ok(read) if read > 0 => read,
            _ => return,
        };
        if buffer.is_empty() {
            arrived = Instant::now();
        }
        buffer.extend_from_slice(&chunk[..read]);
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        let length: usize = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
            .unwrap_or(0);
        if buffer.len() < head + 4 + length {
            continue;
        }
        let is_completion = text.starts_with("post /v1/");
        if is_completion {
            // The probe posts to /tokenize before. Nobody waits any more after the first completion.
            let _ = sender.send(arrived);
        }
        let (status, kind, body) = if is_completion {
            ("200 OK", "text/event-stream", ANSWER)
        } else if text.starts_with("get /v1/models") {
            ("200 OK", "application/json", MODELS)
        } else {
            ("404 Not Found", "application/json", "{}")
        };
        buffer.clear();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_no_completion() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, receiver) = mpsc::channel();
        let server = std::thread::spawn(move || answer(listener.accept().unwrap().0, &sender));
        let mut client = TcpStream::connect(address).unwrap();
        let mut ask = |path: &str, status: &str| {
            write!(client, "POST {path} HTTP/1.1\r\ncontent-length: 2\r\n\r\n{{}}").unwrap();
            let mut head = vec![0; status.len()];
            client.read_exact(&mut head).unwrap();
            assert_eq!(head, status.as_bytes());
            let mut rest = [0; 4096];
            let _ = client.read(&mut rest).unwrap();
        };
        ask("/tokenize", "HTTP/1.1 404");
        assert!(receiver.try_recv().is_err());
        ask("/v1/chat/completions", "HTTP/1.1 200");
        assert!(receiver.try_recv().is_ok());
        drop(client);
        server.join().unwrap();
    }
}
