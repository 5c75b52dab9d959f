//! A server that answers each request with a list of steps. One thread a connection; ends with the test.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine_client::Endpoint;

/// What the server does next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Writes bytes as they are.
    Raw(Vec<u8>),
    /// Writes bytes as one HTTP chunk.
    Chunk(Vec<u8>),
    /// Waits.
    Pause(u64),
    /// Closes the connection.
    Close,
    /// Sends nothing more until the client goes away.
    Hang,
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) connections: Arc<AtomicUsize>,
    pub(crate) requests: Arc<Mutex<Vec<Seen>>>,
}

type Answer = dyn Fn(usize, &Seen) -> Vec<Step> + Send + Sync;

impl Server {
    /// Answers request number n (from 0) with `answer(n, request)`.
    pub(crate) fn start(answer: impl Fn(usize, &Seen) -> Vec<Step> + Send + Sync + 'static) -> Server {
        Server::start_at("127.0.0.1:0", answer)
    }

    pub(crate) fn start_at(
        address: &str,
        answer: impl Fn(usize, &Seen) -> Vec<Step> + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind(address).expect("a loopback port is free");
        let server = Server {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let (connections, requests) = (Arc::clone(&server.connections), Arc::clone(&server.requests));
        let answer: Arc<Answer> = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                let (requests, answer) = (Arc::clone(&requests), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &requests, &*answer));
            }
        });
        server
    }

    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::parse(&format!("http://{}", self.address)).unwrap()
    }
}

fn serve(mut stream: TcpStream, requests: &Mutex<Vec<Seen>>, answer: &Answer) {
    stream.set_nodelay(true).unwrap();
    while let Some(seen) = read_request(&mut stream) {
        let number = {
            let mut requests = requests.lock().unwrap();
            requests.push(seen.clone());
            requests.len() - 1
        };
        for step in answer(number, &seen) {
            let written = match step {
                Step::Raw(bytes) => stream.write_all(&bytes),
                Step::Chunk(bytes) => {
                    let framed = [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat();
                    stream.write_all(&framed)
                }
                Step::Pause(ms) => {
                    std::thread::sleep(Duration::from_millis(ms));
                    Ok(())
                }
                Step::Close => {
                    let _ = stream.shutdown(Shutdown::Both);
                    return;
                }
                Step::Hang => {
                    let _ = stream.read(&mut [0; 1]);
                    return;
                }
            };
            if written.is_err() {
                return;
            }
        }
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length:")
                .map(|value| value.trim().parse().unwrap())
        })
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Seen { head, body })
}

/// The head of a chunked event stream.
pub(crate) fn stream_head() -> Step {
    Step::Raw(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(),
    )
}

/// The last chunk.
pub(crate) fn stream_end() -> Step {
    Step::Raw(b"0\r\n\r\n".to_vec())
}

/// An answer in one piece.
pub(crate) fn whole(status: &str, headers: &str, body: &str) -> Vec<Step> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    vec![Step::Raw([head.as_bytes(), body.as_bytes()].concat())]
}

/// One event as one HTTP chunk.
pub(crate) fn event(data: &str) -> Step {
    Step::Chunk(format!("data: {data}\n\n").into_bytes())
}

/// A token of a chat stream.
pub(crate) fn token(text: &str) -> Step {
    event(&format!(
        r#"{{"id":"c","choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":null}}]}}"#
    ))
}

/// The chunk with the finish reason.
pub(crate) fn finish(reason: &str) -> Step {
    event(&format!(
        r#"{{"id":"c","choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#
    ))
}

/// The chunk with usage.
pub(crate) fn usage(input: u64, output: u64) -> Step {
    event(&format!(
        r#"{{"id":"c","choices":[],"usage":{{"prompt_tokens":{input},"completion_tokens":{output}}}}}"#
    ))
}

/// A complete stream of `tokens` tokens.
pub(crate) fn complete(tokens: u64) -> Vec<Step> {
    let mut steps = vec![stream_head()];
    steps.extend((0..tokens).map(|_| token("a")));
    steps.extend([finish("length"), usage(3, tokens), event("[DONE]"), stream_end()]);
    steps
}
