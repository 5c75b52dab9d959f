//! A simulated engine of a transcript: started from the script of the stage, stopped and waited for.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::documents::check;

/// A running engine; killed when it goes out of scope.
pub(super) struct Engine {
    child: Child,
    /// What it printed when it was ready, an `engine-sim.ready/1`.
    pub(super) ready: Value,
}

impl Engine {
    /// Starts what a command describes, and reads its ready line.
    pub(super) fn start(place: &str, command: &mut Command) -> Engine {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is piped");
        let read = BufReader::new(stdout).read_line(&mut line);
        let ready: Value = serde_json::from_str(&line)
            .unwrap_or_else(|error| panic!("{place}: not ready ({read:?}, {error}): {line}"));
        check(place, &ready);
        Engine { child, ready }
    }

    pub(super) fn url(&self) -> &str {
        self.ready["url"].as_str().expect("a ready line has a url")
    }

    /// What an honest client would have seen, and an ending on SIGTERM as the skill says.
    pub(super) fn truth_and_stop(&mut self, place: &str) {
        let address = self.url().strip_prefix("http://").expect("a URL of loopback");
        let body = get(address, "/truth");
        check(
            place,
            &serde_json::from_str(&body).unwrap_or_else(|error| panic!("{place}: {error}: {body}")),
        );
        let killed = Command::new("sh")
            .args(["-c", &format!("kill {}", self.child.id())])
            .status();
        assert!(killed.is_ok_and(|status| status.success()), "{place}");
        self.ended();
    }

    /// Waits until it has ended, so that its pid is free.
    pub(super) fn ended(&mut self) {
        let started = Instant::now();
        while self
            .child
            .try_wait()
            .expect("a child can be waited for")
            .is_none()
        {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "an engine that was killed still runs"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body of a page of a server on loopback.
fn get(address: &str, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).expect("a ready engine listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
    body.to_owned()
}
