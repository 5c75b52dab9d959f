//! The doctor on this machine, with servers that are made here.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use contracts::serve_bench::doctor::{Check, CheckStatus};
use serve_bench::doctor::{DoctorPlan, run_checks};

/// A server on a free port that gives every request the same answer. Its thread ends with the test process.
fn server(status: &'static str, body: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request);
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
            });
        }
    });
    port
}

fn plan(ports: Vec<u16>) -> DoctorPlan {
    DoctorPlan {
        ports: Some(ports),
        probe_timeout: Duration::from_secs(5),
        cpu_sample: Duration::from_millis(20),
        timer_sleeps: 5,
        ..DoctorPlan::new(16)
    }
}

fn named<'a>(checks: &'a [Check], name: &str) -> &'a Check {
    checks.iter().find(|check| check.name == name).unwrap()
}

#[test]
fn every_check_is_there_and_says_something() {
    let (checks, _) = run_checks(&plan(vec![]));
    let names: Vec<&str> = checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "servers",
            "file-descriptors",
            "network-sandbox",
            "clock",
            "timers",
            "idle-cpu",
            "cpu-governor",
            "gpu",
            "disk"
        ]
    );
    for check in &checks {
        assert!(!check.detail.is_empty(), "{check:?}");
        let needs_hint = matches!(check.status, CheckStatus::Warn | CheckStatus::Fail);
        assert!(check.hint.is_some() || !needs_hint, "{check:?}");
    }
}

#[test]
fn a_server_on_loopback_is_found_among_others() {
    let models =
        r#"{"object": "list", "data": [{"id": "org/model", "object": "model", "owned_by": "vllm"}]}"#;
    let good = server("200 OK", models);
    let web = server("404 Not Found", "{}");
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let (checks, servers) = run_checks(&plan(vec![web, good, closed]));
    assert_eq!(servers.len(), 1, "{servers:?}");
    assert_eq!(servers[0].models, ["org/model"]);
    let check = named(&checks, "servers");
    assert_eq!(check.status, CheckStatus::Ok);
    assert!(
        check
            .hint
            .as_ref()
            .unwrap()
            .contains(&format!("--url http://127.0.0.1:{good}"))
    );
}

#[test]
fn a_server_that_wants_a_credential_is_named() {
    let locked = server("401 Unauthorized", r#"{"error": "key"}"#);
    let (checks, servers) = run_checks(&plan(vec![locked]));
    assert!(servers.is_empty());
    let check = named(&checks, "servers");
    assert_eq!(check.status, CheckStatus::Warn);
    assert!(
        check.hint.as_ref().unwrap().contains("--api-key-env"),
        "{check:?}"
    );
}

#[test]
fn a_server_that_never_answers_does_not_hold_the_doctor() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut plan = plan(vec![silent.local_addr().unwrap().port()]);
    plan.probe_timeout = Duration::from_millis(40);
    let start = std::time::Instant::now();
    let (_, servers) = run_checks(&plan);
    assert!(servers.is_empty());
    assert!(start.elapsed() < Duration::from_secs(8));
}
