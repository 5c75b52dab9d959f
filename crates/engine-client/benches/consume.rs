//! What the measured path costs: tokens per second and processor time of one client thread, beside a bare hyper read
//! loop that reads the same bytes and looks at none of them. Both face the same source in the same process, in turns.
//!
//! `cargo bench -p engine-client` runs all; `-- paced` only what has `paced` in its name.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use contracts::serve_bench::outcome::Outcome;
use engine_client::{Call, Endpoint, Headers, Slot};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use rustix::time::{ClockId, clock_gettime};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How a source sends an answer.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    tokens: usize,
    events_per_write: usize,
    /// Time between writes; none at full speed.
    pause: Duration,
    streams: usize,
    requests_per_stream: usize,
    /// Rounds of both loops in turns; the cheapest ones are compared.
    rounds: usize,
    /// What one thread should reach, in tokens per second.
    goal: Option<f64>,
}

const SHAPES: [Shape; 4] = [
    Shape {
        name: "full speed, 1 event a write",
        tokens: 100,
        events_per_write: 1,
        pause: Duration::ZERO,
        streams: 32,
        requests_per_stream: 100,
        rounds: 7,
        goal: Some(350_000.0),
    },
    Shape {
        name: "full speed, 16 events a write",
        tokens: 1000,
        events_per_write: 16,
        pause: Duration::ZERO,
        streams: 32,
        requests_per_stream: 40,
        rounds: 7,
        goal: Some(800_000.0),
    },
    Shape {
        name: "paced, 256 streams, 10 ms a token",
        tokens: 100,
        events_per_write: 1,
        pause: Duration::from_millis(10),
        streams: 256,
        requests_per_stream: 2,
        rounds: 6,
        goal: None,
    },
    Shape {
        name: "paced, 1000 streams, 50 ms a token",
        tokens: 40,
        events_per_write: 1,
        pause: Duration::from_millis(50),
        streams: 1000,
        requests_per_stream: 1,
        rounds: 4,
        goal: None,
    },
];

/// What one loop used and got.
#[derive(Clone, Copy)]
struct Spent {
    wall_s: f64,
    cpu_s: f64,
    tokens: u64,
    /// Socket reads that brought tokens. On a busy machine one read brings more, which makes tokens cheaper: a read is
    /// what costs, so the loops are compared by it.
    reads: u64,
    lost: u64,
}

