//! What the launched process does. The role stands in an environment variable.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// The variable that holds the role and its arguments.
pub(crate) const ROLE: &str = "ENGINE_LAUNCH_TEST_ROLE";

/// How to start this binary in a role.
pub(crate) fn argv() -> Vec<String> {
    let program = std::env::current_exe().unwrap();
    [
        program.to_str().unwrap(),
        "--exact",
        "role::the_launched_process",
        "--ignored",
        "--nocapture",
    ]
    .map(str::to_owned)
    .to_vec()
}

#[test]
#[ignore = "the server that the other tests start, not a test"]
fn the_launched_process() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let words: Vec<&str> = role.split(' ').collect();
    match words[..] {
        ["serve", port] => serve(port, false),
        ["serve-loading", port] => serve(port, true),
        ["serve-stubborn", port] => {
            // Once somebody listens to SIGTERM, it no longer ends the process.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let guard = runtime.enter();
            let _signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
            drop(guard);
            serve(port, false);
        }
        ["serve-with-worker", port] => {
            let mut worker = std::process::Command::new("sleep").arg("60").spawn().unwrap();
            println!("worker {}", worker.id());
            serve(port, false);
            worker.wait().unwrap();
        }
        ["silent"] => std::thread::sleep(Duration::from_secs(60)),
        ["fail", code] => {
            println!("loading weights");
            eprintln!(
                "\u{1b}[31mCUDA out of memory\u{1b}[0m, token is {}",
                std::env::var("HF_TOKEN").unwrap_or_default()
            );
            std::process::exit(code.parse().unwrap());
        }
        ["print-environment", port] => {
            println!("PATH is {:?}", std::env::var_os("PATH"));
            println!("ANSWER is {:?}", std::env::var_os("ANSWER"));
            serve(port, false);
        }
        _ => panic!("no role {role}"),
    }
}

fn serve(port: &str, is_loading: bool) {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    println!("listening");
    for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
        // Six questions a look: the first look finds a server that still loads.
        answer(stream, is_loading && number < 6);
    }
}

fn answer(mut stream: TcpStream, is_loading: bool) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let (status, body) = match head.split_whitespace().nth(1) {
        Some("/health") if is_loading => ("503 Service Unavailable", ""),
        Some("/health") => ("200 OK", ""),
        Some("/v1/models") => ("200 OK", r#"{"data":[{"id":"m","owned_by":"vllm"}]}"#),
        _ => ("404 Not Found", "{}"),
    };
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
}
