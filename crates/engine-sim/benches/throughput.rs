//! How fast a scripted server can be: tokens per second into a sink that reads and forgets, the timing error at 64
//! streams, and the processor time of 256 streams.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use engine_sim::Running;
use serde_json::{Value, json};

fn main() {
    // `cargo test --benches` passes `--test`: nothing to measure then.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    for events_per_write in [1, 16, 64] {
        sink(events_per_write);
    }
    for streams in [1, 4, 16, 64, 256, 1000] {
        paced(streams);
    }
}

fn start(reply: Value) -> Running {
    let script =
        serde_json::from_value(json!({"context_tokens": 10_000_000, "defaults": reply})).expect("a script");
    Running::start(script).expect("a free port")
}

fn request(tokens: u32) -> Vec<u8> {
    let body = json!({"messages": [{"role": "user", "content": "a"}], "max_tokens": tokens, "stream": true})
        .to_string();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn read_to_end(socket: &mut TcpStream, buffer: &mut [u8]) -> u64 {
    let mut total = 0;
    loop {
        let count = socket.read(buffer).expect("the server answers");
        total += count as u64;
        if count == 0 {
            return total;
        }
    }
}

fn sink(events_per_write: u32) {
    let tokens = 1_000_000;
    let running = start(json!({"ttft_ms": 0, "itl_ms": 0, "events_per_write": events_per_write}));
    let mut socket = TcpStream::connect(running.address()).expect("it listens");
    let mut buffer = vec![0; 1 << 20];
    let began = Instant::now();
    socket.write_all(&request(tokens)).expect("it reads");
    let bytes = read_to_end(&mut socket, &mut buffer);
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "sink: {events_per_write:>3} events a write: {:>10.0} tokens/s, {:>6.0} MB/s",
        f64::from(tokens) / seconds,
        bytes as f64 / 1e6 / seconds
    );
}

fn paced(streams: usize) {
    let running = start(json!({"ttft_ms": 50, "itl_ms": 10}));
    let address = running.address();
    let before = cpu();
    let threads: Vec<_> = (0..streams)
        .map(|number| {
            let builder = std::thread::Builder::new().stack_size(128 << 10);
            builder.spawn(move || stream(address, number)).expect("a thread")
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().expect("a stream ends"));
    let used = cpu() - before;
    let truth = truth(address);
    let late = &truth["lateness"];
    println!(
        "paced: {streams:>4} streams of 100 tokens, 10 ms apart: lateness mean {:.3} ms, p99 {:.3} ms, max {:.3} ms; \
         {:.2} CPU-s with the clients",
        late["mean_ms"].as_f64().unwrap_or(f64::NAN),
        late["p99_ms"].as_f64().unwrap_or(f64::NAN),
        late["max_ms"].as_f64().unwrap_or(f64::NAN),
        used.as_secs_f64(),
    );
}

fn stream(address: SocketAddr, number: usize) {
    std::thread::sleep(Duration::from_micros(37 * number as u64));
    let mut socket = TcpStream::connect(address).expect("it listens");
    socket.write_all(&request(100)).expect("it reads");
    read_to_end(&mut socket, &mut [0; 4096]);
}

fn truth(address: SocketAddr) -> Value {
    let mut socket = TcpStream::connect(address).expect("it listens");
    socket
        .write_all(b"GET /truth HTTP/1.1\r\nconnection: close\r\n\r\n")
        .expect("it reads");
    let mut text = String::new();
    socket.read_to_string(&mut text).expect("it answers");
    let (_, body) = text.split_once("\r\n\r\n").expect("a head");
    serde_json::from_str(body).expect("JSON")
}

/// Processor time of this process, clients and server together.
fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
