//! `profile-tables capture` on a deployment: requests go in at the router, and the stage's server is profiled.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::process::{Sim, run};
use crate::profile_capture::traces;

/// A router that passes every connection on to one server; its URL, and the first line of each connection.
fn router(to: &str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let to = to.trim_start_matches("http://").to_owned();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&seen);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(&to).unwrap();
            let (mut back_from, mut back_to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back_from, &mut back_to));
            let lines = Arc::clone(&lines);
            std::thread::spawn(move || {
                let (mut from, mut server) = (BufReader::new(client), server);
                let mut first = String::new();
                from.read_line(&mut first).unwrap();
                lines.lock().unwrap().push(first.trim_end().to_owned());
                server.write_all(first.as_bytes()).unwrap();
                std::io::copy(&mut from, &mut server)
            });
        }
    });
    (url, seen)
}

#[test]
fn requests_go_in_at_the_router_and_the_stage_s_server_is_profiled() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    let decode = Sim::engine(&["--flavor", "sglang"]);
    let prefill = Sim::engine(&["--flavor", "sglang"]);
    let (front, seen) = router(&decode.url);
    let urls = [
        format!("router={front}"),
        format!("prefill={}", prefill.url),
        format!("decode={}", decode.url),
    ];
    let urls = urls.iter().flat_map(|url| ["--url", url.as_str()]);
    let more = ["--stage", "decode", "--output-len", "20", "--output-dir", to];
    let ended = run("profile-tables", ["capture"].into_iter().chain(urls).chain(more));
    assert_eq!(traces(&ended).len(), 1);
    let data = &ended.document()["data"];
    assert_eq!(
        (&data["url"], &data["role"]),
        (&decode.url.as_str().into(), &"decode".into())
    );
    assert_eq!(data["front_url"], front.as_str());
    assert_eq!(data["load"]["running"], 0);
    let seen = seen.lock().unwrap();
    assert!(
        seen.iter().any(|line| line.starts_with("POST /v1/completions")),
        "{seen:?}"
    );
    assert!(!seen.iter().any(|line| line.contains("profile")), "{seen:?}");
    let without = run(
        "profile-tables",
        [
            "capture",
            "--url",
            &front,
            "--url",
            &decode.url,
            "--stage",
            "decode",
            "--output-len",
            "20",
        ],
    );
    without.fails(2, "capture-roles-unclear", "--url decode=");
}