/// What one client saw.
#[derive(Clone, Copy, Default)]
struct Got {
    tokens: u64,
    reads: u64,
    lost: u64,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` passes `--test`: nothing to measure then.
    if words.iter().any(|word| word == "--test") {
        return;
    }
    let wanted: Vec<&String> = words.iter().filter(|word| !word.starts_with("--")).collect();
    if wanted.is_empty() || wanted.iter().any(|word| "probe".contains(word.as_str())) {
        probe_time();
    }
    for shape in SHAPES {
        if wanted.is_empty() || wanted.iter().any(|word| shape.name.contains(word.as_str())) {
            measure(shape);
        }
    }
}

/// How long it takes to find out who answers, the first time in a process and then.
fn probe_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 2048];
            let read = stream.read(&mut head).unwrap_or(0);
            let body = if head[..read].starts_with(b"GET /v1/models") {
                r#"{"data":[{"id":"m","owned_by":"vllm"}]}"#
            } else {
                "{}"
            };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
            );
        }
    });
    let endpoint = Endpoint::parse(&address.to_string()).expect("a URL");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let mut times: Vec<f64> = (0..21)
        .map(|_| {
            let begun = Instant::now();
            runtime
                .block_on(engine_client::probe(&endpoint, &Headers::new()))
                .expect("it answers");
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let first = times.remove(0);
    times.sort_by(f64::total_cmp);
    println!(
        "probe: first {first:.2} ms, then {:.2} ms (median of 20)",
        times[10]
    );
}

fn measure(shape: Shape) {
    let address = source(shape);
    let mut rounds: [Vec<Spent>; 2] = Default::default();
    for round in 0..shape.rounds {
        // In turns, the first one changing, so that what else happens on the machine meets both.
        for turn in 0..2 {
            let which = (round + turn) % 2;
            let spent = if which == 0 {
                on_one_thread("ours", move || ours(address, shape))
            } else {
                on_one_thread("bare", move || bare(address, shape))
            };
            rounds[which].push(spent);
        }
    }
    let [ours, bare] = rounds.map(|spents| least(&spents));
    println!(
        "{}: {} streams x {} requests x {} tokens",
        shape.name, shape.streams, shape.requests_per_stream, shape.tokens
    );
    for (name, spent) in [("engine-client", ours), ("bare hyper", bare)] {
        println!(
            "  {name:<14} {:>9.0} tokens/s of wall time, {:>9.0} tokens a CPU-second, {:.3} CPU-s per 100,000 tokens; \
             {:.2} tokens a read, {:.2} us of CPU a read; {} lost",
            spent.tokens as f64 / spent.wall_s,
            spent.tokens as f64 / spent.cpu_s,
            spent.cpu_s / spent.tokens as f64 * 1e5,
            spent.tokens as f64 / spent.reads as f64,
            spent.cpu_s / spent.reads as f64 * 1e6,
            spent.lost,
        );
    }
    println!(
        "  CPU ratio      {:.3} by token, {:.3} by read",
        ours.cpu_s / ours.tokens as f64 / (bare.cpu_s / bare.tokens as f64),
        ours.cpu_s / ours.reads as f64 / (bare.cpu_s / bare.reads as f64),
    );
    if let Some(goal) = shape.goal {
        println!(
            "  goal           {goal:.0} tokens/s: {:.2}x of it by wall time",
            ours.tokens as f64 / ours.wall_s / goal
        );
    }
}

/// The round that used the least: what others do on the machine can only add.
fn least(spents: &[Spent]) -> Spent {
    let least = spents
        .iter()
        .min_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s))
        .expect("at least one round");
    Spent {
        lost: spents.iter().map(|spent| spent.lost).sum(),
        ..*least
    }
}

/// Runs a client on a thread of its own with a runtime of its own, and measures that thread.
fn on_one_thread<F: Future<Output = Got>>(name: &str, client: impl FnOnce() -> F + Send + 'static) -> Spent {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let (wall, cpu) = (Instant::now(), thread_cpu());
        let got = runtime.block_on(client());
        Spent {
            wall_s: wall.elapsed().as_secs_f64(),
            cpu_s: thread_cpu() - cpu,
            tokens: got.tokens,
            reads: got.reads,
            lost: got.lost,
        }
    };
    // A name, so that a profiler can tell the two apart.
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .expect("a thread");
    thread.join().expect("the client ends")
}

fn thread_cpu() -> f64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

async fn ours(address: SocketAddr, shape: Shape) -> Got {
    let endpoint = Endpoint::parse(&address.to_string()).expect("a URL");
    let tasks: Vec<_> = (0..shape.streams)
        .map(|number| {
            let mut slot = Slot::new(endpoint.clone(), Headers::new());
            tokio::spawn(async move {
                stagger(number).await;
                let mut got = Got::default();
                for _ in 0..shape.requests_per_stream {
                    let call = Call {
                        path: "/v1/chat/completions",
                        body: Bytes::from_static(b"{\"stream\":true}"),
                        timeout: Some(Duration::from_secs(60)),
                        ignore_eos: true,
                        requested_output_tokens: Some(shape.tokens as u64),
                        count_tokens: None,
                        cancel: None,
                    };
                    let seen = slot.send(&call).await;
                    got.tokens += seen.chunk_offsets_us.len() as u64;
                    got.reads += seen.chunk_offsets_us.len() as u64 - u64::from(seen.same_read_chunks);
                    let is_whole = seen.outcome == Outcome::Ok && seen.chunk_offsets_us.len() == shape.tokens;
                    got.lost += u64::from(!is_whole);
                }
                got
            })
        })
        .collect();
    sum(tasks).await
}

/// Reads and forgets, with the connection driven by a task of its own, as hyper's own examples have it.
async fn bare(address: SocketAddr, shape: Shape) -> Got {
    let tasks: Vec<_> = (0..shape.streams)
        .map(|number| {
            tokio::spawn(async move {
                stagger(number).await;
                let stream = tokio::net::TcpStream::connect(address)
                    .await
                    .expect("the source listens");
                stream.set_nodelay(true).expect("a socket option");
                let reads = Arc::new(AtomicU64::new(0));
                let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(Counted {
                    stream,
                    reads: Arc::clone(&reads),
                }))
                .await
                .expect("a handshake");
                tokio::spawn(connection);
                let mut bytes = 0;
                for _ in 0..shape.requests_per_stream {
                    sender.ready().await.expect("the connection lives");
                    let request = hyper::Request::post("/v1/chat/completions")
                        .header("host", "a")
                        .body(Full::new(Bytes::from_static(b"{\"stream\":true}")))
                        .expect("a request");
                    let mut answer = sender.send_request(request).await.expect("an answer");
                    while let Some(frame) = answer.frame().await {
                        bytes += frame.expect("a body").data_ref().map_or(0, Bytes::len);
                    }
                }
                assert!(bytes > 0);
                Got {
                    tokens: (shape.requests_per_stream * shape.tokens) as u64,
                    reads: reads.load(Ordering::Relaxed),
                    lost: 0,
                }
            })
        })
        .collect();
    sum(tasks).await
}

/// Connections that are opened at one moment overflow the source's queue, and some then wait a second.
async fn stagger(number: usize) {
    tokio::time::sleep(Duration::from_micros(150 * number as u64)).await;
}

async fn sum(tasks: Vec<tokio::task::JoinHandle<Got>>) -> Got {
    let mut all = Got::default();
    for task in tasks {
        let got = task.await.expect("a stream ends");
        all.tokens += got.tokens;
        all.reads += got.reads;
        all.lost += got.lost;
    }
    all
}

/// A TCP stream that counts the reads that brought something.
struct Counted {
    stream: tokio::net::TcpStream,
    reads: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.reads.fetch_add(1, Ordering::Relaxed);
        }
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Sends the same bytes for every request, one thread a connection.
fn source(shape: Shape) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let writes = Arc::new(writes(shape));
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let writes = Arc::clone(&writes);
            let serve = move || serve(stream, &writes, shape.pause);
            std::thread::Builder::new()
                .stack_size(64 << 10)
                .spawn(serve)
                .expect("a thread");
        }
    });
    address
}

fn serve(mut stream: TcpStream, writes: &[Vec<u8>], pause: Duration) {
    stream.set_nodelay(true).expect("a socket option");
    let mut buffer = [0; 4096];
    let mut held = 0;
    loop {
        match stream.read(&mut buffer[held..]) {
            Ok(0) | Err(_) => return,
            Ok(read) => held += read,
        }
        if !buffer[..held].ends_with(b"{\"stream\":true}") {
            continue;
        }
        held = 0;
        let begun = Instant::now();
        for (number, bytes) in writes.iter().enumerate() {
            if !pause.is_zero() {
                let due = begun + pause * u32::try_from(number).unwrap_or(u32::MAX);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            if stream.write_all(bytes).is_err() {
                return;
            }
        }
    }
}

/// The answer in the pieces in which it is written; every event is an HTTP chunk, as engines send it.
fn writes(shape: Shape) -> Vec<Vec<u8>> {
    let chunk = |data: &str| {
        let event = format!("data: {data}\n\n");
        format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
    };
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n";
    let words = [" the", " model", ",", " of", "\\n", " été", " attention", " a"];
    let token = |number: usize| {
        let word = words[number % words.len()];
        chunk(&format!(
            "{{\"id\":\"chatcmpl-0f3a5c1e9b7d4a62\",\"object\":\"chat.completion.chunk\",\"created\":1795312345,\"model\":\"m\",\
             \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}},\"logprobs\":null,\"finish_reason\":null}}]}}"
        ))
    };
    let tokens: Vec<Vec<u8>> = (0..shape.tokens).map(token).collect();
    let mut writes = vec![head.to_vec()];
    writes.extend(tokens.chunks(shape.events_per_write).map(<[Vec<u8>]>::concat));
    let end = [
        chunk(r#"{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#),
        chunk(&format!(
            r#"{{"id":"c","choices":[],"usage":{{"prompt_tokens":9,"completion_tokens":{}}}}}"#,
            shape.tokens
        )),
        chunk("[DONE]"),
        b"0\r\n\r\n".to_vec(),
    ];
    writes.push(end.concat());
    writes
}
