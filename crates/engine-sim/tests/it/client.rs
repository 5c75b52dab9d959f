//! A client that hides nothing: it keeps the bytes of every read and how the connection ended.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use engine_sim::Running;
use serde_json::{Value, json};

/// How the connection ended, or stopped being read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum End {
    /// The answer was complete.
    Complete,
    /// The peer closed.
    Closed,
    /// The peer reset.
    Reset,
    /// Nothing came for as long as was waited.
    Silent,
}

/// Everything that came back.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) bytes: Vec<u8>,
    pub(crate) end: End,
}

impl Got {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn status(&self) -> u16 {
        self.text().split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn head(&self) -> String {
        self.text().split("\r\n\r\n").next().unwrap().to_owned()
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let at = self
            .bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap();
        self.bytes[at + 4..].to_vec()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body()).unwrap()
    }

    /// The HTTP chunks of the body, as far as they are complete.
    pub(crate) fn chunks(&self) -> Vec<Vec<u8>> {
        let body = self.body();
        let mut chunks = Vec::new();
        let mut rest = &body[..];
        while let Some(line) = rest.windows(2).position(|window| window == b"\r\n") {
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
            let Some(chunk) = rest.get(line + 2..line + 2 + size) else {
                break;
            };
            if size == 0 {
                break;
            }
            chunks.push(chunk.to_vec());
            rest = rest.get(line + 4 + size..).unwrap_or(&[]);
        }
        chunks
    }

    /// The data of every complete event, with `[DONE]` as a string.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = String::from_utf8_lossy(&self.chunks().concat()).replace("\r\n", "\n");
        text.split("\n\n")
            .filter_map(|event| event.strip_prefix("data: "))
            .map(|data| serde_json::from_str(data).unwrap_or_else(|_| Value::from(data)))
            .collect()
    }

    /// Deltas of the events that have choices.
    pub(crate) fn deltas(&self) -> Vec<Value> {
        let events = self.events();
        let choices = events.iter().filter_map(|event| event.get("choices")?.get(0));
        choices.map(|choice| choice["delta"].clone()).collect()
    }

    pub(crate) fn done(&self) -> bool {
        self.events().last() == Some(&Value::from("[DONE]"))
    }

    pub(crate) fn finish_reason(&self) -> Option<String> {
        let events = self.events();
        let mut reasons = events
            .iter()
            .filter_map(|event| event["choices"][0]["finish_reason"].as_str());
        reasons.next_back().map(str::to_owned)
    }
}

/// A server with this script.
pub(crate) fn server(script: Value) -> Running {
    Running::start(serde_json::from_value(script).unwrap()).unwrap()
}

/// A server that answers every request in the same way, quickly.
pub(crate) fn replies(mut reply: Value) -> Running {
    let fields = reply.as_object_mut().unwrap();
    fields.entry("ttft_ms").or_insert(json!(1));
    fields.entry("itl_ms").or_insert(json!(0.1));
    server(json!({"defaults": reply}))
}

/// A chat request for `tokens` tokens, streamed, with usage.
pub(crate) fn chat(tokens: u32) -> Value {
    json!({
        "model": "sim-model", "messages": [{"role": "user", "content": "a b c"}], "max_tokens": tokens,
        "stream": true, "stream_options": {"include_usage": true}, "ignore_eos": true,
    })
}

pub(crate) fn post_bytes(path: &str, body: &[u8], fields: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\n{fields}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// One request on a connection of its own.
pub(crate) fn post(server: &Running, path: &str, body: &Value) -> Got {
    exchange(server, &post_bytes(path, body.to_string().as_bytes(), ""))
}

pub(crate) fn ask(server: &Running, tokens: u32) -> Got {
    post(server, "/v1/chat/completions", &chat(tokens))
}

pub(crate) fn get(server: &Running, path: &str) -> Got {
    exchange(
        server,
        format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes(),
    )
}

pub(crate) fn exchange(server: &Running, request: &[u8]) -> Got {
    exchange_at(server.address(), request)
}

/// One request on a connection of its own, by address.
pub(crate) fn exchange_at(address: SocketAddr, request: &[u8]) -> Got {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(request).unwrap();
    read_answer(&mut socket)
}

/// Reads one answer.
pub(crate) fn read_answer(socket: &mut TcpStream) -> Got {
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut got = Got {
        bytes: Vec::new(),
        end: End::Complete,
    };
    let mut buffer = [0; 4096];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => got.end = End::Closed,
            Ok(count) => {
                got.bytes.extend_from_slice(&buffer[..count]);
                if !complete(&got.bytes) {
                    continue;
                }
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => got.end = End::Reset,
            Err(_) => got.end = End::Silent,
        }
        return got;
    }
}

fn complete(bytes: &[u8]) -> bool {
    if bytes.ends_with(b"0\r\n\r\n") {
        return true;
    }
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    let length = head
        .split("content-length: ")
        .nth(1)
        .and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
    length.is_some_and(|length| bytes.len() >= end + 4 + length)
}

/// The record of the last request.
pub(crate) fn last_truth(server: &Running) -> Value {
    let truth = get(server, "/truth").json();
    truth["requests"].as_array().unwrap().last().cloned().unwrap()
}
